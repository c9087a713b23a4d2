import { aliased, describe, invalid, isObject, refuseUnknown, returned, text, type Input } from '../checks'
import {
  canonicalDomain, DEFAULT_ATTRIBUTES, readAttributes, type CookieAttributes
} from '../cookies/attributes'
import { longestAttributes } from '../cookies/lines'
import { areApart } from '../cookies/overlap'
import { isTenantId, TENANT_ID_CHARACTERS } from '../keyring/tenant-keys'
import type { Declared, ResolvedOptions, ResolvedSession } from './options'

/** The option `tenant` and what depends on it, checked. */
export interface ResolvedTenants {
  /** The option `tenant`. */
  readonly tenantOf: (request: never) => unknown
  /** The option `cookie`, where it is a function; null: there is one declared cookie. */
  readonly cookieOf: ((request: never) => unknown) | null
  /** One or more. */
  readonly declared: readonly DeclaredCookie[]
}

/** A session with one of the cookies that the options declare. */
export interface DeclaredCookie {
  readonly namePrefix: string
  /** In `path` and `domain`, and in those of its legacy cookies, LONGEST_ID stands for the id of the tenant. */
  readonly session: ResolvedSession
}

/** In the place of an id at boot, so that the attributes are checked with the longest. */
const LONGEST_ID = 't'.repeat(64)
const PLACEHOLDER = ':tenant'

const CHOICE_NAMES = ['domain', 'path', 'namePrefix']
const LONGEST_FOUND = 300

/** Checks the options of a session with one cookie. */
type Resolve = (options: Input, declared: Declared) => ResolvedSession

/** Throws FST_SESSION_INVALID_OPTION. */
export function checkTenant (id: unknown, where: string): string {
  if (isTenantId(id)) return id
  throw invalid(`${where} a tenant's id of ${TENANT_ID_CHARACTERS}; found ${describe(id)}`)
}

/** Throws FST_SESSION_INVALID_OPTION. */
export function tenantIn (found: unknown): string | null {
  if (found === null || found === undefined) return null
  return checkTenant(returned(found), 'option "tenant" must return null or undefined for no tenant, or')
}

/**
 * The option `tenant`, and an entry for each cookie that the options declare, with the options of its session. Null
 * without `tenant`. Throws FST_SESSION_INVALID_OPTION.
 */
export function readTenants (
  input: Input, resolve: Resolve
): ResolvedTenants | null {
  const { tenant, cookies, keyring, handOver } = input
  const cookie = aliased(input, 'cookie', 'cookieOptions')
  const isChosen = typeof cookie === 'function' || cookies !== undefined
  if (isChosen) refuseIncomplete({ tenant, cookie, cookies })
  if (tenant === undefined) {
    if (isObject(cookie) && hasPlaceholder(cookie)) {
      throw invalid(`"${PLACEHOLDER}" in the path or domain of a cookie needs the option "tenant"`)
    }
    if (typeof keyring === 'function') throw invalid('option "keyring" can be a function only with the option "tenant"')
    return null
  }
  if (typeof tenant !== 'function') {
    throw invalid('option "tenant" must be a function such as request => tenantIds.get(request.hostname); found ' +
      describe(tenant))
  }
  if (handOver !== undefined) {
    throw invalid('option "handOver" does not work with the option "tenant": its URLs are those of one site. Give it ' +
      'to another session of this app, without "tenant"')
  }
  const all = isChosen ? declaredIn(cookies) : [cookie]
  const nameOf = (index: number): string | null => isChosen ? `cookies[${index}]` : null
  if (hasDeviceBound(input)) refusePlaceholder(all)
  const declared = all.map((one, index) => resolveDeclared(input, one, nameOf(index), resolve))
  refuseOverlaps(declared)
  refuseDifferentRoutes(declared)
  return { tenantOf: tenant as ResolvedTenants['tenantOf'], cookieOf: isChosen ? cookie as never : null, declared }
}

/** Throws FST_SESSION_INVALID_OPTION for a cookie that depends on the request, where an option is missing. */
function refuseIncomplete ({ tenant, cookie, cookies }: Input): void {
  const missing = [
    ...tenant === undefined ? ['"tenant"'] : [],
    ...typeof cookie === 'function' ? [] : ['"cookie" as a function'],
    ...cookies === undefined ? ['"cookies"'] : []
  ]
  if (missing.length === 0) return
  throw invalid('a cookie that depends on the request needs three options: "tenant" and "cookie", which are ' +
    'functions, and "cookies", an array of all that "cookie" may return. Missing: ' + missing.join(' and '))
}

