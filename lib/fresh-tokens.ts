import fp = require('fastify-plugin')
import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify'
import type {
  FreshTokenOptions, FreshTokensOptions, NewestTokensOptions, RefreshLockClient, Tokens
} from '../types/fresh-tokens'
import type { Duration } from '../types/sealing'
import { describe, invalid, isObject, refuseUnknown } from './checks'
import { NotReadyError } from './errors'
import { GrantMemory } from './fresh/grant-memory'
import { resolveFreshTokens } from './fresh/options'
import { Refresher, type TokenRequest, type TokenSession } from './fresh/refresher'
import { BEFORE_WRITE, CAN_WRITE, TOKENS_OF, type BeforeWrite, type TokensOf } from './write-hooks'

/** Access tokens of another API in the session, refreshed once. See docs/fresh-tokens.md. */

export type { Duration, FreshTokenOptions, FreshTokensOptions, NewestTokensOptions, RefreshLockClient, Tokens }

/** The tokens of a scope. Those of outer scopes are on the instances that it inherits from. */
const REFRESHERS = Symbol('fastify-sealed-session.refreshers')

interface Scope {
  [REFRESHERS]?: Refresher[]
}

/** By the server of an app, so that scopes with registrations of their own refresh together, too. */
const memories = new WeakMap<object, GrantMemory>()

/** The purpose of the tokens that servers of a fleet give to each other. */
const PURPOSE = 'fastify-sealed-session:refreshed-tokens'
const PURPOSE_TTL = '60s'
/** The most that `sealToken` seals, which is more than a session holds. */
const MOST_CHARACTERS = 12_279

/**
 * A plugin that keeps access tokens of another API fresh: `request.freshToken()` and `request.newestTokens()`. Register
 * it before or after the session, in the same scope or in an inner one; once for each `key`.
 * @throws {FST_SESSION_INVALID_OPTION} if an option is unknown or wrong
 * @example
 * app.register(freshTokens({
 *   key: 'tokens',
 *   refresh: async ({ refreshToken }) => await provider.refresh(refreshToken)
 * }))
 */
export function freshTokens<T extends Tokens = Tokens> (options: FreshTokensOptions<T>): FastifyPluginAsync {
  const settings = resolveFreshTokens(options)
  const plugin: FastifyPluginAsync = async app => {
    const { key, sessionName } = settings
    if (refreshersOf(app).some(({ settings }) => settings.key === key)) {
      throw invalid(`freshTokens(): option "key": there is a registration for "${key}" already`)
    }
    const memory = memories.get(app.server) ?? new GrantMemory()
    memories.set(app.server, memory)
    const own = Object.hasOwn(app, REFRESHERS) ? (app as Scope)[REFRESHERS] as Refresher[] : []
    own.push(new Refresher(settings, memory, () => Date.now()))
    if (own.length === 1) app.decorate(REFRESHERS, own)
    if (!app.hasRequestDecorator(BEFORE_WRITE)) decorate(app)
    // Not before: the session may be registered later.
    app.addHook('onReady', async () => {
      if (!app.hasRequestDecorator(CAN_WRITE) || !app.hasRequestDecorator(sessionName)) throw noSession(sessionName)
    })
  }
  return fp(plugin, { name: 'fastify-sealed-session/fresh-tokens', fastify: '5.x' })
}

function decorate (app: FastifyInstance): void {
  app.decorateRequest('freshToken', function freshToken (this: FastifyRequest, options: unknown): Promise<string> {
    return handled(async () => {
      const { refresher, given } = callOf(this, options, ['key', 'refused'], 'request.freshToken()')
      const { refused } = given
      if (refused !== undefined && typeof refused !== 'string') {
        throw invalid(`request.freshToken(): option "refused" must be an access token; found ${describe(refused)}`)
      }
      return await refresher.freshToken(tokenRequest(this, refresher), refused)
    })
  })

  app.decorateRequest('newestTokens', function newestTokens (this: FastifyRequest, options: unknown) {
    return handled(async () => {
      const { refresher } = callOf(this, options, ['key'], 'request.newestTokens()')
      return await refresher.newestTokens(tokenRequest(this, refresher))
    })
  } as FastifyRequest['newestTokens'])

  const beforeWrite = function (this: FastifyRequest, ...[sessionName, session]: Parameters<BeforeWrite>): void {
    for (const refresher of refreshersOf(this.server)) {
      if (refresher.settings.sessionName === sessionName) refresher.adoptNewest(session as TokenSession)
    }
  }
  app.decorateRequest(BEFORE_WRITE, beforeWrite)
}

/** A handler may await it later, or never: a rejection in between must not end the process. */
function handled<T> (work: () => Promise<T>): Promise<T> {
  const result = work()
  result.catch(() => {})
  return result
}

/** Those of the scope and of all outer ones, the nearest first. */
function refreshersOf (app: FastifyInstance): Refresher[] {
  const found: Refresher[] = []
  for (let scope: object | null = app; scope !== null; scope = Object.getPrototypeOf(scope)) {
    if (Object.hasOwn(scope, REFRESHERS)) found.push(...(scope as Scope)[REFRESHERS] as Refresher[])
  }
  return found
}

interface Call {
  readonly refresher: Refresher
  readonly given: Readonly<Record<string, unknown>>
}

/** Throws FST_SESSION_INVALID_OPTION. */
function callOf ({ server }: FastifyRequest, options: unknown, known: string[], where: string): Call {
  const given = options === undefined ? {} : options
  if (!isObject(given)) throw invalid(`${where} takes its options in an object; found ${describe(given)}`)
  refuseUnknown(given, known, `${where}: option`)
  const { key } = given
  const all = refreshersOf(server)
  const keys = all.map(({ settings }) => `"${settings.key}"`).join(', ')
  if (key === undefined && all.length > 1) throw invalid(`${where}: option "key" must say which of ${keys}`)
  const refresher = all.find(({ settings }) => key === undefined || settings.key === key)
  if (refresher !== undefined) return { refresher, given }
  throw invalid(`${where}: option "key" must be one of ${keys}; found ${describe(key)}`)
}

function noSession (sessionName: string): Error {
  return invalid(`freshTokens(): option "sessionName": this scope has no session "${sessionName}". Register the ` +
    'tokens in the scope of the session, or in an inner one')
}

/** Throws FST_SESSION_NOT_READY, and what an access to the session throws. */
function tokenRequest (request: FastifyRequest, { settings: { sessionName } }: Refresher): TokenRequest {
  const { [CAN_WRITE]: canWrite, [sessionName]: session } = request as unknown as Record<symbol | string, unknown>
  if (session === null) throw new NotReadyError(sessionName)
  const tokens = (): ReturnType<TokensOf> => (request as unknown as Record<symbol, TokensOf>)[TOKENS_OF]!(sessionName)
  const maxLength = MOST_CHARACTERS
  return {
    request: request as never,
    session: session as TokenSession,
    canWrite: () => (canWrite as () => boolean).call(request),
    sealer: {
      seal: (data, name) => tokens().sealToken(PURPOSE, data, { maxLength, ttl: PURPOSE_TTL, audience: name }),
      open: async (text, name) => {
        return await tokens().openToken(PURPOSE, text, { maxLength, audience: name, log: request.log })
      }
    },
    log: request.log
  }
}
