import type { SessionData } from '../index'
import type { CookieOptions } from './cookie'
import type { Duration } from './sealing'

/** The session's own names in property style; a key of the same name is reached by `get` and `set`. */
export type ReservedName =
  | 'get' | 'set' | 'has' | 'unset' | 'data' | 'touch' | 'regenerate' | 'delete'
  | 'revoke' | 'revokeOthers' | 'options' | 'info' | 'changed' | 'deleted'

/** All times in milliseconds since 1970. */
export interface SessionInfo {
  /** 128 random bits, as 32 hex digits. New after `regenerate()`, and for what is set after `delete()`. */
  readonly id: string
  /** When the session began, was last regenerated, became somebody else's, or ended all others. */
  readonly createdAt: number
  /**
   * When somebody last showed who they are: `createdAt`, unless `revokeOthers()` or a change of the subject moved that.
   * `freshWithin` and the absolute limit count from here.
   */
  readonly authenticatedAt: number
  /** When it was last written, or renewed by being used. */
  readonly renewedAt: number
  /** When it ends unless it is used again before. */
  readonly expiresAt: number
  /** True where the request brought no session that opened, and after `regenerate()` and `revokeOthers()`. */
  readonly isNew: boolean
}

/** The names that may be set: those of `T`, or any while `T` says nothing. */
export type SessionKey<T> = [keyof T] extends [never] ? string : Extract<keyof T, string>

export type SessionValue<T, K> = K extends keyof T ? T[K] : any

/** All values. Typed as if none were missing, as `@fastify/secure-session` types it; `get` is the stricter way. */
export type SessionContent<T> = [keyof T] extends [never] ? Record<string, any> : T

/** What `session.options()` takes. */
export interface SessionSettings extends CookieOptions {
  /** The session is over when it was not used for this long. At most its absolute limit. */
  idle?: Duration | undefined
  /**
   * The session is over when it is older than this. 400 days at most; with `revocation` at most its `longest`, or
   * `absolute`.
   */
  absolute?: Duration | undefined
  /** Whether the cookie outlives the browser; Max-Age then reaches to the absolute end of the session. */
  persistent?: boolean | undefined
  /**
   * Seconds. Goes out as it is, becomes the session's own idle limit, and raises its absolute limit to at least that
   * (400 days at most). The browser counts from the last write, so it also drops the cookie of a session that is only
   * read all the time: with `idle` and `persistent` it does not.
   */
  maxAge?: number | undefined
}

/** Values to begin a session with: those of `T`, or any while `T` says nothing. */
export type SessionValues<T> = [keyof T] extends [never] ? Record<string, any> : { [K in keyof T]?: T[K] | undefined }
/** `T`, which the compiler does not infer from a value given for it: a wrong value would become its own type. */
export type NotInferred<T> = [T][T extends any ? 0 : never]

export interface SessionMethods<T> {
  /** The value, or undefined. An object may be changed in place: that is noticed, and written. */
  get<K extends SessionKey<T>> (key: K): SessionValue<T, K> | undefined
  get (key: string): any
  /**
   * Sets a value; undefined removes it, and what is there already is no change. Throws FST_SESSION_NOT_SERIALIZABLE
   * for what JSON would write as something else (a function, a Map, NaN, an instance of a class without toJSON) unless
   * there is a `serializer`, FST_SESSION_INVALID_OPTION for a key that is no string or number, and
   * FST_SESSION_COMMITTED where the cookie can no longer go out, as all that changes the session does. What is nested
   * in the value is checked when the session is written.
   */
  set<K extends SessionKey<T>> (key: K, value: SessionValue<T, K> | undefined): void
  has (key: SessionKey<T>): boolean
  /** Removes a value. */
  unset (key: SessionKey<T>): void
  /** A shallow copy of all values. */
  data (): SessionContent<T>
  /** Starts the idle clock again, and writes the cookie; the absolute clock runs on. Does nothing after `delete()`. */
  touch (): void
  /**
   * A new authentication: a new id, both clocks start again, and of the values only the named ones stay (other plugins'
   * among them, so any name may be given). Call it at login. Does nothing after `delete()`.
   */
  regenerate (keep?: ReadonlyArray<SessionKey<T> | (string & {})>): void
  /**
   * Ends the session: its values are gone at once and its cookies are cleared. A later `set` starts a new one. With
   * `revocation` every copy of it is over, too, before the reply goes out, unless it is a session without a subject.
   */
  delete (): void
  /**
   * As `delete()`, and any copy of the cookie is over when this resolves. (A copy of a session without a subject is
   * not: to end that, call `secureSession.revoke(session.info.id)`.) Rejects with FST_SESSION_STORE_UNAVAILABLE, and
   * the session is then as it was; with FST_SESSION_INVALID_OPTION where there is no `revocation`.
   */
  revoke (): Promise<void>
  /**
   * Ends all other sessions of this one's subject. This one goes on under a new id; who is logged in by it, and since
   * when, stays. Rejects with FST_SESSION_STORE_UNAVAILABLE; with FST_SESSION_REQUIRED where it has no subject, or is
   * over itself; with FST_SESSION_INVALID_OPTION where there is no `revocation` or no `subject`.
   */
  revokeOthers (): Promise<void>
  /**
   * Limits and cookie attributes for this session alone. They last until it is deleted, regenerated, or another user
   * logs in by it. Throws FST_SESSION_INVALID_OPTION.
   */
  options (options: SessionSettings): void
  /** Who and how old this session is. Frozen. */
  readonly info: SessionInfo
  /** The reply will write the session's cookie, be it to clear it. */
  readonly changed: boolean
  /** The session was ended by `delete()`. */
  readonly deleted: boolean
}

export type Session<T = SessionData> = { [K in Exclude<keyof T, ReservedName>]?: T[K] | undefined } & SessionMethods<T>
