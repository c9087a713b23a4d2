'use strict'

const { NAME, PAGE, nextPage, nextValues } = require('../session/data')

/** The handlers of servers without a session: the same replies, from constants. */
module.exports = function plainRoutes (app) {
  app.get('/untouched', async () => ({ value: PAGE }))
  app.get('/read', async () => ({ value: PAGE }))
  app.get('/read-object', async () => ({ value: NAME }))
  app.get('/write', async () => {
    nextPage()
    return { value: PAGE }
  })
  app.get('/write-all', async request => {
    nextValues(request.query.bytes)
    return { value: PAGE }
  })
}
