'use strict'

const { randomBytes } = require('node:crypto')
const { tmpdir } = require('node:os')
const { join } = require('node:path')
const { buildApp } = require('./app')
const { publicKeyHash } = require('./certificate')
const { readOrMakeCertificate, readOrMakeKey } = require('./key-file')
const { HOST, closeOnSignal, listen, portFrom } = require('./serving')
const { makeUsers } = require('./users')
const { upstreamClient } = require('./upstream/client')
const { buildUpstream } = require('./upstream/server')

const PEOPLE = [{ id: 'ada', name: 'Ada Lovelace' }, { id: 'grace', name: 'Grace Hopper' }]

/** @param overTls with a certificate for localhost, which is made at the first start; browsers then bind sessions */
async function start ({ overTls }) {
  const port = portFrom('PORT', overTls ? 3443 : 3000)
  const keyFolder = process.env.DEMO_KEY_DIR || join(__dirname, '.keys')
  const key = await readOrMakeKey(keyFolder)
  const certificate = overTls ? await readOrMakeCertificate(keyFolder) : null

  const clientSecret = randomBytes(32).toString('base64url')
  const upstream = buildUpstream({ clientSecret })
  const upstreamAddress = await upstream.listen({ host: HOST, port: 0 })

  // Made anew at each start, so that no password stands in the source.
  const people = PEOPLE.map(person => ({ ...person, password: readablePassword() }))
  const app = buildApp({
    key,
    users: await makeUsers(people),
    upstream: upstreamClient({ address: upstreamAddress, clientSecret }),
    certificate
  })
  const address = addressFor(await listen(app, port), overTls)

  closeOnSignal([app, upstream])
  tell(address, upstreamAddress, people, overTls ? howToOpen(address, certificate) : WHY_NOT_BOUND)
}

/** The certificate is for a name. */
function addressFor (address, overTls) {
  return overTls ? address.replace(HOST, 'localhost') : address
}

const WHY_NOT_BOUND = [
  'Sessions are not bound to a device here, since browsers do that only over TLS.',
  'npm run start:tls starts the demo with it.'
]

/**
 * Chromium trusts this one key, and no other certificate that is wrong: with all errors ignored, it registers no keys.
 * It keeps the keys of sessions in software, for machines without a TPM, and may sign as often as you like.
 */
function howToOpen (address, certificate) {
  const command = [
    'chromium',
    `--user-data-dir=${join(tmpdir(), 'sealed-session-demo')}`,
    `--ignore-certificate-errors-spki-list=${publicKeyHash(certificate)}`,
    '--enable-features=DeviceBoundSessions:RefreshQuota/false,EnableBoundSessionCredentialsSoftwareKeysForManualTesting',
    address
  ]
  return [
    'Sessions are bound to the browser, if it knows how. To see it, start Chromium by this one line:',
    '',
    `  ${command.join(' ')}`,
    '',
    'In other browsers the demo works as well: accept the certificate. Their sessions may stay unbound.'
  ]
}

function readablePassword () {
  return randomBytes(6).toString('hex').match(/.{4}/g).join('-')
}

function tell (address, upstreamAddress, people, ofBinding) {
  const logins = people.map(({ id, password }) => `  ${id.padEnd(8)}${password}`)
  console.log([
    '',
    `The demo is at  ${address}`,
    `Its upstream at ${upstreamAddress}/orders (401 without a token)`,
    '',
    'Sign in as',
    ...logins,
    '',
    ...ofBinding,
    '',
    'Ctrl-C stops it.'
  ].join('\n'))
}

start({ overTls: process.argv.includes('--tls') }).catch(error => {
  console.error(`The demo did not start: ${error.message}`)
  process.exit(1)
})
