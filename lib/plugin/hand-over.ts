import { finished } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { describe, invalid, isObject, refuseUnknown, type Input } from '../checks'
import { DEFAULT_ATTRIBUTES } from '../cookies/attributes'
import { cookieValues } from '../cookies/header'
import { CookieLines, maxAge } from '../cookies/lines'
import type { TokenKeys } from '../core/token'
import { canonicalUrl, shortSitePath, type ResolvedReceiver } from '../options/hand-over'
import { keyOf } from '../revocation/keys'
import type { SessionRecord } from '../session/codec'
import { NO_OBSERVER } from '../session/context'
import { refusalByTime } from '../session/expiry'
import {
  FLOW_MS, flowIdOf, isFlowId, newNonce, openFlows, openTicket, sealFlows, type Flow, type OpenedTicket
} from '../session/hand-over'
import { isUser } from '../session/meta'
import { unwrap } from '../session/proxy'
import { isOfNoClass } from '../session/serializable'
import { Session } from '../session/session'
import { SECOND_MS } from '../time'
import { named, type HandOverKeys, type SessionDefinition } from './definition'
import { sendForm, sendRefusal } from './hand-over-pages'
import { isActive, makeTicket, withParameters, type HandOverFields } from './hand-over-ticket'
import { logHandOverRefused, type HandOverRefusal } from './log'
import { putSetCookies } from './reply'
import { contextOf } from './request-context'
import { resume } from './resume'
import { sessionsOfAllScopes } from './sibling-scopes'
import { seekKeyOf } from './unknown-keys'

/** Sessions that go from one site to another: `reply.beginHandOver()`, `reply.handOver()`, and the receiver's route. */

const BEGIN = 'reply.beginHandOver()'
const SEND = 'reply.handOver()'

/** More is no form with a ticket. */
const MOST_FORM_BYTES = 4096
const TICKET = /^[\w-]{1,2048}$/
/** Of the cookie with the flows. Lax: browsers send it with the second post, which is of the site itself. */
const FLOW_ATTRIBUTES = { ...DEFAULT_ATTRIBUTES, sameSite: 'Lax' } as const

/** In the config of the receiver's route: what answers it. */
const RECEIVER = Symbol('fastify-sealed-session.receiver')

type Answer = (request: FastifyRequest, reply: FastifyReply) => Promise<void>

/**
 * The methods of replies. They throw FST_SESSION_INVALID_OPTION where no session has the option.
 * @param definitionsAt the sessions of a scope
 */
export function decorateReplies (
  app: FastifyInstance, definitionsAt: (scope: object) => readonly SessionDefinition[]
): void {
  app.decorateReply('handOver', function handOver (this: FastifyReply, options: unknown) {
    return send(definitionsAt(this.server), this, options)
  } as FastifyReply['handOver'])
  app.decorateReply('beginHandOver', function beginHandOver (this: FastifyReply, options: unknown = {}) {
    return begin(definitionsAt(this.server), this, options)
  } as FastifyReply['beginHandOver'])
}

/** The routes of receivers. */
export function addReceivers (app: FastifyInstance, definitions: readonly SessionDefinition[]): void {
  const receivers = definitions.filter(({ options }) => options.handOver?.receive != null)
  if (receivers.length === 0) return
  for (const definition of receivers) addRoute(app, definition)
  app.addHook('onRequest', function takeTicket (request, reply, done) {
    const answer = (request.routeOptions.config as { [RECEIVER]?: Answer })[RECEIVER]
    if (answer === undefined) done()
    else answer(request, reply).catch(error => { resume(reply, () => { done(error) }, done) })
  })
}

/**
 * A hook of the plugin answers this route, as those of `device-bound.ts`. So the app's own checks of CSRF tokens do not
 * refuse the form of another site, and no parser for forms is needed.
 */
function addRoute (app: FastifyInstance, definition: SessionDefinition): void {
  const { path, query } = receiverOf(definition)
  if (hasRoute(app, definition)) return
  const answer: Answer = async (request, reply) => { await receive(definition, request, reply) }
  app.route({
    method: query ? ['GET', 'POST'] : 'POST',
    url: path.slice(app.prefix.replace(/\/$/, '').length),
    exposeHeadRoute: false,
    config: { [RECEIVER]: answer } as object,
    schema: { hide: true } as object,
    handler: answer
  })
}

