'use strict'

const { readFile } = require('node:fs/promises')
const { join } = require('node:path')
const formBody = require('@fastify/formbody')
const Fastify = require('fastify')
const { Throttle } = require('../../demo/throttle')
const { securityHeaders } = require('../security-headers')
const { configuration } = require('./configuration')
const { page } = require('./pages')

const LARGEST_FORM_BYTES = 4096

/**
 * An identity provider to try things with: oidc-provider, with pages of its own. Resolves to the server,
 * not yet listening.
 * @param issuer its address
 * @param prepare called with oidc-provider's object before it serves
 */
async function buildProvider ({ issuer, site, api, users, accessTokenSeconds, prepare = () => {} }) {
  const { Provider } = await import('oidc-provider')
  const headers = securityHeaders(site.address)
  const provider = new Provider(issuer, configuration({ site, api, users, accessTokenSeconds, headers }))
  prepare(provider)
  const style = await readFile(join(__dirname, '..', '..', 'demo', 'style.css'))
  const app = Fastify({ logger: { level: 'warn' }, bodyLimit: LARGEST_FORM_BYTES })
  app.removeAllContentTypeParsers()

  app.register(async pages => {
    pages.register(formBody)
    pages.addHook('onRequest', async (request, reply) => { reply.headers(headers) })
    pages.setErrorHandler((error, request, reply) => {
      if (!(error.statusCode < 500)) request.log.error(error)
      return reply.code(error.statusCode ?? 500).type('text/html; charset=utf-8').send(page('error', { error: error.error ?? 'invalid_request' }))
    })
    pages.register(require('./interactions'), { provider, users, throttle: new Throttle() })
    pages.get('/style.css', async (request, reply) => reply.type('text/css; charset=utf-8').header('cache-control', 'no-cache').send(style))
  })

  app.register(async rest => {
    const answer = provider.callback()
    // oidc-provider reads the body itself.
    rest.addContentTypeParser('*', (request, payload, done) => { done(null) })
    rest.all('/*', (request, reply) => {
      reply.hijack()
      answer(request.raw, reply.raw)
    })
  })
  return app
}

module.exports = { buildProvider }
