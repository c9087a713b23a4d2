import type { FastifyInstance, FastifyRequest } from 'fastify'
import { describe, invalid, isObject } from '../checks'
import type { SessionDefinition } from './definition'
import { warnRouteConfig } from './log'

/** `config: { session: false }` and `config: { session: { renew: false } }` of a route. */

/** A wrong value fails where the route is added: FST_SESSION_INVALID_OPTION. */
export function checkRouteConfigs (app: FastifyInstance): void {
  app.addHook('onRoute', function checkRouteConfig ({ config, method, url }) {
    const problem = problemIn(config?.session)
    if (problem !== null) throw invalid(`the route ${[method].flat().join()} ${url}: ${problem}`)
  })
}

/** True if a use of the session renews it. Routes that were added before the plugin was loaded are checked here. */
export function mayRenew (definition: SessionDefinition, request: FastifyRequest): boolean {
  const { session } = request.routeOptions.config
  const problem = problemIn(session)
  if (problem !== null) warnRouteConfig(definition, request, problem)
  return session !== false && !(isObject(session) && session['renew'] === false)
}

/** Null where there is none. */
function problemIn (session: unknown): string | null {
  if (session === undefined || typeof session === 'boolean') return null
  if (!isObject(session)) {
    return `config.session must be true, false or an object such as { renew: false }; found ${describe(session)}`
  }
  const unknown = Object.keys(session).find(name => name !== 'renew')
  if (unknown !== undefined) return `config.session: "${unknown}" is unknown; known is renew`
  const { renew } = session
  if (renew === undefined || typeof renew === 'boolean') return null
  return `config.session.renew must be true or false; found ${describe(renew)}`
}
