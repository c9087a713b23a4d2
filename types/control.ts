import type { FastifyBaseLogger } from 'fastify'
import type { SessionData } from '../index'
import type { NotInferred, Session, SessionValues } from './session'

/**
 * `app.secureSession`. With several sessions, a method applies to all sessions that have `revocation`, or to the one
 * that `sessionName` names.
 */
export interface SecureSessionControl {
  /**
   * Ends the session with this id (`info.id`) and every copy of its cookie. This server refuses the session at once.
   * Another server that trusts it refuses it after its next lookup, within `recheck`. Rejects with
   * FST_SESSION_STORE_UNAVAILABLE, for every value of `onError`; it is then not known whether the session has ended.
   * Rejects with FST_SESSION_INVALID_OPTION if `id` is not a session id, or if there is no `revocation`.
   */
  revoke (id: string, sessionName?: string): Promise<void>
  /**
   * "Log out everywhere": ends all sessions of a subject that began before this millisecond. `subject` is a value that
   * the option `subject` returns. Rejects with the same errors as `revoke`.
   */
  revokeSubject (subject: string | number, sessionName?: string): Promise<void>
  /**
   * Like `decodeSecureSession`, but asks the revocation store, also for a session in its trusted window, and openers of
   * legacy cookies that return promises. Resolves to null if the token does not open or its session has ended. Rejects
   * with FST_SESSION_STORE_UNAVAILABLE if the store is unavailable and `onError` is `'refuse'`.
   */
  decode<T = SessionData> (
    token: string | undefined, log?: FastifyBaseLogger, sessionName?: string
  ): Promise<Session<T> | null>
  /**
   * The cookies of a new session with these values, for tests. The result maps names to values, as
   * `inject({ cookies })` takes them. It has more than one cookie if the session is split. Throws
   * FST_SESSION_UNKNOWN_NAME, FST_SESSION_NOT_SERIALIZABLE, FST_SESSION_TOO_LARGE.
   */
  cookiesFor<T = SessionData> (values: SessionValues<NotInferred<T>>, sessionName?: string): Record<string, string>
  /**
   * Removes session cookies from a Cookie header, for a proxy: with the cookie of a session, the upstream could act as
   * its user. Removes the cookies of all sessions in all scopes of the app, or of the session that `sessionName` names:
   * data cookies, their further parts, stamps, and the old cookies that `legacy` names. Other cookies are unchanged.
   * Returns undefined if no cookie is left. Throws FST_SESSION_UNKNOWN_NAME, FST_SESSION_INVALID_OPTION.
   */
  stripCookies (header: string | readonly string[] | null | undefined, sessionName?: string): string | undefined
  /**
   * The sessions as OpenAPI security schemes, by session name. Pass this object to `@fastify/swagger` as
   * `openapi.components.securitySchemes`.
   */
  readonly securitySchemes: Readonly<Record<string, SessionSecurityScheme>>
}

/** https://spec.openapis.org/oas/v3.1.1.html#security-scheme-object */
export interface SessionSecurityScheme {
  type: 'apiKey'
  in: 'cookie'
  /** The name of the cookie. */
  name: string
  description: string
}
