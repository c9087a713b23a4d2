'use strict'

const { randomBytes } = require('node:crypto')
const { Registry, collectDefaultMetrics } = require('prom-client')
const { closeOnSignal, listen, portFrom } = require('../demo/serving')
const { makeUsers } = require('../demo/users')
const { buildApp } = require('./app')
const { buildMetricsServer } = require('./metrics-server')
const { observeSessions } = require('./observe-sessions')

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
  // The last numbers can be scraped while the site answers what is under way.
  closeOnSignal([app, metrics])
  tell(address, metricsAddress, people)
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
