'use strict'

const { NAME, PAGE } = require('../session/data')

/** The handlers of servers without a session: the same replies, from constants. */
module.exports = function plainRoutes (app) {
  app.get('/untouched', async () => ({ value: PAGE }))
  app.get('/read', async () => ({ value: PAGE }))
  app.get('/read-object', async () => ({ value: NAME }))
  app.get('/write', async () => ({ value: PAGE }))
}
