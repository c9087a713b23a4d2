'use strict'

const { NOTHING, OTHER_PAGE, PAGE, sessionData } = require('../fixture')

/** The handlers of both plugins, which share the names of their methods. */
module.exports = function sessionRoutes (app) {
  app.get('/login', async request => {
    for (const [key, value] of Object.entries(sessionData())) request.session.set(key, value)
    return { value: PAGE }
  })
  app.get('/untouched', async () => ({ value: PAGE }))
  app.get('/read', async request => ({ value: request.session.get('page') ?? NOTHING }))
  app.get('/read-object', async request => ({ value: request.session.get('user').name }))
  app.get('/write', async request => {
    request.session.set('page', OTHER_PAGE)
    return { value: PAGE }
  })
}
