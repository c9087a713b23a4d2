import type { FastifyBaseLogger, FastifyPluginAsync } from 'fastify'
import type { SessionData } from '../index'
import type { SecureSessionControl } from './control'
import type { GuardOptions, RequireSession } from './guard'
import type { BeginHandOverOptions, HandOverFormOptions } from './hand-over'
import type { SessionOptions } from './options'
import type { NotInferred, Session as SealedSession, SessionValues } from './session'

/** The options of one session, or an array of them for several named sessions. */
export type SecureSessionOptions = SessionOptions | readonly SessionOptions[]

// Here "Session" is the interface that apps declare for @fastify/session.
declare module 'fastify' {
  interface FastifyRequest {
    /**
     * The session of the request; a new one if the request has no valid cookie. The cookie is opened when the session
     * is first accessed. A request that does not access it decrypts nothing.
     *
     * With `revocation`, with openers that return promises, and with `keyring` as a function, it is null before the
     * plugin's own onRequest hook, on routes with `config: { session: false }`, and after its error was thrown once in
     * this request. So write `request.session?.get('user')` in log serializers and error handlers.
     *
     * With the option `tenant`, in a request of no tenant: an empty session that is not sent.
     * @throws {FST_SESSION_STORE_UNAVAILABLE} status 503, once per request, if the store is unavailable and `onError`
     * is `'refuse'`, or if the keyring of the tenant cannot be read
     * @throws {FST_SESSION_INVALID_OPTION} once per request, if the option `tenant`, or `cookie` or `keyring` as a
     * function, returns something wrong
     * @throws {FST_SESSION_UNPROVEN} once per request, if the session requires a proof of the browser's key, and the
     * request has none: status 503 if the browser says that it could not sign, or if this server cannot read the
     * keyring for the key of the proof; 401 if another site or origin caused the request
     * @example
     * request.session.set('user', { id: 42 })
     * const user = request.session.get('user')
     */
    readonly session: SealedSession
  }

  interface FastifyContextConfig {
    /**
     * `false`: for a route that needs no session, such as a health check. The store is not asked. With `revocation`,
     * `request.session` is null. `{ renew: false }`: for a route that only reads the session, such as one that a page
     * polls. The session is checked as on every route. With both settings, reading a session does not renew it; a
     * change does.
     * @default true
     * @example
     * app.get('/health', { config: { session: false } }, async () => 'ok')
     * app.get('/poll', { config: { session: { renew: false } } }, async request => request.session.get('user'))
     */
    session?: boolean | { renew?: boolean | undefined } | undefined
  }

  interface FastifyReply {
    /**
     * Sets the Set-Cookie lines now, for the `headers` event of a WebSocket server. Sessions must not be changed after
     * this call. A response whose head the app writes itself, such as a hijacked reply, does not need it.
     * @returns the Set-Cookie lines
     * @throws {FST_SESSION_NOT_SERIALIZABLE} if a value of a session cannot be serialized
     * @throws {FST_SESSION_TOO_LARGE} if a session does not fit in its cookies
     * @example
     * const lines = reply.commitSession()
     */
    commitSession (): string[]
    /**
     * Begins a hand-over at the receiver: sets a cookie, and redirects to the sender (303). Needs the option
     * `handOver.receive`. Return or await the result.
     * @throws {FST_SESSION_INVALID_OPTION} if the option is missing or wrong, or `from` is no URL of
     * `handOver.receive.from`
     * @throws {FST_SESSION_UNKNOWN_NAME} if no session has the name `sessionName`
     * @example
     * app.get('/login', (request, reply) => reply.beginHandOver({ then: request.query.then }))
     */
    beginHandOver (options?: BeginHandOverOptions): FastifyReply
    /**
     * Hands the session over, at the sender: sends a page that posts a ticket to the receiver which has sent the
     * browser here. It sends a page with status 403 if no receiver that the option names has sent the browser here, if
     * no user is logged in by the option `subject`, if the session is revoked, or if a script asks instead of a
     * navigation. With `revocation`, the store is asked, and the reply is 503 if that is unavailable. Needs the option
     * `handOver.send`. Return or await the result.
     * @throws {FST_SESSION_INVALID_OPTION} if the option is missing or wrong, or `to` is no URL of `handOver.send.to`
     * @throws {FST_SESSION_NOT_SERIALIZABLE} if JSON cannot write a value as it is, also with a `serializer`
     * @throws {FST_SESSION_TOO_LARGE} if the ticket would have more than 2,048 characters
     * @throws {FST_SESSION_UNKNOWN_NAME} if no session has the name `sessionName`
     * @example
     * app.get('/hand-over', async (request, reply) => {
     *   if (!request.session.has('user')) return reply.redirect(`/login?then=${encodeURIComponent(request.url)}`)
     *   return reply.handOver({ keep: ['user'] })
     * })
     */
    handOver (options: HandOverFormOptions): FastifyReply
  }

