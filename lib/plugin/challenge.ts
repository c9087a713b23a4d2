import type { IncomingHttpHeaders } from 'node:http'
import { hasBearerScheme } from '../cookies/authorization'
import type { SessionDefinition } from './definition'
import { isRefused, type VerifiedSession } from './verify'

/**
 * RFC 9110 section 11.6.1 requires a challenge with every 401. No scheme is registered for cookies; browsers ignore an
 * unknown scheme. Its parameters are those of draft-broyer-http-cookie-auth, and of RFC 9470 section 3.
 */
export function challengeOf (definition: SessionDefinition): string {
  return `Cookie ${realmOf(definition)}, cookie-name=${definition.options.cookieName}`
}

/** Why a bearer token was refused: RFC 6750 section 3.1. */
export type BearerProblem = 'invalid_token' | 'invalid_request'

/**
 * What is wrong with the bearer token of a request that is refused; null where nothing is, or none was sent.
 * @param verified what the request brought; null for no session
 */
export function bearerProblem (
  verified: VerifiedSession | null, headers: IncomingHttpHeaders
): BearerProblem | null {
  if (verified?.status === 'ambiguous') return 'invalid_request'
  const isOpen = verified !== null && !isRefused(verified)
  return isOpen || !hasBearerScheme(headers) ? null : 'invalid_token'
}

/** RFC 6750 section 3: without an error for a request that has no token. */
export function bearerChallengeOf (definition: SessionDefinition, problem: BearerProblem | null): string {
  return `Bearer ${realmOf(definition)}${problem === null ? '' : `, error="${problem}"`}`
}

function realmOf ({ options: { sessionName } }: SessionDefinition): string {
  return `realm="${sessionName.replace(/[^ -~]/g, '_').replace(/["\\]/g, '\\$&')}"`
}
