import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import {
  badRequest, endAnswer, parseIdentifier, parseRegistration, refresh, register, routePath, unavailable, type Answer,
  type ExchangeRules, type RouteName, type Unavailable
} from '../bound/exchange'
import { initiatorOf } from '../bound/initiator'
import { isUnproven } from '../bound/status'
import { openDeviceKey } from '../bound/tokens'
import { invalid } from '../checks'
import { cookieValues } from '../cookies/header'
import { maxAge } from '../cookies/lines'
import type { TokenKeys } from '../core/token'
import { StoreUnavailableError } from '../errors'
import { about, bound } from '../events'
import type { ResolvedDeviceBound } from '../options/device-bound'
import { keyOfId } from '../revocation/keys'
import type { OpenedSession } from '../session/opened'
import type { ExchangeKeys, SessionDefinition } from './definition'
import { headerSource, openSealed, type Candidates } from './load'
import { putSetCookies } from './reply'
import { contextOf } from './request-context'
import { resume } from './resume'
import { sessionsOfAllScopes } from './sibling-scopes'
import type { BindingStep, EndedBecause } from '../../types/events'
import { mayOpenLater } from './unknown-keys'
import { logRevoked } from './verified-log'
import { isRefused, verify, type VerifiedSession } from './verify'

/** Device bound sessions: the two routes that browsers call by themselves, and the reload page. */

type Exchange = (request: FastifyRequest, reply: FastifyReply) => Promise<void>

/** In the config of the two routes: what answers them. */
export const EXCHANGE = Symbol('fastify-sealed-session.exchange')

/** The exchange of a request for one of the two routes. */
export function exchangeOf (request: FastifyRequest): Exchange | undefined {
  return (request.routeOptions.config as { [EXCHANGE]?: Exchange })[EXCHANGE]
}

/**
 * Adds the two routes. A hook of the plugin answers them. So hooks, guards and body parsers that the app adds later do
 * not run for them, such as a check of CSRF tokens.
 */
export function addExchanges (app: FastifyInstance, definitions: readonly SessionDefinition[]): void {
  for (const definition of definitions) addRoutes(app, definition)
  app.addHook('onRequest', function answerExchange (request, reply, done) {
    const exchange = exchangeOf(request)
    if (exchange === undefined) done()
    else exchange(request, reply).catch(error => { resume(reply, () => { done(error) }, done) })
  })
}

function addRoutes (app: FastifyInstance, definition: SessionDefinition): void {
  const { path } = definition.options.deviceBound as ResolvedDeviceBound
  if (hasRoutes(app, definition, path)) return
  for (const routeName of ['register', 'refresh'] as const) {
    const answer = ANSWERS[routeName]
    const exchange: Exchange = async (request, reply) => {
      const own = contextOf(request).definitionOf(definition)
      const result = own === null ? OF_NO_TENANT : await answer(own, request)
      // Meanwhile the app may have answered, such as by a timeout.
      if (!reply.sent) sendAnswer(own ?? definition, result, request, reply)
    }
    app.route({
      method: 'POST',
      url: routePath(path, routeName).slice(app.prefix.replace(/\/$/, '').length),
      config: { rateLimit: false, [EXCHANGE]: exchange } as object,
      schema: { hide: true } as object,
      handler: exchange
    })
  }
}

/** Another scope of the app has added the routes of this session. */
function hasRoutes (app: FastifyInstance, definition: SessionDefinition, path: string): boolean {
  const others = sessionsOfAllScopes(app).filter(other => other !== definition)
  const twin = others.find(({ options }) => options.deviceBound?.path === path)
  if (twin === undefined) return false
  refuseSharedPath(definition, twin, path)
  return app.hasRoute({ method: 'POST', url: routePath(path, 'register') })
}

/** Throws FST_SESSION_INVALID_OPTION where the two are not the same session in two scopes. */
function refuseSharedPath (
  { options: { cookieName }, lines: { scope } }: SessionDefinition, twin: SessionDefinition, path: string
): void {
  if (twin.options.cookieName === cookieName && twin.lines.scope === scope) return
  throw invalid(`option "deviceBound.path": session "${twin.sessionName}" also uses "${path}". Set a different ` +
    '"deviceBound.path" for each session')
}

/** An answer to a browser. */
interface ExchangeResult {
  readonly answer: Answer
  /** The session that the request sent; null for none. */
  readonly opened: OpenedSession | null
  readonly pass: SentPass
}

/** Which pass was sent beside the session: its own, so that this is its first refresh, another one, or none. */
type SentPass = 'own' | 'other' | null

const ANSWERS: Readonly<Record<RouteName, typeof answerRegistration>> = {
  register: answerRegistration,
  refresh: answerRefresh
}

