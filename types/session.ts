import type { SessionData } from '../index'
import type { CookieOptions } from './cookie'
import type { Duration } from './sealing'

/** Reserved names in property style. A value with one of these keys is accessible by `get` and `set`. */
export type ReservedName =
  | 'get' | 'set' | 'has' | 'unset' | 'data' | 'touch' | 'regenerate' | 'delete'
  | 'revoke' | 'revokeOthers' | 'options' | 'info' | 'changed' | 'deleted'

/** Times are in milliseconds since 1970. */
export interface SessionInfo {
  /**
   * 128 random bits, as 32 hex digits. A new one after `regenerate()`, `revokeOthers()`, a change of
   * the subject, or a `set` after `delete()`.
   */
  readonly id: string
  /** When the session began, was last regenerated, changed its user, or ended all others by `revokeOthers()`. */
  readonly createdAt: number
  /**
   * When the user last authenticated. `freshWithin` and the absolute limit count from here. It equals `createdAt`,
   * unless `revokeOthers()` or a change of the subject changed `createdAt` only.
   */
  readonly authenticatedAt: number
  /** When it was last written or renewed. */
  readonly renewedAt: number
  /** When it ends if it is not used again. */
  readonly expiresAt: number
  /**
   * True if the request had no session that opened, and after `regenerate()`, `revokeOthers()` and a change of the
   * subject.
   */
  readonly isNew: boolean
}

/** The keys that may be set: those of `T`, or any key if `T` is empty. */
export type SessionKey<T> = [keyof T] extends [never] ? string : Extract<keyof T, string>

export type SessionValue<T, K> = K extends keyof T ? T[K] : any

/** All values. Typed as if none were missing, like in `@fastify/secure-session`; `get` is typed more strictly. */
export type SessionContent<T> = [keyof T] extends [never] ? Record<string, any> : T

/** The argument of `session.options()`. */
export interface SessionSettings extends CookieOptions {
  /** The session ends when it was not used for this long. At most its absolute limit. */
  idle?: Duration | undefined
  /**
   * The session ends when it is older than this. At most 400 days; with `revocation`, at most the longer of its
   * `longest` and `absolute`.
   */
  absolute?: Duration | undefined
  /** Whether the cookie survives a restart of the browser. Its Max-Age is then the time to the absolute end. */
  persistent?: boolean | undefined
  /**
   * Seconds. Sent as given. It also becomes the session's own idle limit, and raises its absolute limit to at least
   * that (at most 400 days). The browser counts from the last write, so it also drops the cookie of a session that is
   * in use but only read. `idle` with `persistent` avoids this.
   */
  maxAge?: number | undefined
}

/** Initial values of a session: those of `T`, or any values if `T` is empty. */
export type SessionValues<T> = [keyof T] extends [never] ? Record<string, any> : { [K in keyof T]?: T[K] | undefined }
/** `T`, without inference from the argument: otherwise a wrong value would define its own type. */
export type NotInferred<T> = [T][T extends any ? 0 : never]

export interface SessionMethods<T> {
  /** The value, or undefined. An object may be changed in place: the change is detected and written. */
  get<K extends SessionKey<T>> (key: K): SessionValue<T, K> | undefined
  get (key: string): any
  /**
   * Sets a value. `undefined` removes it. Setting the value that is already there is no change. Throws
   * FST_SESSION_NOT_SERIALIZABLE, without a `serializer`, for a value that JSON would write as something else (a
   * function, a Map, NaN, an instance of a class without toJSON); nested values are checked when the session is
   * written. Throws FST_SESSION_INVALID_OPTION for a key that is not a string or a number. Throws
   * FST_SESSION_COMMITTED, like every change of a session, if the cookie can no longer be sent.
   */
  set<K extends SessionKey<T>> (key: K, value: SessionValue<T, K> | undefined): void
  /** Whether there is a value with this key. */
  has (key: SessionKey<T>): boolean
  /** Removes a value. */
  unset (key: SessionKey<T>): void
  /** A shallow copy of all values. */
  data (): SessionContent<T>
  /** Restarts the idle limit and writes the cookie. The absolute limit is unchanged. Does nothing after `delete()`. */
  touch (): void
  /**
   * Call this at login. The session gets a new id, and both limits start again. Of the values, only those that `keep`
   * names stay. (It may name values of other plugins, so any name is allowed.) Does nothing after `delete()`.
   */
  regenerate (keep?: ReadonlyArray<SessionKey<T> | (string & {})>): void
  /**
   * Ends the session. Its values are removed at once, and the reply clears its cookies. A later `set` starts a new
   * session. With `revocation`, the end is written to the store before the reply is sent, so that copies of the cookie
   * are refused; with the option `subject`, this is not done for a session without a subject.
   */
  delete (): void
  /**
   * Like `delete()`. When this resolves, the end is written to the store: this server refuses every copy of the cookie,
   * another server refuses it after its next lookup, within `recheck`. (With the option `subject`, the end of a session
   * without a subject is not written. To end its copies, call `secureSession.revoke(session.info.id)`.) Rejects with
   * FST_SESSION_STORE_UNAVAILABLE; the session is then unchanged. Rejects with FST_SESSION_INVALID_OPTION if there is
   * no `revocation`.
   */
  revoke (): Promise<void>
  /**
   * Ends all other sessions of this session's subject. This session gets a new id; its user and `authenticatedAt` stay.
   * Rejects with FST_SESSION_STORE_UNAVAILABLE; with FST_SESSION_REQUIRED if this session has no subject or has ended;
   * with FST_SESSION_INVALID_OPTION if there is no `revocation` or no `subject`.
   */
  revokeOthers (): Promise<void>
  /**
   * Sets limits and cookie attributes for this session alone. They stay in effect until the session is deleted or
   * regenerated, or another user logs in. Throws FST_SESSION_INVALID_OPTION.
   */
  options (options: SessionSettings): void
  /** The id and the times of this session. Frozen. */
  readonly info: SessionInfo
  /** True if the reply will write or clear the cookie of the session. */
  readonly changed: boolean
  /** True if the session was ended by `delete()` or `revoke()`. */
  readonly deleted: boolean
}

export type Session<T = SessionData> = { [K in Exclude<keyof T, ReservedName>]?: T[K] | undefined } & SessionMethods<T>
