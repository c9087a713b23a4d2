import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify'
import { CommittedError, NotReadyError } from '../errors'
import type { OpenedSession } from '../session/opened'
import type { SessionDefinition } from './definition'
import { headerSource, loadNow, needsPromise, openSealed, type SealedCookies } from './load'
import { DeferredLog, logVerified, warnLost, warnNotReady, type OpeningLog } from './log'
import { PreloadedSessions } from './preload'
import {
  beforeHead, copyToRaw, isClosed, isHeadSent, isUpgrade, moveSetCookies, putRegistration, putSetCookies
} from './reply'
import { RequestSession, type SessionHolder } from './request-session'
import { mayRenew } from './route-config'
import { unrevoked, type VerifiedSession } from './verify'

const NONE: readonly never[] = []

/** The request's property that holds its context. */
export const CONTEXT = Symbol('fastify-sealed-session.context')

/** The context of a request, made when it is first needed. */
export function contextOf (request: FastifyRequest): RequestContext {
  const holder = request as unknown as { [CONTEXT]?: RequestContext | null }
  holder[CONTEXT] ??= new RequestContext(request)
  return holder[CONTEXT]
}

/** The sessions of one request: each is loaded when it is first used, and all are written with the reply. */
export class RequestContext implements SessionHolder {
  readonly request: FastifyRequest
  /** Null only in hooks that run before the plugin's own. */
  #reply: FastifyReply | null = null
  /** In the order of their definitions. */
  #sessions: readonly RequestSession[] = NONE
  /** Those whose error `read` has thrown. */
  #thrown: readonly SessionDefinition[] = NONE
  /** What `peek` has opened. */
  #kept: Map<SealedCookies, readonly OpenedSession[]> | null = null
  /** Null where no session of the app can need a promise. */
  #preloaded: PreloadedSessions | null = null
  /** The Set-Cookie lines, from when they are final. */
  #lines: readonly string[] | null = null
  /** The sessions are being written: nothing can be changed. */
  #isWriting = false
  /** The store is being written for the reply. */
  #revoking: Promise<unknown> | null = null
  /** What `commitEarly` has begun in the store. */
  #revokingEarly: Promise<unknown> | null = null
  #isHeadWatched = false
  /** A session is being loaded. A log line that is written meanwhile may read it. */
  #isLoading = false
  /** The reply to an error is being made. Fastify does not catch everything that is thrown then. */
  isFailing = false
  /** How often onSend has run: an error can overtake a reply that waits for the store. */
  #passes = 0

  constructor (request: FastifyRequest) {
    this.request = request
  }

