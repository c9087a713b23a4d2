'use strict'

/** A second session, that is there for months and needs no login. */
module.exports = async function preferences (app) {
  app.get('/', async request => request.prefs.data())

  app.put('/:name', async request => {
    request.prefs[request.params.name] = request.body.value
    return { changed: request.prefs.changed, session: request.session.changed }
  })

  app.patch('/', async request => {
    Object.assign(request.prefs, request.body)
    return request.prefs.data()
  })

  app.delete('/', async request => {
    request.prefs.delete()
    return { deleted: request.prefs.deleted, changed: request.prefs.changed }
  })

  app.get('/page', async (request, reply) => reply.page('Preferences', ''))
}
