import type { CookieOptions } from './cookie'
import type { Duration, KeyInputs } from './sealing'

/** A session from a legacy cookie. Times are in milliseconds since 1970. */
export interface LegacySession {
  /** The values. The session must be able to write them: JSON, or what the `serializer` accepts. */
  readonly data: Record<string, unknown>
  /**
   * When it was last renewed. The limits of this server count from here.
   * @default now; for `freshWithin` the login is then new
   */
  readonly renewedAt?: number | undefined
  /**
   * When it was created.
   * @default `renewedAt`
   */
  readonly createdAt?: number | undefined
  /**
   * A unique value that cannot be guessed. The id of the new session is derived from it.
   * @default the value of the cookie
   */
  readonly id?: string | undefined
}

/** The name and the attributes of a legacy cookie, and whether it is cleared. */
export interface LegacyCookie {
  /**
   * The name of the legacy cookie.
   * @default the `cookieName` of the session
   * @example
   * secureSessionOpener({ key, cookieName: 'sid' })
   */
  readonly cookieName?: string | undefined
  /**
   * All attributes that it was set with. A browser clears a cookie only if `path` and `domain` are the same.
   * @default the attributes of the session
   * @example
   * secureSessionOpener({ key, cookie: { path: '/', domain: 'example.com' } })
   */
  readonly cookie?: CookieOptions | undefined
  /**
   * Keep the legacy cookie in the browser when its session is migrated. `delete()` and `regenerate()` still clear it,
   * because it contains the user from before. It needs another name than the new cookie.
   * @default false
   * @example
   * secureSessionOpener({ key, cookieName: 'sid', keep: true })
   */
  readonly keep?: boolean | undefined
  /**
   * With the option `tenant`: the tenant that all sessions in this cookie belong to. They open at this tenant alone.
   * Every opener needs it, because a cookie from before says nothing of its tenant.
   * @default for `sealedOpener`: the cookies were sealed with the option `tenant`, and open at the tenant of their own;
   * for other openers: none, and the boot fails with FST_SESSION_INVALID_OPTION
   * @example
   * secureSessionOpener({ key, tenant: 'acme' })
   */
  readonly tenant?: string | undefined
}

/**
 * Opens cookies of another library, and never writes one. Called only if a request has no session of this plugin.
 * @example
 * const opener: secureSession.LegacyOpener = {
 *   cookieName: 'sid',
 *   open: value => {
 *     const [user, issuedAtMs] = value.split('.')
 *     return user === undefined ? null : { data: { user }, renewedAt: Number(issuedAtMs) }
 *   },
 *   immediate: true
 * }
 */
export interface LegacyOpener extends LegacyCookie {
  /**
   * Opens a cookie. An error that it throws counts as null and is in the debug log. A wrong return value counts as null
   * and is in the log as an error. An error with `statusCode` 503, for a store that is unavailable, fails the request
   * with FST_SESSION_STORE_UNAVAILABLE and is its `cause`.
   * @param value the value of the cookie, as the browser sent it
   * @param nowMs the current time in milliseconds since 1970
   * @returns the session; null if the value does not open
   */
  open (value: string, nowMs: number): LegacySession | null | Promise<LegacySession | null>
  /**
   * True if `open` never returns a promise. It is then called only when the session is accessed. Other openers are
   * called and awaited before the handler, for each request that has their cookie and no session of this plugin.
   * @default false
   * @example
   * const opener = { open, immediate: true }
   */
  readonly immediate?: boolean | undefined
  /**
   * Called and awaited once, at boot.
   * @default none; nothing is prepared
   * @example
   * const opener = { open, prepare: async () => { table = await loadTable() } }
   */
  prepare?: (() => Promise<void>) | undefined
}

/** Opens cookies of this plugin from before a change of their name or key. `sealedOpener` makes it. */
export interface SealedOpener extends LegacyCookie {
  readonly cookieName: string
  readonly isSealed: true
}

/** The options of `secureSessionOpener`. Exactly one of `key` and `secret` must be given. */
export interface SecureSessionOpenerOptions extends LegacyCookie {
  /**
   * The keys of `@fastify/secure-session`.
   * @default none; one of `key` and `secret` must be given
   * @example
   * secureSessionOpener({ key: process.env['OLD_KEY'] })
   */
  key?: KeyInputs | undefined
  /**
   * Instead of `key`: its passphrase, with its `salt` if it had one.
   * @default none; one of `key` and `secret` must be given
   * @example
   * secureSessionOpener({ secret: process.env['OLD_SECRET'], salt: process.env['OLD_SALT'] })
   */
  secret?: Buffer | string | undefined
  /**
   * The salt of `secret`, 16 bytes.
   * @default the fixed salt of `@fastify/secure-session`
   * @example
   * secureSessionOpener({ secret: process.env['OLD_SECRET'], salt: process.env['OLD_SALT'] })
   */
  salt?: Buffer | string | undefined
  /**
   * Its `expiry`: a session that was not written for this long has expired.
   * @default 86401 seconds, as in `@fastify/secure-session`
   * @example
   * secureSessionOpener({ key, expiry: '7d' })
   */
  expiry?: Duration | undefined
}

/** The options of `sealedOpener`. */
export interface SealedOpenerOptions extends LegacyCookie {
  /**
   * The name that the cookies had.
   * @example
   * sealedOpener({ cookieName: 'session' })
   */
  readonly cookieName: string
  /**
   * The keys that sealed the legacy cookies.
   * @default the keys of the session
   * @example
   * sealedOpener({ cookieName: 'session', key: process.env['OLD_KEY'] })
   */
  key?: KeyInputs | undefined
  /**
   * Instead of `key`: the passphrase of 32 bytes or more.
   * @default the keys of the session
   * @example
   * sealedOpener({ cookieName: 'session', secret: process.env['OLD_SECRET'] })
   */
  secret?: Buffer | string | undefined
  /**
   * The salt of `secret`, 16 bytes.
   * @default the fixed salt of the option `salt`
   * @example
   * sealedOpener({ cookieName: 'session', secret, salt: process.env['OLD_SALT'] })
   */
  salt?: Buffer | string | undefined
}
