import type { FastifyBaseLogger, FastifyRequest } from 'fastify'
import type { SessionData } from '../index'
import type { NotInferred, Session, SessionValues } from './session'
import type { CookieChoice } from './tenants'
import type { OpenTokenOptions, SealTokenOptions } from './tokens'

/**
 * `app.secureSession`. With the option `tenant`, the methods that need a tenant throw FST_SESSION_INVALID_OPTION here:
 * all but `revoke`, `stripCookies` and `forTenant`. Use them of the object that `forTenant` resolves to.
 */
export interface SecureSessionControl extends TenantControl {
  /**
   * These methods for one tenant. The keyring of the tenant is read if that is needed. Call it for each use, and do not
   * keep what it resolves to: a server does not read the keyring of a tenant again that it has not used for long.
   * @param tenant the id of the tenant, as the option `tenant` returns it
   * @param cookie one of `cookies`, as the option `cookie` returns it; default: the first of them
   * @throws {FST_SESSION_STORE_UNAVAILABLE} if the keyring of the tenant cannot be read
   * @throws {FST_SESSION_INVALID_OPTION} if `tenant` is not a tenant's id, if `cookie` is none of `cookies`, if a
   * function of the options returns something wrong, or if no session has the option `tenant`
   * @example
   * const acme = await app.secureSession.forTenant('acme')
   * await acme.revokeSubject('user-42')
   */
  forTenant (tenant: string, cookie?: CookieChoice): Promise<TenantControl>
}

/**
 * What `app.secureSession` and `app.secureSession.forTenant` have in common. With several sessions, a method applies to
 * all sessions that have `revocation`, or to the one that `sessionName` names.
 */
