'use strict'

const { NOTHING, PAGE, nextPage, nextValues, sessionData } = require('../session/data')

/** The handlers of all plugins that have `request.session.get` and `set`. */
module.exports = function sessionRoutes (app) {
  app.get('/login', async request => {
    for (const [key, value] of Object.entries(sessionData(Number(request.query.bytes)))) request.session.set(key, value)
    return { value: PAGE }
  })
  app.get('/untouched', async () => ({ value: PAGE }))
  app.get('/read', async request => ({ value: request.session.get('page') ?? NOTHING }))
  app.get('/read-object', async request => ({ value: request.session.get('user').name }))
  app.get('/write', async request => {
    request.session.set('page', nextPage())
    return { value: PAGE }
  })
  app.get('/write-all', async request => {
    const values = nextValues(request.query.bytes)
    for (const key of Object.keys(values)) request.session.set(key, values[key])
    return { value: PAGE }
  })
}
