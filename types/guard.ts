import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Duration } from './sealing'
import type { Session, Transport } from './session'

/** The options of `requireSession` and `sessionGuard`. */
export interface GuardOptions {
  /**
   * The name of the session to check.
   * @default the first session of the registration
   * @example
   * app.requireSession({ sessionName: 'adminSession' })
   */
  sessionName?: string | undefined
  /**
   * Decides which sessions are allowed. A truthy value allows the request, a falsy value is a 401. A promise is
   * awaited. An error that it throws fails the request.
   * @default sessions that have a subject, by the option `subject`
   * @example
   * app.requireSession({ when: session => session.get('role') === 'admin' })
   */
  when?: ((session: Session) => boolean | null | undefined | Promise<boolean | null | undefined>) | undefined
  /**
   * The maximum age of the login, for actions that should ask for the password again: seconds, or text such as `'10m'`.
   * A login is a `regenerate()`, or, with the option `subject`, a change from an anonymous session to the session of a
   * user. No other change counts as a login.
   * @default no maximum
   * @example
   * app.requireSession({ freshWithin: '10m' })
   */
  freshWithin?: Duration | undefined
  /**
   * `true`: the browser must have proved that it has the key that the session is bound to, by the option `deviceBound`.
   * Others get 401 with FST_SESSION_UNBOUND, and so does the browser itself until it has registered its key.
   * @default false
   * @example
   * app.requireSession({ bound: true })
   */
  bound?: boolean | undefined
  /**
   * The maximum age of that proof, for actions that a copy of the cookies must not allow: seconds, or text such as
   * `'2m'`, which is the minimum. An older proof is answered with 307 to the same URL: the browser makes another proof,
   * and repeats the request with its body. Implies `bound`.
   * @default no maximum
   * @example
   * app.requireSession({ provenWithin: '2m' })
   */
  provenWithin?: Duration | undefined
  /**
   * The path of the login page. A navigation without a user, or with a login that is too old (`freshWithin`), is
   * answered with 303 to it. Any other request gets the 401, and so does a user for whom `when` returns a falsy value.
   * Navigations are recognized by Sec-Fetch-Mode, or, where a client does not send that, by text/html in Accept. The
   * login page must be outside of the guard. With `freshWithin`, it must also ask users who are logged in already.
   * Where one of several guards is enough, set `redirectTo` on the last of them only.
   * @default no redirect
   * @example
   * app.register(async account => {
   *   account.register(account.sessionGuard, { redirectTo: '/login', returnTo: 'next' })
   *   account.get('/orders', async request => request.session.get('user'))
   * })
   */
  redirectTo?: string | undefined
  /**
   * The query parameter that tells the login page which path was asked for, such as `'next'`: 1 to 64 letters, digits
   * or characters of `._~-`. Only for GET and HEAD, and for paths of up to 2,048 characters. Read it with
   * `app.secureSession.returnPath`, which refuses all that is no path of this site.
   * @default no parameter
   * @example
   * app.requireSession({ redirectTo: '/login', returnTo: 'next' })
   */
  returnTo?: string | undefined
  /**
   * In what the session may come, for sessions with the option `transport: 'both'`. `'cookie'`: a bearer token is
   * refused like no session, such as on routes with a check of CSRF tokens. `'bearer'`: a cookie is.
   * @default what the session's option `transport` allows
   * @example
   * const onRequest = app.requireSession({ transport: 'cookie' })
   * app.post('/transfer', { onRequest, preHandler: app.csrfProtection }, async () => 'done')
   */
  transport?: Transport | undefined
}

/** A hook for `onRequest`, `preParsing`, `preValidation` and `preHandler`. */
export type GuardHook = (
  request: FastifyRequest<any, any, any, any, any, any, any, any>,
  reply: FastifyReply<any, any, any, any, any, any, any, any>
) => Promise<void>

/**
 * Makes a hook for a route. The hook answers 401 with FST_SESSION_REQUIRED if no user is logged in (or if `when`
 * returns a falsy value), 401 with FST_SESSION_STALE if the login is older than `freshWithin`, and 401 with
 * FST_SESSION_UNBOUND if the session must be bound to a device and is not. The WWW-Authenticate header says which (RFC
 * 9110 section 11.6.1, RFC 9470 section 3). The OpenAPI document shows the guard of a route. Use
 * `sessionGuard` for a scope: a guard that is added with `addHook` works, too, but the OpenAPI document does not show
 * it.
 * @throws {FST_SESSION_UNKNOWN_NAME} if no session has the name `sessionName`
 * @throws {FST_SESSION_INVALID_OPTION} if an option is wrong, or if there is neither `subject` nor `when`
 */
export type RequireSession = (options?: GuardOptions) => GuardHook
