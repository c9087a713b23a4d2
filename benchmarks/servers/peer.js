'use strict'

const fastify = require('fastify')
const cookie = require('@fastify/cookie')
const secureSession = require('@fastify/secure-session')
const attributes = require('./attributes')
const sessionRoutes = require('./session-routes')

/** With a key, so that nothing is derived; or with `keys`, in hex. It writes into the attributes, hence the copy. */
module.exports = function peer ({ key, keys }) {
  const app = fastify()
  app.register(cookie)
  app.register(secureSession, { key: keys?.map(hex => Buffer.from(hex, 'hex')) ?? key, cookie: { ...attributes } })
  app.register(async scope => sessionRoutes(scope))
  return app
}
