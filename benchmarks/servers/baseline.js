'use strict'

const fastify = require('fastify')
const cookie = require('@fastify/cookie')
const { NAME, PAGE } = require('../fixture')

/** What any server with cookies pays: it parses them, and replies. */
module.exports = function baseline () {
  const app = fastify()
  app.register(cookie)
  app.get('/untouched', async () => ({ value: PAGE }))
  app.get('/read', async () => ({ value: PAGE }))
  app.get('/read-object', async () => ({ value: NAME }))
  app.get('/write', async () => ({ value: PAGE }))
  return app
}
