'use strict'

const { randomBytes } = require('node:crypto')
const { join } = require('node:path')
const { buildApp } = require('./app')
const { readOrMakeKey } = require('./key-file')
const { HOST, closeOnSignal, listen, portFrom } = require('./serving')
const { makeUsers } = require('./users')
const { upstreamClient } = require('./upstream/client')
const { buildUpstream } = require('./upstream/server')

const PEOPLE = [{ id: 'ada', name: 'Ada Lovelace' }, { id: 'grace', name: 'Grace Hopper' }]

async function start () {
  const port = portFrom('PORT', 3000)
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

function readablePassword () {
  return randomBytes(6).toString('hex').match(/.{4}/g).join('-')
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
