'use strict'

const fp = require('fastify-plugin')

module.exports = fp(async function auth (app, { store }) {
  app.decorateRequest('currentUser', null)

  app.addHook('onRequest', async request => {
    const user = request.session.get('user')
    request.currentUser = user ? store.user(user.id) : null
  })

  app.decorate('requireLogin', async function requireLogin (request, reply) {
    if (request.currentUser) return
    if (request.method === 'GET' && (request.headers.accept || '').includes('html')) {
      request.session.returnTo = request.url
      return reply.redirect('/login')
    }
    throw Object.assign(new Error('log in first'), { statusCode: 401 })
  })

  app.decorate('requireRole', role => async function requireRole (request) {
    if (!request.currentUser || !request.currentUser.roles.includes(role)) throw Object.assign(new Error(`only for ${role}s`), { statusCode: 403 })
  })
}, { name: 'app-auth', dependencies: ['@fastify/secure-session', 'app-sessions'] })
