'use strict'

const fastify = require('fastify')
const cookie = require('@fastify/cookie')
const secureSession = require('fastify-sealed-session')
const sessionRoutes = require('./session-routes')

/** With the default of every option, but for those that are given. */
module.exports = function sealed ({ key, options = {} }) {
  const app = fastify()
  app.register(cookie)
  app.register(secureSession, { key, ...options })
  app.register(async scope => sessionRoutes(scope))
  return app
}
