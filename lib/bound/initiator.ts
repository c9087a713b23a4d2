import type { IncomingHttpHeaders } from 'node:http'

/**
 * What caused a request, as the browser says in Sec-Fetch-Site.
 * - `origin`: a page of the same origin. Only before such a request do browsers sign.
 * - `site`: a page of another origin of the same site.
 * - `other-site`: a page of another site.
 * - `user`: no page, but a typed URL or a bookmark. Browsers do not sign before it either, so such a navigation gets
 *   the reload page, as one that another site started. In everything else it is not foreign: no page can cause it.
 * - `unknown`: the browser does not say.
 */
export type Initiator = 'origin' | 'site' | 'other-site' | 'user' | 'unknown'

const INITIATORS: ReadonlyMap<unknown, Initiator> = new Map([
  ['same-origin', 'origin'], ['same-site', 'site'], ['cross-site', 'other-site'], ['none', 'user']
])

export function initiatorOf (headers: IncomingHttpHeaders): Initiator {
  return INITIATORS.get(headers['sec-fetch-site']) ?? 'unknown'
}
