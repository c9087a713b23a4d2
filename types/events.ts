/**
 * Why a cookie was refused. `revoked`: the cookie opened, but its session was revoked. `unproven`: it opened, but its
 * session has a mark, and neither its pass nor a proof was sent. With `enforce: false` of `deviceBound`, an `unproven`
 * session is used in spite of this event. `ambiguous`: a bearer token opened, and the request has a cookie of the same
 * session, too; neither is used.
 */
export type RefusedBecause =
  | 'malformed' | 'unknown-version' | 'unknown-key' | 'forged' | 'unsupported' | 'expired' | 'from-the-future'
  | 'revoked' | 'unproven' | 'ambiguous'

/** What a message is about. */
export interface AboutSession {
  /** The `sessionName`: the property on the request. */
  readonly session: string
  /** With the option `tenant`: the id of the tenant. Absent where a session was revoked by its id alone. */
  readonly tenant?: string
}

interface AboutOneSession extends AboutSession {
  /** A hash of the session's id, 22 characters of base64url. It identifies a session, and cannot open it. */
  readonly id: string
}

/** A request accessed a session that its cookie or its bearer token opened. */
export interface OpenedEvent extends AboutOneSession {
  /** The name of the cookie, also of a session that came as a bearer token. */
  readonly cookie: string
  /**
   * `good`: the store was asked. `unchecked`: it was unavailable and `onError` is `'allow'`. null: it was not asked.
   */
  readonly check: 'good' | 'unchecked' | null
}

/**
 * A cookie or a bearer token of a request, or an argument of `decodeSecureSession`, was refused. A legacy cookie that
 * has the name of the session's cookie is refused first, and then opened by an opener in `legacy`. A bearer token that
 * does not begin like one of this format is left alone, without an event.
 */
export interface RefusedEvent extends AboutSession {
  /** The name of the cookie. For a bearer token, that of the session's cookie. */
  readonly cookie: string
  readonly reason: RefusedBecause
  /** The hash of the session's id if the reason is `revoked`, `unproven` or `ambiguous`; else null. */
  readonly id: string | null
}

/** The reply has the cookie of a session, or its bearer token. */
export interface SealedEvent extends AboutOneSession {
  /** The length of the token in characters, in all its cookies together. */
  readonly length: number
  /** True for a new session, and for a session that got a new id in this request. */
  readonly isNew: boolean
}

/** The reply sets the stamp of a session: its second, small cookie. */
export interface RenewedEvent extends AboutOneSession {
  /** True if the idle limit started again. */
  readonly isRenewed: boolean
  /** True if the store was asked. */
  readonly isChecked: boolean
}

/** One or several sessions were revoked in the store. */
export interface RevokedEvent extends AboutSession {
  /** `id`: one session. `subject`: all sessions of a subject. `others`: all sessions of a subject but one. */
  readonly by: 'id' | 'subject' | 'others'
  /** The hash of the id or of the subject. A subject that can be guessed can be hashed and compared. */
  readonly id: string
}

/**
 * What happened to the binding of a session to a device.
 * - `offered`: the reply asked the browser to register a key.
 * - `registered`: the browser registered one, which is the first time that it signed.
 * - `bound`: the first refresh. The reply clears the pass: from now on, only the key of the browser proves the
 *   session.
 * - `proven`: a later refresh.
 * - `ended`: the server told the browser to forget the key.
 */
export type BindingStep = 'offered' | 'registered' | 'bound' | 'proven' | 'ended'

/**
 * Why the server told a browser to forget a key. `unknown-device`: the identifier of the key does not open.
 * `no-session`: no session was sent. `other-session`: another one was, such as that of a later login. `revoked`: it was
 * revoked.
 */
export type EndedBecause = 'unknown-device' | 'no-session' | 'other-session' | 'revoked'

/** The binding of a session to a device has changed. */
export interface BoundEvent extends AboutSession {
  /** The hash of the session's id; null if no session was sent. */
  readonly id: string | null
  readonly step: BindingStep
  /** Null, unless the step is `ended`. */
  readonly why: EndedBecause | null
}

/**
 * The messages that are published on `node:diagnostics_channel`, by the name of the channel. If a subscriber throws,
 * Node.js reports an uncaught exception. This ends the process, unless the app handles uncaught exceptions.
 * @see https://nodejs.org/api/diagnostics_channel.html
 * @example
 * subscribe('fastify-sealed-session:refused', message => {
 *   const { cookie, reason } = message as secureSession.SessionEvents['fastify-sealed-session:refused']
 *   console.log(cookie, reason)
 * })
 */
export interface SessionEvents {
  'fastify-sealed-session:opened': OpenedEvent
  'fastify-sealed-session:refused': RefusedEvent
  'fastify-sealed-session:sealed': SealedEvent
  'fastify-sealed-session:renewed': RenewedEvent
  'fastify-sealed-session:revoked': RevokedEvent
  'fastify-sealed-session:bound': BoundEvent
}
