import { describe, invalid, type Input } from '../checks'
import { NOT_SPLIT } from '../core/format'
import type { Transports } from '../../types/session'

/** The options `transport` and `bearerHeader`, checked. */
export interface ResolvedTransport {
  readonly transport: Transports
  /** The response header that carries a bearer token, in lower case. */
  readonly bearerHeader: string
}

const DEFAULT_HEADER = 'session-token'
// RFC 9110 section 5.1: field-name = token.
const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]{1,64}$/i
/** Headers with a meaning of their own in responses, or that clients, proxies and caches do not treat as a value. */
const TAKEN = new RegExp('^(?:(?:access-control|accept|cdn|cf|content|cross-origin|if|proxy|sec|secure-session)-.*|' +
  'age|allow|alt-svc|authorization|authentication-info|cache-control|clear-site-data|connection|cookie|date|etag|' +
  'expires|forwarded|host|keep-alive|last-modified|link|location|pragma|referrer-policy|refresh|retry-after|server|' +
  'set-cookie2?|sourcemap|strict-transport-security|surrogate-control|te|trailer|transfer-encoding|upgrade|vary|via|' +
  'warning|www-authenticate|x-frame-options|x-content-type-options)$')

/** Throws FST_SESSION_INVALID_OPTION. */
export function resolveTransport (input: Input): ResolvedTransport {
  const { transport = 'cookie', bearerHeader } = input
  if (transport !== 'cookie' && transport !== 'bearer' && transport !== 'both') {
    throw invalid(`option "transport" must be "cookie", "bearer" or "both"; found ${describe(transport)}`)
  }
  if (transport === 'cookie' && bearerHeader !== undefined) {
    throw invalid('option "bearerHeader" needs "transport": "bearer" or "both": cookies go out in Set-Cookie')
  }
  if (transport === 'bearer') refuseCookieOptions(input)
  return { transport, bearerHeader: readHeader(bearerHeader) }
}

function readHeader (bearerHeader: unknown): string {
  if (bearerHeader === undefined) return DEFAULT_HEADER
  if (typeof bearerHeader !== 'string' || !HEADER_NAME.test(bearerHeader)) {
    throw invalid('option "bearerHeader" must be the name of a response header, such as "session-token"; found ' +
      describe(bearerHeader))
  }
  const name = bearerHeader.toLowerCase()
  if (!TAKEN.test(name)) return name
  throw invalid(`option "bearerHeader" must not be "${name}": that header has a meaning of its own. Choose a name ` +
    'such as "session-token"')
}

/** No cookie is read or written: what needs cookies would have no effect. */
function refuseCookieOptions ({ legacy, deviceBound, handOver, maxCookies = NOT_SPLIT }: Input): void {
  const isSet = {
    legacy: legacy !== undefined && !(Array.isArray(legacy) && legacy.length === 0),
    deviceBound: deviceBound !== undefined && deviceBound !== false,
    handOver: handOver !== undefined,
    maxCookies: maxCookies !== NOT_SPLIT
  }
  const name = Object.entries(isSet).find(([, isSet]) => isSet)?.[0]
  if (name !== undefined) throw invalid(`option "${name}" needs cookies, which "transport": "bearer" does not use`)
}
