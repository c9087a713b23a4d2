'use strict'

const sealed = require('./sealed')
const { PAGE } = require('../session/data')

/** A whole life of sessions: they begin, are read, written and renewed, and end. */
module.exports = function sealedWithLogout (options) {
  const app = sealed(options)
  app.register(async scope => {
    scope.get('/logout', async request => {
      request.session.delete()
      return { value: PAGE }
    })
  })
  return app
}
