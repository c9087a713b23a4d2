import type { IncomingHttpHeaders } from 'node:http'

/** The part of a request that is read for a bearer token. */
export interface RequestHead {
  readonly headers: IncomingHttpHeaders
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[]
}

// RFC 6750 section 2.1: credentials = "Bearer" 1*SP b64token; RFC 9110 section 11.1: the scheme is case-insensitive.
// Of b64token only the characters of base64url: no token of this library has others.
const CREDENTIALS = /^bearer +([\w-]+)$/i
const SCHEME = /^bearer(?: |$)/i

/** The text of a bearer token in the only Authorization header of a request; null for anything else. */
export function bearerTokenIn (head: RequestHead): string | null {
  const { authorization } = head.headers
  if (typeof authorization !== 'string') return null
  const token = CREDENTIALS.exec(authorization)?.[1]
  return token === undefined || isSentTwice(head.rawHeaders) ? null : token
}

/** The request uses the scheme Bearer, whoever issued the token. */
export function hasBearerScheme ({ authorization }: IncomingHttpHeaders): boolean {
  return typeof authorization === 'string' && SCHEME.test(authorization)
}

/** Node.js keeps the first Authorization header. A proxy may have looked at another one. */
function isSentTwice (rawHeaders: readonly string[]): boolean {
  let count = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if ((rawHeaders[at] as string).toLowerCase() === 'authorization') count++
  }
  return count > 1
}
