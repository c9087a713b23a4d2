'use strict'

/** The app of a server under hostile requests, built from settings that are plain data. */

const { AsyncLocalStorage } = require('node:async_hooks')
const fastify = require('fastify')
const { end } = require('./hostile-endings.js')
const { look } = require('./hostile-looks.js')
const { runAtOnce, runSteps } = require('./hostile-steps.js')
const { keyringStore, opener, revocationStore, serializer, subject, when } = require('./hostile-stores.js')

const OWN_ERROR = /^(?:Type|Range|Reference|Syntax)Error$/

async function buildApp (settings, tellDefect) {
  const plugin = require(settings.package)
  const names = settings.sessions.map(({ name }) => name)
  const suspect = error => { if (isDefect(error, settings.package)) tellDefect(error.stack) }
  const context = { settings, plugin, names, suspect, current: new AsyncLocalStorage() }
  const app = fastify(serverOptions(context))
  if (settings.hooks.when === 'before') addHooks(app, context)
  if (settings.websocket) await app.register(require('@fastify/websocket'))
  if (settings.cookie) await app.register(require('@fastify/cookie'), { secret: 'a secret of the app' })
  await app.register(plugin, settings.sessions.map(session => sessionOptions(session, context)))
  if (settings.hooks.when === 'after') addHooks(app, context)
  addHandlers(app, context)
  addRoutes(app, context)
  return app
}

/** An error that no app and no store could have meant: one that JavaScript threw in a line of the package. */
function isDefect (error, folder) {
  if (!(error instanceof Error) || !OWN_ERROR.test(error.name) || error.code !== undefined) return false
  const [frame = ''] = error.stack.split('\n').filter(line => line.startsWith('    at '))
  return frame.includes(`${folder}/dist/`) || (error.name === 'RangeError' && error.stack.includes(`${folder}/dist/`))
}

function serverOptions (context) {
  const { settings: { fastify: options, logger, tls, http2, genReqId, frameworkErrors } } = context
  return {
    ...options,
    ...(http2 ? { http2: true } : {}),
    ...(tls === null ? {} : { https: { ...tls, ...(http2 ? { allowHTTP1: true } : {}) } }),
    logger: loggerOptions(context),
    ...(logger.controller === null ? {} : { logController: logController(logger.controller, context) }),
    ...(logger.childLook === null ? {} : { childLoggerFactory: childLoggerFactory(context) }),
    ...(genReqId ? { genReqId: raw => `${raw.headers['x-who'] ?? 'none'} ${raw.url.slice(0, 20)}` } : {}),
    ...(frameworkErrors === null ? {} : { frameworkErrors: frameworkErrorsHandler(context) })
  }
}

/** Fastify does not catch what it throws, so that the app does; but to look at the session needs no guard. */
function frameworkErrorsHandler (context) {
  const { settings: { frameworkErrors }, names, suspect } = context
  return (error, request, reply) => {
    suspect(error)
    look(request, 'get', names)
    try {
      handleError(context, frameworkErrors, error, request, reply)
    } catch (failure) {
      suspect(failure)
      if (!reply.sent) reply.send(failure)
    }
  }
}

/** All that is logged is thrown away, when it was made. */
function loggerOptions ({ settings: { logger }, names, current, suspect }) {
  const { level, req, res, err, mixin } = logger
  return {
    level,
    stream: { write () {} },
    serializers: {
      ...(req === null ? {} : { req: request => ({ seen: look(request, req, names) }) }),
      ...(res === null ? {} : { res: reply => ({ seen: look(reply.request, res, names) }) }),
      err: error => {
        suspect(error)
        return { seen: err === null ? [] : look(current.getStore(), err, names) }
      }
    },
    ...(mixin === null ? {} : { mixin: () => ({ seen: look(current.getStore(), mixin, names) }) })
  }
}

/** What it logs, and which of the arguments is the request. */
const LOG_METHODS = {
  incomingRequest: 0,
  requestCompleted: 1,
  defaultErrorLog: 1,
  streamError: 1,
  routeNotFound: 0,
  writeHeadError: 1,
  serializerError: 1
}

/** It looks at the session of each request of which it logs something. */
function logController (way, { names }) {
  const controller = new fastify.LogController()
  for (const [method, index] of Object.entries(LOG_METHODS)) {
    const log = controller[method]
    controller[method] = (...args) => {
      look(args[index], way, names)
      log.apply(controller, args)
    }
  }
  return controller
}

