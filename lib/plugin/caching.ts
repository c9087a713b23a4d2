import type { FastifyReply } from 'fastify'
import type { SessionDefinition } from './definition'
import { warnStorable } from './log'

/** What caches between the server and the browser are told of a response that has to do with a session. */

const FORBIDDEN = /\b(?:no-store|private)\b/i
const STORED_NOWHERE = /\bno-store\b/i
// RFC 9111 section 3: each lets a shared cache store a response. Without a lifetime it would ask again before each use.
const PERMITTED = /\b(?:public|(?:s-maxage|max-age)="?0*[1-9])/i
// RFC 9213, and what came before it: these rule over Cache-Control at a CDN.
const TARGETED = ['cdn-cache-control', 'cloudflare-cdn-cache-control', 'vercel-cdn-cache-control', 'surrogate-control']

/**
 * RFC 9111 section 7.3: a shared cache that stores a Set-Cookie hands one user's session to the next. What the route says of caching
 * stands; where that lets shared caches store it, the log says so. True where no cache stores it now.
 */
export function forbidStoring (definition: SessionDefinition, reply: FastifyReply, payload: unknown): boolean {
  const control = headerOf(reply, payload, 'cache-control')
  const isOpen = isTargeted(reply, payload)
  if (control === undefined) reply.header('cache-control', 'no-store')
  if (isOpen || isPermitted(control)) warnStorable(definition, reply)
  return control === undefined && !isOpen
}

/**
 * What a page shows of a session is not for whoever brings another one, or none, and caches may store what nobody forbids: RFC 9111
 * section 4.2.2. Returns the payload to send.
 */
export function varyByCookie (reply: FastifyReply, payload: unknown): unknown {
  const { method } = reply.request
  if (method !== 'GET' && method !== 'HEAD') return payload
  const control = headerOf(reply, payload, 'cache-control')
  if (control !== undefined && STORED_NOWHERE.test(String(control)) && !isTargeted(reply, payload)) return payload
  const vary = headerOf(reply, payload, 'vary')
  if (vary === undefined || vary === '') return withVary(reply, payload, 'Cookie')
  return isVaried(vary) ? payload : withVary(reply, payload, `${String(vary)}, Cookie`)
}

/** As it goes out: Fastify lays the headers of a web Response over those of the reply, after all hooks. */
function headerOf (reply: FastifyReply, payload: unknown, name: string): unknown {
  return isResponse(payload) ? payload.headers.get(name) ?? reply.getHeader(name) : reply.getHeader(name)
}

/** A Response that came from elsewhere has headers that cannot be changed. */
function withVary (reply: FastifyReply, payload: unknown, vary: string): unknown {
  reply.header('vary', vary)
  if (!isResponse(payload) || !payload.headers.has('vary')) return payload
  const copy = new Response(payload.body, payload)
  copy.headers.set('vary', vary)
  return copy
}

/** As Fastify tells it, of whatever implementation. */
function isResponse (payload: unknown): payload is Response {
  return typeof payload === 'object' && Object.prototype.toString.call(payload) === '[object Response]'
}

function isPermitted (value: unknown): boolean {
  if (value === undefined) return false
  const directives = String(value)
  return PERMITTED.test(directives) && !FORBIDDEN.test(directives)
}

function isTargeted (reply: FastifyReply, payload: unknown): boolean {
  for (const name of TARGETED) {
    if (isPermitted(headerOf(reply, payload, name))) return true
  }
  return false
}

function isVaried (vary: unknown): boolean {
  return String(vary).split(',').some(name => ['cookie', '*'].includes(name.trim().toLowerCase()))
}
