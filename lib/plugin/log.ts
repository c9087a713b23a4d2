import { maxHeaderSize } from 'node:http'
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { LINE_BYTES, NOT_SPLIT } from '../core/format'
import type { RefusalReason } from '../core/refusal'
import { NotReadyError, type TooLargeError } from '../errors'
import { about, refused } from '../events'
import { maxAgeProblem } from '../options/max-age'
import type { ResolvedOptions } from '../options/options'
import type { StoreReporter } from '../revocation/circuit-breaker'
import { keyOfId } from '../revocation/keys'
import type { Limits } from '../session/expiry'
import { MINUTE_MS, type Clock } from '../time'
import type { RefusedBecause } from '../../types/events'
import type { SessionDefinition } from './definition'

/**
 * Everything that the plugin logs. What an operator must act on is logged once per process and session definition, so
 * that no stranger can fill the log.
 */

/** True if it is called with this matter for the first time. */
export type IsFirst = (matter: string) => boolean

export function onceEach (): IsFirst {
  const matters = new Set<string>()
  return matter => matters.size < matters.add(matter).size
}

/** What is logged while sessions are opened. */
export interface OpeningLog {
  debug (fields: object, message: string): void
  warn (fields: object, message: string): void
  error (fields: object, message: string): void
}

type Line = readonly [level: keyof OpeningLog, fields: object, message: string]

/**
 * Keeps log lines until the session is open: a mixin or a serializer of the app's log may read `request.session` for
 * every line.
 */
export class DeferredLog implements OpeningLog {
  #lines: Line[] | null = null

  debug (fields: object, message: string): void {
    this.#keep(['debug', fields, message])
  }

  warn (fields: object, message: string): void {
    this.#keep(['warn', fields, message])
  }

  error (fields: object, message: string): void {
    this.#keep(['error', fields, message])
  }

  /** Writes the lines to another log. */
  flush (log: OpeningLog): void {
    const lines = this.#lines
    this.#lines = null
    lines?.forEach(([level, fields, message]) => { log[level](fields, message) })
  }

  #keep (line: Line): void {
    this.#lines ??= []
    this.#lines.push(line)
  }
}

export interface RefusedCookie {
  readonly sessionName: string
  readonly tenant: string | null
  readonly cookie: string
  readonly reason: RefusedBecause
  /** It is accepted, in spite of the reason. */
  readonly isAllowed?: boolean
  /** It came as a bearer token. */
  readonly isBearer?: boolean
  /** The id of the session in it, if it opened and was revoked or is unproven. */
  readonly id?: string
}

const CLOCKS = 'clocks'
const ALLOWED = 'a session without pass or proof was accepted, because "deviceBound.enforce" is false'
const CLOCKS_DIFFER = 'a key opened it, and it is dated more than a minute ahead of the clock of this server. ' +
  'The clocks of the servers differ, or one was set back: synchronize them. Users are logged out until then'

/** At level debug, because clients can send any cookie. A genuine one from the future means that a clock is wrong. */
export function logRefused (log: OpeningLog, isFirst: IsFirst, refusal: RefusedCookie): void {
  const { sessionName, tenant, cookie, reason, id, isAllowed = false, isBearer = false } = refusal
  if (reason === 'from-the-future' && isFirst(CLOCKS)) warnOfClocks(log, sessionName, cookie, 'a session was refused')
  else log.debug({ cookie, reason }, isAllowed ? ALLOWED : isBearer ? 'bearer token refused' : 'session cookie refused')
  if (!refused.hasSubscribers) return
  refused.publish({ ...about(sessionName, tenant), cookie, reason, id: id === undefined ? null : keyOfId(id) })
}

/** A genuine stamp from the future does not renew its session. */
export function logStampFromTheFuture (log: OpeningLog, isFirst: IsFirst, sessionName: string, cookie: string): void {
  if (isFirst(CLOCKS)) warnOfClocks(log, sessionName, cookie, 'the renewal of a session was ignored')
}

/** Why a hand-over was refused: at the sender, by the ticket, or by the receiver. */
export type HandOverRefusal =
  | 'no-flow' // no receiver has begun it
  | 'no-navigation' // at the sender, a script asks for a ticket
  | 'no-user' // the sender has the option "subject", and its session has none
  | 'unknown-receiver' // the option does not name it, or the call means another one
  | 'no-ticket' // the request has none
  | 'unknown-flow' // this browser has not begun it, has used it, or began it too long ago
  | RefusalReason
  | 'used'
  | 'not-accepted' // by the option `accept`
  | 'revoked' // the session of the sender, or all of its user

/** As `logRefused`. */
export function logHandOverRefused (
  { sessionName, options, isFirst }: SessionDefinition, reason: HandOverRefusal, log: OpeningLog
): void {
  const isWarned = reason === 'from-the-future' && isFirst(CLOCKS)
  if (isWarned) warnOfClocks(log, sessionName, options.cookieName, 'the session of another site was refused')
  else log.debug({ session: sessionName, reason }, 'hand-over refused')
}

