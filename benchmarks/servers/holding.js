'use strict'

const { PAGE } = require('../session/data')

/** The server of another module, and two routes whose requests stay open until they are released. */
module.exports = async function holding ({ of, ...options }) {
  const app = await require(of)(options)
  let held = []

  const released = () => new Promise(resolve => { held.push(resolve) })
  app.register(async scope => {
    scope.get('/hold', async () => {
      await released()
      return { value: PAGE }
    })
    scope.get('/hold-open', async request => {
      request.session.get('page')
      await released()
      return { value: PAGE }
    })
  })
  app.answers = {
    held: () => held.length,
    release () {
      for (const release of held) release()
      held = []
      return null
    }
  }
  return app
}
