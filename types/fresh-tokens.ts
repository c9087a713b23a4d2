import type { FastifyRequest } from 'fastify'
import type { Duration } from './sealing'

/** Tokens of another API, as a session holds them. Your own fields beside these stay as they are. */
export interface Tokens {
  /** What the other API takes. */
  accessToken: string
  /**
   * What the provider exchanges for new tokens, once. Without it, `refresh` is not called: the access token is used to
   * its end, and the grant then ends.
   */
  refreshToken?: string | undefined
  /** When the access token ends, in milliseconds since 1970. */
  expiresAt: number
}

/** The options of `freshTokens`. */
export interface FreshTokensOptions<T extends Tokens = Tokens> {
  /**
   * The key of the tokens in the session. Your login sets this value.
   * @example
   * key: 'tokens'
   */
  key: string
  /**
   * Asks the provider for new tokens. It is called once for all parallel requests of a session, and gets a copy of the
   * session's tokens. Without `refreshToken` in the result, the earlier one is kept (RFC 6749 section 6).
   *
   * It returns null if the provider says that the grant has ended. Errors of openid-client, oauth4webapi, arctic and
   * `@fastify/oauth2` that say `invalid_grant` count as null. Any other error counts as an unavailable provider:
   * nothing is lost, and a later request tries again.
   * @param tokens the newest tokens
   * @param request the request that needed them first
   * @param signal aborts at the end of `timeout`: pass it to `fetch`
   * @example
   * refresh: async ({ refreshToken }, request, signal) => await provider.refresh(refreshToken, { signal })
   */
  refresh (
    tokens: T, request: FastifyRequest<any, any, any, any, any, any, any, any>, signal: AbortSignal
  ): Promise<T | null> | T | null
  /**
   * An access token that ends within this time is refreshed. It must be shorter than an access token lives.
   * @default '60s'
   * @example
   * before: '2m'
   */
  before?: Duration | undefined
  /**
   * A client of Redis or Valkey, for an app that runs in several processes: one of them refreshes, and the others get
   * the new tokens, sealed, from there. It is used for GET and EVAL, and not closed.
   * @default none; only the requests of one process refresh together
   * @example
   * lock: redis
   */
  lock?: RefreshLockClient | undefined
  /**
   * A provider that takes longer counts as unavailable. At most a minute.
   * @default '10s'
   * @example
   * timeout: '5s'
   */
  timeout?: Duration | undefined
  /**
   * The session that holds the tokens.
   * @default 'session'
   * @example
   * sessionName: 'adminSession'
   */
  sessionName?: string | undefined
}

/** The methods that are used of a Redis or Valkey client, such as ioredis or iovalkey, or a cluster of them. */
export interface RefreshLockClient {
  get (key: string): Promise<string | null>
  eval (script: string, keys: number, ...args: string[]): Promise<unknown>
}

/** The options of `request.newestTokens`. */
export interface NewestTokensOptions {
  /**
   * Which tokens, by the option `key` of their registration.
   * @default those of the only registration
   * @example
   * await request.newestTokens({ key: 'calendar' })
   */
  key?: string | undefined
}

/** The options of `request.freshToken`. */
export interface FreshTokenOptions extends NewestTokensOptions {
  /**
   * An access token that the API did not take. If the session has no newer one, it is refreshed, whatever its end.
   * @default none; a token that does not end soon is good
   * @example
   * await request.freshToken({ refused: token })
   */
  refused?: string | undefined
}

declare module 'fastify' {
  interface FastifyRequest {
    /**
     * An access token that does not end soon. If it is due, it is refreshed once for all parallel requests of the
     * session, and the session gets the new tokens. Of `fastify-sealed-session/fresh-tokens`.
     * @throws {FST_SESSION_GRANT_ENDED} status 401, if the session has no tokens, or the provider has ended the grant:
     * the tokens are then removed from the session
     * @throws {FST_SESSION_PROVIDER_UNAVAILABLE} status 503, if the provider, or Redis, did not answer, and the access
     * token has ended or was refused. The session is unchanged
     * @throws {FST_SESSION_COMMITTED} if the token must be refreshed and the session can no longer be written. Nothing
     * was asked of the provider
     * @throws {FST_SESSION_INVALID_OPTION} if an option is wrong, or the tokens in the session or the result of
     * `refresh` have another form. The session is unchanged
     * @example
     * const token = await request.freshToken()
     * const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } })
     */
    freshToken (options?: FreshTokenOptions): Promise<string>
    /**
     * The newest tokens, without a refresh: to revoke them at logout. Of `fastify-sealed-session/fresh-tokens`.
     * @returns the tokens; null if the session has none, or the provider has ended the grant
     * @throws {FST_SESSION_INVALID_OPTION} if an option is wrong, or the tokens in the session have another form
     * @example
     * const tokens = await request.newestTokens()
     * if (tokens?.refreshToken !== undefined) await provider.revoke(tokens.refreshToken)
     */
    newestTokens<T extends Tokens = Tokens> (options?: NewestTokensOptions): Promise<T | null>
  }
}
