import { LONGEST_COOKIE_MS, SECOND_MS } from '../time'
import type { CookieAttributes } from './attributes'

/** The longest Max-Age that browsers accept: RFC 6265bis section 5.5, "the maximum is 400 days". */
const LONGEST_MAX_AGE_S = LONGEST_COOKIE_MS / SECOND_MS

const EXPIRED = '; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT'

/** Writes Set-Cookie lines with the same attributes. The text of the attributes is created once. */
export class CookieLines {
  readonly #secure: boolean | 'auto'
  readonly #withoutSecure: string
  readonly #withSecure: string
  /** Domain, path and partition: browsers identify a cookie by its name and these (RFC 6265bis section 5.7). */
  readonly scope: string
  /** The maximum number of bytes of the attributes in a line. */
  readonly attributesBytes: number

  constructor (attributes: CookieAttributes) {
    const { secure, path, domain, partitioned } = attributes
    this.#secure = secure
    this.#withoutSecure = serialize(attributes, false)
    this.#withSecure = serialize(attributes, true)
    this.attributesBytes = longestAttributes(attributes)
    this.scope = JSON.stringify([path, domain, partitioned])
  }

  /** @param lifetime the result of `maxAge` or `expires`; empty for a cookie that the browser drops when it closes */
  set (name: string, value: string, overTls: boolean, lifetime: string): string {
    return `${name}=${value}${lifetime}${this.#suffix(overTls)}`
  }

  clear (name: string, overTls: boolean): string {
    return `${name}=${EXPIRED}${this.#suffix(overTls)}`
  }

  /** The attributes of a cookie over TLS, without those that vary. */
  get attributesOverTls (): string {
    return this.#suffix(true).replace('; ', '')
  }

  #suffix (overTls: boolean): string {
    return this.#secure === true || (this.#secure === 'auto' && overTls) ? this.#withSecure : this.#withoutSecure
  }
}

export function maxAge (seconds: number): string {
  return `; Max-Age=${Math.min(seconds, LONGEST_MAX_AGE_S)}`
}

export function expires (date: Date): string {
  return `; Expires=${date.toUTCString()}`
}

/**
 * The maximum number of bytes of these attributes in a Set-Cookie line: over TLS, with the longest lifetime. So the
 * size that fits does not depend on the protocol or on the time.
 */
export function longestAttributes (attributes: CookieAttributes): number {
  const { secure, expires: date } = attributes
  const lifetime = maxAge(LONGEST_MAX_AGE_S) + (date === null ? '' : expires(date))
  return lifetime.length + serialize(attributes, secure !== false).length
}

function serialize (attributes: CookieAttributes, secure: boolean): string {
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
