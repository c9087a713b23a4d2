/** Paths of this site, for redirects. */

/** Longer ones do not fit in the URLs that every browser, proxy and server accepts. */
const MOST_CHARACTERS = 2048
/** Only for parsing: a URL needs a host. */
const ORIGIN = 'http://site.invalid'

/**
 * A path of this site with its query and fragment, as a browser writes it; null for any other value. A scheme or host,
 * a backslash, a control character or `//` in the path would lead, or could lead, to another site.
 */
export function sitePath (value: unknown): string | null {
  if (typeof value !== 'string' || !/^\/(?!\/)/.test(value) || /[\\\p{Cc}]/u.test(value)) return null
  // Without the segments "." and "..", behind which a second slash can be.
  const { pathname, search, hash } = new URL(value, ORIGIN)
  const path = pathname + search + hash
  return pathname.includes('//') || path.length > MOST_CHARACTERS ? null : path
}

/** The scheme and authority of a request target in absolute form, which proxies receive: RFC 9112 section 3.2.2. */
const AUTHORITY = /^[a-z][a-z\d+.-]*:\/\/[^/?]*/i

/** The path and query of a request target. */
export function pathOfTarget (target: string): string {
  return target.replace(AUTHORITY, '')
}
