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
     * Opened when it is first touched; a request that does not touch it pays nothing. With `revocation`, and with
     * openers that return promises, it is null before the plugin's own onRequest hook, on routes with
     * `config: { session: false }`, and where its error was thrown before: write `request.session?.get('user')` in log
     * serializers and error handlers.
     * @throws FST_SESSION_STORE_UNAVAILABLE (503), once a request
     */
    readonly session: Session
  }

  interface FastifyContextConfig {
    /**
     * `false`: a route that needs no session, such as a health check. The store is not asked, and `request.session` is
     * null where there is `revocation`. `{ renew: false }`: a route that looks at the session, such as one that a page
     * polls: the session is checked as everywhere. With either, looking at a session does not renew it; changing it
     * does.
     */
    session?: boolean | { renew?: boolean | undefined } | undefined
  }

  interface FastifyReply {
    /**
     * Sets the Set-Cookie lines now and returns them, for the `headers` event of a WebSocket server. Sessions must
     * not be changed after it. A head that the app writes by itself, such as that of a hijacked reply, needs no call.
     */
    commitSession (): string[]
  }

  interface FastifyInstance {
    /** Ends sessions from afar, and says what they are to a document of the API. */
    readonly secureSession: SecureSessionControl
    /**
     * A hook for routes that want somebody who is logged in. Throws FST_SESSION_INVALID_OPTION,
     * FST_SESSION_UNKNOWN_NAME; also where neither the option `subject` nor `when` says who that is, for strangers have
     * sessions as well.
     */
    requireSession: RequireSession
    /** The same for all routes of a scope: `scope.register(app.sessionGuard, options)`. */
    sessionGuard: FastifyPluginAsync<GuardOptions>
    /**
     * A session outside any request: of the first of the registration, or of this name.
     * Throws FST_SESSION_UNKNOWN_NAME.
     */
    createSecureSession<T = SessionData> (data?: SessionValues<NotInferred<T>>, sessionName?: string): Session<T>
    /** The token of a session, fit for a cookie. Throws FST_SESSION_UNKNOWN_NAME, FST_SESSION_TOO_LARGE. */
    encodeSecureSession<T = SessionData> (session: Session<T>, sessionName?: string): string
    /**
     * The session in a token; null where it does not open. Throws FST_SESSION_UNKNOWN_NAME. A token alone has no
     * stamp beside it, so its idle time counts from when the session was last written, not from when it was last used.
     * It asks no revocation store: `secureSession.decode` does.
     */
    decodeSecureSession<T = SessionData> (
      token: string | undefined, log?: FastifyBaseLogger, sessionName?: string
    ): Session<T> | null
  }
}