function hasDeviceBound ({ deviceBound }: Input): boolean {
  return deviceBound !== undefined && deviceBound !== false
}

/** Throws FST_SESSION_INVALID_OPTION. */
function refusePlaceholder (cookies: readonly unknown[]): void {
  if (!cookies.filter(isObject).some(hasPlaceholder)) return
  throw invalid(`option "deviceBound" does not work with "${PLACEHOLDER}" in the path or domain of a cookie: all ` +
    'tenants share its two routes')
}

function hasPlaceholder ({ path, domain }: Input): boolean {
  return [path, domain].some(text => typeof text === 'string' && text.includes(PLACEHOLDER))
}

function declaredIn (cookies: unknown): readonly unknown[] {
  if (Array.isArray(cookies) && cookies.length > 0) return cookies
  throw invalid('option "cookies" must be an array of one or more cookies, such as [{ domain: "example.com" }]; ' +
    'found ' + (Array.isArray(cookies) ? 'an empty array' : describe(cookies)))
}

function resolveDeclared (input: Input, cookie: unknown, where: string | null, resolve: Resolve): DeclaredCookie {
  const { cookies, tenant, cookieOptions, ...others } = input
  const name = cookieOptions === undefined ? 'cookie' : 'cookieOptions'
  const given = cookie === undefined ? {} : cookie
  if (!isObject(given)) throw invalid(`option "${where ?? name}" must be an object; found ${describe(given)}`)
  // Only `cookies` may have a prefix. Elsewhere it stays among the attributes, which are refused with it.
  const { namePrefix, ...declared } = where === null ? { namePrefix: '' } : withPrefix(given, where)
  const attributes = where === null ? given : declared
  const cookieName = namePrefix + text(input, 'cookieName', text(input, 'sessionName', 'session'))
  const options = { ...others, cookie: undefined, [name]: withLongestId(attributes), cookieName }
  return { namePrefix, session: resolve(options, { hasTenants: true, where, namePrefix }) }
}

function withPrefix (given: Input, where: string): Input & { readonly namePrefix: string } {
  const { namePrefix = '' } = given
  if (typeof namePrefix === 'string') return { ...given, namePrefix }
  throw invalid(`option "${where}.namePrefix" must be a string; found ${describe(namePrefix)}`)
}

/** Attributes to check at boot: with the longest id in the place of `:tenant`. */
export function withLongestId (attributes: Input): Input {
  return withId(attributes, LONGEST_ID)
}

function withId (attributes: Input, id: string): Input {
  const filled = CHOICE_NAMES.flatMap(name => {
    const value = attributes[name]
    return typeof value === 'string' ? [[name, value.replaceAll(PLACEHOLDER, id)]] : []
  })
  return { ...attributes, ...Object.fromEntries(filled) }
}

/**
 * Browsers send both of two cookies that have one name and overlap, so a logout would clear one of them and leave the
 * user logged in by the other. Throws FST_SESSION_INVALID_OPTION.
 */
function refuseOverlaps (declared: readonly DeclaredCookie[]): void {
  for (const [index, one] of declared.entries()) {
    const other = declared.findIndex((before, at) => at < index && overlap(before, one))
    if (other === -1) continue
    throw invalid(`option "cookies[${index}]" has the name of "cookies[${other}]", and browsers may send both with ` +
      'a request. Give one of them another "namePrefix", or both a "path" or a "domain" apart from that of the other')
  }
}

/** For one tenant or more: an id may be a part of the path or of the domain of the other cookie. */
function overlap (a: DeclaredCookie, b: DeclaredCookie): boolean {
  if (a.namePrefix !== b.namePrefix) return false
  const [one, other] = [a.session.options.attributes, b.session.options.attributes]
  const ids = [one, other].flatMap(({ path, domain }) => [...String(path).split('/'), ...String(domain).split('.')])
  return [LONGEST_ID, ...ids.filter(isTenantId)].some(id => !areApart(attributesOf(one, id), attributesOf(other, id)))
}