async function answerRegistration (definition: SessionDefinition, request: FastifyRequest): Promise<ExchangeResult> {
  const { headers } = request.raw
  const jwt = parseRegistration(headers)
  if (!('jti' in jwt)) return withoutSession(jwt)
  const loaded = await loadForExchange(definition, request, hasItsPass)
  if (loaded === null) return withoutSession(badRequest('there is no session'))
  if ('kind' in loaded) return withoutSession(loaded)
  const { verified, verified: { opened }, pass } = loaded
  const answer = isRefused(verified) || pass !== 'own'
    ? badRequest('there is no session with its pass')
    : register(rulesOf(definition), jwt, opened.mark as Buffer, definition.context.now())
  return { answer, opened, pass }
}

async function answerRefresh (definition: SessionDefinition, request: FastifyRequest): Promise<ExchangeResult> {
  const { exchangeKeys, options, context: { now } } = definition
  const { headers } = request.raw
  const identifier = parseIdentifier(headers)
  if (typeof identifier !== 'string') return withoutSession(identifier)
  const device = openDeviceKey(identifier, (exchangeKeys as ExchangeKeys).device, now())
  if (device === null) {
    return withoutSession(mayOpenLater(definition, identifier) ? KEY_UNKNOWN : endAnswer(identifier, 'unknown-device'))
  }
  const isOfDevice = ({ mark }: OpenedSession): boolean => mark !== null && mark.equals(device.mark)
  const loaded = await loadForExchange(definition, request, isOfDevice)
  if (loaded === null) {
    // A refresh that another site caused is sent without the session.
    const mayBeMissing = (options.deviceBound as ResolvedDeviceBound).refreshInitiators.length > 0
    return withoutSession(mayBeMissing
      ? refresh(rulesOf(definition), identifier, device, headers, now())
      : endAnswer(identifier, 'no-session'))
  }
  if ('kind' in loaded) return withoutSession(loaded)
  const { verified, verified: { opened }, isWanted, pass } = loaded
  if (!isWanted) return { answer: endAnswer(identifier, 'other-session'), opened, pass }
  const answer = isRefused(verified)
    ? endAnswer(identifier, 'revoked')
    : refresh(rulesOf(definition), identifier, device, headers, now())
  return { answer, opened, pass }
}

function withoutSession (answer: Answer): ExchangeResult {
  return { answer, opened: null, pass: null }
}

const OF_NO_TENANT = withoutSession(badRequest('the request is of no tenant'))
const KEY_UNKNOWN = unavailable('the keyring could not be read for a key that is not known')
const STORE_UNAVAILABLE = unavailable('the revocation store is unavailable')

/** Where no proof was opened. */
function hasItsPass ({ binding }: OpenedSession): boolean {
  return binding !== null && binding.kind === 'unbound'
}

/** The session of a request for one of the two routes. */
interface LoadedSession {
  readonly verified: VerifiedSession
  readonly isWanted: boolean
  readonly pass: SentPass
}

/**
 * The session that the request sent: the first that is wanted, or else the newest; null for none. No pass or proof is
 * required, and the session is not renewed.
 */
async function loadForExchange (
  definition: SessionDefinition, request: FastifyRequest, isWanted: (opened: OpenedSession) => boolean
): Promise<LoadedSession | Unavailable | null> {
  const { raw, raw: { headers }, log } = request
  // No proof is required here, so none is opened.
  const sessions = openSealed({ ...definition, proofKeys: null }, headerSource(raw), definition.context.now(), log)
  const wanted = sessions.find(isWanted)
  const tokens = wanted === undefined ? cookieValues(headers.cookie, definition.options.cookieName) : []
  if (tokens.some(token => mayOpenLater(definition, token))) return KEY_UNKNOWN
  const session = wanted ?? sessions[0]
  if (session === undefined) return null
  // The binding is removed: these routes set and clear the pass and the proof themselves.
  const candidates: Candidates = {
    sessions: [{ ...session, binding: null }], legacy: null, legacySettings: [], cameIn: 'cookie'
  }
  try {
    const verified = await verify(definition, candidates, headers, 'when-due')
    logRevoked(definition, verified, log)
    contextOf(request).setVerified(definition, verified)
    const isPassSent = cookieValues(headers.cookie, definition.passName).length > 0
    return { verified, isWanted: session === wanted, pass: hasItsPass(session) ? 'own' : isPassSent ? 'other' : null }
  } catch (error) {
    if (error instanceof StoreUnavailableError) return STORE_UNAVAILABLE
    throw error
  }
}

