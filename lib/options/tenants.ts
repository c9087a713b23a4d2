import { aliased, describe, invalid, isObject, refuseUnknown, returned, text, type Input } from '../checks'
import { DEFAULT_ATTRIBUTES, readAttributes, type CookieAttributes } from '../cookies/attributes'
import { longestAttributes } from '../cookies/lines'
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
 * What the options say of tenants: one entry for each cookie that they declare, with the options of its session. Null
 * without the option `tenant`. Throws FST_SESSION_INVALID_OPTION.
 */
export function readTenants (
  input: Input, resolve: Resolve
): ResolvedTenants | null {
  const { tenant, cookies, keyring, handOver } = input
  const cookie = aliased(input, 'cookie', 'cookieOptions')
  if (tenant === undefined) {
    const needing = typeof cookie === 'function' ? 'cookie' : typeof keyring === 'function' ? 'keyring' : null
    if (needing !== null) throw invalid(`option "${needing}" can be a function only with the option "tenant"`)
    if (cookies !== undefined) throw invalid('option "cookies" needs the option "tenant", and "cookie" as a function')
    return null
  }
  if (typeof tenant !== 'function') {
    throw invalid('option "tenant" must be a function such as request => tenantIds.get(request.hostname); found ' +
      describe(tenant))
  }
  if (handOver !== undefined) {
    throw invalid('option "handOver" does not work with the option "tenant": its URLs are those of one site')
  }
  const isChosen = typeof cookie === 'function'
  if (isChosen !== (cookies !== undefined)) {
    throw invalid('option "cookie" as a function and the option "cookies", an array of all that it may return, need ' +
      'each other')
  }
  const all = isChosen ? declaredIn(cookies) : [cookie]
  const nameOf = (index: number): string | null => isChosen ? `cookies[${index}]` : null
  const declared = all.map((one, index) => resolveDeclared(input, one, nameOf(index), resolve))
  refuseDifferences(declared)
  return { tenantOf: tenant as ResolvedTenants['tenantOf'], cookieOf: isChosen ? cookie as never : null, declared }
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

function withLongestId (attributes: Input): Input {
  const filled = CHOICE_NAMES.flatMap(name => {
    const value = attributes[name]
    return typeof value === 'string' ? [[name, value.replaceAll(PLACEHOLDER, LONGEST_ID)]] : []
  })
  return { ...attributes, ...Object.fromEntries(filled) }
}

/** Throws FST_SESSION_INVALID_OPTION for two equal cookies, and where they need different routes. */
function refuseDifferences (declared: readonly DeclaredCookie[]): void {
  const places = declared.map(({ namePrefix, session: { options: { attributes: { path, domain } } } }) => {
    return JSON.stringify([namePrefix, path, domain])
  })
  const twice = places.findIndex((place, index) => places.indexOf(place) !== index)
  if (twice !== -1) {
    throw invalid(`option "cookies[${twice}]" has the "namePrefix", "path" and "domain" of another one`)
  }
  const bound = declared.find(({ session: { options } }) => options.deviceBound !== null)
  if (bound !== undefined && dependsOnTenant(bound.session.options.attributes)) {
    throw invalid(`option "deviceBound.path" cannot be under "${PLACEHOLDER}": all tenants share its two routes`)
  }
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
  const { path, domain } = { ...DEFAULT_ATTRIBUTES, ...readAttributes(place, where) }
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

function withPlaceholder (text: string | null): string | undefined {
  return text?.replaceAll(LONGEST_ID, PLACEHOLDER)
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
  const filled = (text: string | null): string | null => text === null ? null : text.replaceAll(LONGEST_ID, tenant)
  return { ...attributes, path: filled(path), domain: filled(domain) }
}
