'use strict'

const Fastify = require('fastify')
const secureSession = require('fastify-sealed-session')
const { Throttle } = require('../demo/throttle')

const LARGEST_BODY_BYTES = 1024

/**
 * The site, not yet listening.
 * @param key 32 bytes for the session's cookie, as a Buffer or as text
 * @param users as `makeUsers` of the demo makes them
 */
function buildApp ({ key, users, logger = { level: 'warn' } }) {
  const app = Fastify({ logger, bodyLimit: LARGEST_BODY_BYTES })
  app.register(secureSession, {
    key,
    // A site served over HTTPS calls its cookie `__Host-session`: no subdomain can then set one of that name.
    cookieName: 'session',
    idle: '30m',
    absolute: '8h',
    subject: session => session.get('user')?.id,
    // In memory, for this is one process. Several share a Redis: `redisRevocation(client)`.
    revocation: { store: secureSession.memoryRevocation(), recheck: '1m' }
  })
  // A page of another site must ask (CORS) before it sends JSON or DELETE, and this server never permits it.
  app.removeContentTypeParser('text/plain')
  app.register(require('./routes/session'), { users, throttle: new Throttle() })
  app.register(require('./routes/account'))
  return app
}

module.exports = { buildApp }
