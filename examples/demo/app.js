'use strict'

const formBody = require('@fastify/formbody')
const Fastify = require('fastify')
const secureSession = require('fastify-sealed-session')
const { Bindings } = require('./bindings')
const { memoryRevocation } = secureSession
const { refuseForgedPosts } = require('./csrf')
const { layout } = require('./pages/layout')
const { errorPage } = require('./pages/error')
const { PasswordCheck } = require('./password-check')
const { setSecurityHeaders } = require('./security-headers')
const { Throttle } = require('./throttle')

const LARGEST_FORM_BYTES = 4096
const HTML = 'text/html; charset=utf-8'
/** Errors that say that it cannot be known who the user is. */
const USER_UNKNOWN = new Set(['FST_SESSION_STORE_UNAVAILABLE', 'FST_SESSION_UNPROVEN'])

/**
 * The site, not yet listening.
 * @param key 32 bytes for the session cookie, as a Buffer or as text
 * @param users as `makeUsers` makes them
 * @param upstream as `upstreamClient` makes it
 * @param certificate a private key and a certificate, in PEM; null for plain http
 */
function buildApp ({ key, users, upstream, certificate = null }) {
  const overTls = certificate !== null
  const app = Fastify({
    logger: { level: 'warn' },
    bodyLimit: LARGEST_FORM_BYTES,
    frameworkErrors: refuseUrl,
    https: overTls ? { key: certificate, cert: certificate } : null
  })
  // Over TLS, the cookie has this name: no subdomain can then set one of that name.
  const cookieName = overTls ? '__Host-session' : 'session'

  app.register(secureSession, {
    key,
    cookieName,
    idle: '30m',
    absolute: '8h',
    subject: session => session.get('user')?.id,
    // Enough for one process, until it restarts. Several share what was ended in Redis or Valkey: redisRevocation(client).
    revocation: { store: memoryRevocation() },
    // Browsers bind a session only over TLS. The default is 10 minutes: here, a copied cookie is refused sooner.
    deviceBound: overTls && { proofFor: '5m' }
  })

  // Forms are all this site reads.
  app.removeAllContentTypeParsers()
  app.register(formBody)

  app.addHook('onRequest', setSecurityHeaders)
  app.addHook('preValidation', refuseForgedPosts)
  app.decorate('bindings', new Bindings())
  app.decorateReply('page', sendPage)
  app.setNotFoundHandler((request, reply) => reply.code(404).page(errorPage(404, request.url)))
  app.setErrorHandler(sendErrorPage)

  const passwords = new PasswordCheck(users, new Throttle())
  app.register(require('./routes/home'))
  app.register(require('./routes/sign-in'), { passwords, upstream })
  app.register(require('./routes/account'), { passwords, users, upstream, overTls })
  app.register(require('./routes/orders'), { upstream })
  app.register(require('./routes/cart'))
  app.register(require('./routes/cookie'), { cookieName })
  return app
}

/** `reply.page({ title, body })`: the page in the frame that all pages share. */
function sendPage (page) {
  const { server, request: { session, url } } = this
  const user = session.get('user')
  // Whatever page is the first: it sees the first proof.
  if (user !== undefined) server.bindings.since(user.id, session.info)
  const html = layout({ ...page, url, user, csrf: session.get('csrf') })
  return this.type(HTML).send(String(html))
}

/** What went wrong is for the log; the visitor learns what to do next. */
function sendErrorPage (error, request, reply) {
  if (error.code === 'FST_SESSION_STALE') return askAgain(request, reply)
  const status = error.statusCode >= 400 && error.statusCode < 600 ? error.statusCode : 500
  if (status >= 500) request.log.error(error)
  reply.code(status)
  const page = errorPage(status, request.url)
  return USER_UNKNOWN.has(error.code) ? sendBare(reply, page) : reply.page(page)
}

/** A user is signed in, but this page needs a more recent login. */
function askAgain ({ url }, reply) {
  return reply.removeHeader('www-authenticate').redirect(`/confirm?to=${encodeURIComponent(url)}`, 303)
}

/** A URL that cannot be decoded never reaches a route, a hook or a session. */
async function refuseUrl (error, request, reply) {
  await setSecurityHeaders(request, reply)
  return sendBare(reply.code(error.statusCode), errorPage(error.statusCode, '/'))
}

/** A page that looks at no session. */
function sendBare (reply, page) {
  return reply.type(HTML).send(String(layout(page)))
}

module.exports = { buildApp }