  interface FastifyInstance {
    /**
     * Revokes sessions by id or subject, seals tokens for links, and provides cookies for tests and security schemes
     * for OpenAPI.
     */
    readonly secureSession: SecureSessionControl
    /**
     * Makes a guard: a hook for routes that require a logged-in user.
     * @throws {FST_SESSION_UNKNOWN_NAME} if no session has the name `sessionName`
     * @throws {FST_SESSION_INVALID_OPTION} if an option is wrong, or if there is neither the option `subject` of the
     * session nor `when`: anonymous clients have sessions, too
     * @example
     * app.get('/account', { onRequest: app.requireSession() }, async request => request.session.get('user'))
     * app.post('/password', { onRequest: app.requireSession({ freshWithin: '10m' }) }, async () => 'changed')
     */
    requireSession: RequireSession
    /**
     * A guard for all routes of a scope.
     * @example
     * app.register(async scope => {
     *   scope.register(scope.sessionGuard, { freshWithin: '1h' })
     *   scope.get('/admin', async () => 'for logged-in users')
     * })
     */
    sessionGuard: FastifyPluginAsync<GuardOptions>
    /**
     * Creates a session outside a request.
     * @param data the values of the session
     * @param sessionName default: the first session of the registration
     * @throws {FST_SESSION_UNKNOWN_NAME} if no session has the name `sessionName`
     * @throws {FST_SESSION_NOT_SERIALIZABLE} if a value cannot be serialized
     * @throws {FST_SESSION_INVALID_OPTION} with the option `tenant`: use `secureSession.forTenant`
     * @example
     * const session = app.createSecureSession({ user: { id: 42 } })
     * const token = app.encodeSecureSession(session)
     */
    createSecureSession<T = SessionData> (data?: SessionValues<NotInferred<T>>, sessionName?: string): SealedSession<T>
    /**
     * Seals a session. With the option `deviceBound`: in the request of a login, the token has no mark and is bound to
     * nothing; in later requests it has the mark, so `decodeSecureSession` refuses it.
     * @param session a session of this plugin
     * @param sessionName default: the first session of the registration
     * @returns the token, for use as a cookie value; longer than one cookie if the session is split
     * @throws {FST_SESSION_UNKNOWN_NAME} if no session has the name `sessionName`
     * @throws {FST_SESSION_NOT_SERIALIZABLE} if a value cannot be serialized
     * @throws {FST_SESSION_TOO_LARGE} if the session does not fit in its cookies
     * @throws {FST_SESSION_INVALID_OPTION} if `session` is not a session of this plugin, or with the option `tenant`
     */
    encodeSecureSession<T = SessionData> (session: SealedSession<T>, sessionName?: string): string
    /**
     * Opens a token. A token alone has no stamp, so its idle time counts from the last write of the session, not from
     * its last use. The revocation store is not asked: use `secureSession.decode` for that. A session with a mark
     * is refused, since a token has no pass or proof beside it: use `secureSession.open` for that. With the option
     * `deviceBound`, every login over TLS gets a mark, in every browser.
     * @param token the value of a cookie
     * @param log receives the reason of a refusal; default: `app.log`
     * @param sessionName default: the first session of the registration
     * @returns the session; null if the token does not open
     * @throws {FST_SESSION_UNKNOWN_NAME} if no session has the name `sessionName`
     * @throws {FST_SESSION_INVALID_OPTION} with the option `tenant`: use `secureSession.forTenant`
     * @example
     * const session = app.decodeSecureSession(request.cookies['session'])
     * const user = session?.get('user')
     */
    decodeSecureSession<T = SessionData> (
      token: string | undefined, log?: FastifyBaseLogger, sessionName?: string
    ): SealedSession<T> | null
  }
}
