import { InvalidOptionError } from '../errors'
import { DAY_MS, LONGEST_COOKIE_MS, SECOND_MS } from '../time'

/** The checked attributes of one cookie. An attribute that is null is not sent. */
export interface CookieAttributes {
  readonly path: string | null
  /** In lower case, without a dot at the beginning or the end. */
  readonly domain: string | null
  readonly httpOnly: boolean
  /** `'auto'`: Secure is sent if the request came over TLS. */
  readonly secure: boolean | 'auto'
  readonly sameSite: 'Strict' | 'Lax' | 'None' | null
  readonly partitioned: boolean
  readonly priority: 'Low' | 'Medium' | 'High' | null
  readonly maxAgeS: number | null
  readonly expires: Date | null
}

export const DEFAULT_ATTRIBUTES: CookieAttributes = Object.freeze({
  path: '/',
  domain: null,
  httpOnly: true,
  secure: 'auto',
  sameSite: 'Lax',
  partitioned: false,
  priority: null,
  maxAgeS: null,
  expires: null
})

/** The attributes that `setCookie` of `@fastify/cookie` takes; `encode` and `signed` do not apply to sealed cookies. */
export const ATTRIBUTE_NAMES = [
  'path', 'domain', 'httpOnly', 'secure', 'sameSite', 'partitioned', 'priority', 'maxAge', 'expires'
] as const
export const IGNORED_NAMES = ['encode', 'signed'] as const

