import fp = require('fastify-plugin')
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { invalid } from '../checks'
import { refuseCollisions, resolveOptions } from '../options/options'
import type { SecureSessionOptions } from '../../types/fastify'
import { controlOf } from './control'
import { registerCookies } from './cookie-plugin'
import { defineSession, type SessionDefinition } from './definition'
import { addGuards } from './guarded-routes'
import { decorateOutsideRequest } from './outside-request'
import { cookieSigner, openKeys } from './keys'
import { discard, holdErrors } from './reply-headers'
import { HELD, sessionsOf, type RequestSessions } from './request-sessions'
import { resume, resumeAfter } from './resume'
import { checkRouteConfigs } from './route-config'
import { refuseSiblingClash } from './sibling-scopes'
import { seekUnknownKeys } from './unknown-keys'
import { warnOverBudget } from './warnings'

/** All sessions that an app and its scopes have so far, where a registration in an inner scope finds them. */
const DEFINITIONS = Symbol('fastify-sealed-session.definitions')

/** Plugins of an app that named it among their dependencies find what they need here. */
const TAKES_THE_PLACE_OF = '@fastify/secure-session'

export async function secureSession (app: FastifyInstance, options: SecureSessionOptions): Promise<void> {
  const outer = (app as { [DEFINITIONS]?: readonly SessionDefinition[] })[DEFINITIONS] ?? []
  if (Object.hasOwn(app, DEFINITIONS)) throw invalid('the plugin is registered in this scope already: give one registration an array of options')
  const now = (): number => Date.now()
  const resolved = resolveOptions(options, now())
  const sessions = [...outer, ...resolved].map(({ options }) => options)
  refuseCollisions(sessions)
  warnOverBudget(app, sessions)

  for (const { options: { sessionName } } of resolved) {
    if (app.hasRequestDecorator(sessionName)) throw invalid(`option "sessionName": a request has a property "${sessionName}" already`)
  }

  const own: SessionDefinition[] = []
  for (const one of resolved) {
    for (const warning of one.options.warnings) app.log.warn({ session: one.options.sessionName }, warning)
    const keys = await openKeys(app, one, now)
    if (own.length === 0) await registerCookies(app, cookieSigner(keys.keyring, now))
    own.push(await defineSession(one, keys, outer.length + own.length, now, app.log))
  }

  refuseSiblingClash(app, own, outer, now())
  await app.register(fp(async () => {}, { name: TAKES_THE_PLACE_OF }))
  const all = [...own, ...outer]
  app.decorate(DEFINITIONS, all)
  app.decorate('secureSession', controlOf(all, app))
  decorateOutsideRequest(app, all)
  addGuards(app, all)
  attach(app, own)
}

/** Gives requests their sessions, and replies their cookies. */
function attach (app: FastifyInstance, definitions: readonly SessionDefinition[]): void {
  // A registration in an inner scope shares what the outer one set up.
  if (!app.hasRequestDecorator(HELD)) addHooks(app)
  seekUnknownKeys(app, definitions)
  askBeforehand(app, definitions)
  for (const definition of definitions) {
    const { sessionName } = definition.options
    app.decorateRequest(sessionName, {
      getter (this: FastifyRequest) {
        return sessionsOf(this).read(definition)
      },
      // Without it, an assignment would be lost in silence where code is not strict.
      setter () {
        throw invalid(`request.${sessionName} cannot be assigned: change it with set(), regenerate() or delete()`)
      }
    })
  }
}

function addHooks (app: FastifyInstance): void {
  checkRouteConfigs(app)
  app.decorateRequest(HELD, null)
  app.decorateReply('commitSession', function commitSession (this: FastifyReply): string[] {
    return sessionsOf(this.request).commitEarly(this)
  })

  app.addHook('onRequest', function holdReply (request, reply, done) {
    sessionsOf(request).attach(reply)
    done()
  })

  app.addHook('onSend', function commitSessions (request, reply, payload, done) {
    const sessions = sessionsOf(request)
    const pass = sessions.beginPass()
    const settling = sessions.settle()
    if (settling === null) commit(sessions, reply, payload, done)
    else commitAfter(settling, sessions, pass, reply, payload, done)
  })

  app.addHook('onError', function noteError (request, _reply, _error, done) {
    sessionsOf(request).isFailing = true
    done()
  })
}

type Done = (error: Error | null, payload?: unknown) => void

function commit (sessions: RequestSessions, reply: FastifyReply, payload: unknown, done: Done): void {
  let sent: unknown
  try {
    sessions.commit(reply)
    sent = sessions.tellCaches(reply, payload)
  } catch (error) {
    return fail(error as Error, payload, done)
  }
  done(null, sent)
}

function commitAfter (
  settling: Promise<unknown>, sessions: RequestSessions, pass: number, reply: FastifyReply, payload: unknown, done: Done
): void {
  holdErrors(payload)
  const proceed = (work: () => void): void => {
    // Meanwhile an error may have been answered, such as Fastify's own timeout of the handler.
    if (sessions.isLatest(pass) && !reply.sent && !reply.raw.headersSent) resume(reply, work, done)
    else discard(payload)
  }
  settling.then(
    () => { proceed(() => { commit(sessions, reply, payload, done) }) },
    error => { proceed(() => { fail(error, payload, done) }) })
}

function fail (error: Error, payload: unknown, done: Done): void {
  discard(payload)
  done(error)
}

/**
 * Whether a session is over, and some openers of old cookies, can only be asked and waited for; `request.session` itself
 * cannot wait. A route that needs no session says so, and then nobody is asked.
 */
function askBeforehand (app: FastifyInstance, definitions: readonly SessionDefinition[]): void {
  const asking = definitions.filter(({ revocation, formerCookies }) => revocation !== null || formerCookies.some(({ immediate }) => !immediate))
  if (asking.length === 0) return
  app.addHook('onRequest', function askWhoMustBe (request, reply, done) {
    const waiting = request.routeOptions.config.session === false ? null : sessionsOf(request).prepare(asking)
    if (waiting === null) done()
    else resumeAfter(waiting, reply, done)
  })
}
