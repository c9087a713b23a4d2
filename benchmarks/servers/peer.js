'use strict'

const fastify = require('fastify')
const cookie = require('@fastify/cookie')
const secureSession = require('@fastify/secure-session')
const sessionRoutes = require('./session-routes')

module.exports = function peer ({ key }) {
  const app = fastify()
  app.register(cookie)
  // The attributes that the others write, too.
  app.register(secureSession, { key, cookie: { path: '/', httpOnly: true, sameSite: 'lax' } })
  app.register(async scope => sessionRoutes(scope))
  return app
}
