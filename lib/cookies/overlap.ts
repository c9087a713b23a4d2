import type { CookieAttributes } from './attributes'

export type Place = Pick<CookieAttributes, 'path' | 'domain'>

/** No request has both of two cookies in these places. Without a domain, the host is not known here. */
export function areApart (a: Place, b: Place): boolean {
  if (arePathsApart(pathOf(a), pathOf(b))) return true
  return a.domain !== null && b.domain !== null && areDomainsApart(a.domain, b.domain)
}

/** RFC 6265 section 5.1.4, in both directions. */
function arePathsApart (a: string, b: string): boolean {
  return !a.startsWith(b) && !b.startsWith(a)
}

/** With a slash at the end, a path matches what begins with it. A configured path is never null. */
function pathOf ({ path }: Place): string {
  return `${path as string}/`.replace(/\/\/$/, '/')
}

/** RFC 6265 section 5.1.3, in both directions. */
function areDomainsApart (a: string, b: string): boolean {
  return !`.${a}`.endsWith(`.${b}`) && !`.${b}`.endsWith(`.${a}`)
}
