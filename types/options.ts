import type { CookieOptions } from './cookie'
import type { KeyringStore, Rotation } from './keyring'
import type { LegacyOpener, SealedOpener } from './legacy'
import type { RevocationOptions } from './revocation'
import type { Duration, KeyInputs, Serializer } from './sealing'
import type { Session } from './session'

/** Options of one session. Exactly one of `key`, `secret` and `keyring` must be given. */
export interface SessionOptions {
  /** One key or several: the first seals, all open. `npx fastify-sealed-session generate` makes one. */
  key?: KeyInputs | undefined
  /** A passphrase of 32 bytes or more, turned into a key with Argon2id once at boot. */
  secret?: Buffer | string | undefined
  /** The salt of `secret`, 16 bytes. Without it, a fixed salt is used and a warning is logged. */
  salt?: Buffer | string | undefined
  /**
   * Keys that rotate while the server runs: the path or URL of a keyring file, or a store such as those that
   * `fileKeyring` and `redisKeyring` return.
   */
  keyring?: string | URL | KeyringStore | undefined
  /**
   * How often the keyring is read again. Default: `'10s'`, or a quarter of `rotation.activateIn` if that is shorter.
   */
  reloadEvery?: Duration | undefined
  /** Servers add keys to the keyring. When a key is due, exactly one of the servers that share it adds the key. */
  rotation?: Rotation | undefined
  /** The property on the request. Default `'session'`. */
  sessionName?: string | undefined
  /** Default: `sessionName`. For production: `'__Host-session'`. */
  cookieName?: string | undefined
  /**
   * Default `{ path: '/', httpOnly: true, sameSite: 'lax', secure: 'auto' }`. Given attributes override single ones.
   */
  cookie?: CookieOptions | undefined
  /** Another name of `cookie`. */
  cookieOptions?: CookieOptions | undefined
  /** A session that was not renewed for this long has ended. Default: `cookie.maxAge`, or else `'1d'`. */
  idle?: Duration | undefined
  /** Another name of `idle`. */
  expiry?: Duration | undefined
  /** A session older than this has ended, even if it was in use. Default: the longer of `'30d'` and `idle`. */
  absolute?: Duration | undefined
  /** A session that is used after this time is renewed. Default: a quarter of `idle`. */
  renewAfter?: Duration | undefined
  /** The cookie survives a restart of the browser. Default `false`. */
  persistent?: boolean | undefined
  /**
   * Over how many cookies a session may be split: `name`, `name.1`, `name.2`. Default 1. See docs/cookies.md for the
   * header sizes that proxies accept.
   */
  maxCookies?: 1 | 2 | 3 | undefined
  /**
   * Pad the plaintext to a multiple of this many bytes, so that the length of the cookie reveals less. Default 0: none.
   */
  padTo?: number | undefined
  /**
   * How many opened cookies are kept in memory, at most 4 MB of their text: a request with one of them saves the
   * decryption. All checks that depend on time or on the revocation store are made again. Default 1000; 0 for none.
   */
  tokenCache?: number | undefined
  /** Default: JSON. */
  serializer?: Serializer | undefined
  /**
   * Openers of legacy cookies, called in order if the request has no session of this plugin: `secureSessionOpener`,
   * `sealedOpener`, or your own openers.
   */
  legacy?: readonly (LegacyOpener | SealedOpener)[] | undefined
  /**
   * Sets `Cache-Control: no-store` on a response that sets the cookie, unless the route set its own, and `Vary: Cookie`
   * on a response that a cache may store and whose session was read. Default `true`.
   */
  cacheControl?: boolean | undefined
  /**
   * Returns the id of the logged-in user, such as `session => session.get('user')?.id`; undefined or null if no user is
   * logged in. An empty string is refused. The id of a user must never change. Guards and revocation use it. The
   * function must not change the session.
   */
  subject?: ((session: Session) => string | number | null | undefined) | undefined
  /** Sessions, and all copies of their cookies, can be ended by `delete()`, by id or by subject. Default: none. */
  revocation?: RevocationOptions | undefined
  /**
   * Routes with a guard have `security` in the document of `@fastify/swagger`. That plugin must be given
   * `app.secureSession.securitySchemes`. Default `false`.
   */
  openapi?: boolean | undefined
}