function rulesOf (definition: SessionDefinition): ExchangeRules {
  const { proofName, proofKeys, exchangeKeys, bindingLines, proofForMs, options: { deviceBound } } = definition
  const { path, site, refreshInitiators } = deviceBound as ResolvedDeviceBound
  return {
    keys: { proof: proofKeys as TokenKeys, ...exchangeKeys as ExchangeKeys },
    path,
    proofForMs,
    proofName,
    attributes: bindingLines.attributesOverTls,
    site,
    refreshInitiators
  }
}

function sendAnswer (
  definition: SessionDefinition, { answer, opened, pass }: ExchangeResult, request: FastifyRequest,
  reply: FastifyReply
): FastifyReply {
  const { proofName, passName, bindingLines } = definition
  reply.header('cache-control', 'no-store')
  if ('challenge' in answer) reply.header('secure-session-challenge', answer.challenge)
  if ('proof' in answer) {
    putSetCookies(reply, [bindingLines.set(proofName, answer.proof, true, maxAge(answer.maxAgeS))])
  }
  if ('reason' in answer) {
    request.log.debug({ session: definition.sessionName, answer: answer.kind, reason: answer.reason },
      'a registration or refresh was answered without a proof')
  }
  switch (answer.kind) {
    case 'registered':
      publishStep(definition, opened, 'registered')
      return reply.type('application/json').send(answer.body)
    case 'proof-issued':
      // From the first refresh on, only the key proves the session.
      if (pass !== null) putSetCookies(reply, [bindingLines.clear(passName, true)])
      publishStep(definition, opened, pass === 'own' ? 'bound' : 'proven')
      return reply.code(204).send()
    case 'ended':
      publishStep(definition, opened, 'ended', answer.reason)
      return reply.type('application/json').send(answer.body)
    case 'challenged': return reply.code(403).send()
    case 'bad-request': return reply.code(400).send()
    case 'unavailable': return reply.code(503).send()
  }
}

function publishStep (
  { sessionName, tenant }: SessionDefinition, opened: OpenedSession | null, step: BindingStep,
  why: EndedBecause | null = null
): void {
  if (!bound.hasSubscribers) return
  bound.publish({ ...about(sessionName, tenant), id: opened === null ? null : keyOfId(opened.id.text), step, why })
}

/**
 * `Refresh: 0` navigates to the document's URL. If that has a fragment, the browser only scrolls. So the script changes
 * the document's URL first; the navigation then loads the original one. `location.reload()` does not work: in Firefox
 * it is a request from the other site again, so it would loop.
 */
const RELOAD_SCRIPT = 'if (location.href.includes("#")) history.replaceState(null, "", (location.search || "?") + "&")'
/** The link is for browsers that run no scripts. It has no fragment. */
const RELOAD_PAGE = `<!doctype html><meta charset="utf-8"><title>One moment</title><script>${RELOAD_SCRIPT}</script>` +
  '<a href="">One moment</a>\n'
const RELOAD_HEADERS = {
  refresh: '0',
  'cache-control': 'no-store',
  'content-type': 'text/html; charset=utf-8',
  // In place of a policy of the app, which may forbid the script.
  'content-security-policy':
    `default-src 'none'; script-src 'sha256-${createHash('sha256').update(RELOAD_SCRIPT).digest('base64')}'`
}

/**
 * Browsers do not sign before a navigation that another site started. So the reload page answers it, before any
 * handler: it navigates to the same URL at once. That second request is of the origin itself, so the browser signs
 * first. It never gets the reload page.
 */
export function addReloadPage (app: FastifyInstance, definitions: readonly SessionDefinition[]): void {
  app.addHook('onRequest', function reloadPage (request, reply, done) {
    const mayNeedProof = isNavigationWithoutOwnOrigin(request)
    if (!mayNeedProof || !contextOf(request).definitionsOf(definitions).some(own => needsProof(own, request))) {
      done()
      return
    }
    reply.headers(RELOAD_HEADERS).send(RELOAD_PAGE)
  })
}

function isNavigationWithoutOwnOrigin ({ method, raw: { headers }, routeOptions }: FastifyRequest): boolean {
  if (headers['sec-fetch-mode'] !== 'navigate' || method !== 'GET' || headers.cookie === undefined) return false
  const initiator = initiatorOf(headers)
  if (initiator === 'unknown' || initiator === 'origin' || headers['secure-session-skipped'] !== undefined) return false
  return routeOptions.config.session !== false
}

/**
 * The newest session is unproven, and no proof was sent: a browser that has one, also one that is over, does not sign,
 * or the cookies are a copy. What does not open is no proof: a subdomain can set it.
 */
function needsProof (definition: SessionDefinition, request: FastifyRequest): boolean {
  if (cookieValues(request.raw.headers.cookie, definition.options.cookieName).length === 0) return false
  const binding = contextOf(request).peek(definition)?.binding ?? null
  return isUnproven(binding) && !binding.hasProof
}
