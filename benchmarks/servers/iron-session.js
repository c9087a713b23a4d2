'use strict'

const fastify = require('fastify')
const cookie = require('@fastify/cookie')
const { getIronSession } = require('iron-session')
const attributes = require('./attributes')
const handWrittenRoutes = require('./hand-written-routes')

/**
 * iron-session derives two keys from its password whenever it opens or seals, by one iteration of PBKDF2; it has no setting to do
 * so once. Without a Max-Age it keeps no time.
 */
module.exports = function ironSession ({ key }) {
  const options = { cookieName: 'session', password: key.toString('hex'), cookieOptions: { ...attributes, maxAge: undefined } }
  const app = fastify()
  app.register(cookie)
  handWrittenRoutes(app, {
    read: (request, reply) => getIronSession(request.raw, reply.raw, options),
    async write (request, reply, changes) {
      const session = await getIronSession(request.raw, reply.raw, options)
      Object.assign(session, changes)
      await session.save()
    }
  })
  return app
}