// RFC 6265 section 4.1.1: path-value is any CHAR except CTLs or ";". Browsers drop a value over 1024 bytes (RFC 6265bis
// section 5.6).
const PATH = /^\/[\x20-\x3a\x3c-\x7e]{0,1023}$/
// A host name of letters, digits and hyphens. The leading dot of RFC 2109 is still in use, and some write the dot at
// the end that makes a host name absolute.
const DOMAIN = /^(?=.{1,253}$)\.?[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*\.?$/i
const DOTS_AROUND = /^\.|\.$/g
const SAME_SITES = { strict: 'Strict', lax: 'Lax', none: 'None' } as const
const PRIORITIES = { low: 'Low', medium: 'Medium', high: 'High' } as const

type Input = Readonly<Record<string, unknown>>
type AttributeName = typeof ATTRIBUTE_NAMES[number]

/** How one attribute is read: `read` returns its canonical value; undefined for an invalid value. */
interface Reader {
  readonly as: keyof CookieAttributes
  readonly wanted: string
  readonly read: (value: unknown) => unknown
}

const READERS: Readonly<Record<AttributeName, Reader>> = {
  path: { as: 'path', wanted: 'a path of 1024 characters at most that starts with "/" and has no ";"', read: path },
  domain: { as: 'domain', wanted: 'a host name', read: domain },
  httpOnly: { as: 'httpOnly', wanted: 'true or false', read: flag },
  secure: { as: 'secure', wanted: 'true, false or "auto"', read: value => value === 'auto' ? value : flag(value) },
  sameSite: { as: 'sameSite', wanted: '"strict", "lax", "none", true or false', read: sameSite },
  partitioned: { as: 'partitioned', wanted: 'true or false', read: flag },
  priority: { as: 'priority', wanted: '"low", "medium" or "high"', read: value => oneOf(PRIORITIES, value) },
  maxAge: { as: 'maxAgeS', wanted: 'seconds, 1 or more', read: seconds },
  expires: { as: 'expires', wanted: 'a valid Date, or milliseconds since 1970', read: date }
}

/**
 * The canonical attributes among the given options. Other options are ignored.
 * @param where the name of the options in the message
 * @throws FST_SESSION_INVALID_OPTION
 */
export function readAttributes (input: Input, where: string): Partial<CookieAttributes> {
  const attributes: Partial<Record<keyof CookieAttributes, unknown>> = {}
  for (const name of ATTRIBUTE_NAMES) {
    if (input[name] === undefined) continue
    const { as, wanted, read } = READERS[name]
    const value = read(input[name])
    if (value === undefined) throw new InvalidOptionError(`${where}.${name}: wanted ${wanted}`)
    attributes[as] = value
  }
  return attributes as Partial<CookieAttributes>
}

/** The valid canonical values of the attributes that are sealed with a session. `maxAgeS` and `expires` are not. */
const VALID: Readonly<Record<Exclude<keyof CookieAttributes, 'maxAgeS' | 'expires'>, (value: unknown) => boolean>> = {
  path: value => value === null || path(value) !== undefined,
  domain: value => value === null || (typeof value === 'string' && domain(value) === value),
  httpOnly: value => typeof value === 'boolean',
  secure: value => value === 'auto' || typeof value === 'boolean',
  sameSite: value => value === null || Object.values(SAME_SITES).some(one => one === value),
  partitioned: value => typeof value === 'boolean',
  priority: value => value === null || Object.values(PRIORITIES).some(one => one === value)
}

/** The known attributes with valid values; others are ignored. */
export function validAttributes (attributes: Readonly<Record<string, unknown>> | null): Partial<CookieAttributes> {
  const given = attributes ?? {}
  const known = Object.entries(VALID).filter(([name, isValid]) => Object.hasOwn(given, name) && isValid(given[name]))
  return Object.fromEntries(known.map(([name]) => [name, given[name]]))
}

/** Changes `secure: 'auto'` to true if browsers accept the cookie only with Secure. */
export function resolveSecure (name: string, attributes: CookieAttributes): CookieAttributes {
  const needed = /^__(?:secure|host|http)-/i.test(name) || attributes.sameSite === 'None' || attributes.partitioned
  return attributes.secure === 'auto' && needed ? { ...attributes, secure: true } : attributes
}

/**
 * Throws FST_SESSION_INVALID_OPTION for a cookie that browsers drop silently: RFC 6265bis sections 4.1.2, 4.1.3, 5.7.
 */
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

/** Throws FST_SESSION_INVALID_OPTION if a lifetime is longer than browsers allow, or is in the past. */
export function checkLifetime ({ maxAgeS, expires }: CookieAttributes, nowMs: number, where: string): void {
  const days = LONGEST_COOKIE_MS / DAY_MS
  if (maxAgeS !== null && maxAgeS * SECOND_MS > LONGEST_COOKIE_MS) {
    const found = `found ${maxAgeS} seconds`
    throw new InvalidOptionError(`${where}.maxAge: browsers keep a cookie for ${days} days at most; ${found}`)
  }
  if (expires !== null && expires.getTime() <= nowMs) {
    throw new InvalidOptionError(`${where}.expires: wanted a time in the future`)
  }
  if (expires !== null && expires.getTime() - nowMs > LONGEST_COOKIE_MS) {
    throw new InvalidOptionError(`${where}.expires: browsers keep a cookie for ${days} days at most`)
  }
}

function seconds (value: unknown): number | undefined {
  return typeof value === 'number' && value >= 1 ? Math.floor(value) : undefined
}

function matching (value: unknown, pattern: RegExp): string | undefined {
  return typeof value === 'string' && pattern.test(value) ? value : undefined
}

function path (value: unknown): string | undefined {
  return matching(value, PATH)
}

function domain (value: unknown): string | undefined {
  const text = matching(value, DOMAIN)
  return text === undefined ? undefined : canonicalDomain(text)
}

/** In lower case and without dots around it: two domains that browsers treat alike are one text. */
export function canonicalDomain (domain: string): string {
  return domain.replace(DOTS_AROUND, '').toLowerCase()
}

function flag (value: unknown): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined
}

function oneOf<T extends Readonly<Record<string, string>>> (choices: T, value: unknown): string | undefined {
  if (typeof value !== 'string' || !Object.hasOwn(choices, value.toLowerCase())) return undefined
  return choices[value.toLowerCase()]
}

function sameSite (value: unknown): string | null | undefined {
  if (value === false) return null
  return value === true ? SAME_SITES.strict : oneOf(SAME_SITES, value)
}

function date (value: unknown): Date | undefined {
  if (!(value instanceof Date) && typeof value !== 'number') return undefined
  const copy = new Date(value)
  return Number.isNaN(copy.getTime()) ? undefined : copy
}
