import type { FastifyReply, FastifyRequest } from 'fastify'
import { CommittedError } from '../errors'
import { Session } from '../session/session'
import { viewOf, type SessionView } from '../session/view'
import { linesToCommit } from './commit'
import type { SessionDefinition } from './definition'
import { findInHeader, findWaiting, type Found } from './find'
import { copyToRaw, forbidStoring, putSetCookies } from './reply-headers'
import { warnLost, warnUntrustedProxy } from './warnings'

interface Touched {
  readonly definition: SessionDefinition
  readonly session: Session
  readonly found: Found | null
  readonly view: SessionView
  /** Failed: it could not be written, the error was thrown, and the error's reply goes out without it unless it is changed again. */
  state: 'open' | 'failed' | 'changed again'
}

const NO_LINES: readonly string[] = []

/** The sessions of one request: each is opened when it is first touched, and all are committed with the reply. */
export class RequestSessions {
  readonly #request: FastifyRequest
  /** Null only in hooks that run before the plugin's own. */
  reply: FastifyReply | null
  /** In the order in which they were registered. */
  readonly #touched: Touched[] = []
  /** What was found for sessions that had to be waited for, or why that failed; null on nearly every request. */
  #awaited: Map<SessionDefinition, () => Found | null> | null = null
  #committed: readonly string[] | null = null
  #committing = false
  #watched = false

  constructor (request: FastifyRequest, reply: FastifyReply | null) {
    this.#request = request
    this.reply = reply
  }

  view (definition: SessionDefinition): SessionView {
    for (const touched of this.#touched) {
      if (touched.definition === definition) return touched.view
    }
    return this.#touch(definition).view
  }

  /** Asks the openers that must be waited for; null where there is nothing to wait for. */
  prepare (definitions: readonly SessionDefinition[]): Promise<unknown> | null {
    const { raw: { headers: { cookie } }, log } = this.#request
    if (cookie === undefined) return null
    let waiting: Array<Promise<void>> | null = null
    for (const definition of definitions) {
      const finding = findWaiting(definition, cookie, log)
      if (finding === null) continue
      const awaited = this.#awaited ??= new Map()
      waiting ??= []
      waiting.push(finding.then(
        found => { awaited.set(definition, () => found) },
        error => {
          awaited.set(definition, () => { throw error })
          throw error
        }))
    }
    return waiting === null ? null : Promise.all(waiting)
  }

  /**
   * Writes the Set-Cookie lines of all sessions to the reply, and returns them. What cannot be written is thrown once:
   * the pass of onSend for the error's reply goes without that session, or tries once more if the error handler changed it.
   * Lines once made stay the same, however often asked.
   */
  commit (reply: FastifyReply): readonly string[] {
    this.#committed ??= this.#touched.length === 0 ? NO_LINES : this.#linesOf(reply)
    if (this.#committed.length > 0) putSetCookies(reply, this.#committed)
    return this.#committed
  }

  /** As `commit`, for a reply that Fastify will not send itself: the lines go to Node's own response too. */
  commitEarly (reply: FastifyReply): string[] {
    const lost = this.#committed === null && reply.raw.headersSent ? this.#changed() : undefined
    if (lost !== undefined) throw this.#tooLate(lost.definition)
    const lines = this.commit(reply)
    if (!reply.raw.headersSent) copyToRaw(reply)
    return [...lines]
  }

  #touch (definition: SessionDefinition): Touched {
    const { raw, log } = this.#request
    const awaited = this.#awaited?.get(definition)
    const found = awaited === undefined ? findInHeader(definition, raw.headers.cookie, log) : awaited()
    const watcher = {
      beforeChange: () => { this.#beforeChange(touched) },
      handedOut: () => { this.#watchForLoss() }
    }
    const session = new Session(definition.policy, watcher, found === null ? null : found.opened)
    const touched: Touched = { definition, session, found, view: viewOf(session), state: 'open' }
    this.#touched.push(touched)
    if (this.#touched.length > 1) this.#touched.sort((a, b) => a.definition.place - b.definition.place)
    return touched
  }

  #beforeChange (touched: Touched): void {
    const isTooLate = this.#committing || this.#committed !== null || (this.reply !== null && isHeadSent(this.reply))
    if (isTooLate) throw this.#tooLate(touched.definition)
    if (touched.state === 'failed') touched.state = 'changed again'
    this.#watchForLoss()
  }

  /** A reply that is hijacked and never committed loses changes; nobody can be told but the operator. */
  #watchForLoss (): void {
    const { reply } = this
    if (reply === null || this.#watched) return
    this.#watched = true
    reply.raw.once('close', () => {
      const lost = this.#committed === null && isHeadSent(reply) ? this.#changed() : undefined
      if (lost !== undefined) warnLost(lost.definition, reply.log)
    })
  }

  #changed (): Touched | undefined {
    return this.#touched.find(({ session }) => isChanged(session))
  }

  #tooLate ({ options }: SessionDefinition): Error {
    return new CommittedError(options.sessionName)
  }

  #linesOf (reply: FastifyReply): readonly string[] {
    // While a session is written down the app's own code may run (a toJSON, a serializer) and try to change it.
    if (this.#committing) throw this.#tooLate((this.#touched[0] as Touched).definition)
    this.#committing = true
    const lines: string[] = []
    const failures: unknown[] = []
    for (const touched of this.#touched) {
      if (touched.state === 'failed') continue
      try {
        lines.push(...this.#linesOfOne(touched, reply))
      } catch (failure) {
        if (failures.length > 0 || touched.state === 'changed again') this.#request.log.error({ err: failure }, 'another session could not be written')
        else failures.push(failure)
        touched.state = 'failed'
      }
    }
    this.#committing = false
    if (failures.length > 0) throw failures[0]
    return lines
  }

  #linesOfOne ({ definition, session, found }: Touched, reply: FastifyReply): readonly string[] {
    const { raw: { headers: { cookie: header } }, log } = this.#request
    const overTls = this.#request.protocol === 'https'
    const lines = linesToCommit({ definition, session, found, header, overTls, log })
    if (lines.length === 0) return lines
    if (definition.options.cacheControl) forbidStoring(reply)
    if (!overTls) warnUntrustedProxy(definition, this.#request)
    return lines
  }
}

/** What cannot even be written down was changed, too. */
function isChanged (session: Session): boolean {
  try {
    return session.isEdited
  } catch {
    return true
  }
}

/** The response's head is out: sent by Fastify, by whoever hijacked the reply, or by the protocol that the socket was upgraded to. */
function isHeadSent ({ raw, sent, request }: FastifyReply): boolean {
  return raw.headersSent || (sent && (request.raw as { upgrade?: boolean }).upgrade === true)
}
