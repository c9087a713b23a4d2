import type { FastifyRequest } from 'fastify'
import { describe, invalid, isObject, refuseUnknown } from '../checks'
import { canonicalUrl, type ResolvedSender } from '../options/hand-over'
import { isFlowId, sealTicket } from '../session/hand-over'
import { isUser } from '../session/meta'
import type { Session } from '../session/session'
import type { HandOverKeys, SessionDefinition } from './definition'
import { logHandOverRefused, type HandOverRefusal } from './log'
import { refOf, subjectKeys } from './verify'

/** The sender: a ticket with values of a session, for the receiver that sent the browser here. */

/** What the browser brings to a receiver. */
export interface HandOverFields {
  readonly ticket: string
  /** The hash of the nonce. */
  readonly flow: string
}

export interface MadeTicket {
  /** The URL of the receiver. */
  readonly to: string
  readonly fields: HandOverFields
}

const URL_CALL = 'session.handOver()'

/** `session.handOver()`: see `SessionObserver`. */
export async function ticketUrl (
  definition: SessionDefinition, session: Session, request: FastifyRequest, options: unknown
): Promise<string | null> {
  if (definition.options.handOver?.send?.query !== true) {
    throw invalid(`${URL_CALL} puts a ticket into a URL, which the option "handOver.send.query" of session ` +
      `"${definition.sessionName}" must allow. reply.handOver() sends a form, and needs no option`)
  }
  const made = makeTicket(definition, session, request, options, URL_CALL)
  if (made === null || !await isActive(definition, session, request)) return null
  return withParameters(made.to, { ...made.fields })
}

export function withParameters (url: string, parameters: Readonly<Record<string, string>>): string {
  return `${url}?${new URLSearchParams(parameters).toString()}`
}

/**
 * For a session with `handOver.send`. Null, and a line in the log, where the request was not begun by a receiver that
 * the option names. Throws FST_SESSION_INVALID_OPTION, FST_SESSION_NOT_SERIALIZABLE, FST_SESSION_TOO_LARGE.
 */
export function makeTicket (
  definition: SessionDefinition, session: Session, request: FastifyRequest, options: unknown, where: string
): MadeTicket | null {
  const send = definition.options.handOver?.send as ResolvedSender
  const { to: wantedTo, keep } = readCall(options, send, where)
  const flow = refusalOfSender(definition, session, request) ?? flowOf(request, send, wantedTo)
  if (typeof flow === 'string') {
    logHandOverRefused(definition, flow, request.log)
    return null
  }
  const { authenticatedAt, createdAt } = session.info
  const content = { authenticatedAtMs: authenticatedAt, createdAtMs: createdAt, values: valuesOf(session, keep) }
  const nowMs = Math.max(definition.context.now(), createdAt)
  const parties = { from: send.at, to: flow.to, flowId: flow.id }
  const { tickets } = definition.handOverKeys as HandOverKeys
  return { to: flow.to, fields: { ticket: sealTicket(content, tickets, parties, send.ttlMs, nowMs), flow: flow.id } }
}

/**
 * Asks the store about the session, also within its trusted window: of a revoked one, no other site must begin another.
 * If it is revoked after this, the receiver refuses the ticket. Rejects with FST_SESSION_STORE_UNAVAILABLE.
 */
export async function isActive (
  definition: SessionDefinition, { opened }: Session, request: FastifyRequest
): Promise<boolean> {
  const { revocation } = definition
  if (revocation === null || opened === null) return true
  const status = await revocation.check(refOf(opened, subjectKeys(definition, opened)))
  if (status === 'active' || status === 'unavailable-trusted') return true
  logHandOverRefused(definition, 'revoked', request.log)
  return false
}

/**
 * A ticket is for the browser that began the flow, and that may be another one: of an attacker, who sends the link with
 * the flow to a user. So the attacker must not see it: no script gets it by `fetch`.
 */
function refusalOfSender (
  { options: { subject } }: SessionDefinition, session: Session, { headers }: FastifyRequest
): HandOverRefusal | null {
  const mode = headers['sec-fetch-mode']
  if (mode !== undefined && mode !== 'navigate') return 'no-navigation'
  return subject !== null && !isUser(session.subject()) ? 'no-user' : null
}

/** What was asked for. The parameters come from a stranger: the receiver sends a browser here with them. */
function flowOf (
  { url }: FastifyRequest, send: ResolvedSender, wantedTo: string | null
): { to: string, id: string } | HandOverRefusal {
  const parameters = new URLSearchParams(url.slice(url.indexOf('?') + 1))
  const [id, to] = [parameters.get('flow'), canonicalUrl(parameters.get('to'))]
  if (!isFlowId(id)) return 'no-flow'
  if (to === null || !send.to.includes(to) || (wantedTo !== null && wantedTo !== to)) return 'unknown-receiver'
  return { to, id }
}

function readCall (
  options: unknown, send: ResolvedSender, where: string
): { to: string | null, keep: readonly string[] } {
  if (!isObject(options)) {
    throw invalid(`${where} takes an object such as { keep: ['user'] }; found ${describe(options)}`)
  }
  refuseUnknown(options, ['to', 'keep'], `${where}: option`)
  const { to, keep } = options
  if (!Array.isArray(keep) || !keep.every(key => typeof key === 'string')) {
    const found = Array.isArray(keep) ? 'an array with something else' : describe(keep)
    throw invalid(`${where}: "keep" must be an array of keys of the session, strings; found ${found}`)
  }
  if (to === undefined) return { to: null, keep }
  const url = canonicalUrl(to)
  if (url === null || !send.to.includes(url)) {
    throw invalid(`${where}: "to" must be a URL of the option "handOver.send.to"; found ${describe(to)}`)
  }
  return { to: url, keep }
}

/** Reads only: it does not count as a use that may change an object in place. */
function valuesOf (session: Session, keep: readonly string[]): Record<string, unknown> {
  return session.ask(() => Object.fromEntries(keep.map(key => [key, session.get(key)])
    .filter(([, value]) => value !== undefined)))
}
