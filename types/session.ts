import type { SessionData } from '../index'
import type { CookieOptions } from './cookie'
import type { HandOverUrlOptions } from './hand-over'
import type { Duration } from './sealing'

/** In what a session comes and goes: in cookies, or in the headers of a bearer token. */
export type Transport = 'cookie' | 'bearer'
/** In what the sessions of an app may come. */
export type TransportOption = Transport | 'both'

/** Reserved names in property style. A value with one of these keys is accessible by `get` and `set`. */
export type ReservedName =
  | 'get' | 'set' | 'has' | 'unset' | 'data' | 'touch' | 'regenerate' | 'delete'
  | 'revoke' | 'revokeOthers' | 'handOver' | 'options' | 'info' | 'changed' | 'deleted'

/** The id and the times of a session. Times are in milliseconds since 1970. */
export interface SessionInfo {
  /**
   * 128 random bits, as 32 hex digits. A new one after `regenerate()`, `revokeOthers()`, a change of
   * the subject, or a `set` after `delete()`.
   */
  readonly id: string
  /**
   * When the session was created, last regenerated, changed its user, or revoked all others by `revokeOthers()`. After
   * a hand-over: that of the session at the other site.
   */
  readonly createdAt: number
  /**
   * When the user last authenticated. `freshWithin` and the absolute limit count from here. It equals `createdAt`,
   * unless `revokeOthers()` or a change of the subject changed `createdAt` only.
   */
  readonly authenticatedAt: number
  /** When it was last written or renewed. */
  readonly renewedAt: number
  /** When it expires if it is not used again. */
  readonly expiresAt: number
  /**
   * True if the request had no session that opened, and after `regenerate()`, `revokeOthers()` and a change of the
   * subject.
   */
  readonly isNew: boolean
  /**
   * True if the browser has proved that it has the key that the session is bound to, by the option `deviceBound`. False
   * in the request of the login.
   */
  readonly bound: boolean
  /** When the browser last proved it; null if `bound` is false. */
  readonly provenAt: number | null
  /**
   * In what the reply would write the session, by the option `transport`: `'bearer'` if it came as a bearer token, so
   * that no browser sent it by itself. A request that brought no session, or brought it in both, has `'cookie'`, unless
   * sessions are only bearer tokens or `options({ transport: 'bearer' })` was called. Null outside a request.
   */
  readonly transport: Transport | null
}

/** The keys that may be set: those of `T`, or any key if `T` is empty. */
export type SessionKey<T> = [keyof T] extends [never] ? string : Extract<keyof T, string>

/** The type of a value; any if `T` does not have the key. */
export type SessionValue<T, K> = K extends keyof T ? T[K] : any

/** All values. Typed as if none were missing, like in `@fastify/secure-session`; `get` is typed more strictly. */
export type SessionContent<T> = [keyof T] extends [never] ? Record<string, any> : T

/** The argument of `session.options()`. */
export interface SessionSettings extends CookieOptions {
  /**
   * The session expires when it was not used for this long. At most its absolute limit.
   * @default the option `idle`
   * @example
   * request.session.options({ idle: '30d', absolute: '90d' })
   */
  idle?: Duration | undefined
  /**
   * The session expires when it is older than this. At most 400 days; with `revocation`, at most the longer of its
   * `longest` and `absolute`.
   * @default the option `absolute`
   * @example
   * request.session.options({ idle: '30d', absolute: '90d' })
   */
  absolute?: Duration | undefined
  /**
   * Whether the cookie survives a restart of the browser. Its Max-Age is then the time to the absolute limit.
   * @default the option `persistent`
   * @example
   * request.session.options({ persistent: true })
   */
  persistent?: boolean | undefined
  /**
   * Seconds. Sent as given. It also becomes the session's own idle limit, and raises its absolute limit to at least
   * that (at most 400 days). The browser counts from the last write, so it also drops the cookie of a session that is
   * in use but only read. `idle` with `persistent` avoids this.
   * @default the option `cookie.maxAge`
   * @example
   * request.session.options({ maxAge: 2_592_000 })
   */
  maxAge?: number | undefined
  /**
   * For the option `transport: 'both'`: in what this reply gives the client a session that begins in this request, such
   * as by a login. It stays there. Not sealed. A session never changes from one to the other.
   * @default 'cookie', or 'bearer' if the option `transport` is 'bearer'
   * @example
   * request.session.options({ transport: 'bearer' })
   */
  transport?: Transport | undefined
}

