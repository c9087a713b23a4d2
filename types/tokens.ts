import type { FastifyBaseLogger } from 'fastify'
import type { Duration } from './sealing'

/** How tokens for one purpose are: one entry of the option `tokens`. */
export interface TokenOptions {
  /**
   * How long a token opens: from 1 second to 400 days. It opens no longer than its key opens sessions.
   * @example
   * tokens: { login: { ttl: '15m' } }
   */
  ttl: Duration
  /**
   * Whom or what the token is for, such as an origin or the id of a user: 1 to 512 characters. A token opens only with
   * the audience that it was sealed for.
   * @default no audience
   * @example
   * tokens: { login: { ttl: '15m', audience: 'https://shop.example' } }
   */
  audience?: string | undefined
  /**
   * A token opens once, on all servers together. Needs the option `revocation`, whose store remembers used tokens.
   * @default false
   * @example
   * tokens: { login: { ttl: '15m', once: true } }
   */
  once?: boolean | undefined
}

/** The options of `secureSession.sealToken`. Default of each: what the option `tokens` says for this purpose. */
export interface SealTokenOptions {
  /**
   * See `TokenOptions`. Must be given here or in the option `tokens`.
   * @default that of the option `tokens` for this purpose
   * @example
   * app.secureSession.sealToken('login', { user: 42 }, { ttl: '15m' })
   */
  ttl?: Duration | undefined
  /**
   * See `TokenOptions`.
   * @default that of the option `tokens` for this purpose
   * @example
   * app.secureSession.sealToken('login', { user: 42 }, { audience: 'https://shop.example' })
   */
  audience?: string | undefined
  /**
   * See `TokenOptions`. A token that was sealed with `once` opens once, whatever the option `tokens` says.
   * @default that of the option `tokens` for this purpose
   * @example
   * app.secureSession.sealToken('login', { user: 42 }, { ttl: '15m', once: true })
   */
  once?: boolean | undefined
  /**
   * The most characters that the token may have, at most 12,279: more than 2,048 for a token that is in no URL, such as
   * one that is sent in a body or kept in a store. `openToken` needs it, too.
   * @default 2048
   * @example
   * app.secureSession.sealToken('export', { rows }, { ttl: '1h', maxLength: 8000 })
   */
  maxLength?: number | undefined
  /**
   * The session whose keys and cookie name are used.
   * @default the first session of the registration
   * @example
   * app.secureSession.sealToken('login', { user: 42 }, { sessionName: 'adminSession' })
   */
  sessionName?: string | undefined
}

/** The options of `secureSession.openToken`. */
export interface OpenTokenOptions {
  /**
   * The audience that the token must have.
   * @default that of the option `tokens` for this purpose, or else none
   * @example
   * await app.secureSession.openToken('login', token, { audience: 'https://shop.example' })
   */
  audience?: string | undefined
  /**
   * Receives the reason of a refusal, at level debug.
   * @default `app.log`
   * @example
   * await app.secureSession.openToken('login', token, { log: request.log })
   */
  log?: FastifyBaseLogger | undefined
  /**
   * A token with more characters is refused. At most 12,279.
   * @default 2048
   * @example
   * await app.secureSession.openToken('export', token, { maxLength: 8000 })
   */
  maxLength?: number | undefined
  /**
   * The session by which the token was sealed.
   * @default the first session of the registration
   * @example
   * await app.secureSession.openToken('login', token, { sessionName: 'adminSession' })
   */
  sessionName?: string | undefined
}
