'use strict'

const fastify = require('fastify')
const cookie = require('@fastify/cookie')
const plainRoutes = require('./plain-routes')

/** What any server with cookies pays: it parses them, and replies. */
module.exports = function baseline () {
  const app = fastify()
  app.register(cookie)
  plainRoutes(app)
  return app
}
