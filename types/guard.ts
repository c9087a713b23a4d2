import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Duration } from './sealing'
import type { Session } from './session'

export interface GuardOptions {
  /** The name of the session to check. Default: the first session of the registration. */
  sessionName?: string | undefined
  /**
   * Decides which sessions may pass. Default: sessions that have a subject. A truthy value lets the request pass, a
   * falsy value is a 401. A promise is awaited. An error that it throws fails the request.
   */
  when?: ((session: Session) => boolean | null | undefined | Promise<boolean | null | undefined>) | undefined
  /**
   * The maximum age of the login, for actions that should ask for the password again. A login is a `regenerate()`, or,
   * with the option `subject`, a change from an anonymous session to the session of a user. No other change counts as
   * a login.
   */
  freshWithin?: Duration | undefined
}

/** Fits `onRequest`, `preParsing`, `preValidation` and `preHandler`. */
export type GuardHook = (
  request: FastifyRequest<any, any, any, any, any, any, any, any>,
  reply: FastifyReply<any, any, any, any, any, any, any, any>
) => Promise<void>

/**
 * Makes a hook for a route. The hook answers 401 with FST_SESSION_REQUIRED if no user is logged in (or if `when`
 * returns a falsy value), and 401 with FST_SESSION_STALE if the login is older than `freshWithin`. The WWW-Authenticate
 * header says which. The OpenAPI document shows the guard of a route. Use `sessionGuard` for a scope: a guard that is
 * added with `addHook` works, too, but the OpenAPI document does not show it.
 */
export type RequireSession = (options?: GuardOptions) => GuardHook
