'use strict'

const fp = require('fastify-plugin')

module.exports = fp(async function errors (app) {
  app.setErrorHandler(function sendError (error, request, reply) {
    const status = error.statusCode || 500
    if (status >= 500) {
      request.session.set('lastError', { message: error.message, url: request.url })
      return reply.code(status).send({ error: 'something broke', message: error.message })
    }
    return reply.code(status).send({ error: error.message })
  })

  app.setNotFoundHandler(function sendNotFound (request, reply) {
    const lost = (request.session.get('lost') || 0) + 1
    request.session.set('lost', lost)
    return reply.code(404).send({ error: 'no such page', lost })
  })
}, { name: 'app-errors', dependencies: ['@fastify/secure-session'] })