/** Initial values of a session: those of `T`, or any values if `T` is empty. */
export type SessionValues<T> = [keyof T] extends [never] ? Record<string, any> : { [K in keyof T]?: T[K] | undefined }
/** `T`, without inference from the argument: otherwise a wrong value would define its own type. */
export type NotInferred<T> = [T][T extends any ? 0 : never]

/**
 * The methods of a session. Every method that changes the session throws FST_SESSION_COMMITTED if the cookie can no
 * longer be sent.
 */
export interface SessionMethods<T> {
  /**
   * Reads a value. An object may be changed in place: the change is detected and written.
   * @returns the value, or undefined
   * @example
   * const user = request.session.get('user')
   */
  get<K extends SessionKey<T>> (key: K): SessionValue<T, K> | undefined
  get (key: string): any
  /**
   * Sets a value. `undefined` removes it. Setting the value that is already there is no change.
   * @throws {FST_SESSION_NOT_SERIALIZABLE} without a `serializer`, for a value that JSON would write as something else
   * (a function, a Map, NaN, an instance of a class without toJSON); nested values are checked when the session is
   * written
   * @throws {FST_SESSION_INVALID_OPTION} for a key that is not a string or a number
   * @throws {FST_SESSION_COMMITTED} if the cookie can no longer be sent
   * @example
   * request.session.set('user', { id: 42 })
   */
  set<K extends SessionKey<T>> (key: K, value: SessionValue<T, K> | undefined): void
  /**
   * Whether there is a value with this key.
   * @example
   * if (!request.session.has('user')) return reply.code(401).send()
   */
  has (key: SessionKey<T>): boolean
  /**
   * Removes a value.
   * @throws {FST_SESSION_COMMITTED} if the cookie can no longer be sent
   * @example
   * request.session.unset('cart')
   */
  unset (key: SessionKey<T>): void
  /**
   * A shallow copy of all values.
   * @example
   * const values = request.session.data()
   */
  data (): SessionContent<T>
  /**
   * Restarts the idle limit and writes the cookie. The absolute limit is unchanged. Does nothing after `delete()`.
   * @throws {FST_SESSION_COMMITTED} if the cookie can no longer be sent
   * @example
   * request.session.touch()
   */
  touch (): void
  /**
   * Call this at login. The session gets a new id, and both limits start again. All values are removed, except those of
   * the keys in `keep`. Does nothing after `delete()`.
   * @param keep keys to keep; may name values of other plugins, so any name is allowed. Default: none
   * @throws {FST_SESSION_INVALID_OPTION} if `keep` is not an array
   * @throws {FST_SESSION_COMMITTED} if the cookie can no longer be sent
   * @see https://cheatsheetseries.owasp.org/cheatsheets/Session_Management_Cheat_Sheet.html
   * @example
   * request.session.regenerate(['theme'])
   * request.session.set('user', { id: 42 })
   */
  regenerate (keep?: ReadonlyArray<SessionKey<T> | (string & {})>): void
  /**
   * Deletes the session, at logout. Its values are removed at once, and the reply clears its cookies. A later `set`
   * starts a new session. With `revocation`, the session is revoked in the store before the reply is sent, so that
   * copies of the cookie are refused; with the option `subject`, this is not done for a session without a subject.
   * @throws {FST_SESSION_COMMITTED} if the cookie can no longer be sent
   * @example
   * request.session.delete()
   */
  delete (): void
  /**
   * Like `delete()`. When this resolves, the session is revoked in the store: this server refuses every copy of the
   * cookie, another server refuses it after its next lookup, within `recheck`. With the option `subject`, a session
   * without a subject is not revoked in the store. To revoke it, call `secureSession.revoke(session.info.id)`.
   * @throws {FST_SESSION_STORE_UNAVAILABLE} if the store does not confirm it; the session is then unchanged
   * @throws {FST_SESSION_INVALID_OPTION} if there is no `revocation`
   * @throws {FST_SESSION_COMMITTED} if the cookie can no longer be sent
   * @example
   * await request.session.revoke()
   */
  revoke (): Promise<void>
  /**
   * Revokes all other sessions of this session's subject. This session gets a new id; its user and `authenticatedAt`
   * stay.
   * @throws {FST_SESSION_STORE_UNAVAILABLE} if the store does not confirm it
   * @throws {FST_SESSION_REQUIRED} status 401, if this session has no subject or was revoked
   * @throws {FST_SESSION_INVALID_OPTION} if there is no `revocation` or no `subject`
   * @throws {FST_SESSION_COMMITTED} if the cookie can no longer be sent
   * @example
   * await request.session.revokeOthers()
   */
  revokeOthers (): Promise<void>
  /**
   * Hands values of this session over to another site, in a URL. Prefer `reply.handOver()`, which sends them by a form:
   * a URL is in the history of the browser and in logs. Needs the option `handOver.send` with `query`.
   * @returns the URL to redirect to; null if no receiver that the option names has sent the browser here, if no user is
   * logged in by the option `subject`, if the session is revoked, or if a script asks instead of a navigation
   * @throws {FST_SESSION_INVALID_OPTION} if an option is wrong, if `to` is no URL of `handOver.send.to`, or outside a
   * request
   * @throws {FST_SESSION_NOT_SERIALIZABLE} if JSON cannot write a value as it is, also with a `serializer`
   * @throws {FST_SESSION_TOO_LARGE} if the ticket would have more than 2,048 characters
   * @throws {FST_SESSION_STORE_UNAVAILABLE} status 503, if the revocation store is unavailable
   * @example
   * const url = await request.session.handOver({ to: 'https://shop.example/welcome', keep: ['user'] })
   */
  handOver (options: HandOverUrlOptions): Promise<string | null>
  /**
   * Sets limits and cookie attributes for this session alone. They stay in effect until the session is deleted or
   * regenerated, or another user logs in.
   * @throws {FST_SESSION_INVALID_OPTION} if a setting is wrong or contradicts another; and, after the request of its
   * login, for a session with a mark (option `deviceBound`), if a setting would keep its pass or proof from being sent
   * with it: another `path` or `domain`, `sameSite: 'none'` or `secure: false`; and for a `transport` that the option
   * `transport` does not allow
   * @throws {FST_SESSION_TRANSPORT} status 400, for `transport: 'bearer'` if the request has a cookie of the session,
   * and for `transport: 'cookie'` if it has a bearer token of the session
   * @throws {FST_SESSION_COMMITTED} if the cookie can no longer be sent
   * @example
   * request.session.options({ idle: '30d', absolute: '90d', persistent: true })
   */
  options (options: SessionSettings): void
  /** The id and the times of this session. Frozen. */
  readonly info: SessionInfo
  /** True if the reply will write or clear the cookie of the session. */
  readonly changed: boolean
  /** True if the session was deleted by `delete()` or `revoke()`. */
  readonly deleted: boolean
}

/**
 * A session: its methods, and its values in property style (`session.user`). A property whose name is reserved throws
 * FST_SESSION_RESERVED_NAME when it is assigned.
 */
export type Session<T = SessionData> = { [K in Exclude<keyof T, ReservedName>]?: T[K] | undefined } & SessionMethods<T>
