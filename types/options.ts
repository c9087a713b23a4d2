import type { FastifyRequest } from 'fastify'
import type { CookieOptions } from './cookie'
import type { DeviceBoundOptions } from './device-bound'
import type { HandOverOptions } from './hand-over'
import type { KeyringStore, Rotation } from './keyring'
import type { LegacyOpener, SealedOpener } from './legacy'
import type { RevocationOptions } from './revocation'
import type { Duration, KeyInputs, Serializer } from './sealing'
import type { Session, TransportOption } from './session'
import type { CookieChoice, DeclaredCookie } from './tenants'
import type { TokenOptions } from './tokens'

/** The path or URL of a keyring file, or a store. */
type Keyring = string | URL | KeyringStore

/**
 * Options of one session. Exactly one of `key`, `secret` and `keyring` must be given. Times are in seconds, or text
 * with a unit such as `'15m'`.
 * @example
 * await app.register(secureSession, {
 *   key: process.env['SESSION_KEY'],
 *   cookieName: '__Host-session',
 *   idle: '1h',
 *   absolute: '7d'
 * })
 */
export interface SessionOptions {
  /**
   * One key or several: the first seals, all open. `npx fastify-sealed-session generate` makes one.
   * @default none; one of `key`, `secret` and `keyring` must be given
   * @example
   * key: process.env['SESSION_KEY']
   */
  key?: KeyInputs | undefined
  /**
   * A passphrase of 32 bytes or more, turned into a key with Argon2id once at boot.
   * @default none; one of `key`, `secret` and `keyring` must be given
   * @see https://www.rfc-editor.org/rfc/rfc9106
   * @example
   * secret: process.env['SESSION_SECRET']
   */
  secret?: Buffer | string | undefined
  /**
   * The salt of `secret`, 16 bytes.
   * @default a fixed salt; a warning is logged
   * @example
   * salt: Buffer.from('8c1f0ad3b2765e94c1a2d6f07b3e5948', 'hex')
   */
  salt?: Buffer | string | undefined
  /**
   * Keys that rotate while the server runs: the path or URL of a keyring file, or a store such as those that
   * `fileKeyring` and `redisKeyring` return. With the option `tenant`, also a function that returns the keyring of a
   * tenant: it is read when a request first needs it, and `request.session` throws FST_SESSION_STORE_UNAVAILABLE (503)
   * while it cannot be read. A server keeps the keyrings of the 1,000 tenants that were used last.
   * @default none; one of `key`, `secret` and `keyring` must be given
   * @example
   * keyring: '/etc/app/keys.json'
   */
  keyring?: Keyring | ((tenant: string) => Keyring) | undefined
  /**
   * How often the keyring is read again.
   * @default '10s', or a quarter of `rotation.activateIn` if that is shorter
   * @example
   * reloadEvery: '1m'
   */
  reloadEvery?: Duration | undefined
  /**
   * Servers add keys to the keyring. When a key is due, exactly one of the servers that share it adds the key.
   * @default no rotation by the servers
   * @example
   * await app.register(secureSession, { keyring: '/etc/app/keys.json', rotation: { every: '30d' } })
   */
  rotation?: Rotation | undefined
  /**
   * The property on the request.
   * @default 'session'
   * @example
   * sessionName: 'adminSession'
   */
  sessionName?: string | undefined
  /**
   * The name of the cookie. For production: `'__Host-session'`.
   * @default `sessionName`
   * @see https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Set-Cookie#cookie_prefixes
   * @example
   * cookieName: '__Host-session'
   */
  cookieName?: string | undefined
  /**
   * Attributes of the cookie. Given attributes override single ones of the default. `secure: 'auto'` sets Secure on
   * requests that came over TLS. With the option `tenant`, also a function that chooses one of `cookies` for a
   * request.
   * @default { path: '/', httpOnly: true, sameSite: 'lax', secure: 'auto' }
   * @example
   * cookie: { sameSite: 'strict', path: '/app' }
   */
  cookie?: CookieOptions | ((request: FastifyRequest) => CookieChoice) | undefined
  /**
   * Another name of `cookie`.
   * @default as `cookie`
   * @example
   * cookieOptions: { sameSite: 'strict' }
   */
  cookieOptions?: CookieOptions | ((request: FastifyRequest) => CookieChoice) | undefined
  /**
   * The cookies that the option `cookie` chooses from, where it is a function: all of their attributes, and a
   * `namePrefix`. They are checked at boot; two that overlap need different prefixes. What the function returns must be
   * the domain, the path and the name prefix of one of them; otherwise the request fails with
   * FST_SESSION_INVALID_OPTION. It needs the option `tenant`, and `cookie` as a function.
   * @default none
   * @example
   * const cookies = [{ namePrefix: '__Host-' }, { domain: 'example.com', namePrefix: '__Secure-' }]
   */
  cookies?: readonly DeclaredCookie[] | undefined
  /**
   * The id of the tenant that a request is for: 1 to 64 letters, digits or characters of `._:-`. A session of one
   * tenant never opens at another. Null or undefined: the request is of no tenant. Its session is empty and is not
   * sent, and guards answer 401. Look the id up in a list of yours: a host or path alone may be of a stranger. Anything
   * else that it returns, such as a promise, fails a request that uses the session with FST_SESSION_INVALID_OPTION. It
   * is called once per request, when the session is first used, or in an onRequest hook.
   *
   * `:tenant` in the `path` or the `domain` of `cookie` or `cookies` stands for the id. See docs/tenants.md.
   * @default no tenants
   * @example
   * const tenants = new Map([['acme.example', 'acme'], ['globex.example', 'globex']])
   * await app.register(secureSession, {
   *   key: process.env['SESSION_KEY'],
   *   tenant: request => tenants.get(request.hostname)
   * })
   */
  tenant?: ((request: FastifyRequest) => string | null | undefined) | undefined
  /**
   * A session that was not renewed for this long has expired.
   * @default `cookie.maxAge`, or else '1d'
   * @example
   * idle: '8h'
   */
  idle?: Duration | undefined
  /**
   * Another name of `idle`.
   * @default as `idle`
   * @example
   * expiry: 28_800
   */
  expiry?: Duration | undefined
  /**
   * A session older than this has expired, even if it was in use.
   * @default the longer of '30d' and `idle`
   * @example
   * absolute: '7d'
   */
  absolute?: Duration | undefined
  /**
   * A session that is used after this time is renewed. Must be shorter than `idle`.
   * @default a quarter of `idle`
   * @example
   * renewAfter: '10m'
   */
  renewAfter?: Duration | undefined
  /**
   * The cookie survives a restart of the browser. Then `absolute` is at most 400 days, the maximum of browsers (RFC
   * 6265bis section 5.5).
   * @default false
   * @example
   * persistent: true
   */
  persistent?: boolean | undefined
  /**
   * The maximum number of cookies that a session may be split over: `name`, `name.1`, `name.2`. See docs/cookies.md for
   * the header sizes that proxies accept.
   * @default 1
   * @example
   * maxCookies: 3
   */
  maxCookies?: 1 | 2 | 3 | undefined
  /**
   * Pad the plaintext to a multiple of this many bytes, at most 2048, so that the length of the cookie reveals less.
   * @default 0: no padding
   * @example
   * padTo: 256
   */
  padTo?: number | undefined
  /**
   * The number of opened cookies that are kept in memory, at most 4 MB of their text: a request with one of them saves
   * the decryption. A cookie is kept when it is opened the second time. All checks that depend on time or on the
   * revocation store are made again. 0 turns it off.
   * @default 1000
   * @example
   * tokenCache: 10_000
   */
  tokenCache?: number | undefined
  /**
   * Writes and reads the values of a session.
   * @default JSON
   * @example
   * serializer: { serialize: data => encode(data), deserialize: bytes => decode(bytes) }
   */
  serializer?: Serializer | undefined
  /**
   * Openers of legacy cookies, called in order if the request has no session of this plugin: `secureSessionOpener`,
   * `sealedOpener`, or your own openers.
   * @default []
   * @example
   * const legacy = [secureSession.secureSessionOpener({ key: process.env['OLD_KEY'], cookieName: 'session' })]
   * await app.register(secureSession, { key: process.env['SESSION_KEY'], cookieName: '__Host-session', legacy })
   */
  legacy?: readonly (LegacyOpener | SealedOpener)[] | undefined
  /**
   * In what sessions come and go. `'bearer'`: clients without cookies send the session in the request header
   * `Authorization: Bearer <token>`, and the reply has a new token in the response header `bearerHeader`; no cookie is
   * read or written, and options that need cookies are refused. `'both'`: cookies for browsers, bearer tokens for other
   * clients, never both in one request; a new session is a cookie, unless the app calls
   * `session.options({ transport: 'bearer' })`. See docs/bearer.md.
   * @default 'cookie'
   * @see https://www.rfc-editor.org/rfc/rfc6750
   * @example
   * await app.register(secureSession, { key: process.env['SESSION_KEY'], transport: 'bearer' })
   */
  transport?: TransportOption | undefined
  /**
   * The name of the response header with the token, for `transport: 'bearer'` or `'both'`. A client replaces its token
   * by the value whenever a response has this header, and forgets it where the value is empty.
   * @default 'session-token'
   * @example
   * bearerHeader: 'x-session-token'
   */
  bearerHeader?: string | undefined
  /**
   * Sets `Cache-Control: no-store` on a response that sets the cookie, unless the route set its own, and `Vary: Cookie`
   * on a response that a cache may store and whose session was read.
   * @default true
   * @see https://www.rfc-editor.org/rfc/rfc9111#section-7.3
   * @example
   * cacheControl: false
   */
  cacheControl?: boolean | undefined
  /**
   * Returns the id of the logged-in user; undefined or null if no user is logged in. An empty string is refused. The id
   * of a user must never change. Guards and revocation use it. The function must not change the session.
   * @default no subject
   * @example
   * await app.register(secureSession, {
   *   key: process.env['SESSION_KEY'],
   *   subject: session => session.get('user')?.id
   * })
   */
  subject?: ((session: Session) => string | number | null | undefined) | undefined
  /**
   * Sessions, and all copies of their cookies, can be revoked by `delete()`, by id or by subject.
   * @default no revocation
   * @example
   * const revocation = { store: secureSession.redisRevocation(redis), recheck: '1m' }
   * await app.register(secureSession, { key: process.env['SESSION_KEY'], revocation })
   */
  revocation?: RevocationOptions | undefined
  /**
   * Binds sessions to a key of the browser that cannot be copied: device bound session credentials (DBSC). A copy of
   * the cookies of a bound session is refused after `proofFor`. Browsers that do not support it stay logged in as
   * before. `true`: with all defaults.
   * @default false; sessions that another server has bound are honoured
   * @see https://w3c.github.io/webappsec-dbsc/
   * @example
   * await app.register(secureSession, {
   *   key: process.env['SESSION_KEY'],
   *   subject: session => session.get('user')?.id,
   *   deviceBound: { proofFor: '10m' }
   * })
   */
  deviceBound?: boolean | DeviceBoundOptions | undefined
  /**
   * Tokens for a purpose, such as links in mails, by their purposes: what `secureSession.sealToken` and `openToken` use
   * where a call gives nothing else.
   * @default no purposes; a call can name any
   * @example
   * const tokens = { login: { ttl: '15m', once: true }, 'reset-password': { ttl: '1h' } }
   * await app.register(secureSession, { key: process.env['SESSION_KEY'], revocation, tokens })
   */
  tokens?: Readonly<Record<string, TokenOptions>> | undefined
  /**
   * Hands sessions over to a site on another domain, or takes them from there. See docs/domains.md.
   * @default no other sites
   * @example
   * const handOver = { send: { at: 'https://accounts.example/hand-over', to: ['https://shop.example/welcome'] } }
   * await app.register(secureSession, { key: process.env['SESSION_KEY'], handOver })
   */
  handOver?: HandOverOptions | undefined
  /**
   * Routes with a guard have `security` in the document of `@fastify/swagger`. That plugin must be given
   * `app.secureSession.securitySchemes`.
   * @default false
   * @example
   * openapi: true
   */
  openapi?: boolean | undefined
}
