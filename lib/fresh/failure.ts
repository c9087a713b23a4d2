import { ProviderUnavailableError } from '../errors'
import { reasonOf } from '../store-failure'

const INVALID_GRANT = 'invalid_grant'

interface ProviderError {
  /** Of openid-client and oauth4webapi. */
  readonly error?: unknown
  /** Of arctic. */
  readonly code?: unknown
  /** Of `@fastify/oauth2` and simple-oauth2. */
  readonly data?: { readonly payload?: { readonly error?: unknown } | null } | null
}

/** The provider says that the refresh token is used up, has expired or was revoked: RFC 6749 section 5.2. */
export function isInvalidGrant (thrown: unknown): boolean {
  try {
    const { error, code, data } = Object(thrown) as ProviderError
    return [error, code, data?.payload?.error].includes(INVALID_GRANT)
  } catch {
    return false
  }
}

/**
 * Why `refresh` failed, as an error for the log. What clients of OAuth throw can contain the whole exchange, so this
 * has its text alone, without the tokens that were sent.
 */
export function withoutTokens (thrown: unknown, sent: readonly string[]): Error {
  const spellings = sent.flatMap(token => [token, encodeURIComponent(token), JSON.stringify(token).slice(1, -1)])
  return new Error(spellings.reduce((text, token) => text.replaceAll(token, '(token)'), reasonOf(thrown)))
}

/** FST_SESSION_PROVIDER_UNAVAILABLE. @param reason is logged, and not shown to the client */
export function unavailable (reason: Error): Error {
  return new ProviderUnavailableError({ cause: reason })
}
