import fp = require('fastify-plugin')
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { invalid } from '../checks'
import { refuseCollisions, resolveOptions } from '../options/options'
import { CAN_WRITE, TOKENS_OF, type TokensOf } from '../write-hooks'
import type { SecureSessionOptions } from '../../types/fastify'
import { addGuards } from '../guard/scope'
import { decorateApp } from './app-api'
import { registerCookies } from './cookie-plugin'
import { defineSession, named, type SessionDefinition } from './definition'
import { addExchanges, addReloadPage, exchangeOf } from './device-bound'
import { cookieSigner, openKeys, type SessionKeys } from './keys'
import { warnOverBudget } from './log'
import { addReceivers, decorateReplies } from './hand-over'
import { discard, holdErrors } from './reply'
import type { ReplyWriter } from './reply-writer'
import { CONTEXT, contextOf, type RequestContext } from './request-context'
import { hasTenants } from './request-tenants'
import { resume, resumeAfter } from './resume'
import { checkRouteConfigs } from './route-config'
import { refuseSiblingClash } from './sibling-scopes'
import { defineTenants, findTenants } from './tenant-definition'
import { openFor, sealFor } from './tokens'
import { seekUnknownKeys } from './unknown-keys'

/** The sessions of an app's scope, for registrations in inner scopes. */
const DEFINITIONS = Symbol('fastify-sealed-session.definitions')

/** Plugins that name it among their dependencies work with this one. */
const TAKES_THE_PLACE_OF = '@fastify/secure-session'

function definitionsAt (scope: object): readonly SessionDefinition[] {
  return (scope as { [DEFINITIONS]?: readonly SessionDefinition[] })[DEFINITIONS] ?? []
}

export async function registerSessions (app: FastifyInstance, options: SecureSessionOptions): Promise<void> {
  const outer = definitionsAt(app)
  if (Object.hasOwn(app, DEFINITIONS)) {
    throw invalid('the plugin is registered in this scope already: give one registration an array of options')
  }
  const now = (): number => Date.now()
  const resolved = resolveOptions(options, now(), app.prefix)
  const sessions = [...outer, ...resolved].map(({ options }) => options)
  refuseCollisions(sessions)
  warnOverBudget(app, sessions)

  for (const { options: { sessionName } } of resolved) {
    if (app.hasRequestDecorator(sessionName)) {
      throw invalid(`option "sessionName": a request has a property "${sessionName}" already`)
    }
  }

  const own: SessionDefinition[] = []
  for (const one of resolved) {
    for (const warning of one.options.warnings) app.log.warn({ session: one.options.sessionName }, warning)
    const keys = await openKeys(app, one, now)
    if (own.length === 0) await registerCookies(app, keys === null ? undefined : cookieSigner(keys.keyring, now))
    const index = outer.length + own.length
    own.push(one.tenants === null
      ? await defineSession(one, keys as SessionKeys, index, now, app.log)
      : await defineTenants(app, one, keys, index, now))
  }

  refuseSiblingClash(app, own, outer, now())
  await app.register(fp(async () => {}, { name: TAKES_THE_PLACE_OF }))
  const all = [...own, ...outer]
  app.decorate(DEFINITIONS, all)
  decorateApp(app, all)
  addGuards(app, all)
  attach(app, own)
}

/** Gives requests their sessions, and replies their cookies. */
function attach (app: FastifyInstance, definitions: readonly SessionDefinition[]): void {
  // A registration in an inner scope shares the hooks of the outer one.
  if (!app.hasRequestDecorator(CONTEXT)) addHooks(app)
  const deviceBound = definitions.filter(({ options }) => options.deviceBound !== null)
  findTenants(app, definitions)
  seekUnknownKeys(app, definitions, (request, ofTenants) => contextOf(request).definitionsOf(ofTenants))
  if (deviceBound.length > 0) addReloadPage(app, deviceBound)
  preload(app, definitions)
  if (deviceBound.length > 0) addExchanges(app, deviceBound)
  addReceivers(app, definitions)
  for (const definition of definitions) {
    const { sessionName } = definition.options
    app.decorateRequest(sessionName, {
      getter (this: FastifyRequest) {
        return contextOf(this).read(definition)
      },
      // Without a setter, an assignment in sloppy mode would be ignored.
      setter () {
        throw invalid(`request.${sessionName} cannot be assigned: change it with set(), regenerate() or delete()`)
      }
    })
  }
}

