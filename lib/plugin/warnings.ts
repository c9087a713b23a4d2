import { maxHeaderSize } from 'node:http'
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { LINE_BYTES, NOT_SPLIT } from '../core/format'
import { NotReadyError, type TooLargeError } from '../errors'
import { maxAgeProblem } from '../options/max-age'
import type { ResolvedOptions } from '../options/options'
import type { Limits } from '../session/expiry'
import type { SessionDefinition } from './definition'

/** What an operator must act on. Each is said once a process and session, so that no stranger can fill the log. */

const NEAR_THE_LIMIT = 0.8
/** What a browser sends besides cookies. */
const OTHER_HEADERS_BYTES = 2048

/** Split sessions that are full would shut their user out: Node answers 431 before any handler runs. Said at boot. */
export function warnOverBudget ({ server, log }: FastifyInstance, sessions: readonly ResolvedOptions[]): void {
  const { maxHeaderSize: limit = maxHeaderSize } = server as { maxHeaderSize?: number }
  const cookies = sessions.map(({ maxCookies }) => maxCookies).filter(count => count > NOT_SPLIT).reduce((sum, count) => sum + count, 0)
  const bytes = cookies * LINE_BYTES
  if (bytes === 0 || bytes + OTHER_HEADERS_BYTES <= limit) return
  log.warn({ bytes, limit }, '"maxCookies" lets sessions grow until Node.js refuses the request that brings them: lower it, or raise maxHeaderSize of the server')
}

/** @param attributesBytes of the attributes in each Set-Cookie line of the session */
export function warnNearTheLimit (
  { options, sealing, isFirst }: SessionDefinition, bytes: number, attributesBytes: number, log: FastifyBaseLogger
): void {
  const limit = sealing.parts.longest(options.maxCookies, attributesBytes)
  if (bytes < NEAR_THE_LIMIT * limit || !isFirst('size')) return
  log.warn({ cookie: options.cookieName, bytes, limit },
    'a session fills more than 80 % of its cookie; past the limit, requests that write it will fail with FST_SESSION_TOO_LARGE')
}

/** A proxy that ends TLS says so, but the app was not told to believe it: the cookie then goes out without Secure. */
export function warnUntrustedProxy ({ options, isFirst }: SessionDefinition, { headers, log }: FastifyRequest): void {
  const forwarded = headers['x-forwarded-proto']
  if (options.attributes.secure !== 'auto' || typeof forwarded !== 'string' || !/^https/i.test(forwarded)) return
  if (!isFirst('proxy')) return
  log.warn({ cookie: options.cookieName },
    'TLS seems to end at a proxy that Fastify was not told to trust, so the session cookie goes out without Secure: set trustProxy, or cookie.secure to true')
}

/** Browsers trust these without TLS: https://w3c.github.io/webappsec-secure-contexts/#is-origin-trustworthy */
const THIS_MACHINE = /^(?:(?:.*\.)?localhost\.?|127(?:\.\d{1,3}){3}|\[::1\])$/i
const SETS_SECURE = /^[^=]+=[^;]+;.*; Secure(?:;|$)/
/** Of a header that the client sends; it goes into the log once. */
const LONGEST_HOST = 253

/** A browser drops a Secure cookie that came over plain http, unless from the same machine: RFC 6265bis section 5.7. */
export function warnSecureOverHttp (
  { options, isFirst }: SessionDefinition, request: FastifyRequest, lines: readonly string[]
): void {
  if (!lines.some(line => SETS_SECURE.test(line)) || THIS_MACHINE.test(request.hostname) || isTlsBefore(request)) return
  if (!isFirst('http')) return
  const host = request.hostname.slice(0, LONGEST_HOST)
  request.log.warn({ session: options.sessionName, cookie: options.cookieName, host },
    'a session cookie with Secure was set over plain http, and browsers drop such a cookie, so logins have no effect. ' +
    'Serve the site over TLS, or use localhost for tests. If a proxy ends TLS, have it send X-Forwarded-Proto, ' +
    'and set trustProxy')
}

/** A proxy says so, trusted or not. Or the browser shows it: it sends this header only over TLS, or to the same machine. */
function isTlsBefore ({ headers }: FastifyRequest): boolean {
  if (headers['sec-fetch-site'] !== undefined) return true
  return /^https/i.test(String(headers['x-forwarded-proto'])) || /\bproto="?https/i.test(String(headers['forwarded']))
}

/** What the app gave a session by `options({ maxAge })`. */
export function warnOwnMaxAge ({ options, log, isFirst }: SessionDefinition, maxAgeMs: number, limits: Limits): void {
  const problem = maxAgeProblem(maxAgeMs, limits, 'session.options({ maxAge })')
  if (problem === null || !isFirst('max-age')) return
  log.warn({ session: options.sessionName, cookie: options.cookieName }, problem)
}

/** A date that was fixed at boot. Logins go on working, and are over when the browser is closed. */
export function warnExpiresPassed ({ options, log, isFirst }: SessionDefinition, expires: Date): void {
  if (!isFirst('expires')) return
  log.warn({ session: options.sessionName, cookie: options.cookieName, expires: expires.toISOString() },
    '"cookie.expires" has passed: the session cookie goes out without it from now on, and ends with the browser. ' +
    'It is one date for all sessions; "persistent": true keeps each cookie for as long as its session may live')
}

/** The route said itself what caches may do, and that is more than is safe. */
export function warnStorable ({ options, isFirst }: SessionDefinition, { log, request }: FastifyReply): void {
  if (!isFirst('storable')) return
  log.warn({ cookie: options.cookieName, route: request.routeOptions.url },
    'a response sets the session cookie, and its route lets shared caches store it, which would hand one user\'s session to the next: say private or no-store where a session is written')
}

/** The old cookie stays in use; it would not fit even if it were read only. */
export function warnNotMoved ({ options, isFirst }: SessionDefinition, { detail }: TooLargeError, log: FastifyBaseLogger): void {
  if (isFirst('move')) log.warn({ cookie: options.cookieName }, `a session could not move from its old cookie, which stays in use: ${detail}`)
}

/** A log serializer may read `request.session` at every request, so this is said once. */
export function warnNotReady ({ options: { sessionName }, isFirst }: SessionDefinition, { log }: FastifyRequest): void {
  if (!isFirst('not ready')) return
  const { code, message } = new NotReadyError(sessionName)
  log.warn({ code, session: sessionName }, `request.${sessionName} is null: ${message}`)
}

/** The route was added before the plugin was loaded, where it could not be refused. */
export function warnRouteConfig (
  { options, isFirst }: SessionDefinition, { log, routeOptions }: FastifyRequest, problem: string
): void {
  if (!isFirst(`config of ${routeOptions.url}`)) return
  log.warn({ session: options.sessionName, route: routeOptions.url }, `the route's config is ignored: ${problem}`)
}

export function warnLost ({ options }: SessionDefinition, log: FastifyBaseLogger): void {
  log.warn({ cookie: options.cookieName },
    'a session was changed and its cookie was never written: an upgrade must call reply.commitSession() before its head is sent')
}
