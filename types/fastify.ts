import type { FastifyBaseLogger } from 'fastify'
import type { SessionData } from '../index'
import type { SessionOptions } from './options'
import type { Session } from './session'

/** One session, or several named ones. */
export type SecureSessionOptions = SessionOptions | readonly SessionOptions[]

declare module 'fastify' {
  interface FastifyRequest {
    /** Opened when it is first touched; a request that does not touch it pays nothing. */
    readonly session: Session
  }

  interface FastifyReply {
    /**
     * Sets the Set-Cookie lines now and returns them: for a reply that is hijacked, or the `headers` event of a WebSocket
     * server. Sessions must not be changed after it.
     */
    commitSession (): string[]
  }

  interface FastifyInstance {
    /** A session outside any request. */
    createSecureSession<T = SessionData> (data?: Record<string, any>): Session<T>
    /** The token of a session, fit for a cookie. Throws FST_SESSION_UNKNOWN_NAME, FST_SESSION_TOO_LARGE. */
    encodeSecureSession<T = SessionData> (session: Session<T>, sessionName?: string): string
    /**
     * The session in a token; null where it does not open. Throws FST_SESSION_UNKNOWN_NAME. A token alone has no stamp
     * beside it, so its idle time counts from when the session was last written, not from when it was last used.
     */
    decodeSecureSession<T = SessionData> (token: string | undefined, log?: FastifyBaseLogger, sessionName?: string): Session<T> | null
  }
}