/**
 * Another scope of the app has added the route of this session, which answers for both. Throws
 * FST_SESSION_INVALID_OPTION where it would answer otherwise.
 */
function hasRoute (app: FastifyInstance, definition: SessionDefinition): boolean {
  const own = receiverOf(definition)
  const isTwin = ({ path, flowName, at }: ResolvedReceiver): boolean => {
    return path === own.path || (flowName === own.flowName && hostOf(at) === hostOf(own.at))
  }
  const twin = sessionsOfAllScopes(app)
    .find(other => other !== definition && other.options.handOver?.receive != null && isTwin(receiverOf(other)))
  if (twin === undefined) return false
  const isSame = twin.options.cookieName === definition.options.cookieName
  if (!isSame || twin.lines.scope !== definition.lines.scope) {
    throw invalid(`option "handOver.receive.at": session "${twin.sessionName}" also uses the path ` +
      `"${receiverOf(twin).path}" or the cookie "${own.flowName}". Set a different path and a different "cookieName" ` +
      'for each session')
  }
  const name = differenceOf(definition, twin)
  if (name === null) return true
  throw invalid(`option "handOver": another scope of this app has the same session with another "${name}". One route ` +
    'takes the tickets of both: give both the same options')
}

/** Cookies have no port. */
function hostOf (url: string): string {
  return new URL(url).hostname
}

/** The option of receivers that two scopes with one session have differently; null for none. */
function differenceOf (one: SessionDefinition, other: SessionDefinition): string | null {
  const [a, b] = [receiverOf(one), receiverOf(other)]
  const names = ['at', 'accept', 'refused', 'query'] as const
  const different = names.find(name => a[name] !== b[name])
  if (different !== undefined) return `receive.${different}`
  if (a.from.join() !== b.from.join()) return 'receive.from'
  return opensTickets(one, other) && opensTickets(other, one) ? null : 'key'
}

/** True if one opens the tickets that the other seals now. */
function opensTickets (one: SessionDefinition, other: SessionDefinition): boolean {
  const [a, b] = [one, other].map(({ handOverKeys }) => handOverKeys) as [HandOverKeys, HandOverKeys]
  const nowMs = one.context.now()
  return a.sealedWithRing === b.sealedWithRing && a.tickets.find(b.tickets.sealing(nowMs).id, nowMs) !== undefined
}

function receiverOf ({ options }: SessionDefinition): ResolvedReceiver {
  return options.handOver?.receive as ResolvedReceiver
}

/** The session that a call names, or the first one with this end of `handOver`. */
function definitionFor (
  definitions: readonly SessionDefinition[], end: 'send' | 'receive', options: Input, where: string
): SessionDefinition {
  const name = options['sessionName']
  const found = name === undefined
    ? definitions.find(({ options }) => options.handOver?.[end] != null)
    : named(definitions, name as string)
  if (found?.options.handOver?.[end] != null) return found
  throw invalid(`${where} needs the option "handOver.${end}"` +
    (found === undefined ? '; no session of this scope has it' : ` of session "${found.sessionName}"`))
}

/** `reply.handOver`. */
function send (definitions: readonly SessionDefinition[], reply: FastifyReply, options: unknown): FastifyReply {
  const { sessionName, ...call } = isObject(options) ? options : {} as Input
  const definition = definitionFor(definitions, 'send', { sessionName }, SEND)
  const session = unwrap(contextOf(reply.request).open(definition)) as Session
  const made = makeTicket(definition, session, reply.request, call, SEND)
  if (made === null) return sendRefusal(reply)
  const answer = (): FastifyReply => sendForm(reply, made.to, { ...made.fields })
  if (definition.revocation === null) return answer()
  isActive(definition, session, reply.request).then(
    active => { if (!reply.sent) active ? answer() : sendRefusal(reply) },
    error => { if (!reply.sent) reply.send(error) })
  return reply
}