/** Child loggers with a serializer of their own. */
function childLoggerFactory ({ settings: { logger: { childLook } }, names, current }) {
  const req = request => ({ url: request.url, seen: look(current.getStore() ?? request, childLook, names) })
  return (logger, bindings, options) => {
    return logger.child(bindings, { ...options, serializers: { ...options.serializers, req } })
  }
}

function sessionOptions (session, { plugin, settings: { legacyKey } }) {
  const { name, options, revocation, legacy, keyring, hasSerializer, hasSubject } = session
  const openers = {
    opener,
    sealed: plugin.sealedOpener,
    'secure-session': given => plugin.secureSessionOpener({ key: legacyKey, ...given })
  }
  return {
    sessionName: name,
    ...options,
    ...(keyring === null ? {} : { keyring: keyringStore(keyring) }),
    ...(hasSerializer ? { serializer } : {}),
    ...(hasSubject ? { subject } : {}),
    ...(revocation === null ? {} : { revocation: revocationOptions(plugin, revocation) }),
    legacy: legacy.map(({ kind, options: given }) => openers[kind](given))
  }
}

function revocationOptions (plugin, { options, store }) {
  return { ...options, store: revocationStore(plugin, store) }
}

/** Hooks that keep to what the query says of them, and that leave the request where mixins find it. */
function addHooks (app, context) {
  const { settings: { hooks }, current } = context
  app.addHook('onRequest', (request, reply, done) => { current.run(request, done) })
  for (const name of hooks.names) app.addHook(name, hookOf(name, app, context))
}

function hookOf (name, app, context) {
  const { settings: { hooks }, names } = context
  const run = async (request, reply) => {
    if (hooks.look !== null) look(request, hooks.look, names)
    const steps = request.query?.[name]
    await runSteps(steps, { ...around(app, request, reply, context), hook: name })
    return typeof steps === 'string' && steps.includes('send')
  }
  switch (name) {
    // Fastify fails in some ways where a hook waits between a reply and its head, with no plugin at all.
    case 'onSend': return (request, reply, payload, done) => {
      try {
        if (hooks.look !== null) look(request, hooks.look, names)
        runAtOnce(request.query?.onSend, around(app, request, reply, context))
      } catch (error) {
        letGo(payload)
        throw error
      }
      done()
    }
    case 'preSerialization': return async (request, reply, payload) => { await run(request, reply); return payload }
    case 'onRequestAbort': return async request => { await run(request, undefined) }
    case 'onResponse':
    case 'onTimeout': return async (request, reply) => { await run(request, reply) }
    // A hook that sends says so by returning the reply.
    default: return async (request, reply) => await run(request, reply) ? reply : undefined
  }
}

/** A stream that will not be sent: nothing else listens to its errors. */
function letGo (payload) {
  payload?.on?.('error', () => {})
  payload?.destroy?.()
}

function around (app, request, reply, { settings }) {
  return { app, request, reply, query: request.query ?? {}, sessions: settings.sessions }
}

function addHandlers (app, context) {
  const { settings: { errorHandler, notFound }, suspect } = context
  const handler = (error, request, reply) => {
    suspect(error)
    return handleError(context, errorHandler.how, error, request, reply)
  }
  if (errorHandler?.style === 'plain') app.setErrorHandler(handler)
  if (errorHandler?.style === 'async') {
    app.setErrorHandler(async (error, request, reply) => await handler(error, request, reply))
  }
  // It must not wait: Fastify fails where another error comes meanwhile.
  app.addHook('onError', (request, reply, error, done) => {
    suspect(error)
    runAtOnce(request.query?.onError, around(app, request, reply, context))
    done()
  })
  if (!notFound) return
  app.setNotFoundHandler(async (request, reply) => {
    const seen = await runSteps(request.query?.handler, around(app, request, reply, context))
    reply.code(404)
    return await endAs(request, reply, seen)
  })
}

function logIn (session, who = 'someone') {
  session?.regenerate()
  session?.set('user', who)
}

function sendLater (reply) {
  setTimeout(() => { if (!reply.sent && !reply.raw.headersSent) reply.send('later') }, 5)
}

