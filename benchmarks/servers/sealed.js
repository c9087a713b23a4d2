'use strict'

const fastify = require('fastify')
const cookie = require('@fastify/cookie')
const secureSession = require('fastify-sealed-session')
const sessionRoutes = require('./session-routes')

module.exports = function sealed ({ key }) {
  const app = fastify()
  app.register(cookie)
  app.register(secureSession, { key })
  app.register(async scope => sessionRoutes(scope))
  return app
}
