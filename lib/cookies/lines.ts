import { LONGEST_COOKIE_MS, SECOND_MS } from '../time'
import type { CookieAttributes } from './attributes'

/** Browsers keep no cookie for longer: RFC 6265bis section 5.5, "the maximum is 400 days". */
const LONGEST_MAX_AGE_S = LONGEST_COOKIE_MS / SECOND_MS

const LONG_AGO = '; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT'

/** Writes Set-Cookie lines with the same attributes again and again; they are spelled out once. */
export class CookieLines {
  readonly #secure: boolean | 'auto'
  readonly #open: string
  readonly #overTls: string
  /** A browser tells cookies of one name apart by this: RFC 6265bis section 5.7. */
  readonly scope: string
  /** Bytes that the attributes take in a line, at most. */
  readonly attributesBytes: number

  constructor (attributes: CookieAttributes) {
    const { secure, path, domain, partitioned } = attributes
    this.#secure = secure
    this.#open = spell(attributes, false)
    this.#overTls = spell(attributes, true)
    this.attributesBytes = longestAttributes(attributes)
    this.scope = JSON.stringify([path, domain?.replace(/^\./, '').toLowerCase(), partitioned])
  }

  /** @param lifetime as `lifetime` spells it, or nothing for a cookie that ends with the browser */
  set (name: string, value: string, overTls: boolean, lifetime: string): string {
    return `${name}=${value}${lifetime}${this.#suffix(overTls)}`
  }

  clear (name: string, overTls: boolean): string {
    return `${name}=${LONG_AGO}${this.#suffix(overTls)}`
  }

  #suffix (overTls: boolean): string {
    return this.#secure === true || (this.#secure === 'auto' && overTls) ? this.#overTls : this.#open
  }
}

export function maxAge (seconds: number): string {
  return `; Max-Age=${Math.min(seconds, LONGEST_MAX_AGE_S)}`
}

export function expires (date: Date): string {
  return `; Expires=${date.toUTCString()}`
}

/**
 * Bytes that these attributes take in a Set-Cookie line at most: over TLS, and with the longest lifetime. So what fits
 * does not depend on how a request comes or on when.
 */
export function longestAttributes (attributes: CookieAttributes): number {
  const { secure, expires: date } = attributes
  const lifetime = maxAge(LONGEST_MAX_AGE_S) + (date === null ? '' : expires(date))
  return lifetime.length + spell(attributes, secure !== false).length
}

function spell (attributes: CookieAttributes, secure: boolean): string {
  const { path, domain, httpOnly, sameSite, partitioned, priority } = attributes
  let text = ''
  if (domain !== null) text += `; Domain=${domain}`
  if (path !== null) text += `; Path=${path}`
  if (httpOnly) text += '; HttpOnly'
  if (secure) text += '; Secure'
  if (sameSite !== null) text += `; SameSite=${sameSite}`
  if (partitioned) text += '; Partitioned'
  if (priority !== null) text += `; Priority=${priority}`
  return text
}
