import type { CookieOptions } from './cookie'
import type { Duration, KeyInputs } from './sealing'

/** A session that an old cookie held. Times in milliseconds since 1970. */
export interface LegacySession {
  /** The values. They must be such as the session can write: JSON, or what the `serializer` takes. */
  readonly data: Record<string, unknown>
  /**
   * When it was last renewed, for the limits of this server. Default: now; `freshWithin` then takes it for a login of
   * now.
   */
  readonly renewedAt?: number | undefined
  /** When it began. Default: `renewedAt`. */
  readonly createdAt?: number | undefined
  /**
   * What tells it from all others, and cannot be guessed, if not the value of its cookie: the id of the session is
   * derived from it.
   */
  readonly id?: string | undefined
}

/** Where an old cookie lies, and what becomes of it. */
export interface LegacyCookie {
  /** The name of the old cookie. Default: the `cookieName` of the session. */
  readonly cookieName?: string | undefined
  /**
   * The attributes it was set with, whole, if not those of the session: a browser clears a cookie only under its own
   * `path` and `domain`.
   */
  readonly cookie?: CookieOptions | undefined
  /**
   * The old cookie stays in the browser when its session moves; `delete()` and `regenerate()` clear it, since it
   * would hold whom the browser was before. It must not have the name of the new one. Default `false`.
   */
  readonly keep?: boolean | undefined
}

/** Opens the cookies of another library; it never writes one. Asked only where a request brings no session of ours. */
export interface LegacyOpener extends LegacyCookie {
  /**
   * The session in the value of a cookie, as the browser sent it; null where it does not open. What it throws counts
   * as null and goes to the debug log, what it returns wrongly counts as null and goes to the log as an error. But an
   * error whose `statusCode` is 503 fails the request with FST_SESSION_STORE_UNAVAILABLE, and is its `cause`: for a
   * store that is away.
   */
  open (value: string, nowMs: number): LegacySession | null | Promise<LegacySession | null>
  /**
   * `open` answers at once, without a promise. It is then asked only when the session is touched; other openers are
   * asked and awaited before the handler of each request that brings their cookie and no session of ours. Default
   * `false`.
   */
  readonly immediate?: boolean | undefined
  /** Awaited once, at boot. */
  prepare?: (() => Promise<void>) | undefined
}

/** Opens our own cookies from before a change of name or key. */
export interface SealedOpener extends LegacyCookie {
  readonly cookieName: string
  readonly isSealed: true
}

export interface SecureSessionOpenerOptions extends LegacyCookie {
  /** The keys that `@fastify/secure-session` had. */
  key?: KeyInputs | undefined
  /** Or its passphrase, with the `salt` it had, if any. */
  secret?: Buffer | string | undefined
  salt?: Buffer | string | undefined
  /** Its `expiry`: a session not written for this long is over. Default 86401 seconds, as there. */
  expiry?: Duration | undefined
}

export interface SealedOpenerOptions extends LegacyCookie {
  readonly cookieName: string
  /** The keys under the old name. Default: those of the session. */
  key?: KeyInputs | undefined
  /** Or the passphrase and its salt. */
  secret?: Buffer | string | undefined
  salt?: Buffer | string | undefined
}