export interface TenantControl {
  /**
   * Revokes the session with this id and every copy of its cookie. This server refuses the session at once. Another
   * server that trusts it refuses it after its next lookup, within `recheck`.
   * @param id the id of the session, as `session.info.id` returns it
   * @param sessionName revoke only in this session; default: in all sessions that have `revocation`
   * @throws {FST_SESSION_STORE_UNAVAILABLE} if the store does not confirm it, for every value of `onError`; it is then
   * not known whether the session was revoked
   * @throws {FST_SESSION_INVALID_OPTION} if `id` is not a session id, or if there is no `revocation`
   * @throws {FST_SESSION_UNKNOWN_NAME} if no session has the name `sessionName`
   * @example
   * await app.secureSession.revoke(request.session.info.id)
   */
  revoke (id: string, sessionName?: string): Promise<void>
  /**
   * Revokes all sessions of a subject that were created before this millisecond: "log out everywhere".
   * @param subject a value that the option `subject` returns, such as the id of a user
   * @param sessionName revoke only in this session; default: in all sessions that have `revocation`
   * @throws {FST_SESSION_STORE_UNAVAILABLE} if the store does not confirm it, for every value of `onError`
   * @throws {FST_SESSION_INVALID_OPTION} if `subject` is not a number or a string that is not empty, or if there is no
   * `revocation`
   * @throws {FST_SESSION_UNKNOWN_NAME} if no session has the name `sessionName`
   * @example
   * await app.secureSession.revokeSubject('user-42')
   */
  revokeSubject (subject: string | number, sessionName?: string): Promise<void>
  /**
   * Opens a token, like `decodeSecureSession`, and asks the revocation store, also for a session that was checked
   * within `recheck`. Awaits openers of legacy cookies that return promises. A session with a mark is refused, since a
   * token has no pass or proof beside it: use `open`. With the option `deviceBound`, every login over TLS gets a mark,
   * in every browser. For a bearer token, pass the token alone: what follows `Bearer ` in the header Authorization.
   * @param token the value of a cookie, or a bearer token
   * @param log receives the reason of a refusal, at level debug; default: `app.log`
   * @param sessionName default: the first session of the registration
   * @returns the session; null if the token does not open, or if its session was revoked
   * @throws {FST_SESSION_STORE_UNAVAILABLE} if the store is unavailable and `onError` is `'refuse'`
   * @throws {FST_SESSION_UNKNOWN_NAME} if no session has the name `sessionName`
   * @example
   * const session = await app.secureSession.decode(request.cookies['session'])
   * const user = session?.get('user')
   */
  decode<T = SessionData> (
    token: string | undefined, log?: FastifyBaseLogger, sessionName?: string
  ): Promise<Session<T> | null>
  /**
   * Opens the session in a Cookie header, for WebSocket servers and workers. For a bearer token, use `decode`. Unlike
   * `decode`, it also opens sessions with a mark, by their pass or proof, and looks at all cookies of the session:
   * parts, stamps, passes, proofs and legacy cookies. It gets no other header, so it also returns null where a route
   * would throw FST_SESSION_UNPROVEN. It asks the revocation store, also for a session that was checked within
   * `recheck`. With the option `transport: 'bearer'` it returns null.
   * @param header the Cookie header of a request
   * @param log receives the reason of a refusal, at level debug; default: `app.log`
   * @param sessionName default: the first session of the registration
   * @returns the session; null if there is none, if it was revoked, or if it has a mark and the header has neither its
   * pass nor a proof
   * @throws {FST_SESSION_STORE_UNAVAILABLE} if the store is unavailable and `onError` is `'refuse'`
   * @throws {FST_SESSION_UNKNOWN_NAME} if no session has the name `sessionName`
   * @throws {FST_SESSION_INVALID_OPTION} if `header` is not text, an array of text, null or undefined
   * @example
   * const session = await app.secureSession.open(request.headers.cookie)
   * const user = session?.get('user')
   */
  open<T = SessionData> (
    header: string | readonly string[] | null | undefined, log?: FastifyBaseLogger, sessionName?: string
  ): Promise<Session<T> | null>
  /**
   * Seals a new session with these values into one token, which `decode` opens: the bearer token of a client, with the
   * option `transport`, or else the value of a cookie. Every call begins a session, with an id of its own.
   * @param values the values of the session
   * @param sessionName default: the first session of the registration
   * @returns the token, base64url
   * @throws {FST_SESSION_UNKNOWN_NAME} if no session has the name `sessionName`
   * @throws {FST_SESSION_NOT_SERIALIZABLE} if a value cannot be serialized
   * @throws {FST_SESSION_TOO_LARGE} if the session does not fit in the token
   * @throws {FST_SESSION_INVALID_OPTION} if `values` is not an object
   * @example
   * const acme = await app.secureSession.forTenant('acme')
   * const authorization = `Bearer ${acme.encode({ user: { id: 42 } })}`
   */
  encode<T = SessionData> (values: SessionValues<NotInferred<T>>, sessionName?: string): string
  /**
   * Seals a new session with these values, for tests.
   * @param values the values of the session
   * @param sessionName default: the first session of the registration
   * @returns cookie names and values, as `inject({ cookies })` takes them: more than one cookie if the session is split
   * @throws {FST_SESSION_UNKNOWN_NAME} if no session has the name `sessionName`
   * @throws {FST_SESSION_NOT_SERIALIZABLE} if a value cannot be serialized
   * @throws {FST_SESSION_TOO_LARGE} if the session does not fit in its cookies
   * @throws {FST_SESSION_INVALID_OPTION} if `values` is not an object, and with the option `transport: 'bearer'`: use
   * `encode`
   * @example
   * const cookies = app.secureSession.cookiesFor({ user: { id: 42 } })
   * const reply = await app.inject({ url: '/account', cookies })
   */
  cookiesFor<T = SessionData> (values: SessionValues<NotInferred<T>>, sessionName?: string): Record<string, string>
  /**
   * Seals data into a token for one purpose, such as a link in a mail. It opens only for this purpose and audience, and
   * is no session. It is base64url, at most `maxLength` characters, and needs no escaping in a URL. See docs/tokens.md.
   * @param purpose 1 to 64 letters, digits or characters of `._:-`
   * @param data an object that JSON can write as it is, like the values of a session
   * @param options default: those of the option `tokens` for this purpose; `ttl` must be given in one of the two
   * @throws {FST_SESSION_INVALID_OPTION} if the purpose, an option or the type of `data` is wrong, or for `once`
   * without the option `revocation`
   * @throws {FST_SESSION_NOT_SERIALIZABLE} if a value cannot be serialized, or JSON would write it as something else
   * @throws {FST_SESSION_TOO_LARGE} if the token would have more than `maxLength` characters, 2,048 by default
   * @throws {FST_SESSION_UNKNOWN_NAME} if no session has the name `sessionName`
   * @example
   * const token = app.secureSession.sealToken('confirm-mail', { user: 42 }, { ttl: '1d' })
   */
  sealToken (purpose: string, data: object, options?: SealTokenOptions): string
  /**
   * Opens a token that `sealToken` made. Any text that a client can send is refused quietly. A token that opens once is
   * used up by this call, so call it where the user acts, in a POST: programs that scan mail open links. If the token
   * names a key that this server does not know yet, the keyring is read again, for at most 250 ms.
   * @param purpose the purpose that it was sealed for
   * @param token the token; of any other type than a string: refused
   * @returns the data; null if the token does not open, has expired, or was used before
   * @throws {FST_SESSION_STORE_UNAVAILABLE} for a token that opens once, if the store does not answer, for every value
   * of `onError`. The token may be used up then
   * @throws {FST_SESSION_INVALID_OPTION} if the purpose or an option is wrong, or for a token that opens once without
   * the option `revocation`
   * @throws {FST_SESSION_UNKNOWN_NAME} if no session has the name `sessionName`
   * @example
   * const data = await app.secureSession.openToken<{ user: number }>('confirm-mail', request.body.token)
   * if (data === null) return reply.code(400).send('The link has expired')
   */
  openToken<T extends object = Record<string, any>> (
    purpose: string, token: unknown, options?: OpenTokenOptions
  ): Promise<T | null>
  /**
   * The path to go to after a login: what the query or the body of the request says, if it is a path of this site, or
   * else the fallback. Nothing that another site can write into a link leads to another site: a scheme or host, `//` in
   * the path, a backslash, a control character or more than 2,048 characters give the fallback.
   * @param request of the login
   * @param fallback a path of this site
   * @param parameter the option `returnTo` of the guard
   * @returns a path with query and fragment, as a browser writes it: other characters than ASCII are escaped
   * @throws {FST_SESSION_INVALID_OPTION} if `fallback` is no path of this site, or if `parameter` is no text
   * @example
   * return await reply.redirect(app.secureSession.returnPath(request, '/account'), 303)
   */
  returnPath (
    request: FastifyRequest<any, any, any, any, any, any, any, any>, fallback?: string, parameter?: string
  ): string
  /**
   * Removes session cookies from a Cookie header, for a proxy: with the cookie of a session, the upstream could act as
   * its user. Removes the cookies of all sessions in all scopes of the app, or of the session that `sessionName` names:
   * data cookies, their further parts, stamps, passes and proofs, and the legacy cookies that the option `legacy`
   * names. Other cookies are unchanged.
   * @param header the Cookie header of a request
   * @param sessionName remove only the cookies of this session; default: of all
   * @returns the header that is left; undefined if no cookie is left
   * @throws {FST_SESSION_UNKNOWN_NAME} if no session has the name `sessionName`
   * @throws {FST_SESSION_INVALID_OPTION} if `header` is not text, an array of text, null or undefined
   * @example
   * const cookie = app.secureSession.stripCookies(request.headers.cookie)
   */
  stripCookies (header: string | readonly string[] | null | undefined, sessionName?: string): string | undefined
  /**
   * The sessions as OpenAPI security schemes: cookies by the session's name, bearer tokens by that name and `-bearer`.
   * Pass this object to `@fastify/swagger` as `openapi.components.securitySchemes`.
   */
  readonly securitySchemes: Readonly<Record<string, SessionSecurityScheme>>
}

/** A security scheme of OpenAPI: https://spec.openapis.org/oas/v3.1.1.html#security-scheme-object */
export type SessionSecurityScheme = CookieSecurityScheme | BearerSecurityScheme

interface CookieSecurityScheme {
  type: 'apiKey'
  in: 'cookie'
  /** The name of the cookie. */
  name: string
  description: string
}

interface BearerSecurityScheme {
  type: 'http'
  scheme: 'bearer'
  description: string
}
