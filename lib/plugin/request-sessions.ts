import type { FastifyReply, FastifyRequest } from 'fastify'
import { CommittedError } from '../errors'
import type { SessionView } from '../session/view'
import { Answers } from './answers'
import type { SessionDefinition } from './definition'
import { Failures } from './failures'
import { findInHeader, type Found } from './find'
import { copyToRaw, isHeadSent, putSetCookies } from './reply-headers'
import { Touched, type Holder } from './touched'
import { warnLost } from './warnings'

const NONE: readonly never[] = []

/** The sessions of one request: each is opened when it is first touched, and all are committed with the reply. */
export class RequestSessions implements Holder {
  readonly #request: FastifyRequest
  /** Null only in hooks that run before the plugin's own. */
  reply: FastifyReply | null
  /** In the order in which they were registered. */
  #touched: readonly Touched[] = NONE
  /** Null where nobody had to be asked about any of them. */
  #answers: Answers | null = null
  #committed: readonly string[] | null = null
  /** Nothing can be changed while the sessions are being written down. */
  #committing = false
  #settling = false
  /** What was begun by an early commit. */
  #early: Promise<unknown> | null = null
  #watched = false

  constructor (request: FastifyRequest, reply: FastifyReply | null) {
    this.#request = request
    this.reply = reply
  }

  view (definition: SessionDefinition): SessionView {
    return (this.#touchedOf(definition) ?? this.#touch(definition, this.#find(definition))).use()
  }

  /** Asks whoever must be asked before a handler may see these sessions; null where nothing has to be waited for. */
  prepare (definitions: readonly SessionDefinition[]): Promise<unknown> | null {
    this.#answers ??= new Answers()
    return this.#answers.ask(definitions, this.#request.raw.headers.cookie, this.#request.log)
  }

  /**
   * Does in the store of revocations what must be done before the cookies go out; null where nothing is. It rejects once, as
   * `commit` throws: the browser keeps the cookies it has.
   */
  settle (): Promise<unknown> | null {
    if (this.#committed !== null) return this.#early
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
    this.#settling = true
    return Promise.all(errands).then(() => {
      this.#settling = false
      failures.throwFirst()
    })
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

  #find (definition: SessionDefinition): Found | null {
    const { raw: { headers: { cookie } }, log } = this.#request
    const answer = this.#answers?.take(definition, log)
    return answer === undefined ? findInHeader(definition, cookie, log) : answer
  }

  #touchedOf (definition: SessionDefinition): Touched | undefined {
    for (const touched of this.#touched) {
      if (touched.definition === definition) return touched
    }
    return undefined
  }

  #touch (definition: SessionDefinition, found: Found | null): Touched {
    const touched = new Touched(definition, found, this)
    // To push onto an array of its own costs 1 us more.
    this.#touched = this.#touched.length === 0 ? [touched] : [...this.#touched, touched].sort((a, b) => a.definition.place - b.definition.place)
    return touched
  }

  beforeChange (touched: Touched): void {
    const isTooLate = this.#committing || this.#settling || this.#committed !== null || (this.reply !== null && isHeadSent(this.reply))
    if (isTooLate) throw this.#tooLate(touched.definition)
    if (touched.state === 'failed') touched.state = 'changed again'
    this.watchForLoss()
  }

  /** A reply that is hijacked and never committed loses changes; nobody can be told but the operator. */
  watchForLoss (): void {
    const { reply } = this
    if (reply === null || this.#watched) return
    this.#watched = true
    reply.raw.on('close', () => {
      const lost = this.#committed === null && isHeadSent(reply) ? this.#changed() : undefined
      if (lost !== undefined) warnLost(lost.definition, reply.log)
    })
  }

  /** One that was changed, and whose loss nobody was told of. */
  #changed (): Touched | undefined {
    return this.#touched.find(({ state, isChanged }) => state !== 'failed' && isChanged)
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
