import type { FastifyInstance } from 'fastify'
import { invalid } from '../checks'
import { areApart, type Place } from '../cookies/overlap'
import type { ResolvedOptions } from '../options/options'
import { dependsOnTenant, withPlaceholder } from '../options/tenants'
import type { SessionDefinition } from './definition'
import { hasTenants } from './request-tenants'

/**
 * Scopes that are not nested may each register sessions, and a browser sends the cookies of both. Allowed are the same
 * session in two scopes, and cookies whose paths do not overlap. Otherwise each scope would overwrite the cookie of the
 * other and refuse it.
 */

/** All sessions of an app, by its server: all scopes of an app have the same one. */
const registered = new WeakMap<object, readonly SessionDefinition[]>()

/** The sessions of an app in all its scopes. */
export function sessionsOfAllScopes ({ server }: FastifyInstance): readonly SessionDefinition[] {
  return registered.get(server) as readonly SessionDefinition[]
}

/**
 * Throws FST_SESSION_INVALID_OPTION.
 * @param outer the sessions of the outer scopes, which were compared before
 */
export function refuseSiblingClash (
  { server }: FastifyInstance, own: readonly SessionDefinition[], outer: readonly SessionDefinition[], nowMs: number
): void {
  const all = registered.get(server) ?? []
  const others = all.filter(other => !outer.includes(other))
  for (const one of own) {
    for (const other of others) refuseClash(one, other, nowMs)
  }
  registered.set(server, [...all, ...own])
}

function refuseClash (one: SessionDefinition, other: SessionDefinition, nowMs: number): void {
  const [a, b] = [one.options, other.options]
  const shared = a.cookieNames.find(name => b.cookieNames.includes(name))
  const isApart = placesOf(one).every(a => placesOf(other).every(b => areCookiesApart(a, b)))
  if (shared !== undefined && !isApart) {
    const difference = differenceOf(one, other, nowMs)
    if (difference === null) return
    const paths = [a, b].map(({ attributes: { path } }) => `"${withPlaceholder(path)}"`).join(' and ')
    throw invalid(
      `option "cookieName": another scope of this app has the cookie "${shared}", too, with ${difference}, ` +
      'and browsers send it to both. Give one of the scopes another "cookieName", or a "cookie.path" apart from that ' +
      `of the other (${paths}), or both the same options`)
  }
  for (const [legacy, cookies] of [[a, b], [b, a]] as const) {
    const old = legacy.legacyCookies
      .filter(({ cookieName }) => cookies.cookieNames.includes(cookieName))
      .find(({ attributes }) => !areCookiesApart(attributes, cookies.attributes))
    if (old === undefined) continue
    throw invalid(
      `option "legacy": the legacy cookie "${old.cookieName}" contains sessions of another scope of this app, ` +
      'and would be cleared there')
  }
}

/** Null where both scopes have one and the same session. */
function differenceOf (one: SessionDefinition, other: SessionDefinition, nowMs: number): string | null {
  const [a, b] = [one.options, other.options]
  const ofTenants = hasTenants(one)
    ? one.tenants.differenceFrom(other.tenants, nowMs)
    : hasTenants(other) ? 'the option "tenant"' : null
  if (ofTenants !== null) return ofTenants
  if (a.cookieName !== b.cookieName) return `another meaning (its sessions are in "${b.cookieName}")`
  const isOpen = hasTenants(one) || (opens(one, other, nowMs) && opens(other, one, nowMs))
  if (!isOpen) return 'other keys'
  if (one.lines.scope !== other.lines.scope) return 'another path or domain that overlaps'
  if (!reads(a, b) || !reads(b, a)) return 'another serializer'
  // The name is hashed with the subject.
  const isHashed = a.subject !== null || b.subject !== null
  return isHashed && a.sessionName !== b.sessionName ? 'another "sessionName" beside "subject"' : null
}

/** True if one reads what the other one writes. */
function reads ({ customCodec }: ResolvedOptions, other: ResolvedOptions): boolean {
  return !other.codec.custom || customCodec !== null
}

/** True if one opens what the other one seals now. Keyrings may be a reload apart, so their other keys may differ. */
function opens ({ sealing: { keys } }: SessionDefinition, other: SessionDefinition, nowMs: number): boolean {
  return keys.find(other.sealing.keys.sealing(nowMs).id, nowMs) !== undefined
}

function placesOf ({ options, tenants }: SessionDefinition): readonly Place[] {
  return tenants === null ? [options.attributes] : tenants.declared.map(({ options }) => options.attributes)
}

/** No request has both cookies. */
function areCookiesApart (a: Place, b: Place): boolean {
  // A path or domain of a tenant may be any.
  return !dependsOnTenant(a) && !dependsOnTenant(b) && areApart(a, b)
}
