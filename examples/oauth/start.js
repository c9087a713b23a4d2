'use strict'

const { join } = require('node:path')
const { startServers } = require('./servers')

const { env } = process

async function start () {
  const servers = await startServers({
    ports: { site: portFrom('PORT', 3000), provider: portFrom('PROVIDER_PORT', 3001), api: portFrom('API_PORT', 3002) },
    keyFolder: env.OAUTH_KEY_DIR || join(__dirname, '.keys'),
    accessTokenSeconds: numberFrom('ACCESS_TOKEN_SECONDS', 60, 15, 3600)
  })
  // A second signal ends it at once.
  process.once('SIGINT', servers.close)
  process.once('SIGTERM', servers.close)
  tell(servers)
}

/** 0 asks the system for any free port. */
function portFrom (name, usual) {
  return numberFrom(name, usual, 0, 65535)
}

/** Throws where the variable is set to no such number. */
function numberFrom (name, usual, least, most) {
  const text = env[name]
  if (text === undefined || text === '') return usual
  const number = Number(text)
  if (!/^\d{1,5}$/.test(text) || number < least || number > most) throw new Error(`${name} must be a number from ${least} to ${most}`)
  return number
}

function tell ({ site, issuer, api, people }) {
  console.log([
    '',
    `The site is at      ${site}`,
    `Its provider is at  ${issuer}`,
    `Its API is at       ${api}/orders (401 without a token)`,
    '',
    'Sign in as',
    ...people.map(({ id, password }) => `  ${id.padEnd(8)}${password}`),
    '',
    'Ctrl-C stops it.'
  ].join('\n'))
}

start().catch(error => {
  console.error(`The example did not start: ${error.message}`)
  process.exit(1)
})
