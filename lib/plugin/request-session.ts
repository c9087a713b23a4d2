import type { FastifyReply, FastifyRequest } from 'fastify'
import { TransportError, UnprovenError } from '../errors'
import { about, opened } from '../events'
import { keyOfId } from '../revocation/keys'
import type { SessionObserver } from '../session/context'
import { Session } from '../session/session'
import type { Transport } from '../../types/session'
import { apply, prepareStore } from './apply'
import { challengeOf } from './challenge'
import { hasCookieOf } from './bearer'
import { forbidStoring, forbidStoringToken, varyBy } from './caching'
import type { SessionDefinition } from './definition'
import { ticketUrl } from './hand-over-ticket'
import { warnNotOffered, warnSecureOverHttp, warnUntrustedProxy } from './log'
import { NOTHING, planOf } from './plan'
import type { Plan } from './plan-types'
import { isRefused, type VerifiedSession } from './verify'

const NONE: readonly string[] = []

/** The request that a session belongs to. */
export interface SessionHolder {
  readonly request: FastifyRequest
  /** Throws FST_SESSION_COMMITTED. */
  beforeChange (session: RequestSession): void
  /** A session may be changed in place: its cookie must go out with the head of the response. */
  watchHead (): void
}

/** One session of one request: used by the handlers, or looked at by the plugin alone. */
export class RequestSession implements SessionObserver {
  readonly definition: SessionDefinition
  readonly verified: VerifiedSession | null
  readonly session: Session
  /** In what the reply writes it. */
  transport: Transport
  readonly #holder: SessionHolder
  #isUsed = false
  /** The reply sets its cookies. */
  #isWritten = false
  /** The browser is to make another proof. */
  #mustClearProof = false
  #plan: Plan | null = null
  /** What `prepareStore` resolved to. */
  #revokedBeforeMs = 0
  /** The value of Secure-Session-Registration, which goes out with the cookies; null for none. */
  offer: string | null = null
  /** The value of the response header with the bearer token; null for none. */
  token: string | null = null
  /** Publishes the events of what was applied; null where there are none. */
  publish: (() => void) | null = null
  /**
   * Failed: it could not be written, and the error was thrown. The reply to the error goes out without it, unless the
   * error handler changes it again.
   */
  state: 'open' | 'failed' | 'changed again' = 'open'

  constructor (definition: SessionDefinition, verified: VerifiedSession | null, holder: SessionHolder) {
    this.definition = definition
    this.verified = verified
    this.#holder = holder
    this.transport = definition.options.transport === 'bearer' || verified?.cameIn === 'bearer' ? 'bearer' : 'cookie'
    this.session = verified?.status === 'revoked'
      ? Session.replacingRevoked(definition.context, this, verified.opened)
      : new Session(definition.context, this, verified === null || isRefused(verified) ? null : verified.opened)
  }

  /** What the request uses: the proxy. Throws FST_SESSION_UNPROVEN. */
  use (): object {
    if (this.#isWithheld) {
      throw new UnprovenError(this.verified?.status === 'unproven-retry-later' ? null : challengeOf(this.definition))
    }
    const isFirst = !this.#isUsed
    // A subscriber may read the session, too.
    this.#isUsed = true
    if (isFirst && opened.hasSubscribers) this.#publishOpened()
    return this.session.proxy
  }

  /** It may be valid, and nothing in this request proves it. */
  get #isWithheld (): boolean {
    const status = this.verified?.status
    return status === 'unproven-retry-later' || status === 'unproven-foreign-request'
  }

  /** Throws where the session cannot be written. */
  plan (): void {
    // Until the reply is written, the app may change an object in place.
    this.#plan = null
    if (this.state !== 'failed') this.#planned()
  }

  /**
   * Throws where the session cannot be written, rejects where the store fails; null where nothing must be waited for.
   */
  revokeBeforeSend (): Promise<void> | null {
    this.plan()
    if (this.state === 'failed') return null
    const revoking = prepareStore(this.definition, this.#planned())
    return revoking === null ? null : revoking.then(revokedBeforeMs => { this.#revokedBeforeMs = revokedBeforeMs })
  }

  /** The Set-Cookie lines. Throws where the session cannot be written. */
  apply (): readonly string[] {
    this.offer = null
    this.token = null
    this.publish = null
    if (this.state === 'failed') return NONE
    const plan = this.#planned()
    this.#plan = null
    if (plan === NOTHING) return NONE
    const { definition, verified } = this
    const { request } = this.#holder
    const overTls = request.protocol === 'https'
    const context = { definition, verified, revokedBeforeMs: this.#revokedBeforeMs, overTls, log: request.log }
    const { lines, offer, token, publish } = apply(context, plan)
    this.offer = offer
    this.token = token
    this.publish = publish
    this.#isWritten = lines.length > 0
    if (this.#isWritten && !overTls) {
      warnUntrustedProxy(definition, request)
      warnNotOffered(definition, request)
      warnSecureOverHttp(definition, request, lines)
    }
    return lines
  }

  /** Sets the headers for caches, and returns the payload to send. */
  setCacheHeaders (reply: FastifyReply, payload: unknown): unknown {
    const { cacheControl, bearerHeader, transport } = this.definition.options
    if (this.token !== null) return forbidStoringToken(bearerHeader, reply, payload)
    if (!cacheControl) return payload
    if (this.#isWritten && forbidStoring(this.definition, reply, payload)) return payload
    // One that is withheld was asked for, too: only that loads it.
    return this.#isUsed || this.#isWithheld ? varyBy(transport, reply, payload) : payload
  }

  /** The reply clears the proof, so that the browser makes another one. */
  requestNewProof (): void {
    this.beforeChange()
    this.#mustClearProof = true
  }

  beforeChange (): void {
    this.#holder.beforeChange(this)
    this.#plan = null
  }

  /** A new session goes to the client in this. One that came in the other way stays there. */
  useTransport (transport: Transport): void {
    if (transport === this.transport) return
    const { definition, verified } = this
    if (transport === 'bearer' && hasCookieOf(definition, this.#holder.request.raw.headers.cookie)) {
      throw new TransportError(definition.sessionName, 'the request has a cookie of it, send the login without')
    }
    if (verified?.cameIn === 'bearer') {
      throw new TransportError(definition.sessionName, 'the request has a bearer token of it, so it stays one')
    }
    this.beforeChange()
    this.transport = transport
  }

  mayBeMutated (): void {
    this.#holder.watchHead()
  }

  async handOver (options: unknown): Promise<string | null> {
    return await ticketUrl(this.definition, this.session, this.#holder.request, options)
  }

  #planned (): Plan {
    const { definition, session, verified, transport } = this
    const { raw, protocol } = this.#holder.request
    this.#plan ??= planOf({
      definition,
      session,
      verified,
      head: raw,
      transport,
      overTls: protocol === 'https',
      isUsed: this.#isUsed,
      mustClearProof: this.#mustClearProof
    })
    return this.#plan
  }

  #publishOpened (): void {
    const { verified, definition: { sessionName, tenant, options } } = this
    if (verified === null || isRefused(verified)) return
    const { status, isChecked, legacy, opened: { id } } = verified
    const check = status === 'unavailable-trusted' ? 'unchecked' : isChecked ? 'good' : null
    const cookie = legacy?.cookieName ?? options.cookieName
    opened.publish({ ...about(sessionName, tenant), cookie, id: keyOfId(id.text), check })
  }
}
