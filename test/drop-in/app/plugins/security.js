'use strict'

const fp = require('fastify-plugin')

module.exports = fp(async function security (app) {
  app.register(require('@fastify/helmet'), { contentSecurityPolicy: false })
  app.register(require('@fastify/formbody'))
  app.register(require('@fastify/csrf-protection'), { sessionPlugin: '@fastify/secure-session', csrfOpts: { saltLength: 12 } })
}, { name: 'app-security', dependencies: ['@fastify/secure-session', '@fastify/cookie'], decorators: { request: ['session'], reply: ['setCookie'] } })