/** As `logRefused`, for a token for a purpose. Returns null. */
export function logTokenRefused (
  { sessionName, options, isFirst }: SessionDefinition, purpose: string, reason: RefusalReason | 'used', log: OpeningLog
): null {
  const isWarned = reason === 'from-the-future' && isFirst(CLOCKS)
  if (isWarned) warnOfClocks(log, sessionName, options.cookieName, 'a token was refused')
  else log.debug({ session: sessionName, purpose, reason }, 'token refused')
  return null
}

function warnOfClocks (log: OpeningLog, session: string, cookie: string, what: string): void {
  log.warn({ session, cookie, reason: 'from-the-future' }, `${what}: ${CLOCKS_DIFFER}`)
}

/** An outage is logged once in this time, and its end after each that was logged. */
const QUIET_MS = MINUTE_MS

/** When the revocation store becomes unavailable, and available again. */
export function revocationLog (
  log: FastifyBaseLogger, sessionName: string, trustsWhenUnavailable: boolean, now: Clock
): StoreReporter {
  const consequence = trustsWhenUnavailable
    ? 'sessions are trusted unchecked'
    : 'requests that touch a session that is due to be checked fail'
  let loggedAtMs = -Infinity
  let isLogged = false
  return {
    unavailable ({ message }) {
      // A store that fails for some keys only, such as a cluster without one of its nodes, changes with every request.
      isLogged = Math.abs(now() - loggedAtMs) >= QUIET_MS
      if (!isLogged) return
      loggedAtMs = now()
      log.warn({ session: sessionName }, `the revocation store is unavailable, and ${consequence}: ${message}`)
    },
    available () {
      if (isLogged) log.info({ session: sessionName }, 'the revocation store is available again')
    }
  }
}

const NEAR_THE_LIMIT = 0.8
/** What a browser sends besides cookies. */
const OTHER_HEADERS_BYTES = 2048

/** A request with full split sessions can be too long: Node answers 431 before any handler runs. Logged at boot. */
export function warnOverBudget ({ server, log }: FastifyInstance, sessions: readonly ResolvedOptions[]): void {
  const { maxHeaderSize: limit = maxHeaderSize } = server as { maxHeaderSize?: number }
  const counts = sessions.map(({ maxCookies }) => maxCookies).filter(count => count > NOT_SPLIT)
  const cookies = counts.reduce((sum, count) => sum + count, 0)
  const bytes = cookies * LINE_BYTES
  if (bytes === 0 || bytes + OTHER_HEADERS_BYTES <= limit) return
  log.warn({ bytes, limit },
    '"maxCookies" lets sessions grow until Node.js refuses the request that contains them: ' +
    'lower it, or raise maxHeaderSize of the server')
}

/** @param limit of the length of the token */
export function warnNearTheLimit (
  { options, isFirst }: SessionDefinition, bytes: number, limit: number, log: FastifyBaseLogger
): void {
  if (bytes < NEAR_THE_LIMIT * limit || !isFirst('size')) return
  log.warn({ cookie: options.cookieName, bytes, limit },
    'a session fills more than 80 % of its cookie or token; past the limit, requests that write it will fail with ' +
    'FST_SESSION_TOO_LARGE')
}

function isHttpsByProxy ({ headers }: FastifyRequest): boolean {
  const forwarded = headers['x-forwarded-proto']
  return typeof forwarded === 'string' && /^https/i.test(forwarded)
}

/** A proxy ends TLS, and `trustProxy` is not set: the cookie goes out without Secure. */
export function warnUntrustedProxy ({ options, isFirst }: SessionDefinition, request: FastifyRequest): void {
  if (options.attributes.secure !== 'auto' || !isHttpsByProxy(request) || !isFirst('proxy')) return
  request.log.warn({ cookie: options.cookieName },
    'TLS seems to end at a proxy that Fastify does not trust, so the session cookie goes out without Secure: ' +
    'set trustProxy, or cookie.secure to true')
}

/** As `warnUntrustedProxy`, for the option `deviceBound`. */
export function warnNotOffered ({ options, isFirst }: SessionDefinition, request: FastifyRequest): void {
  if (options.deviceBound?.offer !== true || !isHttpsByProxy(request) || !isFirst('offer')) return
  request.log.warn({ session: options.sessionName },
    'TLS seems to end at a proxy that Fastify does not trust, so no session is bound to a device ("deviceBound"): ' +
    'set trustProxy')
}

/** Browsers trust these without TLS: https://w3c.github.io/webappsec-secure-contexts/#is-origin-trustworthy */
const THIS_MACHINE = /^(?:(?:.*\.)?localhost\.?|127(?:\.\d{1,3}){3}|\[::1\])$/i
/** Of a header that the client sends; it goes into the log once. */
const LONGEST_HOST = 253

/** A browser drops a Secure cookie that came over plain http, unless from the same machine: RFC 6265bis section 5.7. */
export function warnSecureOverHttp (
  { options, isFirst }: SessionDefinition, request: FastifyRequest, lines: readonly string[]
): void {
  if (!lines.some(setsSecure) || THIS_MACHINE.test(request.hostname) || isTlsBefore(request)) return
  if (!isFirst('http')) return
  const host = request.hostname.slice(0, LONGEST_HOST)
  request.log.warn({ session: options.sessionName, cookie: options.cookieName, host },
    'a session cookie with Secure was set over plain http, and browsers drop such a cookie, so logins have no ' +
    'effect. Serve the site over TLS, or use localhost for tests. If a proxy ends TLS, have it send ' +
    'X-Forwarded-Proto, and set trustProxy')
}

