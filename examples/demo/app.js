'use strict'

const formBody = require('@fastify/formbody')
const Fastify = require('fastify')
const secureSession = require('fastify-sealed-session')
const { refuseForgedPosts } = require('./csrf')
const { layout } = require('./pages/layout')
const { errorPage } = require('./pages/error')
const { setSecurityHeaders } = require('./security-headers')
const { Throttle } = require('./throttle')

const LARGEST_FORM_BYTES = 4096
const HTML = 'text/html; charset=utf-8'

/**
 * The site, not yet listening.
 * @param key 32 bytes for the session cookie, as a Buffer or as text
 * @param users as `makeUsers` makes them
 * @param upstream as `upstreamClient` makes it
 */
function buildApp ({ key, users, upstream }) {
  const app = Fastify({ logger: { level: 'warn' }, bodyLimit: LARGEST_FORM_BYTES, frameworkErrors: refuseUrl })

  // A site served over HTTPS calls its cookie `__Host-session`: no subdomain can then set one of that name.
  app.register(secureSession, { key, cookieName: 'session', idle: '30m', absolute: '8h' })

  // Forms are all this site reads.
  app.removeAllContentTypeParsers()
  app.register(formBody)

  app.addHook('onRequest', setSecurityHeaders)
  app.addHook('preValidation', refuseForgedPosts)
  app.decorateReply('page', sendPage)
  app.setNotFoundHandler((request, reply) => reply.code(404).page(errorPage(404)))
  app.setErrorHandler(sendErrorPage)

  app.register(require('./routes/home'))
  app.register(require('./routes/sign-in'), { users, upstream, throttle: new Throttle() })
  app.register(require('./routes/orders'), { upstream })
  app.register(require('./routes/cart'))
  app.register(require('./routes/cookie'))
  return app
}

/** `reply.page({ title, body })`: the page in the frame that all pages share. */
function sendPage (page) {
  const { session, url } = this.request
  const html = layout({ ...page, url, user: session.get('user'), csrf: session.get('csrf') })
  return this.type(HTML).send(String(html))
}

/** What went wrong is for the log; the visitor learns what to do next. */
function sendErrorPage (error, request, reply) {
  const status = error.statusCode >= 400 && error.statusCode < 600 ? error.statusCode : 500
  if (status >= 500) request.log.error(error)
  return reply.code(status).page(errorPage(status))
}

/** A URL that cannot be decoded never reaches a route, a hook or a session. */
async function refuseUrl (error, request, reply) {
  await setSecurityHeaders(request, reply)
  return reply.code(error.statusCode).type(HTML).send(String(layout(errorPage(error.statusCode))))
}

module.exports = { buildApp }
