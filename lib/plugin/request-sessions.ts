import type { FastifyReply, FastifyRequest } from 'fastify'
import { CommittedError } from '../errors'
import { Session } from '../session/session'
import { viewOf, type SessionView } from '../session/view'
import { linesToCommit } from './commit'
import type { SessionDefinition } from './definition'
import { openFromHeader } from './open'
import { copyToRaw, forbidStoring, putSetCookies } from './reply-headers'
import { warnLost, warnUntrustedProxy } from './warnings'

interface Touched {
  readonly definition: SessionDefinition
  readonly session: Session
  readonly view: SessionView
  /** It could not be written; the error was thrown, and the error's reply goes out without it. */
  failed: boolean
}

const NO_LINES: readonly string[] = []

/** The sessions of one request: each is opened when it is first touched, and all are committed with the reply. */
export class RequestSessions {
  readonly #request: FastifyRequest
  /** Null only in hooks that run before the plugin's own. */
  reply: FastifyReply | null
  readonly #touched: Touched[] = []
  #committed: readonly string[] | null = null
  #changed = false

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

  /**
   * Writes the Set-Cookie lines of all sessions to the reply, and returns them. What cannot be written is thrown once:
   * the pass of onSend for the error's reply goes without that session. Lines once made stay the same, however often asked.
   */
  commit (reply: FastifyReply): readonly string[] {
    this.#committed ??= this.#touched.length === 0 ? NO_LINES : this.#linesOf(reply)
    if (this.#committed.length > 0) putSetCookies(reply, this.#committed)
    return this.#committed
  }

  /** As `commit`, for a reply that Fastify will not send itself: the lines go to Node's own response too. */
  commitEarly (reply: FastifyReply): string[] {
    if (this.#changed && this.#committed === null && reply.raw.headersSent) throw this.#tooLate(this.#touched[0]?.definition)
    const lines = this.commit(reply)
    if (!reply.raw.headersSent) copyToRaw(reply)
    return [...lines]
  }

  #touch (definition: SessionDefinition): Touched {
    const { raw, log } = this.#request
    const opened = openFromHeader(definition, raw.headers.cookie, log)
    const session: Session = new Session(definition.policy, () => { this.#beforeChange(touched) }, opened)
    const touched: Touched = { definition, session, view: viewOf(session), failed: false }
    this.#touched.push(touched)
    return touched
  }

  #beforeChange ({ definition, failed }: Touched): void {
    const { reply } = this
    if (failed || this.#committed !== null || (reply !== null && isHeadSent(reply))) throw this.#tooLate(definition)
    if (reply === null || this.#changed) return
    this.#changed = true
    reply.raw.once('close', () => {
      if (this.#committed === null && isHeadSent(reply)) warnLost(definition, reply.log)
    })
  }

  #tooLate (definition: SessionDefinition | undefined): Error {
    return new CommittedError(definition?.options.sessionName)
  }

  #linesOf (reply: FastifyReply): readonly string[] {
    const overTls = this.#request.protocol === 'https'
    const lines: string[] = []
    const failures: unknown[] = []
    for (const touched of this.#touched) {
      const { definition, session, failed } = touched
      if (failed) continue
      try {
        const written = linesToCommit(definition, session, overTls, this.#request.log)
        if (written.length === 0) continue
        lines.push(...written)
        if (definition.options.cacheControl) forbidStoring(reply)
        if (!overTls) warnUntrustedProxy(definition, this.#request)
      } catch (failure) {
        touched.failed = true
        failures.push(failure)
      }
    }
    if (failures.length === 0) return lines
    for (const failure of failures.slice(1)) this.#request.log.error({ err: failure }, 'a second session could not be written')
    throw failures[0]
  }
}

/** The response's head is out: sent by Fastify, by whoever hijacked the reply, or by the protocol that the socket was upgraded to. */
function isHeadSent ({ raw, sent, request }: FastifyReply): boolean {
  return raw.headersSent || (sent && (request.raw as { upgrade?: boolean }).upgrade === true)
}
