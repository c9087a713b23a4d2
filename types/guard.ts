import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Duration } from './sealing'
import type { Session } from './session'

export interface GuardOptions {
  /** Which session, where there are several. Default: the first of the registration. */
  sessionName?: string | undefined
  /**
   * Who may pass, in place of "whoever has a subject": what counts as true in JavaScript is a yes, and a promise is
   * waited for. What it throws fails the request.
   */
  when?: ((session: Session) => boolean | null | undefined | Promise<boolean | null | undefined>) | undefined
  /**
   * How old the login may be at most: for what is worth asking the password once more. A login is `regenerate()`, or,
   * with the option `subject`, a change by which nobody's session becomes somebody's; no other change makes it younger.
   */
  freshWithin?: Duration | undefined
}

/** Fits `onRequest`, `preParsing`, `preValidation` and `preHandler`. */
export type GuardHook = (
  request: FastifyRequest<any, any, any, any, any, any, any, any>,
  reply: FastifyReply<any, any, any, any, any, any, any, any>
) => Promise<void>

/**
 * Answers 401 with FST_SESSION_REQUIRED where nobody is logged in (or where `when` says no), with FST_SESSION_STALE
 * where the login is older than `freshWithin`, and with a WWW-Authenticate that says which. A hook for a route: a
 * document of the API shows it there. A scope is guarded by `sessionGuard`; added with `addHook` it guards as well, and
 * the document cannot show it.
 */
export type RequireSession = (options?: GuardOptions) => GuardHook
