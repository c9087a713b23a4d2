'use strict'

const { Redis } = require('ioredis')
const sessionMemory = require('./session-memory')

const LIVES_SECONDS = 86_400

/** The store that `@fastify/session` asks for, over the client: one GET to read, one SET to write. */
class RedisStore {
  constructor (client) {
    this.client = client
  }

  get (id, done) {
    this.client.get(id).then(text => done(null, text === null ? null : JSON.parse(text)), done)
  }

  set (id, session, done) {
    this.client.set(id, JSON.stringify(session), 'EX', LIVES_SECONDS).then(() => done(), done)
  }

  destroy (id, done) {
    this.client.del(id).then(() => done(), done)
  }
}

/** Commands that are given in one turn of the event loop go out together. */
module.exports = function sessionRedis ({ key, redisUrl }) {
  const client = new Redis(redisUrl, { enableAutoPipelining: true })
  const app = sessionMemory({ key, store: new RedisStore(client) })
  app.addHook('onClose', async () => { client.disconnect() })
  return app
}