  /** Called once the hooks of the request run. */
  attach (reply: FastifyReply): void {
    this.#reply = reply
    if (this.#isHeadWatched) this.#interceptHead(reply)
  }

  /**
   * `request.session`. Null before the session is ready; and where it is not known, once the error was thrown in this
   * request, or where nothing would catch it. Throws FST_SESSION_STORE_UNAVAILABLE, FST_SESSION_UNPROVEN.
   */
  read (definition: SessionDefinition): object | null {
    const present = this.#find(definition)
    if (present === undefined && this.#isLoading) return null
    try {
      return (present ?? this.#load(definition)).use()
    } catch (error) {
      return this.#failedRead(definition, error)
    }
  }

  #failedRead (definition: SessionDefinition, error: unknown): null {
    if (error instanceof NotReadyError) {
      warnNotReady(definition, this.request)
      return null
    }
    if (this.#isOver || this.#thrown.includes(definition)) return null
    this.#thrown = [...this.#thrown, definition]
    throw error
  }

  /** The session. Throws FST_SESSION_NOT_READY, FST_SESSION_STORE_UNAVAILABLE, FST_SESSION_UNPROVEN. */
  open (definition: SessionDefinition): object {
    return (this.#find(definition) ?? this.#load(definition)).use()
  }

  /** The newest session of the request, opened and not used. It is kept for the handler. */
  peek (definition: SessionDefinition): OpenedSession | undefined {
    const deferred = new DeferredLog()
    this.#kept ??= new Map()
    this.#isLoading = true
    const source = headerSource(this.request.raw.headers)
    const sessions = openSealed(definition, source, definition.context.now(), deferred)
    this.#kept.set(definition, sessions)
    deferred.flush(this.request.log)
    this.#isLoading = false
    return sessions[0]
  }

  /** A session that was loaded elsewhere, where the reply must write it: to clear it, or to say when it was checked. */
  adopt (definition: SessionDefinition, verified: VerifiedSession): void {
    if (verified.isChecked || verified.status === 'revoked') this.#add(definition, verified)
  }

  /** The reply clears the proof of a session that was opened, so that the browser makes another one. */
  clearProof (definition: SessionDefinition): void {
    this.#find(definition)?.clearProof()
  }

  /** Counts a pass of onSend. */
  beginPass (): number {
    return ++this.#passes
  }

  /** False where a later pass has begun: the reply of this one is no longer wanted. */
  isLatest (pass: number): boolean {
    return pass === this.#passes
  }

  /** Loads those of these sessions that need a promise; null where nothing must be waited for. */
  preload (definitions: readonly SessionDefinition[]): Promise<unknown> | null {
    this.#preloaded ??= new PreloadedSessions()
    const { raw: { headers }, log } = this.request
    const deferred = new DeferredLog()
    const waiting = this.#preloaded.preload(definitions, headerSource(headers, this.#kept), deferred)
    if (waiting !== null) return waiting.finally(() => { deferred.flush(log) })
    deferred.flush(log)
    return null
  }

  /**
   * Revokes in the store what must be revoked before the cookies go out; null where nothing is. Rejects once, as
   * `commit` throws: the browser keeps the cookies that it has.
   */
  revokeBeforeSend (): Promise<unknown> | null {
    if (this.#lines !== null) return this.#revokingEarly
    if (this.#revoking !== null) return this.#revoking
    if (this.#preloaded === null || this.#isWriting) return null
    for (const [definition, verified] of this.#preloaded.toBeWritten()) {
      if (this.#find(definition) === undefined) this.#add(definition, verified)
    }
    const waiting: Array<Promise<void>> = []
    const failures = this.#forEach((session, failures) => {
      const revoking = session.revokeBeforeSend()
      if (revoking !== null) waiting.push(revoking.catch(error => { failures.add(session, error) }))
    })
    if (waiting.length === 0 && failures.areNone) return null
    this.#revoking = Promise.all(waiting).then(() => {
      this.#revoking = null
      failures.throwFirst()
    })
    return this.#revoking
  }

  /**
   * Writes the Set-Cookie lines of all sessions to the reply, and returns them. What cannot be written is thrown once:
   * the reply to that error goes out without the session, unless the error handler changed it. Lines are final.
   */
  commit (reply: FastifyReply): readonly string[] {
    this.#lines ??= this.#sessions.length === 0 ? NONE : this.#finalLines()
    if (this.#lines.length === 0) return NONE
    putSetCookies(reply, this.#lines)
    for (const { offer } of this.#sessions) if (offer !== null) putRegistration(reply, offer)
    return this.#lines
  }

  /** Sets the headers for caches, and returns the payload to send. */
  setCacheHeaders (reply: FastifyReply, payload: unknown): unknown {
    let sent = payload
    for (const session of this.#sessions) sent = session.setCacheHeaders(reply, sent)
    return sent
  }

  /**
   * As `commit`, when the app wants it, and into Node's own response too. The store is not waited for, and not called
   * where a session cannot be written.
   */
  commitEarly (reply: FastifyReply): string[] {
    const isFinal = this.#lines !== null
    const lost = !isFinal && reply.raw.headersSent ? this.#changed() : undefined
    if (lost !== undefined) throw tooLate(lost.definition)
    if (!isFinal && this.#revoking === null) this.#forEach(session => { session.plan() }).throwFirst()
    const revoking = isFinal ? null : this.revokeBeforeSend()
    // Fastify's onSend waits for it. Where the app sends the reply itself, nothing does.
    this.#revokingEarly ??= revoking?.catch(error => {
      this.#revokingEarly = null
      if (reply.sent) {
        this.request.log.error({ err: error }, 'a session was replaced, and could not be ended in the store')
      }
      throw error
    }) ?? null
    this.#revokingEarly?.catch(() => {})
    const lines = this.commit(reply)
    this.setCacheHeaders(reply, undefined)
    if (!reply.raw.headersSent) copyToRaw(reply)
    return [...lines]
  }

  beforeChange (session: RequestSession): void {
    const isTooLate = this.#isWriting || this.#revoking !== null || this.#lines !== null ||
      (this.#reply !== null && isHeadSent(this.#reply))
    if (isTooLate) throw tooLate(session.definition)
    if (session.state === 'failed') session.state = 'changed again'
    this.watchHead()
  }

  /** Changes go out with the head of the response, also where Fastify does not send the reply. */
  watchHead (): void {
    if (this.#isHeadWatched) return
    this.#isHeadWatched = true
    if (this.#reply !== null) this.#interceptHead(this.#reply)
  }

  #load (definition: SessionDefinition): RequestSession {
    const deferred = new DeferredLog()
    this.#isLoading = true
    try {
      return this.#add(definition, this.#verified(definition, deferred))
    } finally {
      deferred.flush(this.request.log)
      this.#isLoading = false
    }
  }

  #verified (definition: SessionDefinition, log: OpeningLog): VerifiedSession | null {
    const preloaded = this.#preloaded?.take(definition, log)
    if (preloaded !== undefined) return preloaded
    const source = headerSource(this.request.raw.headers, this.#kept)
    const candidates = definition.revocation === null ? loadNow(definition, source, log) : null
    if (candidates !== null) {
      const verified = unrevoked(definition, candidates, source.headers)
      logVerified(definition, verified, source.headers, log)
      return verified
    }
    const isReady = definition.revocation === null && !needsPromise(definition, source)
    if (!isReady) throw new NotReadyError(definition.sessionName)
    return null
  }

  /** Nothing that is thrown from here on becomes a reply. */
  get #isOver (): boolean {
    if (this.isFailing || this.#reply === null) return true
    const { sent, raw } = this.#reply
    return sent || raw.headersSent || isClosed(raw)
  }

  #find (definition: SessionDefinition): RequestSession | undefined {
    for (const session of this.#sessions) {
      if (session.definition === definition) return session
    }
    return undefined
  }

  #add (definition: SessionDefinition, verified: VerifiedSession | null): RequestSession {
    const isRenewed = verified === null || !verified.opened.isRenewalDue || mayRenew(definition, this.request)
    const session = new RequestSession(definition, isRenewed ? verified : withoutRenewal(verified), this)
    this.#sessions = this.#sessions.length === 0
      ? [session]
      : [...this.#sessions, session].sort((a, b) => a.definition.index - b.definition.index)
    return session
  }

  #interceptHead (reply: FastifyReply): void {
    // The head of an upgrade is written by the new protocol, and not through Fastify or Node.js.
    if (isUpgrade(reply) || reply.raw.headersSent) {
      reply.raw.on('close', () => { if (isHeadSent(reply)) this.#warnLost() })
    } else {
      beforeHead(reply.raw, args => this.#lines === null ? this.#commitWithHead(reply, args) : args)
    }
  }

  /** The app writes the head itself. Returns the arguments of `writeHead`. */
  #commitWithHead (reply: FastifyReply, args: readonly unknown[]): readonly unknown[] {
    const others = moveSetCookies(reply.raw, args)
    try {
      this.commitEarly(reply)
    } catch (error) {
      this.request.log.error({ err: error },
        'a session was changed and could not be written: the response goes out without it')
    }
    return others
  }

  #warnLost (): void {
    const lost = this.#lines === null ? this.#changed() : undefined
    if (lost !== undefined) warnLost(lost.definition, this.request.log)
  }

  /** A session that was changed, and whose loss was not reported. */
  #changed (): RequestSession | undefined {
    return this.#sessions.find(({ state, session }) => state !== 'failed' && session.isChanged)
  }

  #finalLines (): readonly string[] {
    const lines = this.#write()
    for (const { publish } of this.#sessions) publish?.()
    return lines
  }

  #write (): readonly string[] {
    let lines: readonly string[] = NONE
    this.#forEach(session => {
      const own = session.apply()
      lines = lines.length === 0 ? own : [...lines, ...own]
    }).throwFirst()
    return lines
  }

  /**
   * Code of the app (a toJSON, a serializer) may run while a session is planned and written, and try to change it or to
   * write it, too. Throws FST_SESSION_COMMITTED then.
   */
  #forEach (work: (session: RequestSession, failures: Failures) => void): Failures {
    const [first] = this.#sessions
    if (this.#isWriting) throw tooLate((first as RequestSession).definition)
    this.#isWriting = true
    const failures = new Failures(this.request.log)
    for (const session of this.#sessions) {
      try {
        work(session, failures)
      } catch (error) {
        failures.add(session, error)
      }
    }
    this.#isWriting = false
    return failures
  }
}

function tooLate ({ sessionName }: SessionDefinition): Error {
  return new CommittedError(sessionName)
}

/** For a route that does not renew sessions. A change still writes the session. */
function withoutRenewal (verified: VerifiedSession): VerifiedSession {
  return { ...verified, opened: { ...verified.opened, isRenewalDue: false } }
}

/**
 * What could not be written of the sessions of a request. The first failure is thrown; the others are logged, and so is
 * one of a session that the handler of an earlier error changed again.
 */
class Failures {
  readonly #log: FastifyBaseLogger
  readonly #thrown: unknown[] = []

  constructor (log: FastifyBaseLogger) {
    this.#log = log
  }

  get areNone (): boolean {
    return this.#thrown.length === 0
  }

  add (session: RequestSession, error: unknown): void {
    const isLogged = this.#thrown.length > 0 || session.state === 'changed again'
    if (isLogged) this.#log.error({ err: error }, 'another session could not be written')
    else this.#thrown.push(error)
    session.state = 'failed'
  }

  throwFirst (): void {
    if (this.#thrown.length > 0) throw this.#thrown[0]
  }
}
