import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify'
import { CommittedError } from '../errors'
import { BEFORE_WRITE, type BeforeWrite } from '../write-hooks'
import { NO_STORE, STORING } from './caching'
import type { SessionDefinition } from './definition'
import { warnLost } from './log'
import {
  beforeHead, copyToRaw, isClosed, isHeadSent, isUpgrade, moveSetCookies, putRegistration, putSetCookies,
  withValues
} from './reply'
import type { RequestSession, SessionHolder } from './request-session'

const NONE: readonly never[] = []
const NO_TOKENS: ReadonlyMap<string, string> = new Map()

export interface SessionsToWrite {
  /** In the order of their definitions. */
  readonly all: readonly RequestSession[]
  /** Adds those that the reply writes even if no handler uses them. False if no session of the app is preloaded. */
  addPreloaded (): boolean
}

/**
 * Writes the sessions of one request into its reply: once, with its head. Fastify sends the reply, or the app writes it
 * itself; an error can overtake a reply that waits for the store.
 */
export class ReplyWriter implements SessionHolder {
  readonly request: FastifyRequest
  readonly #sessions: SessionsToWrite
  /** Null only in hooks that run before the plugin's own. */
  #reply: FastifyReply | null = null
  /** The Set-Cookie lines, from when they are final. */
  #lines: readonly string[] | null = null
  /** The response headers with bearer tokens, by their names. */
  #tokens: ReadonlyMap<string, string> = NO_TOKENS
  /** The sessions are being written: nothing can be changed. */
  #isWriting = false
  /** The store is being written for the reply. */
  #revoking: Promise<unknown> | null = null
  /** What `commitEarly` has begun in the store. */
  #revokingEarly: Promise<unknown> | null = null
  #isHeadWatched = false
  /** How often onSend has run. */
  #runs = 0
  /** The reply to an error is being made. Fastify does not catch everything that is thrown then. */
  isFailing = false

  constructor (request: FastifyRequest, sessions: SessionsToWrite) {
    this.request = request
    this.#sessions = sessions
  }

