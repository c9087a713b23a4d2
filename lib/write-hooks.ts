import type { TenantControl } from '../types/control'

/**
 * Between the plugin and `fastify-sealed-session/fresh-tokens`. Each is one file of JavaScript, so they share no
 * module: these methods of requests have symbols of the global registry. Either of the two may be registered first.
 */

/** A method of requests that the plugin calls before it plans what it writes, for each session that was loaded. */
export const BEFORE_WRITE = Symbol.for('fastify-sealed-session.before-write')

/** A method of requests that the plugin adds: whether a change of a session can still be sent. */
export const CAN_WRITE = Symbol.for('fastify-sealed-session.can-write')

/**
 * A method of requests that the plugin adds: `sealToken` and `openToken` with the keys of the session of this name, of
 * the tenant of the request.
 */
export const TOKENS_OF = Symbol.for('fastify-sealed-session.tokens-of')

/** May change the session. What it throws is logged, and the session is written without it. */
export type BeforeWrite = (sessionName: string, session: object) => void

export type TokensOf = (sessionName: string) => Pick<TenantControl, 'sealToken' | 'openToken'>
