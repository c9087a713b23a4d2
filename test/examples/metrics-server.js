'use strict'

/**
 * The site of examples/metrics and its metrics in a process of their own, whose clock can be moved from a test. What a test may
 * ask is in `commands`.
 */

const { channel } = require('node:diagnostics_channel')
const { randomBytes } = require('node:crypto')
const { Registry } = require('prom-client')
const { makeUsers } = require('../../examples/demo/users')
const { buildApp } = require('../../examples/metrics/app')
const { buildMetricsServer } = require('../../examples/metrics/metrics-server')
const { observeSessions } = require('../../examples/metrics/observe-sessions')

const CHANNELS = ['opened', 'refused', 'sealed', 'renewed', 'revoked'].map(name => `fastify-sealed-session:${name}`)
const real = Date.now
let aheadMs = 0
let stop

async function start () {
  Date.now = () => real() + aheadMs
  const registry = new Registry()
  stop = observeSessions(registry)
  const app = buildApp({ key: randomBytes(32), users: await makeUsers([{ id: 'ada', name: 'Ada Lovelace', password: 'a good one' }]) })
  const metrics = buildMetricsServer(registry)
  const [site, metricsAddress] = await Promise.all([app, metrics].map(server => server.listen({ host: '127.0.0.1', port: 0 })))
  return { site, metrics: `${metricsAddress}/metrics` }
}

const commands = {
  advance: async ms => { aheadMs += ms },
  stop: async () => { stop() },
  listening: async () => CHANNELS.filter(name => channel(name).hasSubscribers)
}

start().then(addresses => {
  process.send(addresses)
  process.on('message', async ({ name, args }) => { process.send({ result: await commands[name](...args) ?? null }) })
  process.once('disconnect', () => process.exit())
})
