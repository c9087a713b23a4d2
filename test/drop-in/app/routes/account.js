'use strict'

const REMEMBER_S = 60 * 60 * 24 * 30

const loginBody = {
  type: 'object',
  required: ['name', 'password'],
  properties: { name: { type: 'string' }, password: { type: 'string' }, remember: { type: 'string' } }
}

module.exports = async function account (app, { store }) {
  app.get('/login', async (request, reply) => {
    const token = reply.generateCsrf()
    return reply.page('Log in', `<form method="post"><input name="_csrf" value="${token}"></form>`)
  })

  app.post('/login', { schema: { body: loginBody }, preHandler: app.csrfProtection }, async (request, reply) => {
    const { name, password, remember } = request.body
    const user = store.login(name, password)
    if (!user) {
      request.flash('error', 'That is not %s\'s password', name)
      return reply.redirect('/login-failed')
    }
    const target = request.session.returnTo || '/me'
    request.session.regenerate(['_csrf', 'cart', 'lost'])
    request.session.set('user', { id: user.id, name: user.name })
    request.session.loggedInAt = new Date(Date.now())
    if (remember) request.session.options({ maxAge: REMEMBER_S })
    return reply.redirect(target)
  })

  app.get('/login-failed', async (request, reply) => ({ errors: reply.flash('error'), others: reply.flash() }))

  app.post('/logout', async (request, reply) => {
    request.session.delete()
    return reply.send({ loggedOut: request.session.deleted })
  })

  app.get('/me', { preHandler: app.requireLogin }, async request => ({
    user: request.session.user,
    loggedIn: typeof request.session.get('loggedInAt'),
    lost: request.session.lost || 0
  }))

  app.post('/me/password', { preHandler: [app.requireLogin, app.csrfProtection] }, async request => {
    request.session.regenerate(['user'])
    return { changed: request.session.changed, kept: Object.keys(request.session.data()) }
  })

  app.get('/session', async request => ({ data: request.session.data(), changed: request.session.changed, deleted: request.session.deleted }))

  app.get('/csrf', async (request, reply) => ({ token: reply.generateCsrf() }))
}
