'use strict'

const { randomBytes } = require('node:crypto')
const { join } = require('node:path')
const { buildApp } = require('./app')
const { readOrMakeKey } = require('./key-file')
const { makeUsers } = require('./users')
const { upstreamClient } = require('./upstream/client')
const { buildUpstream } = require('./upstream/server')

const HOST = '127.0.0.1'
const PATIENCE_MS = 1000
const PEOPLE = [{ id: 'ada', name: 'Ada Lovelace' }, { id: 'grace', name: 'Grace Hopper' }]

async function start () {
  const port = portFrom(process.env.PORT)
  const key = await readOrMakeKey(process.env.DEMO_KEY_DIR || join(__dirname, '.keys'))

  const clientSecret = randomBytes(32).toString('base64url')
  const upstream = buildUpstream({ clientSecret })
  const upstreamAddress = await upstream.listen({ host: HOST, port: 0 })

  // Made anew at each start, so that no password stands in the source.
  const people = PEOPLE.map(person => ({ ...person, password: readablePassword() }))
  const app = buildApp({
    key,
    users: await makeUsers(people),
    upstream: upstreamClient({ address: upstreamAddress, clientSecret })
  })
  const address = await listen(app, port)

  closeOnSignal([app, upstream])
  tell(address, upstreamAddress, people)
}

/** 0 asks the system for any free port. Throws where the text is no port. */
function portFrom (text) {
  if (text === undefined || text === '') return 3000
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65535) throw new Error('PORT must be a number from 0 to 65535')
  return Number(text)
}

async function listen (app, port) {
  try {
    return await app.listen({ host: HOST, port })
  } catch (error) {
    if (error.code !== 'EADDRINUSE') throw error
    console.log(`Port ${port} is taken, so a free one is used.`)
    return app.listen({ host: HOST, port: 0 })
  }
}

function readablePassword () {
  return randomBytes(6).toString('hex').match(/.{4}/g).join('-')
}

/** Requests under way are answered, the demo's first: they may still need upstream. A second signal ends it at once. */
function closeOnSignal (servers) {
  const close = async () => {
    for (const app of servers) {
      // Browsers open connections ahead of need. Node does not take one that was never used for idle, and would wait.
      const patience = setTimeout(() => app.server.closeAllConnections(), PATIENCE_MS)
      await app.close()
      clearTimeout(patience)
    }
  }
  process.once('SIGINT', close)
  process.once('SIGTERM', close)
}

function tell (address, upstreamAddress, people) {
  const logins = people.map(({ id, password }) => `  ${id.padEnd(8)}${password}`)
  console.log([
    '',
    `The demo is at  ${address}`,
    `Its upstream at ${upstreamAddress}/orders (401 without a token)`,
    '',
    'Sign in as',
    ...logins,
    '',
    'Ctrl-C stops it.'
  ].join('\n'))
}

start().catch(error => {
  console.error(`The demo did not start: ${error.message}`)
  process.exit(1)
})
