import type { FastifyReply, FastifyRequest } from 'fastify'
import { describe, invalid, type Input } from '../checks'
import { pathOfTarget, sitePath } from '../site-path'

/** Where a guard sends a browser whose user must log in. */
export interface LoginRedirect {
  /** The path of the login page, with its query. */
  readonly path: string
  /** The parameter of the query that says which path was asked for; null for none. */
  readonly parameter: string | null
}

const PARAMETER = /^[\w.~-]{1,64}$/

/** The options `redirectTo` and `returnTo`; null without them. Throws FST_SESSION_INVALID_OPTION. */
export function readLoginRedirect ({ redirectTo, returnTo }: Input): LoginRedirect | null {
  if (redirectTo === undefined) {
    if (returnTo === undefined) return null
    throw invalid('a guard with "returnTo" needs "redirectTo", the path of the login page')
  }
  if (typeof redirectTo !== 'string' || redirectTo.includes('#') || sitePath(redirectTo) === null) {
    throw invalid('option "redirectTo" must be a path of this site without a fragment, such as "/login"; ' +
      `found ${describe(redirectTo)}`)
  }
  const path = sitePath(redirectTo) as string
  if (returnTo === undefined) return { path, parameter: null }
  if (typeof returnTo !== 'string' || !PARAMETER.test(returnTo)) {
    throw invalid('option "returnTo" must be the name of a query parameter, 1 to 64 letters, digits or characters of ' +
      `"._~-"; found ${describe(returnTo)}`)
  }
  if (queryOf(path).has(returnTo)) throw invalid('option "redirectTo" has the parameter of "returnTo" already')
  return { path, parameter: returnTo }
}

/**
 * A browser goes to another page than the login page, as far as the request says so. Other requests are those of
 * scripts and programs.
 */
export function isSentToLogin ({ path }: LoginRedirect, { headers, originalUrl }: FastifyRequest): boolean {
  const mode = headers['sec-fetch-mode']
  const isNavigation = mode === undefined ? /\btext\/html\b/i.test(headers.accept ?? '') : mode === 'navigate'
  return isNavigation && withoutQuery(sitePath(pathOfTarget(originalUrl))) !== withoutQuery(path)
}

/** Sends the browser to the login page. */
export async function redirectToLogin (
  { path, parameter }: LoginRedirect, request: FastifyRequest, reply: FastifyReply
): Promise<never> {
  // A browser returns to a page by GET, so what was posted is not repeated.
  const isPage = request.method === 'GET' || request.method === 'HEAD'
  const wanted = isPage && parameter !== null ? sitePath(pathOfTarget(request.originalUrl)) : null
  const separator = path.includes('?') ? '&' : '?'
  const url = wanted === null ? path : `${path}${separator}${String(parameter)}=${encodeURIComponent(wanted)}`
  return await endWithRedirect(reply, url, 303)
}

/**
 * Answers a request in a hook. Never resolves: a reply resolves also if the client disconnects while onSend hooks run,
 * and Fastify would then run the handler.
 */
export async function endWithRedirect (reply: FastifyReply, url: string, status: number): Promise<never> {
  reply.header('cache-control', 'no-store').redirect(url, status)
  return await new Promise<never>(() => {})
}

/**
 * The path that the login page was asked to return to: in the query, or else in the body. Throws
 * FST_SESSION_INVALID_OPTION.
 */
export function returnPath (request: FastifyRequest, fallback: unknown = '/', parameter: unknown = 'next'): string {
  const otherwise = sitePath(fallback)
  if (otherwise === null) {
    throw invalid('secureSession.returnPath(): the fallback must be a path of this site, such as "/"; ' +
      `found ${describe(fallback)}`)
  }
  if (typeof parameter !== 'string') {
    throw invalid(`secureSession.returnPath(): the parameter must be its name; found ${describe(parameter)}`)
  }
  return sitePath(valueIn(request.query, parameter)) ?? sitePath(valueIn(request.body, parameter)) ?? otherwise
}

function valueIn (values: unknown, name: string): unknown {
  return Object.hasOwn(Object(values), name) ? (values as Input)[name] : undefined
}

function withoutQuery (path: string | null): string | undefined {
  return path?.split(/[?#]/)[0]
}

function queryOf (path: string): URLSearchParams {
  return new URLSearchParams(path.split('?')[1])
}
