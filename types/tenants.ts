import type { CookieOptions } from './cookie'

/** One of the cookies that the option `cookies` declares, and that the option `cookie` as a function may return. */
export interface DeclaredCookie extends CookieOptions {
  /**
   * The first characters of the cookie's name, before `cookieName`, such as `'__Host-'`.
   * @default '', no prefix
   * @example
   * cookies: [{ namePrefix: '__Host-' }, { domain: 'example.com', namePrefix: '__Secure-' }]
   */
  namePrefix?: string | undefined
}

/** What the option `cookie` as a function returns: the domain, the path and the name prefix of one of `cookies`. */
export interface CookieChoice {
  /**
   * @default no domain
   * @example
   * cookie: request => ({ domain: 'example.com', namePrefix: '__Secure-' })
   */
  domain?: string | undefined
  /**
   * @default '/'
   * @example
   * cookie: request => ({ path: '/:tenant/' })
   */
  path?: string | undefined
  /**
   * @default '', no prefix
   * @example
   * cookie: request => ({ namePrefix: '__Host-' })
   */
  namePrefix?: string | undefined
}
