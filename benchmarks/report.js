'use strict'

const os = require('node:os')
const { judge } = require('./goals')
const { SESSION_BYTES } = require('./fixture')
const { ROUTES } = require('./routes')
const { pairedDifferences, summary } = require('./statistics')

const PACKAGES = ['fastify', '@fastify/cookie', '@fastify/secure-session', 'fastify-sealed-session', 'sodium-native']
const RIVALS = ['baseline again', 'floor', 'peer', 'sealed']

/** All that was found, with what it was found on. */
function resultsOf ({ samples, cookieLengths }, settings) {
  const routes = ROUTES.map(({ name }) => {
    const { baseline, ...others } = samples[name]
    const added = Object.fromEntries(RIVALS.map(rival => [rival, summary(pairedDifferences(others[rival], baseline))]))
    return { route: name, baseline: summary(baseline), added }
  })
  return {
    node: process.version,
    cpu: os.cpus()[0].model,
    cores: os.cpus().length,
    platform: `${process.platform}-${process.arch}`,
    packages: Object.fromEntries(PACKAGES.map(name => [name, require(`${name}/package.json`).version])),
    sessionBytes: SESSION_BYTES,
    settings,
    routes,
    goals: judge(samples),
    cookies: Object.entries(cookieLengths).filter(([, lengths]) => lengths.length > 0)
      .map(([name, lengths]) => ({ name, ...summary(lengths) }))
  }
}

function markdownOf (results) {
  const { node, cpu, cores, platform, packages, sessionBytes, settings, routes, goals, cookies } = results
  const versions = Object.entries(packages).map(([name, version]) => `${name} ${version}`).join(', ')
  const { starts, rounds, requests, connections } = settings
  return `# CPU time per request

What a session of ${sessionBytes} bytes costs the server, over \`fastify\` and \`@fastify/cookie\` alone (the baseline). One run of
\`node benchmarks/run.js\`: ${starts} starts of all servers, ${rounds} rounds each, ${requests} requests a round and route over ${connections} connections, the
servers in turns. Each figure is CPU time of the server process, user and system, all threads; medians of the differences
within a round, with the quartiles.

- **floor**: decryption and JSON written by hand into each handler, with nothing else a session needs
- **peer**: \`@fastify/secure-session\`
- **sealed**: this package
- **baseline again**: the control, a second baseline. What it differs by is noise

Node ${node}, ${platform}, ${cores} cores of ${cpu}. ${versions}.

## Added to the baseline, in µs

${table(
  ['route', 'baseline itself', ...RIVALS],
  routes.map(({ route, baseline, added }) => [route, micros(baseline), ...RIVALS.map(rival => micros(added[rival]))])
)}

\`forged\` and \`junk\` are /read with a cookie whose tag is changed by one character, and with 4000 characters of junk.

## Goals

${table(
  ['sealed, route', 'goal', 'found', 'over the goal by, µs', 'control, µs', 'reached'],
  goals.map(({ route, than, atMost, ratio, over, control, reached }) => [
    route, `≤ ${atMost} × ${than}`, ratio.toFixed(2), over.toFixed(1), control.toFixed(1), reached
  ])
)}

A goal counts as reached where no more lies over it than the control: the farther quartile of the difference of two equal servers.

## Characters of the cookie's value

${table(
  ['', 'median', 'quartiles'],
  cookies.map(({ name, median, lower, upper }) => [name, median, `${lower} to ${upper}`])
)}
`
}

function table (head, rows) {
  return [head, head.map(() => '---'), ...rows].map(row => `| ${row.join(' | ')} |`).join('\n')
}

function micros ({ median, lower, upper }) {
  return `${median.toFixed(1)} (${lower.toFixed(1)} to ${upper.toFixed(1)})`
}

module.exports = { markdownOf, resultsOf }
