'use strict'

const fastify = require('fastify')
const plainRoutes = require('./plain-routes')

/** What no server can do without. It does not look at cookies. */
module.exports = function fastifyAlone () {
  const app = fastify()
  plainRoutes(app)
  return app
}