/** A line that sets a value. A regular expression for it takes 1.3 us of each write over plain http, this 0.05. */
function setsSecure (line: string): boolean {
  return line.includes('; Secure') && line.charAt(line.indexOf('=') + 1) !== ';'
}

/**
 * A proxy says so, trusted or not. Or the browser sends a header that it sends only over TLS, or to the same machine.
 */
function isTlsBefore (request: FastifyRequest): boolean {
  const { headers } = request
  if (headers['sec-fetch-site'] !== undefined || isHttpsByProxy(request)) return true
  return /\bproto="?https/i.test(String(headers['forwarded']))
}

/** A guard with `bound` or `provenWithin`, for a session that browsers cannot be asked to bind. */
export function warnNeverBound ({ options: { deviceBound, sessionName }, log, isFirst }: SessionDefinition): void {
  if (deviceBound !== null || !isFirst('never bound')) return
  log.warn({ session: sessionName },
    'a guard with "bound" or "provenWithin" needs the option "deviceBound" of this session: without it no browser ' +
    'registers a key, and the guard answers 401')
}

/** What the app gave a session by `options({ maxAge })`. */
export function warnOwnMaxAge ({ options, log, isFirst }: SessionDefinition, maxAgeMs: number, limits: Limits): void {
  const problem = maxAgeProblem(maxAgeMs, limits, 'session.options({ maxAge })')
  if (problem === null || !isFirst('max-age')) return
  log.warn({ session: options.sessionName, cookie: options.cookieName }, problem)
}

/** The date is fixed at boot. Logins still work; the browser removes their cookies when it closes. */
export function warnExpiresPassed ({ options, log, isFirst }: SessionDefinition, expires: Date): void {
  if (!isFirst('expires')) return
  log.warn({ session: options.sessionName, cookie: options.cookieName, expires: expires.toISOString() },
    '"cookie.expires" has passed: the session cookie goes out without it from now on, and ends with the browser. ' +
    'It is one date for all sessions; "persistent": true keeps each cookie for as long as its session may live')
}

/** The route has its own cache headers, which let shared caches store the session of a user. */
export function warnStorable ({ options, isFirst }: SessionDefinition, { log, request }: FastifyReply): void {
  if (!isFirst('storable')) return
  log.warn({ cookie: options.cookieName, route: request.routeOptions.url },
    'a response sets the session cookie, and its route lets shared caches store it, which would give one user\'s ' +
    'session to others: use private or no-store where a session is written')
}

/** The legacy cookie stays in use. */
export function warnNotMigrated (
  { options, isFirst }: SessionDefinition, { detail }: TooLargeError, log: FastifyBaseLogger
): void {
  if (!isFirst('migrate')) return
  log.warn({ cookie: options.cookieName },
    `a session could not migrate from its legacy cookie, which stays in use: ${detail}`)
}

/** What a request of no tenant set is lost. The request may be of a stranger, so nothing of it is in the line. */
export function infoNotSent ({ options: { sessionName }, isFirst }: SessionDefinition, { log }: FastifyRequest): void {
  if (!isFirst('no tenant')) return
  log.info({ session: sessionName },
    'a session was changed in a request of no tenant, by the option "tenant", and is not sent')
}

export const NOT_IN_PATH = 'cannot be in the path of a cookie: browsers resolve such a segment of a URL'

/** A request whose tenant has the id `.` or `..`, with `:tenant` in the path of its cookie. */
export function infoDotSegment (
  { sessionName }: ResolvedOptions, { isFirst }: { readonly isFirst: IsFirst }, { log }: FastifyRequest
): void {
  if (!isFirst('dot segment')) return
  log.info({ session: sessionName },
    `a request counts as one of no tenant: its id "." or ".." ${NOT_IN_PATH}. Look ids up in a list`)
}

/** A log serializer may read `request.session` at every request, so this is logged once. */
export function warnNotReady ({ options: { sessionName }, isFirst }: SessionDefinition, { log }: FastifyRequest): void {
  if (!isFirst('not ready')) return
  const { code, message } = new NotReadyError(sessionName)
  log.warn({ code, session: sessionName }, `request.${sessionName} is null: ${message}`)
}

/** The route was added before the plugin was loaded, so it could not be refused. */
export function warnRouteConfig (
  { options, isFirst }: SessionDefinition, { log, routeOptions }: FastifyRequest, problem: string
): void {
  if (!isFirst(`config of ${routeOptions.url}`)) return
  log.warn({ session: options.sessionName, route: routeOptions.url }, `the route's config is ignored: ${problem}`)
}

export function warnLost ({ options }: SessionDefinition, log: FastifyBaseLogger): void {
  log.warn({ cookie: options.cookieName },
    'a session was changed and its cookie was never written: ' +
    'an upgrade must call reply.commitSession() before its head is sent')
}
