'use strict'

/**
 * What events cost a request: CPU time per request of a server that publishes nothing, and what is added by channels that nobody
 * hears, and by one subscriber at each. All servers in turns, in an order drawn anew; the second server that publishes nothing is
 * the control. Of the benchmarks it takes the servers and the load, and it writes no file:
 *
 *     npm run build && node benchmarks/events.js [--starts 5] [--rounds 4] [--requests 1500]
 */

const { randomBytes } = require('node:crypto')
const { parseArgs } = require('node:util')
const { spread, table } = require('./report/markdown')
const { pairedDifferences, shuffled, summary } = require('./report/statistics')
const { Contestant } = require('./requests/contestant')
const { ROUTES } = require('./requests/routes')
const { SESSION_BYTES } = require('./session/data')

const DEFAULTS = { starts: 5, rounds: 4, requests: 1500, 'warm-up': 4000, connections: 16 }
const QUIET = 'no events'
const SERVERS = [
  { name: QUIET, path: require.resolve('./servers/sealed-without-events'), isMain: true, hasSession: true },
  { name: 'no events again', path: require.resolve('./servers/sealed-without-events'), isMain: true, hasSession: true },
  { name: 'no subscriber', path: require.resolve('./servers/sealed'), isMain: true, hasSession: true },
  { name: 'one subscriber each', path: require.resolve('./servers/sealed-heard'), isMain: true, hasSession: true }
]
/** Those that publish something, where somebody hears it, and one that does not. */
const MEASURED = ROUTES.filter(({ name }) => ['untouched', 'read', 'write', 'forged'].includes(name))

/** Microseconds of CPU time per request, as `samples[route][server]`, in the order of the rounds. */
async function measure ({ starts, rounds, requests, 'warm-up': warmUp, connections }) {
  const samples = Object.fromEntries(MEASURED.map(route => [route.name, Object.fromEntries(SERVERS.map(({ name }) => [name, []]))]))
  for (let start = 0; start < starts; start++) {
    const key = randomBytes(32)
    const contestants = []
    for (const server of SERVERS) contestants.push(await Contestant.start(server, { key, connections, sizes: [SESSION_BYTES] }))
    for (const contestant of contestants) await contestant.verify()
    await inTurns(contestants, (contestant, route) => contestant.send(route, SESSION_BYTES, warmUp))
    for (let round = 0; round < rounds; round++) {
      await inTurns(contestants, async (contestant, route) => {
        samples[route.name][contestant.name].push(await contestant.measure(route, SESSION_BYTES, requests))
      })
      console.error(`start ${start + 1} of ${starts}: round ${round + 1} of ${rounds}`)
    }
    for (const contestant of contestants) await contestant.stop()
  }
  return samples
}

/** Each route at each server: no server is always first, or always after the same one. */
async function inTurns (contestants, step) {
  for (const route of MEASURED) {
    for (const contestant of shuffled(contestants)) await step(contestant, route)
  }
}

function tableOf (samples) {
  const others = SERVERS.slice(1).map(({ name }) => name)
  const rows = Object.entries(samples).map(([route, { [QUIET]: quiet, ...added }]) => {
    return [route, spread(summary(quiet)), ...others.map(name => spread(summary(pairedDifferences(added[name], quiet))))]
  })
  return table(['route', QUIET, ...others.map(name => `${name}, added`)], rows)
}

/** Throws where a flag is none, or its value no whole number above 0. */
function readSettings (args) {
  const { values } = parseArgs({ args, options: Object.fromEntries(Object.keys(DEFAULTS).map(name => [name, { type: 'string' }])) })
  return Object.fromEntries(Object.entries(DEFAULTS).map(([name, otherwise]) => {
    const number = Number(values[name] ?? otherwise)
    if (!Number.isInteger(number) || number < 1) throw new Error(`--${name} takes a whole number above 0; found ${values[name]}`)
    return [name, number]
  }))
}

async function main () {
  const settings = readSettings(process.argv.slice(2))
  const samples = await measure(settings)
  console.log(`CPU time per request, in µs: medians of ${settings.starts * settings.rounds} rounds of ${settings.requests} requests, with the quartiles\n`)
  console.log(tableOf(samples))
}

main().catch(error => {
  console.error(error)
  // The servers that still run end with the channel to this process.
  process.exit(1)
})
