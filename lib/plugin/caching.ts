import type { FastifyReply } from 'fastify'
import type { TransportOption } from '../../types/session'
import type { SessionDefinition } from './definition'
import { warnStorable } from './log'

/** The headers of a response that concern caches between the server and the browser. */

const FORBIDDEN = /\b(?:no-store|private)\b/i
const STORED_NOWHERE = /\bno-store\b/i
// RFC 9111 section 3: each of these lets a shared cache store a response.
const PERMITTED = /\b(?:public|(?:s-maxage|max-age)="?0*[1-9])/i
// RFC 9213 and its predecessors: a CDN goes by these before Cache-Control.
const TARGETED = ['cdn-cache-control', 'cloudflare-cdn-cache-control', 'vercel-cdn-cache-control', 'surrogate-control']
export const NO_STORE = 'no-store'
/** All headers by which a cache may store a response. */
export const STORING: readonly string[] = ['cache-control', ...TARGETED]

/**
 * RFC 9111 section 7.3: a shared cache that stores a Set-Cookie gives one user's session to others. Sets `no-store`,
 * unless the route has its own Cache-Control; where that lets shared caches store it, a warning is logged. True where
 * no cache stores the response now.
 */
export function forbidStoring (definition: SessionDefinition, reply: FastifyReply, payload: unknown): boolean {
  const response = responseIn(payload)
  const control = headerOf(reply, response, 'cache-control')
  const isOpen = isTargeted(reply, response)
  if (control === undefined) reply.header('cache-control', NO_STORE)
  if (isOpen || isPermitted(control)) warnStorable(definition, reply)
  return control === undefined && !isOpen
}

/**
 * No cache may store a response with a bearer token, whatever the app has set: RFC 6750 section 5.3. Returns the
 * payload to send.
 * @param bearerHeader the header with the token; one in a web Response would replace it
 */
export function forbidStoringToken (bearerHeader: string, reply: FastifyReply, payload: unknown): unknown {
  reply.header('cache-control', NO_STORE)
  for (const name of TARGETED) if (reply.hasHeader(name)) reply.header(name, NO_STORE)
  const response = responseIn(payload)
  const replaced = [bearerHeader, ...STORING].filter(name => response?.headers.has(name))
  if (response === null || replaced.length === 0) return payload
  const copy = new Response(response.body, response)
  for (const name of replaced) copy.headers.delete(name)
  return copy
}

/** The request headers that a response depends on where its session was read. */
const VARY: Readonly<Record<TransportOption, string>> = {
  cookie: 'Cookie', bearer: 'Authorization', both: 'Cookie, Authorization'
}

/**
 * A page that depends on a session must not be reused for another one, and caches may store what nothing forbids: RFC
 * 9111 section 4.2.2. Returns the payload to send.
 */
export function varyBy (transport: TransportOption, reply: FastifyReply, payload: unknown): unknown {
  const { method } = reply.request
  if (method !== 'GET' && method !== 'HEAD') return payload
  const response = responseIn(payload)
  const control = headerOf(reply, response, 'cache-control')
  if (control !== undefined && STORED_NOWHERE.test(String(control)) && !isTargeted(reply, response)) return payload
  const present = headerOf(reply, response, 'vary')
  const vary = varyWith(present === undefined ? '' : String(present), transport)
  if (vary === present) return payload
  reply.header('vary', vary)
  return response === null ? payload : withVary(response, vary)
}

/** Null where the payload is no web Response, of any implementation: Fastify recognizes it like this. */
function responseIn (payload: unknown): Response | null {
  if (typeof payload !== 'object') return null
  return Object.prototype.toString.call(payload) === '[object Response]' ? payload as Response : null
}

/** A header as it goes out: Fastify puts those of a Response over those of the reply, after all hooks. */
function headerOf (reply: FastifyReply, response: Response | null, name: string): unknown {
  return response?.headers.get(name) ?? reply.getHeader(name)
}

/** The headers of a Response may be immutable. */
function withVary (response: Response, vary: string): Response {
  if (!response.headers.has('vary')) return response
  const copy = new Response(response.body, response)
  copy.headers.set('vary', vary)
  return copy
}

function isPermitted (value: unknown): boolean {
  if (value === undefined) return false
  const directives = String(value)
  return PERMITTED.test(directives) && !FORBIDDEN.test(directives)
}

function isTargeted (reply: FastifyReply, response: Response | null): boolean {
  return TARGETED.some(name => isPermitted(headerOf(reply, response, name)))
}

function varyWith (present: string, transport: TransportOption): string {
  if (present === '') return VARY[transport]
  const missing = VARY[transport].split(', ').filter(name => !isVaried(present, name))
  return [present, ...missing].join(', ')
}

function isVaried (vary: string, by: string): boolean {
  return vary.split(',').some(name => [by.toLowerCase(), '*'].includes(name.trim().toLowerCase()))
}
