'use strict'

const fastify = require('fastify')
const cookie = require('@fastify/cookie')
const session = require('@fastify/session')
const attributes = require('./attributes')
const sessionRoutes = require('./session-routes')

/** `@fastify/session` with the fewest writes: no session without data, and no renewal of a session that is only read. */
module.exports = function sessionMemory ({ key, store }) {
  const app = fastify()
  app.register(cookie)
  app.register(session, {
    secret: key.toString('hex'),
    cookieName: 'session',
    cookie: { ...attributes },
    saveUninitialized: false,
    rolling: false,
    ...(store === undefined ? {} : { store })
  })
  app.register(async scope => sessionRoutes(scope))
  return app
}
