import type { FastifyRequest } from 'fastify'
import type { Duration, KeyInputs } from './sealing'

/**
 * The option `handOver`: sessions go to another site, or come from there. URLs are whole, such as
 * `'https://shop.example/welcome'`: `https:`, or `http:` on this machine, without query and fragment. Both sides must
 * name the same URLs. See docs/domains.md.
 */
export interface HandOverOptions {
  /**
   * For a site that hands its sessions over, by `reply.handOver()`.
   * @default none; this site hands no sessions over
   * @example
   * handOver: { send: { at: 'https://accounts.example/hand-over', to: ['https://shop.example/welcome'] } }
   */
  send?: HandOverSenderOptions | undefined
  /**
   * For a site that begins sessions of its own with what it is handed, by `reply.beginHandOver()`.
   * @default none; this site takes no sessions
   * @example
   * handOver: { receive: { at: 'https://shop.example/welcome', from: ['https://accounts.example/hand-over'] } }
   */
  receive?: HandOverReceiverOptions | undefined
  /**
   * One key or several, for this alone: the first seals, all open. Both sides need the same. So they do not need to
   * share the keys of their sessions.
   * @default the keys of the session
   * @example
   * handOver: { key: process.env['HAND_OVER_KEY'], send }
   */
  key?: KeyInputs | undefined
}

/** The side of the option `handOver` that hands sessions over. */
export interface HandOverSenderOptions {
  /**
   * The URL of the app's route that calls `reply.handOver()`.
   * @example
   * send: { at: 'https://accounts.example/hand-over', to }
   */
  at: string
  /**
   * The URLs of receivers: their `receive.at`. Sessions are handed over to no other URL.
   * @example
   * send: { at, to: ['https://shop.example/welcome'] }
   */
  to: readonly string[]
  /**
   * How long a ticket opens: from 5 seconds to 2 minutes. Long enough for a slow network and the difference of the
   * clocks of both sites.
   * @default '30s'
   * @example
   * send: { at, to, ttl: '1m' }
   */
  ttl?: Duration | undefined
  /**
   * Allows `session.handOver()`, which puts the ticket into a URL. It is then in the history of the browser and in
   * logs.
   * @default false
   * @example
   * send: { at, to, query: true }
   */
  query?: boolean | undefined
}

/** A method, so that the values may have a type of the app. */
interface Acceptor {
  accept (values: Record<string, any>, request: FastifyRequest): object | null | Promise<object | null>
}

/** The side of the option `handOver` that takes sessions. */
export interface HandOverReceiverOptions {
  /**
   * The URL of this site that takes tickets. The plugin adds the route, for its path.
   * @example
   * receive: { at: 'https://shop.example/welcome', from }
   */
  at: string
  /**
   * The URLs of senders: their `send.at`. Browsers are sent to no other URL.
   * @example
   * receive: { at, from: ['https://accounts.example/hand-over'] }
   */
  from: readonly string[]
  /**
   * The path of this site where the browser goes then, unless `beginHandOver` gave another one.
   * @default '/'
   * @example
   * receive: { at, from, then: '/account' }
   */
  then?: string | undefined
  /**
   * The path of this site where the browser goes if the ticket is refused. The reason is in the debug log.
   * @default a page with status 403
   * @example
   * receive: { at, from, refused: '/login' }
   */
  refused?: string | undefined
  /**
   * Returns the values of the new session, a plain object, or null to refuse. May return a promise. `request.session`
   * is the session that the browser had before: it is replaced, and revoked with `revocation`.
   * @param values what the sender has kept. A value that its session does not have is missing
   * @default takes all values as they are
   * @example
   * const accept = async ({ user }: { user: { id: string } }) => {
   *   const known = await users.byId(user.id)
   *   return known === null ? null : { user: { id: known.id } }
   * }
   */
  accept?: Acceptor['accept'] | undefined
  /**
   * Takes tickets from the query of a URL, too: for a sender with `query`.
   * @default false
   * @example
   * receive: { at, from, query: true }
   */
  query?: boolean | undefined
}

/** The argument of `session.handOver()`. */
export interface HandOverUrlOptions {
  /**
   * The keys of the values to hand over. Those that the session does not have are left out.
   * @example
   * await request.session.handOver({ keep: ['user'] })
   */
  keep: readonly string[]
  /**
   * The URL of the receiver, of `send.to`: another one that asks is refused.
   * @default the receiver that sent the browser here
   * @example
   * await request.session.handOver({ to: 'https://shop.example/welcome', keep: ['user'] })
   */
  to?: string | undefined
}

/** The argument of `reply.handOver()`. */
export interface HandOverFormOptions extends HandOverUrlOptions {
  /**
   * The session that is handed over.
   * @default the first session with `handOver.send`
   * @example
   * reply.handOver({ keep: ['user'], sessionName: 'adminSession' })
   */
  sessionName?: string | undefined
}

/** The argument of `reply.beginHandOver()`. */
export interface BeginHandOverOptions {
  /**
   * The URL of the sender, of `receive.from`. Must be given if there are several.
   * @default the only one
   * @example
   * reply.beginHandOver({ from: 'https://accounts.example/hand-over' })
   */
  from?: string | undefined
  /**
   * The path of this site where the browser goes after the hand-over, at most 256 characters. What is no such path is
   * ignored, so it may come from a query.
   * @default `receive.then`
   * @example
   * reply.beginHandOver({ then: request.query.then })
   */
  then?: unknown
  /**
   * The session that begins.
   * @default the first session with `handOver.receive`
   * @example
   * reply.beginHandOver({ sessionName: 'adminSession' })
   */
  sessionName?: string | undefined
}
