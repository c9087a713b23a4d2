import { InvalidOptionError } from '../errors'
import { DAY_MS, LONGEST_COOKIE_MS, SECOND_MS } from '../time'

/** The attributes of one cookie, checked. What is null does not go out. */
export interface CookieAttributes {
  readonly path: string | null
  readonly domain: string | null
  readonly httpOnly: boolean
  /** `'auto'`: on requests that came over TLS. */
  readonly secure: boolean | 'auto'
  readonly sameSite: 'Strict' | 'Lax' | 'None' | null
  readonly partitioned: boolean
  readonly priority: 'Low' | 'Medium' | 'High' | null
  readonly maxAgeS: number | null
  readonly expires: Date | null
}

export const DEFAULT_ATTRIBUTES: CookieAttributes = Object.freeze({
  path: '/', domain: null, httpOnly: true, secure: 'auto', sameSite: 'Lax', partitioned: false, priority: null, maxAgeS: null, expires: null
})

/** All that `setCookie` of `@fastify/cookie` takes; `encode` and `signed` mean nothing for a sealed cookie. */
export const ATTRIBUTE_NAMES = ['path', 'domain', 'httpOnly', 'secure', 'sameSite', 'partitioned', 'priority', 'maxAge', 'expires'] as const
export const IGNORED_NAMES = ['encode', 'signed'] as const

// RFC 6265 section 4.1.1: path-value is any CHAR except CTLs or ";".
const PATH = /^\/[\x20-\x3a\x3c-\x7e]*$/
// A host name of letters, digits and hyphens; the leading dot of RFC 2109 is still met.
const DOMAIN = /^\.?[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/i
const SAME_SITES = { strict: 'Strict', lax: 'Lax', none: 'None' } as const
const PRIORITIES = { low: 'Low', medium: 'Medium', high: 'High' } as const

type Mutable<T> = { -readonly [K in keyof T]: T[K] }
type Input = Readonly<Record<string, unknown>>

/**
 * The known attributes among the given options, checked and in their one spelling; others are passed over.
 * Throws FST_SESSION_INVALID_OPTION. `where` names the options in the message.
 */
export function readAttributes (input: Input, where: string): Partial<CookieAttributes> {
  const read: Partial<Mutable<CookieAttributes>> = {}
  const refuse = (name: string, wanted: string): never => {
    throw new InvalidOptionError(`${where}.${name}: wanted ${wanted}`)
  }
  const { path, domain, httpOnly, secure, sameSite, partitioned, priority, maxAge, expires } = input
  if (path !== undefined) read.path = matches(path, PATH) ? path : refuse('path', 'a path that starts with "/" and has no ";"')
  if (domain !== undefined) read.domain = matches(domain, DOMAIN) ? domain : refuse('domain', 'a host name')
  if (httpOnly !== undefined) read.httpOnly = typeof httpOnly === 'boolean' ? httpOnly : refuse('httpOnly', 'true or false')
  if (secure !== undefined) read.secure = typeof secure === 'boolean' || secure === 'auto' ? secure : refuse('secure', 'true, false or "auto"')
  if (sameSite === false) read.sameSite = null
  else if (sameSite !== undefined) read.sameSite = pick(SAME_SITES, sameSite === true ? 'strict' : sameSite) ?? refuse('sameSite', '"strict", "lax", "none", true or false')
  if (partitioned !== undefined) read.partitioned = typeof partitioned === 'boolean' ? partitioned : refuse('partitioned', 'true or false')
  if (priority !== undefined) read.priority = pick(PRIORITIES, priority) ?? refuse('priority', '"low", "medium" or "high"')
  if (maxAge !== undefined) read.maxAgeS = typeof maxAge === 'number' && maxAge >= 1 ? Math.floor(maxAge) : refuse('maxAge', 'seconds, 1 or more')
  if (expires !== undefined) read.expires = readDate(expires) ?? refuse('expires', 'a valid Date, or milliseconds since 1970')
  return read
}

/** `'auto'` becomes true where a browser takes the cookie only with Secure. */
export function settleSecure (name: string, attributes: CookieAttributes): CookieAttributes {
  const needed = /^__(?:secure|host|http)-/i.test(name) || attributes.sameSite === 'None' || attributes.partitioned
  return attributes.secure === 'auto' && needed ? { ...attributes, secure: true } : attributes
}

/** Throws FST_SESSION_INVALID_OPTION for what browsers would drop without a word: RFC 6265bis sections 4.1.2, 4.1.3 and 5.7. */
export function checkRules (name: string, attributes: CookieAttributes, where: string): void {
  const { secure, path, domain, httpOnly, sameSite, partitioned } = attributes
  const rule = (broken: boolean, message: string): void => {
    if (broken) throw new InvalidOptionError(`${where}: ${message}`)
  }
  const prefix = /^__(?:secure|host-http|host|http)-/i.exec(name)?.[0].toLowerCase() ?? ''
  rule(prefix !== '' && secure !== true, `a cookie named ${name} needs secure: true`)
  rule(prefix.startsWith('__host-') && domain !== null, `a cookie named ${name} must not have a domain`)
  rule(prefix.startsWith('__host-') && path !== '/', `a cookie named ${name} needs path: "/"`)
  rule(prefix.endsWith('http-') && !httpOnly, `a cookie named ${name} needs httpOnly: true`)
  rule(sameSite === 'None' && secure !== true, 'sameSite: "none" needs secure: true')
  rule(partitioned && secure !== true, 'partitioned: true needs secure: true')
}

/** Throws FST_SESSION_INVALID_OPTION where the cookie would outlive what browsers allow. */
export function checkLifetime ({ maxAgeS, expires }: CookieAttributes, nowMs: number, where: string): void {
  const days = LONGEST_COOKIE_MS / DAY_MS
  if (maxAgeS !== null && maxAgeS * SECOND_MS > LONGEST_COOKIE_MS) throw new InvalidOptionError(`${where}.maxAge: browsers keep a cookie for ${days} days at most; found ${maxAgeS} seconds`)
  if (expires !== null && expires.getTime() - nowMs > LONGEST_COOKIE_MS) throw new InvalidOptionError(`${where}.expires: browsers keep a cookie for ${days} days at most`)
}

function matches (value: unknown, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value)
}

function pick<T extends Record<string, string>> (choices: T, value: unknown): T[keyof T] | null {
  const name = typeof value === 'string' ? value.toLowerCase() : ''
  return Object.hasOwn(choices, name) ? choices[name] as T[keyof T] : null
}

function readDate (value: unknown): Date | null {
  const date = value instanceof Date || typeof value === 'number' ? new Date(value) : null
  return date === null || Number.isNaN(date.getTime()) ? null : date
}
