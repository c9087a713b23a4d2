import type { FastifyReply, FastifyRequest } from 'fastify'
import { CommittedError, NotReadyError } from '../errors'
import type { SessionView } from '../session/view'
import { Answers } from './answers'
import { DeferredLog, type OpeningLog } from './deferred-log'
import type { SessionDefinition } from './definition'
import { Failures } from './failures'
import { findInHeader, withoutRenewal, wouldRenew, type Found } from './find'
import { beforeHead, copyToRaw, isClosed, isHeadSent, isUpgrade, moveSetCookies, putSetCookies } from './reply-headers'
import { mayRenew } from './route-config'
import { Touched, type Holder } from './touched'
import { warnLost, warnNotReady } from './warnings'

const NONE: readonly never[] = []

/** Where a request holds its sessions. */
export const HELD = Symbol('fastify-sealed-session.held')

/** The sessions of a request, made when they are first asked for. */
export function sessionsOf (request: FastifyRequest): RequestSessions {
  const holder = request as unknown as { [HELD]?: RequestSessions | null }
  holder[HELD] ??= new RequestSessions(request)
  return holder[HELD]
}

/** The sessions of one request: each is opened when it is first touched, and all are committed with the reply. */
export class RequestSessions implements Holder {
  readonly #request: FastifyRequest
  /** Null only in hooks that run before the plugin's own. */
  #reply: FastifyReply | null = null
  /** In the order in which they were registered. */
  #touched: readonly Touched[] = NONE
  /** Those whose error `read` has thrown. */
  #thrown: readonly SessionDefinition[] = NONE
  /** Null where nobody had to be asked about any of them. */
  #answers: Answers | null = null
  #committed: readonly string[] | null = null
  /** Nothing can be changed while the sessions are being written down. */
  #committing = false
  /** The store is being written for the reply. */
  #settling: Promise<unknown> | null = null
  /** What was begun by an early commit. */
  #early: Promise<unknown> | null = null
  #isWatched = false
  /** A session is being opened: a log line that is written meanwhile may ask for it. */
  #isOpening = false
  /** A reply to an error is being made, where Fastify does not catch everything that is thrown. */
  isFailing = false
  /** How often onSend has run: an error can overtake a reply that still waits for the store. */
  #passes = 0

  constructor (request: FastifyRequest) {
    this.#request = request
  }