function addHooks (app: FastifyInstance): void {
  checkRouteConfigs(app)
  app.decorateRequest(CONTEXT, null)
  app.decorateRequest(CAN_WRITE, function canWrite (this: FastifyRequest): boolean {
    return contextOf(this).writer.canWrite
  })
  app.decorateRequest(TOKENS_OF, function tokensOf (this: FastifyRequest, sessionName) {
    const all = (this.server as { [DEFINITIONS]?: readonly SessionDefinition[] })[DEFINITIONS] as SessionDefinition[]
    const definition = named(all, sessionName)
    // A request of no tenant has no keys: the definition of the app says so.
    const own = [contextOf(this).definitionOf(definition), definition].filter(one => one !== null).slice(0, 1)
    return {
      sealToken: (purpose, data, options) => sealFor(own, purpose, data, options),
      openToken: async (purpose, token, options) => await openFor(own, purpose, token, options) as never
    }
  } as TokensOf)
  app.decorateReply('commitSession', function commitSession (this: FastifyReply): string[] {
    return contextOf(this.request).writer.commitEarly(this)
  })
  decorateReplies(app, definitionsAt)

  app.addHook('onRequest', function attachReply (request, reply, done) {
    contextOf(request).writer.attach(reply)
    done()
  })

  app.addHook('onSend', function commitSessions (request, reply, payload, done) {
    const { writer } = contextOf(request)
    const run = writer.beginRun()
    const revoking = writer.revokeBeforeSend()
    if (revoking === null) commit(writer, reply, payload, done)
    else commitAfter(revoking, writer, run, reply, payload, done)
  })

  app.addHook('onError', function noteError (request, _reply, _error, done) {
    contextOf(request).writer.isFailing = true
    done()
  })
}

type Done = (error: Error | null, payload?: unknown) => void

function commit (writer: ReplyWriter, reply: FastifyReply, payload: unknown, done: Done): void {
  let sent: unknown
  try {
    writer.commit(reply)
    sent = writer.setCacheHeaders(reply, payload)
  } catch (error) {
    return fail(error as Error, payload, done)
  }
  done(null, sent)
}

function commitAfter (
  revoking: Promise<unknown>, writer: ReplyWriter, run: number, reply: FastifyReply, payload: unknown, done: Done
): void {
  holdErrors(payload)
  const proceed = (work: () => void): void => {
    // Meanwhile an error may have been answered, such as Fastify's own timeout of the handler.
    if (writer.isLatest(run) && !reply.sent && !reply.raw.headersSent) resume(reply, work, done)
    else discard(payload)
  }
  revoking.then(
    () => { proceed(() => { commit(writer, reply, payload, done) }) },
    error => { proceed(() => { fail(error, payload, done) }) })
}

function fail (error: Error, payload: unknown, done: Done): void {
  discard(payload)
  done(error)
}

/** Loads the sessions that need a store or an opener that returns promises: `request.session` cannot wait. */
function preload (app: FastifyInstance, definitions: readonly SessionDefinition[]): void {
  const waiting = definitions.filter(({ revocation, legacyCookies }) => {
    return revocation !== null || legacyCookies.some(({ immediate }) => !immediate)
  })
  if (waiting.length === 0) return
  const preloadIn = waiting.some(hasTenants)
    ? (context: RequestContext) => context.preload(context.definitionsOf(waiting))
    : (context: RequestContext) => context.preload(waiting)
  app.addHook('onRequest', function preloadSessions (request, reply, done) {
    // The two routes load the session themselves, because there it needs neither a pass nor a proof.
    const isPreloaded = request.routeOptions.config.session !== false && exchangeOf(request) === undefined
    const loading = isPreloaded ? preloadIn(contextOf(request)) : null
    if (loading === null) done()
    else resumeAfter(loading, reply, done)
  })
}
