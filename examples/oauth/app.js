'use strict'

const formBody = require('@fastify/formbody')
const oauth2 = require('@fastify/oauth2')
const Fastify = require('fastify')
const secureSession = require('fastify-sealed-session')
const { freshTokens } = require('fastify-sealed-session/fresh-tokens')
const { refuseForgedPosts } = require('../demo/csrf')
const { requireTls } = require('./discovery')
const { identityClient, oauth2Options } = require('./identity')
const { errorPage } = require('./pages/error')
const { layout } = require('./pages/layout')
const { problem, problemOf } = require('./problems')
const { addUserGuard } = require('./require-user')
const { securityHeaders } = require('./security-headers')

const LARGEST_FORM_BYTES = 4096
const RETRY_SECONDS = 5
/** An access token must last until the API has read it. It may live for 15 seconds here. */
const REFRESH_BEFORE = '10s'
const HTML = 'text/html; charset=utf-8'

/**
 * The site, not yet listening.
 * @param key 32 bytes for the session's cookie, as a Buffer or as text
 * @param publicUrl where browsers find it, such as `https://shop.example`
 * @param provider `{ metadata, clientId, clientSecret }`, the first as `discover` gives it
 * @param api as `apiClient` makes it
 * @param now the clock that access tokens are held against
 */
function buildApp ({ key, publicUrl, provider, api, now = Date.now, logger = { level: 'warn' } }) {
  requireTls(publicUrl)
  if (new URL(publicUrl).origin !== publicUrl) throw new Error(`${publicUrl} must be an origin: no path, no slash at its end`)
  const headers = securityHeaders(new URL(provider.metadata.end_session_endpoint).origin)
  const cookies = cookiesFor(publicUrl)
  const app = Fastify({ logger, bodyLimit: LARGEST_FORM_BYTES, frameworkErrors: refuseUrl })

  app.register(secureSession, [
    { key, cookieName: cookies.session, idle: '30m', absolute: '8h' },
    { key, sessionName: 'attempt', cookieName: cookies.attempt, idle: '10m', absolute: '10m' }
  ])
  app.register(oauth2, oauth2Options({ ...provider, publicUrl, cookies, resource: api.address }))
  const identity = lazy(() => identityClient({ ...provider, provider: app.provider, publicUrl, now }))
  // With several processes, a Redis as `lock` makes them refresh once.
  app.register(freshTokens({
    key: 'tokens',
    before: REFRESH_BEFORE,
    refresh: ({ refreshToken }) => identity().refresh(refreshToken)
  }))

  // Forms are all this site reads.
  app.removeAllContentTypeParsers()
  app.register(formBody)

  app.addHook('onRequest', async (request, reply) => { reply.headers(headers) })
  app.addHook('preValidation', refuseForgedPosts)
  app.decorateReply('page', sendPage)
  addUserGuard(app)
  app.setNotFoundHandler(async () => { throw problem('not-found') })
  app.setErrorHandler(sendErrorPage)

  app.register(require('./routes/home'))
  app.register(require('./routes/sign-in'), { identity, revokeTokensOf, issuer: provider.metadata.issuer, publicUrl, cookies })
  app.register(require('./routes/sign-out'), { identity, revokeTokensOf })
  app.register(require('./routes/account'), { now })
  app.register(require('./routes/orders'), { api })
  return app

  /** Throws a problem. */
  async function revokeTokensOf (request) {
    const tokens = await request.newestTokens()
    if (tokens?.refreshToken !== undefined) await identity().revoke(tokens.refreshToken)
  }

  /** A URL that cannot be decoded never reaches a route, a hook or a session. */
  function refuseUrl (error, request, reply) {
    const { name, status } = problemOf(error)
    reply.code(status).headers(headers).type(HTML).send(String(layout(errorPage(name, status, '/'))))
  }
}

/** A browser takes a cookie that is named `__Host-` only over TLS, from this very host: no subdomain can plant one. */
function cookiesFor (publicUrl) {
  const secure = publicUrl.startsWith('https:')
  const prefix = secure ? '__Host-' : ''
  return {
    session: `${prefix}session`,
    attempt: `${prefix}sign-in`,
    state: `${prefix}sign-in-state`,
    verifier: `${prefix}sign-in-verifier`,
    attributes: { path: '/', httpOnly: true, sameSite: 'lax', secure }
  }
}

/** `reply.page({ title, body })`: the page in the frame that all pages share. */
function sendPage (page) {
  const { session, url } = this.request
  const html = layout({ ...page, url, user: session.get('user'), csrf: session.get('csrf') })
  return this.type(HTML).send(String(html))
}

/** What went wrong is for the log; the visitor learns what to do next. */
function sendErrorPage (error, request, reply) {
  const { name, status } = problemOf(error)
  if (status >= 500) request.log.error(error)
  if (status === 503) reply.header('retry-after', RETRY_SECONDS)
  return reply.code(status).page(errorPage(name, status, request.method === 'GET' ? request.url : '/'))
}

/** `@fastify/oauth2` makes its decorator when it is loaded, which is after this file has run. */
function lazy (make) {
  let made
  return () => (made ??= make())
}

module.exports = { buildApp }