/** Throws FST_SESSION_INVALID_OPTION. */
function refuseDifferentRoutes (declared: readonly DeclaredCookie[]): void {
  const paths = new Set(declared.map(({ session: { options: { deviceBound } } }) => deviceBound?.path))
  if (paths.size > 1) throw invalid('option "deviceBound.path" must be given: the paths of "cookies" differ')
}

/** The declared cookie for what the option `cookie` has returned. Throws FST_SESSION_INVALID_OPTION. */
export function cookieIn (
  found: unknown, { declared }: ResolvedTenants, tenant: string, where = 'option "cookie" must return'
): DeclaredCookie {
  const wanted = `${where} an object of domain, path and namePrefix`
  if (!isPlain(found)) throw invalid(`${wanted}; found ${describe(returned(found))}`)
  refuseUnknown(found, CHOICE_NAMES, `${wanted}:`)
  const { namePrefix = '', ...place } = found
  if (typeof namePrefix !== 'string') throw invalid(`${where} as namePrefix a string; found ${describe(namePrefix)}`)
  const { path, domain } = { ...DEFAULT_ATTRIBUTES, ...readAttributes(withId(place, tenant), where) }
  const chosen = declared.find(({ namePrefix: prefix, session: { options: { attributes } } }) => {
    const own = attributesOf(attributes, tenant)
    return prefix === namePrefix && own.path === path && own.domain === domain
  })
  if (chosen !== undefined) return chosen
  // The domains of all tenants are for the log alone: the message is sent to the client.
  const all = shortened(declared.map(({ namePrefix, session: { options: { attributes: { path, domain } } } }) => {
    return { namePrefix, path: withPlaceholder(path), domain: withPlaceholder(domain) }
  }))
  throw Object.assign(invalid(`${where} one of "cookies"; found ${shortened(found)}`), {
    cause: new Error(`declared are ${all}`)
  })
}

/** Not a promise, a Date, a Map and the like, which would count as an object without any of the names. */
function isPlain (value: unknown): value is Input {
  return Object.prototype.toString.call(value) === '[object Object]'
}

function shortened (value: unknown): string {
  const text = JSON.stringify(value)
  return text.length > LONGEST_FOUND ? `${text.slice(0, LONGEST_FOUND)}…` : text
}

/** For a message: with `:tenant` where an id belongs. */
export function withPlaceholder (text: string | null): string | undefined {
  return text?.replaceAll(LONGEST_ID, PLACEHOLDER)
}

/** The id makes a segment "." or ".." of the path. Browsers resolve these in a URL, so no request is under the path. */
export function makesDotSegment ({ session: { options } }: DeclaredCookie, tenant: string): boolean {
  if (tenant !== '.' && tenant !== '..') return false
  const { path } = attributesOf(options.attributes, tenant)
  return (path as string).split('/').some(segment => segment === '.' || segment === '..')
}

/** The options of a session for a tenant. Throws FST_SESSION_INVALID_OPTION where its id cannot be in an attribute. */
export function sessionOfTenant ({ session }: DeclaredCookie, tenant: string): ResolvedSession {
  const { options, legacy } = session
  const attributes = attributesOf(options.attributes, tenant)
  if (attributes !== options.attributes) readAttributes({ domain: attributes.domain ?? undefined }, 'option "cookie"')
  const own: ResolvedOptions = { ...options, attributes, attributesBytes: longestAttributes(attributes) }
  return {
    ...session,
    options: own,
    legacy: legacy
      .filter(one => one.tenant === null || one.tenant === tenant)
      .map(one => ({ ...one, attributes: attributesOf(one.attributes, tenant) }))
  }
}

/** The path or the domain depends on the tenant. */
export function dependsOnTenant ({ path, domain }: Pick<CookieAttributes, 'path' | 'domain'>): boolean {
  return [path, domain].some(text => text !== null && text.includes(LONGEST_ID))
}

function attributesOf (attributes: CookieAttributes, tenant: string): CookieAttributes {
  if (!dependsOnTenant(attributes)) return attributes
  const { path, domain } = attributes
  const filled = (text: string): string => text.replaceAll(LONGEST_ID, tenant)
  return {
    ...attributes,
    path: filled(path as string),
    domain: domain === null ? null : canonicalDomain(filled(domain))
  }
}