/** An error handler that does what the request's header x-error says, or else what the settings say. */
function handleError ({ names }, otherwise, error, request, reply) {
  const how = request.headers?.['x-error'] ?? otherwise
  const text = textOf(request)
  const session = () => request[names[0]] ?? undefined
  switch (how) {
    case 'throw': throw new Error('the error handler throws')
    case 'rethrow': throw error
    case 'header': return reply.code(500).header('x-text', text).send({ error: 'with a header' })
    case 'redirect': return reply.redirect(text)
    case 'read': return reply.code(500).send({ seen: session()?.get('user') ?? null })
    case 'write': session()?.set('error', true); return reply.code(500).send({ written: true })
    case 'delete': session()?.delete(); return reply.code(500).send({ deleted: true })
    case 'login': logIn(session(), request.query?.who); return reply.redirect(text)
    case 'commit': reply.commitSession?.(); return reply.code(500).send({ committed: true })
    case 'status': reply.raw.statusCode = 17; return reply.send('a bad status')
    case 'type': return reply.code(500).type('text/plain').send({ an: 'object' })
    case 'later': sendLater(reply); return undefined
    case 'response': return reply.send(new Response('an error', { status: 502 }))
    default: return reply.code(error?.statusCode >= 400 ? error.statusCode : 500).send({ error: 'an error' })
  }
}

const RESPONSE_SCHEMA = {
  200: { type: 'object', properties: { seen: { type: 'array', items: { type: 'string' } } }, required: ['missing'] }
}
const BODY_SCHEMA = { type: 'object', required: ['a'], properties: { a: { type: 'integer' } } }

function addRoutes (app, context) {
  const { settings, names } = context
  const script = async (request, reply) => {
    const seen = await runSteps(request.query?.handler, around(app, request, reply, context))
    return await endAs(request, reply, seen)
  }
  addPlainRoutes(app, names[0])
  app.route({ method: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'], url: '/do', handler: script })
  app.route({ method: ['GET', 'POST'], url: '/do/:name', handler: script })
  app.get('/free', { config: { session: false } }, script)
  app.get('/quiet', { config: { session: { renew: false } } }, script)
  app.get('/slow', { handlerTimeout: 40 }, script)
  app.get('/schema', { schema: { response: RESPONSE_SCHEMA } }, script)
  app.post('/body', { schema: { body: BODY_SCHEMA } }, script)
  app.get('/guarded', { onRequest: app.requireSession({ when }) }, script)
  app.get('/fresh', { preHandler: app.requireSession({ when, freshWithin: 1 }) }, script)
  app.get('/callback', (request, reply) => {
    script(request, reply)
      .then(payload => { if (!reply.sent && payload !== reply) reply.send(payload) })
      .catch(error => { if (!reply.sent) reply.send(error) })
  })
  app.register(async scope => {
    scope.setErrorHandler((error, request, reply) => {
      context.suspect(error)
      return handleError(context, 'rethrow', error, request, reply)
    })
    scope.register(scope.sessionGuard, { when })
    scope.get('/scope/do', { logSerializers: { req: request => look(request, 'get', names) } }, script)
  })
  if (settings.websocket) addSocket(app, context)
}

/** What a server is asked to see whether it is well. */
function addPlainRoutes (app, name) {
  app.get('/health', { config: { session: false } }, async () => ({ ok: true }))
  app.get('/read', async request => ({ user: request[name].get('user') ?? null }))
  app.get('/logout', async request => { request[name].delete(); return {} })
  app.get('/login', async request => { logIn(request[name], request.query.who); return {} })
}

async function endAs (request, reply, seen) {
  const name = request.query?.end
  return await end(typeof name === 'string' ? name : 'json', reply, textOf(request), seen)
}

function textOf (request) {
  const text = request.query?.text
  return typeof text === 'string' ? text : 'a text'
}

/** Reads the session of the upgrade for as long as the socket is open. */
function addSocket (app, context) {
  const preHandler = async (request, reply) => {
    await runSteps(request.query.handler, around(app, request, reply, context))
    if (request.query.end === 'commit') reply.commitSession()
  }
  app.get('/socket', { websocket: true, preHandler }, (socket, request) => {
    const unguarded = () => look(request, 'get', context.names)
    socket.on('error', () => {})
    socket.on('message', () => { socket.send(JSON.stringify(unguarded())) })
    socket.on('close', unguarded)
    setTimeout(unguarded, 20)
  })
}

module.exports = { buildApp }
