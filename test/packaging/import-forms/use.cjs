'use strict'

/** Logs in, reads and logs out through an app that has the plugin; prints `ok`. */
module.exports = async function use (register) {
  const app = require('fastify')()
  register(app, { key: Buffer.alloc(32, 1) })
  app.get('/set', async request => { request.session.set('user', 'ada'); return {} })
  app.get('/get', async request => ({ user: request.session.user }))
  const set = await app.inject('/set')
  const get = await app.inject({ url: '/get', headers: { cookie: set.headers['set-cookie'].split(';')[0] } })
  if (get.json().user !== 'ada') throw new Error(`found ${get.body}`)
  await app.close()
  console.log('ok')
}