/** `reply.beginHandOver`. */
function begin (definitions: readonly SessionDefinition[], reply: FastifyReply, options: unknown): FastifyReply {
  if (!isObject(options)) {
    throw invalid(`${BEGIN} takes an object such as { then: '/account' }; found ${describe(options)}`)
  }
  refuseUnknown(options, ['from', 'then', 'sessionName'], `${BEGIN}: option`)
  const definition = definitionFor(definitions, 'receive', options, BEGIN)
  const { request } = reply
  const { at, from, then } = receiverOf(definition)
  const sender = senderFor(options['from'], from)
  // It may come from a query, so it is no mistake of the app.
  const path = shortSitePath(options['then']) ?? then
  const flow = { nonce: newNonce(), fromIndex: sender, then: path, begunAtMs: definition.context.now() }
  putFlows(definition, reply, [...flowsIn(definition, request), flow])
  const url = withParameters(from[sender] as string, { to: at, flow: flowIdOf(flow.nonce) })
  return reply.header('cache-control', 'no-store').redirect(url, 303)
}

/** The index of a sender in the option. */
function senderFor (wanted: unknown, from: readonly string[]): number {
  if (wanted === undefined && from.length === 1) return 0
  const index = from.indexOf(canonicalUrl(wanted) ?? '')
  if (index !== -1) return index
  throw invalid(`${BEGIN}: "from" must be a URL of the option "handOver.receive.from", which has ${from.length}; ` +
    `found ${describe(wanted)}`)
}

function flowsIn (definition: SessionDefinition, request: FastifyRequest): Flow[] {
  const { at, flowName } = receiverOf(definition)
  const { flows } = definition.handOverKeys as HandOverKeys
  return openFlows(cookieValues(request.raw.headers.cookie, flowName), flows as TokenKeys, at, definition.context.now())
}

/** Sets the cookie with the flows of this browser; clears it where there are none. */
function putFlows (definition: SessionDefinition, reply: FastifyReply, flows: readonly Flow[]): void {
  const { at, flowName } = receiverOf(definition)
  const keys = (definition.handOverKeys as HandOverKeys).flows as TokenKeys
  const isSecure = at.startsWith('https:')
  const lines = new CookieLines({ ...FLOW_ATTRIBUTES, secure: isSecure })
  putSetCookies(reply, [flows.length === 0
    ? lines.clear(flowName, isSecure)
    : lines.set(flowName, sealFlows(flows, keys, at, definition.context.now()), isSecure, maxAge(FLOW_MS / SECOND_MS))])
}

/** The receiver's route. */
async function receive (definition: SessionDefinition, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { at, refused } = receiverOf(definition)
  const isPost = request.method === 'POST'
  const form = isPost ? await formOf(request) : queryOf(request)
  // So that the server reads no more of it. HTTP/2 has no such header, and its flow control stops the client.
  if (form === null && request.raw.httpVersionMajor < 2) reply.header('connection', 'close')
  const fields = form === null ? null : fieldsIn(form)
  if (fields !== null && !(isPost && fields.isRepeated)) {
    // The post of another site brings no cookies. The page repeats it as one of this site, which does.
    const { ticket, flow } = fields
    sendForm(reply, at, { ticket, flow, repeated: '1' })
    return
  }
  const taken = fields === null ? 'no-ticket' : await take(definition, request, fields)
  // The app may have replied during the await, for example by a timeout.
  if (reply.sent) return
  reply.header('cache-control', 'no-store')
  if (typeof taken !== 'string') {
    const { flow, session, values, opened } = taken
    session.takeOver(values, opened)
    putFlows(definition, reply, flowsIn(definition, request).filter(({ nonce }) => nonce !== flow.nonce))
    reply.redirect(flow.then, 303)
    return
  }
  logHandOverRefused(definition, taken, request.log)
  if (refused === null) sendRefusal(reply)
  else reply.redirect(refused, 303)
}

interface SentFields extends HandOverFields {
  /** The page of the receiver has sent them. Anyone can send this field. Only the cookie proves anything. */
  readonly isRepeated: boolean
}

