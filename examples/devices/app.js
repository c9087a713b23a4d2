'use strict'

const Fastify = require('fastify')
const secureSession = require('fastify-sealed-session')
const { Throttle } = require('../demo/throttle')
const { DeviceTable } = require('./device-table')
const { watchDevices } = require('./watch-devices')

const LARGEST_BODY_BYTES = 1024
const DAY_SECONDS = 24 * 60 * 60
// For the session and for the table.
const IDLE_SECONDS = DAY_SECONDS
const ABSOLUTE_SECONDS = 30 * DAY_SECONDS

/**
 * The site, not yet listening.
 * @param key 32 bytes for the session's cookie
 * @param redis a client such as ioredis: it keeps the devices, and who was revoked
 * @param users as `makeUsers` of the demo makes them
 * @param most how many devices a user may have
 */
function buildApp ({ key, redis, users, most = 5, logger = { level: 'warn' } }) {
  const app = Fastify({ logger, bodyLimit: LARGEST_BODY_BYTES })
  app.register(secureSession, {
    key,
    cookieName: 'session',
    idle: IDLE_SECONDS,
    absolute: ABSOLUTE_SECONDS,
    subject: session => session.get('user')?.id,
    // Without `recheck: 0` a session that was ended on another server is trusted there for five minutes more.
    revocation: { store: secureSession.redisRevocation(redis), recheck: 0 }
  })
  // A page of another site must ask (CORS) before it sends JSON or DELETE, and this server never permits it.
  app.removeContentTypeParser('text/plain')
  app.register(async site => {
    const table = new DeviceTable(redis, { idleMs: IDLE_SECONDS * 1000, absoluteMs: ABSOLUTE_SECONDS * 1000 })
    watchDevices(site, { table, userOf: session => session.get('user')?.id, placeOf: ({ ip }) => ip, most })
    site.register(require('../metrics/routes/session'), {
      users, throttle: new Throttle(), afterRevocation: site.removeDevices
    })
    site.register(require('./routes'), { table })
  })
  return app
}

module.exports = { buildApp }
