/** Why a cookie was refused; `revoked`: it opened, and its session was ended. */
export type RefusedBecause =
  | 'malformed' | 'unknown-version' | 'unknown-key' | 'forged' | 'unsupported' | 'expired' | 'from-the-future'
  | 'revoked'

interface AboutSession {
  /** The session's name: the property on the request. */
  readonly session: string
}

interface AboutOneSession extends AboutSession {
  /** A hash of the session's id, 22 characters of base64url. It tells sessions apart, and opens none. */
  readonly id: string
}

/** A request looked at the session that it brought. */
export interface OpenedEvent extends AboutOneSession {
  /** The name of the cookie it was in. */
  readonly cookie: string
  /** The store was asked just now, or was away and the app said to trust then; null where it was not asked. */
  readonly check: 'good' | 'unchecked' | null
}

/**
 * A request brought a cookie that is not to be used, or `decodeSecureSession` was given one. An old cookie under the
 * session's own name is refused here before an opener in `legacy` opens it.
 */
export interface RefusedEvent extends AboutSession {
  readonly cookie: string
  readonly reason: RefusedBecause
  /** The hash of the session's id, where the reason is `revoked`; else null. */
  readonly id: string | null
}

/** A session's cookie is on its way to the browser. */
export interface SealedEvent extends AboutOneSession {
  /** Characters of the token, in all its cookies. */
  readonly length: number
  /** No cookie held it before: it was begun, regenerated, or went on under another id after `revokeOthers()`. */
  readonly isNew: boolean
}

/** A session's stamp is on its way to the browser. */
export interface RenewedEvent extends AboutOneSession {
  /** Its idle clock began again. */
  readonly isRenewed: boolean
  /** The store was asked for it. */
  readonly isChecked: boolean
}

/** The store holds a new cut-off. */
export interface RevokedEvent extends AboutSession {
  /** One session by its id, or all of a subject; `others`: all but one. */
  readonly by: 'id' | 'subject' | 'others'
  /** The hash of the id, or of the subject; whoever can guess a subject can tell its hash. */
  readonly id: string
}

/**
 * What is published by `node:diagnostics_channel`, by the name of the channel. A subscriber that throws is an
 * uncaught exception, as Node.js has it: it ends the process unless somebody catches those.
 */
export interface SessionEvents {
  'fastify-sealed-session:opened': OpenedEvent
  'fastify-sealed-session:refused': RefusedEvent
  'fastify-sealed-session:sealed': SealedEvent
  'fastify-sealed-session:renewed': RenewedEvent
  'fastify-sealed-session:revoked': RevokedEvent
}
