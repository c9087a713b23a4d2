import { describe, invalid, type Input } from '../checks'
import { DEFAULT_ATTRIBUTES, type CookieAttributes } from '../cookies/attributes'
import { NOT_SPLIT } from '../core/format'
import type { TransportOption } from '../../types/session'

/** The options `transport` and `bearerHeader`, checked. */
export interface ResolvedTransport {
  readonly transport: TransportOption
  /** The response header that carries a bearer token, in lower case. */
  readonly bearerHeader: string
}

const DEFAULT_HEADER = 'session-token'
// RFC 9110 section 5.1: field-name = token. A letter comes first: `__proto__` is no name of an own property.
const HEADER_NAME = /^[a-z][!#$%&'*+\-.^_`|~0-9a-z]{0,63}$/i
/** Headers with a meaning of their own in responses, or that clients, proxies and caches do not treat as a value. */
const RESERVED_HEADERS = new RegExp('^(?:' +
  '(?:access-control|accept|cdn|cf|content|cross-origin|if|proxy|sec|secure-session|x-accel|x-forwarded)-.*|' +
  'age|allow|alt-svc|authorization|authentication-info|cache-control|clear-site-data|connection|cookie|date|etag|' +
  'expect|expires|forwarded|from|host|http2-settings|keep-alive|last-modified|link|location|max-forwards|nel|origin|' +
  'origin-agent-cluster|permissions-policy|pragma|range|referer|referrer-policy|refresh|report-to|' +
  'reporting-endpoints|retry-after|server|server-timing|service-worker-allowed|set-cookie2?|set-login|sourcemap|' +
  'status|strict-transport-security|surrogate-control|te|timing-allow-origin|trailer|transfer-encoding|upgrade|' +
  'upgrade-insecure-requests|user-agent|vary|via|warning|www-authenticate|x-content-type-options|' +
  'x-dns-prefetch-control|x-frame-options|x-real-ip|x-robots-tag|x-sendfile|x-xss-protection)$')

/**
 * Throws FST_SESSION_INVALID_OPTION.
 * @param attributes those that the options give
 * @param where the name of the option with the attributes
 */
export function resolveTransport (
  input: Input, attributes: Partial<CookieAttributes>, where: string
): ResolvedTransport {
  const { transport = 'cookie', bearerHeader } = input
  if (transport !== 'cookie' && transport !== 'bearer' && transport !== 'both') {
    throw invalid(`option "transport" must be "cookie", "bearer" or "both"; found ${describe(transport)}`)
  }
  if (transport === 'cookie' && bearerHeader !== undefined) {
    throw invalid('option "bearerHeader" needs "transport": "bearer" or "both": cookies go out in Set-Cookie')
  }
  if (transport === 'bearer') refuseCookieOptions(input, attributes, where)
  return { transport, bearerHeader: readHeader(bearerHeader) }
}

function readHeader (bearerHeader: unknown): string {
  if (bearerHeader === undefined) return DEFAULT_HEADER
  if (typeof bearerHeader !== 'string' || !HEADER_NAME.test(bearerHeader)) {
    throw invalid('option "bearerHeader" must be the name of a response header, such as "session-token"; found ' +
      describe(bearerHeader))
  }
  const name = bearerHeader.toLowerCase()
  if (!RESERVED_HEADERS.test(name)) return name
  throw invalid(`option "bearerHeader" must not be "${name}": that header has a meaning of its own. Choose a name ` +
    'such as "session-token"')
}

/**
 * No cookie is read or written: what needs cookies would have no effect. The name of the cookie has one, since tokens
 * are sealed for it; and so has its Max-Age, as the default of `idle`.
 */
function refuseCookieOptions (
  { legacy, deviceBound, handOver, persistent, maxCookies = NOT_SPLIT }: Input, attributes: Partial<CookieAttributes>,
  where: string
): void {
  const { maxAgeS, ...unused } = { ...DEFAULT_ATTRIBUTES, ...attributes }
  const names = Object.keys(unused) as Array<keyof typeof unused>
  const isSet = {
    legacy: legacy !== undefined && !(Array.isArray(legacy) && legacy.length === 0),
    deviceBound: deviceBound !== undefined && deviceBound !== false,
    handOver: handOver !== undefined,
    maxCookies: maxCookies !== NOT_SPLIT,
    persistent: persistent === true,
    ...Object.fromEntries(names.map(name => [`${where}.${name}`, unused[name] !== DEFAULT_ATTRIBUTES[name]]))
  }
  const name = Object.entries(isSet).find(([, isSet]) => isSet)?.[0]
  if (name === undefined) return
  throw invalid(`option "${name}" needs cookies, which "transport": "bearer" does not use: remove one of the two`)
}
