import type { IncomingHttpHeaders } from 'node:http'
import { routePath } from '../bound/exchange'
import { isUnproven } from '../bound/status'
import type { SessionDefinition } from './definition'
import { logRefused, type OpeningLog } from './log'
import { isRefused, type VerifiedSession } from './verify'

/** What is logged about the sessions of a request once they are verified. */

/** These candidates opened, and their sessions were revoked. */
export function logRevoked (
  { sessionName, tenant, options, isFirst }: SessionDefinition, { revoked, legacy, cameIn }: VerifiedSession,
  log: OpeningLog
): void {
  const cookie = legacy?.cookieName ?? options.cookieName
  const isBearer = cameIn === 'bearer'
  for (const { id: { text } } of revoked) {
    logRefused(log, isFirst, { sessionName, tenant, cookie, reason: 'revoked', id: text, isBearer })
  }
}

/** What was found out about the session of a request: candidates that are not used, and why. */
export function logVerified (
  definition: SessionDefinition, verified: VerifiedSession, headers: IncomingHttpHeaders, log: OpeningLog
): void {
  const { opened, revoked, unproven, status } = verified
  const { sessionName, tenant, options: { cookieName: cookie }, isFirst } = definition
  if (revoked.length > 0) logRevoked(definition, verified, log)
  if (status === 'ambiguous') {
    logRefused(log, isFirst, { sessionName, tenant, cookie, reason: status, id: opened.id.text, isBearer: true })
  }
  if (opened.binding === null && unproven.length === 0) return
  warnRefreshFails(definition, headers, log)
  // A session that is accepted without a proof is logged, too: operators look for it before they enforce proofs.
  const isAllowed = isUnproven(opened.binding) && !isRefused(verified)
  for (const { id } of isAllowed ? [opened] : unproven) {
    logRefused(log, isFirst, { sessionName, tenant, cookie, reason: 'unproven', id: id.text, isAllowed })
  }
}

const SERVER_ERROR = /\bserver_error\b/

/** A browser reports that the refresh route answered with an error. */
function warnRefreshFails (
  { options, isFirst }: SessionDefinition, headers: IncomingHttpHeaders, log: OpeningLog
): void {
  const skipped = headers['secure-session-skipped']
  if (skipped === undefined || !SERVER_ERROR.test(String(skipped)) || !isFirst('refresh')) return
  log.warn({ session: options.sessionName, route: routePath(options.deviceBound?.path ?? '', 'refresh') },
    'the refresh route answered with an error. Check that no proxy, rate limit or earlier hook answers it instead of ' +
    'the plugin. Affected users get 503 or lose their session')
}
