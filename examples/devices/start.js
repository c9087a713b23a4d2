'use strict'

const { randomBytes } = require('node:crypto')
const { Redis } = require('ioredis')
const { closeOnSignal, listen, portFrom } = require('../demo/serving')
const { makeUsers } = require('../demo/users')
const { buildApp } = require('./app')

const KEY_BYTES = 32
const PEOPLE = [{ id: 'ada', name: 'Ada Lovelace' }, { id: 'grace', name: 'Grace Hopper' }]

async function start () {
  const { REDIS_URL = 'redis://127.0.0.1:6379' } = process.env
  const redis = new Redis(REDIS_URL, { lazyConnect: true, maxRetriesPerRequest: 1 })
  redis.on('error', () => {})
  await redis.connect()
  // New at each start, so that no password is in the source.
  const password = () => randomBytes(6).toString('hex').match(/.{4}/g).join('-')
  const people = PEOPLE.map(person => ({ ...person, password: password() }))
  const app = buildApp({ key: randomBytes(KEY_BYTES), redis, users: await makeUsers(people) })
  app.addHook('onClose', async () => { redis.disconnect() })
  const address = await listen(app, portFrom('PORT', 3000))
  closeOnSignal([app])
  console.log([
    '',
    `The site is at  ${address}`,
    '',
    'Log in as',
    ...people.map(({ id, password }) => `  ${id.padEnd(8)}${password}`),
    '',
    'Ctrl-C stops it.'
  ].join('\n'))
}

start().catch(error => {
  console.error(`The example did not start: ${error.message}\nIt needs a Redis: REDIS_URL names it.`)
  process.exit(1)
})
