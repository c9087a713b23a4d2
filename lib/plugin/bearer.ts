import { bearerTokenIn, type RequestHead } from '../cookies/authorization'
import { cookieValues } from '../cookies/header'
import { NOT_SPLIT } from '../core/format'
import { EXPIRED, MALFORMED, type Refusal } from '../core/refusal'
import { keyIdIn } from '../core/token'
import type { OpenedSession } from '../session/opened'
import { NO_RELATED_COOKIES, openSession } from '../session/sealing'
import type { SessionDefinition } from './definition'
import type { Candidates } from './load'
import { logRefused, type OpeningLog } from './log'

/**
 * The session in the bearer token of a request. Undefined where its cookies are to be looked at; null for no session
 * where cookies are never looked at.
 */
export function loadBearer (
  definition: SessionDefinition, head: RequestHead, log: OpeningLog
): Candidates | null | undefined {
  const { options: { transport } } = definition
  const opened = openBearer(definition, head, log)
  if (opened === null) return transport === 'bearer' ? null : undefined
  const isInBoth = transport === 'both' && hasCookieOf(definition, head.headers.cookie)
  return { sessions: [opened], legacy: null, legacySettings: [], cameIn: isInBoth ? 'both' : 'bearer' }
}

/** A request has a cookie of this session, or a legacy cookie, that is not empty. It may be one that does not open. */
export function hasCookieOf ({ options, legacyCookies }: SessionDefinition, header: string | undefined): boolean {
  const names = [options.cookieName, ...legacyCookies.map(({ cookieName }) => cookieName)]
  return names.some(name => cookieValues(header, name).some(value => value !== ''))
}

/** The token in the header Authorization that may be of a session; null for none. Other tokens are left alone. */
export function sessionTokenIn (head: RequestHead): string | null {
  const token = bearerTokenIn(head)
  return token !== null && keyIdIn(token) !== null ? token : null
}

/** A request has a bearer token of this session that has expired. */
export function hasExpiredToken (definition: SessionDefinition, head: RequestHead): boolean {
  const token = definition.options.transport === 'cookie' ? null : sessionTokenIn(head)
  return token !== null && openWhole(definition, token) === EXPIRED
}

function openBearer (definition: SessionDefinition, head: RequestHead, log: OpeningLog): OpenedSession | null {
  const token = sessionTokenIn(head)
  if (token === null) return null
  const opened = openWhole(definition, token)
  if (!('ok' in opened)) return opened
  const { sessionName, tenant, sealing: { cookieName: cookie }, isFirst } = definition
  logRefused(log, isFirst, { sessionName, tenant, cookie, reason: opened.reason, isBearer: true })
  return null
}

/** No cookie beside it counts, so a session with a mark does not open. */
function openWhole ({ sealing, context }: SessionDefinition, token: string): OpenedSession | Refusal {
  if (sealing.parts.partsOf(token) !== NOT_SPLIT) return MALFORMED
  return openSession(token, sealing, context.now(), NO_RELATED_COOKIES)
}
