'use strict'

const { randomBytes } = require('node:crypto')
const { Registry, collectDefaultMetrics } = require('prom-client')
const { makeUsers } = require('../demo/users')
const { buildApp } = require('./app')
const { buildMetricsServer } = require('./metrics-server')
const { observeSessions } = require('./observe-sessions')

const HOST = '127.0.0.1'
const PATIENCE_MS = 1000
const KEY_BYTES = 32
const PEOPLE = [{ id: 'ada', name: 'Ada Lovelace' }, { id: 'grace', name: 'Grace Hopper' }]

async function start () {
  const ports = { site: portFrom('PORT', 3000), metrics: portFrom('METRICS_PORT', 9464) }
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  observeSessions(registry)

  // Made anew at each start, so that no password stands in the source.
  const people = PEOPLE.map(person => ({ ...person, password: randomBytes(6).toString('hex').match(/.{4}/g).join('-') }))
  // So is the key: revocations are in memory, and a session that was ended must not come back with a restart.
  const app = buildApp({ key: randomBytes(KEY_BYTES), users: await makeUsers(people) })
  const metrics = buildMetricsServer(registry)
  const address = await listen(app, ports.site)
  const metricsAddress = await listen(metrics, ports.metrics)
  closeOnSignal([app, metrics])
  tell(address, metricsAddress, people)
}

/** 0 asks the system for any free port. Throws where the variable is set to no port. */
function portFrom (name, usual) {
  const text = process.env[name]
  if (text === undefined || text === '') return usual
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65535) throw new Error(`${name} must be a number from 0 to 65535`)
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

/** The site's requests under way are answered, and its last numbers can be scraped meanwhile. A second signal ends it at once. */
function closeOnSignal (servers) {
  const close = async () => {
    for (const app of servers) {
      const patience = setTimeout(() => app.server.closeAllConnections(), PATIENCE_MS)
      await app.close()
      clearTimeout(patience)
    }
  }
  process.once('SIGINT', close)
  process.once('SIGTERM', close)
}

function tell (address, metricsAddress, people) {
  console.log([
    '',
    `The site is at      ${address}`,
    `Its metrics are at  ${metricsAddress}/metrics`,
    '',
    'Log in as',
    ...people.map(({ id, password }) => `  ${id.padEnd(8)}${password}`),
    '',
    'Ctrl-C stops it.'
  ].join('\n'))
}

start().catch(error => {
  console.error(`The example did not start: ${error.message}`)
  process.exit(1)
})
