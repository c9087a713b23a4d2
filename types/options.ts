import type { CookieOptions } from './cookie'
import type { KeyringStore, Rotation } from './keyring'
import type { LegacyOpener, SealedOpener } from './legacy'
import type { RevocationOptions } from './revocation'
import type { Duration, KeyInputs, Serializer } from './sealing'
import type { Session } from './session'

/** Options of one session. Exactly one of `key`, `secret` and `keyring`. */
export interface SessionOptions {
  /** The key, or keys: the first seals, all open. Fits `npx fastify-sealed-session generate`. */
  key?: KeyInputs | undefined
  /** A passphrase of 32 bytes or more, turned into a key with Argon2id once at boot. */
  secret?: Buffer | string | undefined
  /** 16 bytes for `secret`. Without it a fixed one is used, and a warning logged. */
  salt?: Buffer | string | undefined
  /**
   * Keys that rotate while the server runs: the path or URL of a keyring file, or a store, such as `fileKeyring` and
   * `redisKeyring` make.
   */
  keyring?: string | URL | KeyringStore | undefined
  /** How often the keyring is read again. Default: `'10s'`, or a quarter of `rotation.activateIn` if shorter. */
  reloadEvery?: Duration | undefined
  /** Servers add keys to the keyring by themselves. Of all that share it, one does. */
  rotation?: Rotation | undefined
  /** The property on the request. Default `'session'`. */
  sessionName?: string | undefined
  /** Default: `sessionName`. For production: `'__Host-session'`. */
  cookieName?: string | undefined
  /** Default `{ path: '/', httpOnly: true, sameSite: 'lax', secure: 'auto' }`; what is given is laid over it. */
  cookie?: CookieOptions | undefined
  /** Another name of `cookie`. */
  cookieOptions?: CookieOptions | undefined
  /** A session not renewed for this long is over. Default `'1d'`. */
  idle?: Duration | undefined
  /** Another name of `idle`. */
  expiry?: Duration | undefined
  /** A session older than this is over, whatever it did. Default: the longer of `'30d'` and `idle`. */
  absolute?: Duration | undefined
  /** A session that is used after this long is renewed. Default: a quarter of `idle`. */
  renewAfter?: Duration | undefined
  /** The cookie outlives the browser. Default `false`. */
  persistent?: boolean | undefined
  /**
   * Over how many cookies a session may be split: `name`, `name.1`, `name.2`. Default 1. See docs/cookies.md for what
   * proxies let pass.
   */
  maxCookies?: 1 | 2 | 3 | undefined
  /** Pad the plaintext to a multiple of this many bytes, so that the cookie's length says less. Default 0: none. */
  padTo?: number | undefined
  /** Default: JSON. */
  serializer?: Serializer | undefined
  /**
   * Asked in turn for a session where the request brings none of ours: `secureSessionOpener`, `sealedOpener`, or
   * openers of yours.
   */
  legacy?: readonly (LegacyOpener | SealedOpener)[] | undefined
  /**
   * A response that sets the cookie says `Cache-Control: no-store`, unless the route set its own; one whose session
   * was read, and that a cache may store, says `Vary: Cookie`. Default `true`.
   */
  cacheControl?: boolean | undefined
  /**
   * Who is logged in by a session: an id that never changes, such as `session => session.get('user')?.id`; nothing
   * where nobody is. Guards and revocation go by it. It must not change the session.
   */
  subject?: ((session: Session) => string | number | null | undefined) | undefined
  /** Sessions can be ended before their time: by `delete()`, by id, by subject. Default: none. */
  revocation?: RevocationOptions | undefined
  /**
   * Routes with a guard say so in the document of `@fastify/swagger`, which must be given
   * `app.secureSession.securitySchemes`. Default `false`.
   */
  openapi?: boolean | undefined
}
