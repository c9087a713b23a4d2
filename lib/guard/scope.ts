import fp = require('fastify-plugin')
import type { FastifyInstance, RouteOptions } from 'fastify'
import { invalid } from '../checks'
import type { GuardOptions } from '../../types/guard'
import type { SessionDefinition } from '../plugin/definition'
import { guardBehind, makeGuard, type Guard } from './guard'
import { documentGuards } from './openapi'

interface Route {
  readonly scope: FastifyInstance
  readonly options: RouteOptions
  /** Its schemas may not be JSON Schema. */
  hasOwnSerializer: boolean
}

/** The hooks in which a guard makes sense: before the handler. */
const HOOKS = ['onRequest', 'preParsing', 'preValidation', 'preHandler'] as const

/** Apps whose routes are watched, with those of their inner scopes. */
const watched = new WeakSet<object>()

/** Guards of whole scopes. */
const guardsOfScopes = new WeakMap<object, Guard[]>()

/** `app.requireSession` for routes, and `app.sessionGuard` for scopes. */
export function addGuards (app: FastifyInstance, definitions: readonly SessionDefinition[]): void {
  app.decorate('requireSession', options => makeGuard(definitions, options).hook)
  // Without fp() it would have a scope of its own, without routes.
  app.decorate('sessionGuard', fp(async (scope: FastifyInstance, options: GuardOptions) => {
    const guard = makeGuard(definitions, withoutThoseOfRegister(options))
    guardsOfScopes.set(scope, [...guardsOfScopes.get(scope) ?? [], guard])
    scope.addHook('onRequest', guard.hook)
  }, { name: 'fastify-sealed-session-guard' }))
  if (!scopesAround(app).some(scope => watched.has(scope))) watch(app)
}

/** Fastify passes its own options of `register` to the plugin, too. */
function withoutThoseOfRegister (options: object): object {
  const { prefix, logLevel, logSerializers, ...own } = options as Record<string, unknown>
  return own
}

function watch (app: FastifyInstance): void {
  watched.add(app)
  const routes: Route[] = []
  app.addHook('onRoute', function rememberRoute (options) {
    const route: Route = { scope: this, options, hasOwnSerializer: options.serializerCompiler !== undefined }
    routes.push(route)
    // An app may set its compiler after its routes; once all is loaded there is always one, Fastify's.
    this.after(() => { route.hasOwnSerializer ||= this.serializerCompiler !== undefined })
  })
  // Schemas are compiled by now, so a change of the document changes no reply.
  app.addHook('onReady', async function settleGuardedRoutes () {
    for (const { scope, options, hasOwnSerializer } of routes.splice(0)) {
      const guards = guardsOf(scope, options)
      if (guards.length === 0) continue
      refuseContradiction(options)
      refuseRedirectLoop(options, guards)
      refuseNoTransport(options, guards)
      documentGuards(options, guards, hasOwnSerializer)
    }
  })
}

function guardsOf (scope: FastifyInstance, options: RouteOptions): Guard[] {
  const ofScopes = scopesAround(scope).flatMap(one => guardsOfScopes.get(one) ?? [])
  const own = HOOKS.flatMap(name => options[name] ?? []).map(guardBehind)
  return [...ofScopes, ...own].filter(guard => guard !== undefined)
}

/** A scope and those around it: a Fastify instance inherits from the one that it was made in. */
function scopesAround (scope: object): object[] {
  const outer: object | null = Object.getPrototypeOf(scope)
  return outer === null ? [scope] : [scope, ...scopesAround(outer)]
}

function refuseContradiction ({ config, method, url }: RouteOptions): void {
  if (config?.session !== false) return
  throw invalid(`the route ${[method].flat().join()} ${url} has config: { session: false } and a guard: ` +
    'remove one of them')
}

/** No request passes a guard that accepts cookies alone, and one that accepts bearer tokens alone. */
function refuseNoTransport ({ method, url }: RouteOptions, guards: readonly Guard[]): void {
  const both = guards.find(({ definition, accepts }) => {
    return accepts === 'cookie' && guards.some(other => other.definition === definition && other.accepts === 'bearer')
  })
  if (both === undefined) return
  throw invalid(`the route ${[method].flat().join()} ${url} has two guards of session ` +
    `"${both.definition.sessionName}" that no request passes: one accepts cookies alone (by "transport", "bound" or ` +
    '"provenWithin"), the other one bearer tokens alone')
}

/** A browser would be sent from the login page to the login page. */
function refuseRedirectLoop ({ method, url }: RouteOptions, guards: readonly Guard[]): void {
  const isLogin = guards.some(({ redirect }) => redirect?.path.split('?')[0] === url)
  if (!isLogin || ![method].flat().includes('GET')) return
  throw invalid(`the route GET ${url} has a guard whose option "redirectTo" leads to this route: ` +
    'register the login page outside of the guarded scope')
}