function fieldsIn (form: URLSearchParams): SentFields | null {
  const [ticket, flow] = [form.get('ticket') ?? '', form.get('flow')]
  return TICKET.test(ticket) && isFlowId(flow) ? { ticket, flow, isRepeated: form.get('repeated') === '1' } : null
}

function queryOf ({ url }: FastifyRequest): URLSearchParams {
  return new URLSearchParams(url.slice(url.indexOf('?') + 1))
}

/** Empty for what is no form; null as soon as it is too long. */
async function formOf ({ raw }: FastifyRequest): Promise<URLSearchParams | null> {
  if (Number(raw.headers['content-length'] ?? 0) > MOST_FORM_BYTES) return null
  const chunks: Buffer[] = []
  let bytes = 0
  await new Promise<void>(resolve => {
    finished(raw, { writable: false }, () => { resolve() })
    raw.on('data', function read (chunk: Buffer) {
      bytes += chunk.length
      chunks.push(chunk)
      if (bytes <= MOST_FORM_BYTES) return
      raw.off('data', read).pause()
      resolve()
    })
  })
  return bytes > MOST_FORM_BYTES ? null : new URLSearchParams(Buffer.concat(chunks).toString('latin1'))
}

/** What a ticket was taken for. */
interface Taken {
  readonly flow: Flow
  /** The session of the request. */
  readonly session: Session
  readonly values: SessionRecord
  /** Its dates are those of the session of the sender. */
  readonly opened: OpenedTicket
}

/** Opens a ticket, and uses it up. */
async function take (
  definition: SessionDefinition, request: FastifyRequest, { ticket, flow: flowId }: HandOverFields
): Promise<Taken | HandOverRefusal> {
  const { context: { now }, revocation } = definition
  const { at, from, accept } = receiverOf(definition)
  const flow = flowsIn(definition, request).find(({ nonce }) => flowIdOf(nonce) === flowId)
  const sender = flow === undefined ? undefined : from[flow.fromIndex]
  if (flow === undefined || sender === undefined) return 'unknown-flow'
  const { tickets, sealedWithRing } = definition.handOverKeys as HandOverKeys
  if (sealedWithRing) await seekKeyOf(definition, ticket)
  const opened = openTicket(ticket, tickets, { from: sender, to: at, flowId }, now())
  if ('ok' in opened) return opened.reason
  const { id, madeAtMs, expiresAtMs, values } = opened
  const refusal = refusalOfLogin(definition, opened)
  if (refusal !== null) return refusal
  // It is used up last: where the session or the store cannot be known, the browser may try again.
  const session = unwrap(contextOf(request).open(definition)) as Session
  const accepted = accept === null ? values : await accept(values, request as never)
  if (accepted === null) return 'not-accepted'
  if (!isObject(accepted) || !isOfNoClass(accepted)) {
    throw invalid('option "handOver.receive.accept" must return the values of the session, a plain object, or null ' +
      `to refuse; found ${isObject(accepted) ? 'an instance of a class' : describe(accepted)}`)
  }
  // A later revocation ends the new session, which is as old as that of the sender.
  if (await isRevoked(definition, accepted, opened)) return 'revoked'
  if (revocation !== null && !await revocation.useUp(id, madeAtMs, expiresAtMs)) return 'used'
  return { flow, session, values: accepted, opened }
}

/** The login at the other site was too long ago for this one, or its clock is ahead. */
function refusalOfLogin (
  { context: { limits, now } }: SessionDefinition, { createdAtMs, authenticatedAtMs }: OpenedTicket
): HandOverRefusal | null {
  const nowMs = now()
  const times = { createdAtMs, authenticatedAtMs, renewedAtMs: nowMs }
  return refusalByTime(times, limits, nowMs)?.reason ?? null
}

/** All sessions of the user were revoked after the session of the sender began. */
async function isRevoked (
  { context, revocation }: SessionDefinition, values: SessionRecord, opened: OpenedTicket
): Promise<boolean> {
  if (revocation === null) return false
  const session = new Session(context, NO_OBSERVER, null)
  session.takeOver(values, opened)
  const subject = session.subject()
  return isUser(subject) && await revocation.knownRevokedBefore(keyOf(subject)) >= opened.createdAtMs
}
