import type { FastifyInstance } from 'fastify'
import type { ResolvedSession } from '../options/options'
import type { ResolvedTenants } from '../options/tenants'
import type { KeyringByTenant } from '../options/keys'
import type { Clock } from '../time'
import { sharedParts, type SessionDefinition } from './definition'
import type { SessionKeys } from './keys'
import { contextOf } from './request-context'
import { hasTenants } from './request-tenants'
import { resumeAfter } from './resume'
import { KeyringsOfTenants } from './tenant-keyrings'
import { sharedKeys, Tenants } from './tenants'

/**
 * A session with the option `tenant`. Throws FST_SESSION_INVALID_KEY, or what an opener of legacy cookies throws.
 * @param keys null where each tenant has a keyring
 */
export async function defineTenants (
  app: FastifyInstance, session: ResolvedSession, keys: SessionKeys | null, index: number, now: Clock
): Promise<SessionDefinition> {
  const shared = await sharedParts(session, index, now, app.log)
  const source = keys === null
    ? new KeyringsOfTenants(session.keySource as KeyringByTenant, session.options, now, app.log)
    : sharedKeys(keys)
  const tenants = new Tenants(session, session.tenants as ResolvedTenants, source, shared)
  app.addHook('onClose', async () => { tenants.close() })
  return tenants.declared[0] as SessionDefinition
}

/** Opens the keyrings of tenants before the handler runs, because `request.session` cannot wait. */
export function findTenants (app: FastifyInstance, definitions: readonly SessionDefinition[]): void {
  const waiting = definitions.filter(hasTenants).filter(({ tenants }) => tenants.isAsync)
  if (waiting.length === 0) return
  app.addHook('onRequest', function findTenant (request, reply, done) {
    const isUsed = request.routeOptions.config.session !== false
    const finding = isUsed ? contextOf(request).tenants.prepare(waiting) : null
    if (finding === null) done()
    else resumeAfter(finding, reply, done)
  })
}
