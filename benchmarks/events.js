'use strict'

/**
 * What events cost a request: CPU time per request of a server that publishes nothing, and what is added by channels that nobody
 * hears, and by one subscriber at each. All servers in turns, in an order drawn anew; the second server that publishes nothing is
 * the control. Of the package's own benchmark it takes the servers, the load and the settings, and writes no file:
 *
 *     npm run build && node benchmarks/events.js [--starts 5] [--rounds 4] [--requests 1500]
 */

const { randomBytes, randomInt } = require('node:crypto')
const { Contestant } = require('./contestant')
const { ROUTES } = require('./routes')
const readSettings = require('./settings')
const { pairedDifferences, summary } = require('./statistics')

const QUIET = 'no events'
const SERVERS = [
  { name: QUIET, path: require.resolve('./servers/sealed-without-events'), tagAt: 'end' },
  { name: 'no events again', path: require.resolve('./servers/sealed-without-events'), tagAt: 'end' },
  { name: 'no subscriber', path: require.resolve('./servers/sealed'), tagAt: 'end' },
  { name: 'one subscriber each', path: require.resolve('./servers/sealed-heard'), tagAt: 'end' }
]
/** Those that publish something, where somebody hears it, and one that does not. */
const MEASURED = ROUTES.filter(({ name }) => ['untouched', 'read', 'write', 'forged'].includes(name))

/** Microseconds of CPU time per request, as `samples[route][server]`, in the order of the rounds. */
async function measure ({ starts, rounds, requests, 'warm-up': warmUp, connections }) {
  const samples = Object.fromEntries(MEASURED.map(route => [route.name, Object.fromEntries(SERVERS.map(({ name }) => [name, []]))]))
  for (let start = 0; start < starts; start++) {
    const key = randomBytes(32)
    const contestants = []
    for (const server of SERVERS) contestants.push(await Contestant.start(server, { key, connections, strangersCookie: null }))
    for (const contestant of contestants) await contestant.verify()
    await inTurns(contestants, (contestant, route) => contestant.send(route, warmUp))
    for (let round = 0; round < rounds; round++) {
      await inTurns(contestants, async (contestant, route) => {
        samples[route.name][contestant.name].push(await contestant.measure(route, requests))
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
    const left = [...contestants]
    while (left.length > 0) await step(left.splice(randomInt(left.length), 1)[0], route)
  }
}

function tableOf (samples) {
  const others = SERVERS.slice(1).map(({ name }) => name)
  const rows = Object.entries(samples).map(([route, { [QUIET]: quiet, ...added }]) => {
    return [route, micros(quiet), ...others.map(name => micros(pairedDifferences(added[name], quiet)))]
  })
  const head = ['route', QUIET, ...others.map(name => `${name}, added`)]
  return [head, head.map(() => '---'), ...rows].map(row => `| ${row.join(' | ')} |`).join('\n')
}

function micros (values) {
  const { median, lower, upper } = summary(values)
  return `${median.toFixed(1)} (${lower.toFixed(1)} to ${upper.toFixed(1)})`
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
