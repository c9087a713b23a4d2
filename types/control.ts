import type { FastifyBaseLogger } from 'fastify'
import type { SessionData } from '../index'
import type { NotInferred, Session, SessionValues } from './session'

/**
 * `app.secureSession`. With several sessions each method means all that have `revocation`, or the one that is named.
 */
export interface SecureSessionControl {
  /**
   * Ends the session of this id (`info.id`), and every copy of its cookie. A server that trusts it still asks again
   * within `recheck`; this one refuses it at once. Rejects with FST_SESSION_STORE_UNAVAILABLE, whatever `onError` says,
   * and the session is then not surely over; with FST_SESSION_INVALID_OPTION for what is no id, or where there is no
   * `revocation`.
   */
  revoke (id: string, sessionName?: string): Promise<void>
  /**
   * Ends all sessions of a subject, as the option `subject` names it, that began before this millisecond: "log out
   * everywhere". Rejects as `revoke` does.
   */
  revokeSubject (subject: string | number, sessionName?: string): Promise<void>
  /**
   * As `decodeSecureSession`, and asks whoever can be asked: the revocation store, also about a session that is
   * trusted still, and openers of old cookies that answer with promises. Null where the token does not open or its
   * session is over. Rejects with FST_SESSION_STORE_UNAVAILABLE where the store is away and `onError` is `'refuse'`.
   */
  decode<T = SessionData> (
    token: string | undefined, log?: FastifyBaseLogger, sessionName?: string
  ): Promise<Session<T> | null>
  /**
   * The cookies of a new session with these values, by their names, such as `inject({ cookies })` takes them: for
   * tests. More than one where the session is split. Throws FST_SESSION_UNKNOWN_NAME, FST_SESSION_NOT_SERIALIZABLE,
   * FST_SESSION_TOO_LARGE.
   */
  cookiesFor<T = SessionData> (values: SessionValues<NotInferred<T>>, sessionName?: string): Record<string, string>
  /**
   * The Cookie header without the cookies of sessions: their own, those of further parts, stamps, and the old ones
   * that `legacy` names, of all scopes of the app. All others stay as they are; undefined where none is left. For a
   * proxy: with the cookie of a session the upstream could act as its user. With a name: the cookies of that session
   * alone. Throws FST_SESSION_UNKNOWN_NAME, FST_SESSION_INVALID_OPTION.
   */
  stripCookies (header: string | readonly string[] | null | undefined, sessionName?: string): string | undefined
  /**
   * The sessions as OpenAPI security schemes, by their names: for `openapi.components.securitySchemes` of
   * `@fastify/swagger`.
   */
  readonly securitySchemes: Readonly<Record<string, SessionSecurityScheme>>
}

/** https://spec.openapis.org/oas/v3.1.1.html#security-scheme-object */
export interface SessionSecurityScheme {
  type: 'apiKey'
  in: 'cookie'
  /** The cookie's name. */
  name: string
  description: string
}