  /** Called once the hooks of the request run. */
  attach (reply: FastifyReply): void {
    this.#reply = reply
    if (this.#isHeadWatched) this.#interceptHead(reply)
  }

  /** Nothing that is thrown from here on becomes a reply. */
  get isOver (): boolean {
    if (this.isFailing || this.#reply === null) return true
    const { sent, raw } = this.#reply
    return sent || raw.headersSent || isClosed(raw)
  }

  /** Counts a run of onSend. */
  beginRun (): number {
    return ++this.#runs
  }

  /** False where a later run of onSend has begun: the reply of this one is not sent. */
  isLatest (run: number): boolean {
    return run === this.#runs
  }

  /**
   * Revokes in the store what must be revoked before the cookies go out; null where nothing is. Rejects once, as
   * `commit` throws: the browser keeps the cookies that it has.
   */
  revokeBeforeSend (): Promise<unknown> | null {
    if (this.#lines !== null) return this.#revokingEarly
    if (this.#revoking !== null) return this.#revoking
    this.#callBeforeWrite()
    if (this.#isWriting || !this.#sessions.addPreloaded()) return null
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
    this.#lines ??= this.#sessions.all.length === 0 ? NONE : this.#finalLines()
    if (this.#tokens !== NO_TOKENS) {
      for (const [name, token] of this.#tokens) reply.header(name, token)
      // A later onSend hook of the app may set headers for caches.
      this.watchHead()
    }
    if (this.#lines.length === 0) return NONE
    putSetCookies(reply, this.#lines)
    for (const { offer } of this.#sessions.all) if (offer !== null) putRegistration(reply, offer)
    return this.#lines
  }

  /** Sets the headers for caches, and returns the payload to send. */
  setCacheHeaders (reply: FastifyReply, payload: unknown): unknown {
    let sent = payload
    for (const session of this.#sessions.all) sent = session.setCacheHeaders(reply, sent)
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
    if (!isFinal && this.#revoking === null) {
      this.#callBeforeWrite()
      this.#forEach(session => { session.plan() }).throwFirst()
    }
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
    if (!reply.raw.headersSent) {
      copyToRaw(reply, [...this.#tokens.keys(), ...(this.#tokens === NO_TOKENS ? NONE : STORING)])
      this.watchHead()
    }
    return [...lines]
  }

  /** A change of a session can still be sent. */
  get canWrite (): boolean {
    return !this.#isWriting && this.#revoking === null && this.#lines === null &&
      (this.#reply === null || !isHeadSent(this.#reply))
  }

  beforeChange (session: RequestSession): void {
    if (!this.canWrite) throw tooLate(session.definition)
    if (session.state === 'failed') session.state = 'changed again'
    this.watchHead()
  }

  /** Before sessions are planned, `fresh-tokens` may change them. */
  #callBeforeWrite (): void {
    const { request } = this
    const beforeWrite = (request as { [BEFORE_WRITE]?: BeforeWrite })[BEFORE_WRITE]
    if (beforeWrite === undefined || this.#isWriting) return
    for (const { definition: { sessionName }, state, session } of this.#sessions.all) {
      // A session that could not be written stays as it is.
      if (state === 'failed') continue
      try {
        beforeWrite.call(request, sessionName, session.proxy)
      } catch (error) {
        request.log.error({ err: error }, 'a session was not prepared for its reply')
      }
    }
  }

  /** Changes go out with the head of the response, also where Fastify does not send the reply. */
  watchHead (): void {
    if (this.#isHeadWatched) return
    this.#isHeadWatched = true
    if (this.#reply !== null) this.#interceptHead(this.#reply)
  }

  #interceptHead (reply: FastifyReply): void {
    // The head of an upgrade is written by the new protocol, and not through Fastify or Node.js.
    if (isUpgrade(reply) || reply.raw.headersSent) {
      reply.raw.on('close', () => { if (isHeadSent(reply)) this.#warnLost() })
    } else {
      beforeHead(reply.raw, args => {
        return this.#withTokens(this.#lines === null ? this.#commitWithHead(reply, args) : args)
      })
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

  /** Headers that the app gives to `writeHead` neither replace a token nor allow caches to store it. */
  #withTokens (args: readonly unknown[]): readonly unknown[] {
    if (this.#tokens === NO_TOKENS) return args
    return withValues(args, new Map([...this.#tokens, ...STORING.map(name => [name, NO_STORE] as const)]))
  }

  #warnLost (): void {
    const lost = this.#lines === null ? this.#changed() : undefined
    if (lost !== undefined) warnLost(lost.definition, this.request.log)
  }

  /** A session that was changed, and whose loss was not reported. */
  #changed (): RequestSession | undefined {
    return this.#sessions.all.find(({ state, session }) => state !== 'failed' && session.hasChanges())
  }

  #finalLines (): readonly string[] {
    let lines: readonly string[] = NONE
    this.#tokens = NO_TOKENS
    this.#forEach(session => {
      const own = session.apply()
      lines = lines.length === 0 ? own : [...lines, ...own]
      this.#addToken(session)
    }).throwFirst()
    for (const { publish } of this.#sessions.all) publish?.()
    return lines
  }

  #addToken ({ token, definition }: RequestSession): void {
    if (token !== null) this.#tokens = new Map(this.#tokens).set(definition.options.bearerHeader, token)
  }

  /**
   * Code of the app (a toJSON, a serializer) may run while a session is planned and written, and try to change it or to
   * write it, too. Throws FST_SESSION_COMMITTED then.
   */
  #forEach (work: (session: RequestSession, failures: Failures) => void): Failures {
    const [first] = this.#sessions.all
    if (this.#isWriting) throw tooLate((first as RequestSession).definition)
    this.#isWriting = true
    const failures = new Failures(this.request.log)
    for (const session of this.#sessions.all) {
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
