'use strict'

const fastify = require('fastify')
const cookie = require('@fastify/cookie')
const { H3Event, getSession, useSession } = require('h3')
// The request that h3 itself makes of one of Node.js: it costs less than one of fetch.
const { NodeRequest } = require(require.resolve('srvx/node', { paths: [require.resolve('h3')] }))
const attributes = require('./attributes')
const handWrittenRoutes = require('./hand-written-routes')

/** A key of 32 random bytes gains nothing by the 8192 iterations that are the default, and would cost milliseconds a request. */
const CHEAPEST_SEAL = {
  ttl: 0,
  timestampSkewSec: 60,
  localtimeOffsetMsec: 0,
  encryption: { saltBits: 256, algorithm: 'aes-256-cbc', iterations: 1, minPasswordlength: 32 },
  integrity: { saltBits: 256, algorithm: 'sha256', iterations: 1, minPasswordlength: 32 }
}

/** `useSession` for writes; `getSession` for reads, because it creates no session if there is none. */
module.exports = function h3 ({ key }) {
  const config = {
    name: 'session',
    password: key.toString('hex'),
    sessionHeader: false,
    cookie: { ...attributes, chunkMaxLength: 4088 },
    seal: CHEAPEST_SEAL,
    legacySealFallback: false
  }
  const app = fastify()
  app.register(cookie)

  function eventOf (request, reply) {
    return new H3Event(new NodeRequest({ req: request.raw, res: reply.raw }))
  }

  handWrittenRoutes(app, {
    read: async (request, reply) => (await getSession(eventOf(request, reply), config)).data,
    async write (request, reply, changes) {
      const event = eventOf(request, reply)
      const session = await useSession(event, config)
      await session.update(changes)
      reply.header('set-cookie', event.res.headers.getSetCookie())
    }
  })
  return app
}
