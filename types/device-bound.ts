import type { Duration } from './sealing'
import type { Session } from './session'

/** The option `deviceBound`. */
export interface DeviceBoundOptions {
  /**
   * Whether a user is logged in by this session. A session is bound when this becomes true, and with `regenerate()`. It
   * must be synchronous, return true or false, and not change the session. If it returns a promise or another object,
   * the request of the login fails with FST_SESSION_INVALID_OPTION.
   * @default sessions that have a subject, by the option `subject`; one of the two must be given
   * @example
   * deviceBound: { when: session => session.has('user') }
   */
  when?: ((session: Session) => boolean | null | undefined) | undefined
  /**
   * How long a proof lasts: a copy of the cookies of a bound session is refused after this time and a minute. From 1
   * second to 1 day. Below 5 minutes a warning is logged, because browsers limit how often they sign.
   * @default '10m'
   * @example
   * deviceBound: { proofFor: '15m' }
   */
  proofFor?: Duration | undefined
  /**
   * The path of the two routes that browsers call by themselves: `<path>/register` and `<path>/refresh`. It must lie
   * under the path of the cookie, and under the prefix of the scope that the plugin is registered in.
   * @default the path of the cookie, then `dbsc/` and `sessionName`, such as '/dbsc/session'
   * @example
   * deviceBound: { path: '/app/dbsc' }
   */
  path?: string | undefined
  /**
   * `false`: new logins are not bound; bound sessions stay bound. Use it to switch the option off, and as the first
   * step of a rollout, so that all servers have the two routes.
   * @default true
   * @example
   * deviceBound: { offer: false }
   */
  offer?: boolean | undefined
  /**
   * `false`: a session without a pass or a proof may be used. `info.bound` is then false, and an event is published.
   * Use it as a step of a rollout.
   * @default true
   * @example
   * deviceBound: { enforce: false }
   */
  enforce?: boolean | undefined
  /**
   * An origin, such as 'https://example.com': all of its subdomains share a binding. Its host must be `cookie.domain`.
   * With `deviceBound`, `cookie.domain` requires `site`. A subdomain at which users log in must be listed by
   * `/.well-known/device-bound-sessions` of this origin.
   * @default each origin has bindings of its own
   * @example
   * deviceBound: { site: 'https://example.com' }
   */
  site?: string | undefined
  /**
   * Hosts whose pages may cause a browser to sign by a request from another site, such as 'www.example.com' or
   * '*.example.com'. Each of them can find out by timing whether a user is logged in.
   * @default []
   * @example
   * deviceBound: { refreshInitiators: ['www.example.com'] }
   */
  refreshInitiators?: readonly string[] | undefined
}