  /** The reply of the request, once its hooks run. */
  attach (reply: FastifyReply): void {
    this.#reply = reply
    if (this.#isWatched) this.#watchHead(reply)
  }

  /**
   * What `request.session` is: null before the session is ready, and where it cannot be told and the error was thrown
   * before in this request, or would be thrown where nothing catches it. Throws FST_SESSION_STORE_UNAVAILABLE.
   */
  read (definition: SessionDefinition): SessionView | null {
    const touched = this.#touchedOf(definition)
    if (touched !== undefined) return touched.use()
    if (this.#isOpening) return null
    try {
      return this.open(definition)
    } catch (error) {
      if (error instanceof NotReadyError) {
        warnNotReady(definition, this.#request)
      } else if (!this.#isOver && !this.#thrown.includes(definition)) {
        this.#thrown = [...this.#thrown, definition]
        throw error
      }
      return null
    }
  }

  /** The session. Throws FST_SESSION_NOT_READY, FST_SESSION_STORE_UNAVAILABLE. */
  open (definition: SessionDefinition): SessionView {
    return (this.#touchedOf(definition) ?? this.#open(definition)).use()
  }

  /** Counts a pass of onSend. */
  beginPass (): number {
    return ++this.#passes
  }

  /** False where a later pass has begun: the reply of this one is not wanted any more. */
  isLatest (pass: number): boolean {
    return pass === this.#passes
  }

  /** Asks whoever must be asked before a handler may see these sessions; null where nothing has to be waited for. */
  prepare (definitions: readonly SessionDefinition[]): Promise<unknown> | null {
    this.#answers ??= new Answers()
    const { raw: { headers: { cookie } }, log } = this.#request
    const deferred = new DeferredLog()
    const waiting = this.#answers.ask(definitions, cookie, deferred)
    if (waiting !== null) return waiting.finally(() => { deferred.flush(log) })
    deferred.flush(log)
    return null
  }

  /**
   * Does in the store of revocations what must be done before the cookies go out; null where nothing is. It rejects once, as
   * `commit` throws: the browser keeps the cookies it has.
   */
  settle (): Promise<unknown> | null {
    if (this.#committed !== null) return this.#early
    if (this.#settling !== null) return this.#settling
    if (this.#answers === null) return null
    for (const [definition, found] of this.#answers.toBeWritten()) {
      if (this.#touchedOf(definition) === undefined) this.#touch(definition, found)
    }
    const errands: Array<Promise<void>> = []
    const failures = new Failures(this.#request.log)
    for (const touched of this.#touched) {
      const errand = failures.guard(touched, () => touched.runErrands())
      if (errand !== undefined && errand !== null) errands.push(errand.catch(failure => { failures.add(touched, failure) }))
    }
    if (errands.length === 0 && failures.areNone) return null
    this.#settling = Promise.all(errands).then(() => {
      this.#settling = null
      failures.throwFirst()
    })
    return this.#settling
  }

  /**
   * Writes the Set-Cookie lines of all sessions to the reply, and returns them. What cannot be written is thrown once:
   * the pass of onSend for the error's reply goes without that session, or tries once more if the error handler changed it.
   * Lines once made stay the same, however often asked.
   */
  commit (reply: FastifyReply): readonly string[] {
    this.#committed ??= this.#touched.length === 0 ? NONE : this.#finalLinesOf()
    if (this.#committed.length > 0) putSetCookies(reply, this.#committed)
    return this.#committed
  }

  /** Tells caches what follows for them from the sessions; returns the payload to send. */
  tellCaches (reply: FastifyReply, payload: unknown): unknown {
    let sent = payload
    for (const touched of this.#touched) sent = touched.tellCaches(reply, sent)
    return sent
  }

  /** As `commit`, at a moment of the app's choosing, and for Node's own response too. The store is not waited for. */
  commitEarly (reply: FastifyReply): string[] {
    const lost = this.#committed === null && reply.raw.headersSent ? this.#changed() : undefined
    if (lost !== undefined) throw this.#tooLate(lost.definition)
    const errands = this.#committed === null ? this.settle() : null
    // Where Fastify sends the reply, its last hook waits for them; where the app does, nobody can.
    this.#early ??= errands?.catch(error => {
      this.#early = null
      if (reply.sent) this.#request.log.error({ err: error }, 'a session was replaced, and could not be ended in the store')
      throw error
    }) ?? null
    this.#early?.catch(() => {})
    const lines = this.commit(reply)
    this.tellCaches(reply, undefined)
    if (!reply.raw.headersSent) copyToRaw(reply)
    return [...lines]
  }

  #open (definition: SessionDefinition): Touched {
    const deferred = new DeferredLog()
    this.#isOpening = true
    try {
      return this.#touch(definition, this.#find(definition, deferred))
    } finally {
      deferred.flush(this.#request.log)
      this.#isOpening = false
    }
  }

  #find (definition: SessionDefinition, log: OpeningLog): Found | null {
    const answer = this.#answers?.take(definition, log)
    return answer === undefined ? findInHeader(definition, this.#request.raw.headers.cookie, log) : answer
  }

  /** Nothing that is thrown from here on becomes a reply. */
  get #isOver (): boolean {
    if (this.isFailing || this.#reply === null) return true
    const { sent, raw } = this.#reply
    return sent || raw.headersSent || isClosed(raw)
  }

  #touchedOf (definition: SessionDefinition): Touched | undefined {
    for (const touched of this.#touched) {
      if (touched.definition === definition) return touched
    }
    return undefined
  }

  #touch (definition: SessionDefinition, found: Found | null): Touched {
    const isLook = found !== null && wouldRenew(found) && !mayRenew(definition, this.#request)
    const touched = new Touched(definition, isLook ? withoutRenewal(found) : found, this)
    // To push onto an array of its own costs 1 us more.
    this.#touched = this.#touched.length === 0 ? [touched] : [...this.#touched, touched].sort((a, b) => a.definition.place - b.definition.place)
    return touched
  }

  beforeChange (touched: Touched): void {
    const isTooLate = this.#committing || this.#settling !== null || this.#committed !== null ||
      (this.#reply !== null && isHeadSent(this.#reply))
    if (isTooLate) throw this.#tooLate(touched.definition)
    if (touched.state === 'failed') touched.state = 'changed again'
    this.watchForLoss()
  }

  /** Sees to it that changes go out with the head, also where Fastify does not send the reply. */
  watchForLoss (): void {
    if (this.#isWatched) return
    this.#isWatched = true
    if (this.#reply !== null) this.#watchHead(this.#reply)
  }

  #watchHead (reply: FastifyReply): void {
    // Of an upgrade, the head is written by the new protocol, past Fastify and Node.js.
    if (isUpgrade(reply) || reply.raw.headersSent) reply.raw.on('close', () => { if (isHeadSent(reply)) this.#warnLost() })
    else beforeHead(reply.raw, args => this.#committed === null ? this.#commitWithHead(reply, args) : args)
  }

  /** The head is written by the app itself, in a hijacked reply or through another plugin. Returns the arguments of `writeHead`. */
  #commitWithHead (reply: FastifyReply, args: readonly unknown[]): readonly unknown[] {
    const others = moveSetCookies(reply.raw, args)
    try {
      this.commitEarly(reply)
    } catch (error) {
      this.#request.log.error({ err: error }, 'a session was changed and could not be written: the response goes out without it')
    }
    return others
  }

  #warnLost (): void {
    const lost = this.#committed === null ? this.#changed() : undefined
    if (lost !== undefined) warnLost(lost.definition, this.#request.log)
  }

  /** One that was changed, and whose loss nobody was told of. */
  #changed (): Touched | undefined {
    return this.#touched.find(({ state, session }) => state !== 'failed' && session.isChanged)
  }

  #tooLate ({ options }: SessionDefinition): Error {
    return new CommittedError(options.sessionName)
  }

  #finalLinesOf (): readonly string[] {
    const lines = this.#linesOf()
    for (const touched of this.#touched) touched.tell()
    return lines
  }

  #linesOf (): readonly string[] {
    // While a session is written down the app's own code may run (a toJSON, a serializer) and try to change it.
    if (this.#committing) throw this.#tooLate((this.#touched[0] as Touched).definition)
    this.#committing = true
    let lines: readonly string[] = NONE
    let failures: Failures | null = null
    for (const touched of this.#touched) {
      try {
        const own = touched.lines(this.#request)
        lines = lines.length === 0 ? own : [...lines, ...own]
      } catch (failure) {
        failures ??= new Failures(this.#request.log)
        failures.add(touched, failure)
      }
    }
    this.#committing = false
    failures?.throwFirst()
    return lines
  }
}
