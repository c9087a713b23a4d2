'use strict'

module.exports = async function health (app) {
  app.get('/health', async () => ({ ok: true }))

  app.get('/ping', async request => {
    request.session.touch()
    return 'pong'
  })
}
