'use strict'

module.exports = async function admin (app, { store }) {
  app.addHook('preHandler', app.requireLogin)

  app.register(async function forAdmins (scope) {
    scope.addHook('preHandler', scope.requireRole('admin'))
    scope.addHook('preSerialization', async (request, reply, payload) => ({ ...payload, by: request.session.get('user').name }))

    scope.get('/users', async () => ({ users: store.users() }))

    scope.post('/impersonate/:id', async (request) => {
      const { id, name } = store.user(Number(request.params.id))
      const self = request.session.get('user')
      request.session.set('impersonator', self)
      request.session.set('user', { id, name })
      return { now: request.session.user.name }
    })
  })

  app.post('/stop', async request => {
    const self = request.session.impersonator
    if (!self) throw Object.assign(new Error('you are yourself'), { statusCode: 409 })
    request.session.regenerate(['impersonator'])
    request.session.user = self
    request.session.set('impersonator', undefined)
    return { now: self.name }
  })

  app.get('/crash', async request => {
    request.session.set('seen', true)
    throw new Error('the database is away')
  })
}
