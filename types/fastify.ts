import type { FastifyBaseLogger, FastifyPluginAsync } from 'fastify'
import type { SessionData } from '../index'
import type { SecureSessionControl } from './control'
import type { GuardOptions, RequireSession } from './guard'
import type { SessionOptions } from './options'
import type { NotInferred, Session, SessionValues } from './session'

/** One session, or several named ones. */
export type SecureSessionOptions = SessionOptions | readonly SessionOptions[]

declare module 'fastify' {
  interface FastifyRequest {
    /**
     * Opened when it is first accessed. A request that does not access it decrypts nothing. With `revocation`, and with
     * openers that return promises, it is null before the plugin's own onRequest hook, on routes with
     * `config: { session: false }`, and after its error was thrown once in this request. So write
     * `request.session?.get('user')` in log serializers and error handlers.
     * @throws FST_SESSION_STORE_UNAVAILABLE (503), once per request
     */
    readonly session: Session
  }

  interface FastifyContextConfig {
    /**
     * `false`: for a route that needs no session, such as a health check. The store is not asked. With `revocation`,
     * `request.session` is null. `{ renew: false }`: for a route that only reads the session, such as one that a page
     * polls. The session is checked as on every route. With both settings, reading a session does not renew it; a
     * change does.
     */
    session?: boolean | { renew?: boolean | undefined } | undefined
  }

  interface FastifyReply {
    /**
     * Sets the Set-Cookie lines now and returns them, for the `headers` event of a WebSocket server. Sessions must not
     * be changed after this call. A response whose head the app writes itself, such as a hijacked reply, does not need
     * it.
     */
    commitSession (): string[]
  }

  interface FastifyInstance {
    /** Ends sessions by id or subject, and provides cookies for tests and security schemes for OpenAPI. */
    readonly secureSession: SecureSessionControl
    /**
     * Makes a guard: a hook for routes that require a logged-in user. Throws FST_SESSION_UNKNOWN_NAME, and
     * FST_SESSION_INVALID_OPTION, also if there is neither the option `subject` nor `when`: anonymous clients have
     * sessions, too.
     */
    requireSession: RequireSession
    /** A guard for all routes of a scope: `scope.register(app.sessionGuard, options)`. */
    sessionGuard: FastifyPluginAsync<GuardOptions>
    /**
     * Creates a session outside a request: of the first session of the registration, or of `sessionName`.
     * Throws FST_SESSION_UNKNOWN_NAME.
     */
    createSecureSession<T = SessionData> (data?: SessionValues<NotInferred<T>>, sessionName?: string): Session<T>
    /** The token of a session, for use as a cookie value. Throws FST_SESSION_UNKNOWN_NAME, FST_SESSION_TOO_LARGE. */
    encodeSecureSession<T = SessionData> (session: Session<T>, sessionName?: string): string
    /**
     * The session in a token; null if it does not open. Throws FST_SESSION_UNKNOWN_NAME. A token alone has no stamp, so
     * its idle time counts from the last write of the session, not from its last use. The revocation store is not
     * asked: use `secureSession.decode` for that.
     */
    decodeSecureSession<T = SessionData> (
      token: string | undefined, log?: FastifyBaseLogger, sessionName?: string
    ): Session<T> | null
  }
}
