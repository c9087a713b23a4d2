import type { SessionDefinition } from './definition'

/**
 * RFC 9110 section 11.6.1 requires a challenge with every 401. No scheme is registered for cookies; browsers ignore an
 * unknown scheme. Its parameters are those of draft-broyer-http-cookie-auth, and of RFC 9470 section 3.
 */
export function challengeOf ({ options: { sessionName, cookieName } }: SessionDefinition): string {
  const realm = sessionName.replace(/[^ -~]/g, '_').replace(/["\\]/g, '\\$&')
  return `Cookie realm="${realm}", cookie-name=${cookieName}`
}
