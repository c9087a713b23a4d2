'use strict'

const { fork } = require('node:child_process')
const { once } = require('node:events')
const { join } = require('node:path')
const { spread, table } = require('../report/markdown')
const { shuffled, summary } = require('../report/statistics')

const NAMES = {
  nothing: '`fastify` alone',
  cookie: '`@fastify/cookie`',
  sealed: '`@fastify/cookie` and this package',
  peer: '`@fastify/cookie` and `@fastify/secure-session`',
  session: '`@fastify/cookie` and `@fastify/session`'
}
const MOST_TO_PEER = 1.2

/** Cold start: what it takes to require and register a plugin in a fresh process. */
async function run ({ start: { processes } }, onProgress) {
  const found = Object.fromEntries(Object.keys(NAMES).map(name => [name, []]))
  // The first round reads the files into the cache of the operating system, and does not count.
  for (let round = 0; round <= processes; round++) {
    for (const name of shuffled(Object.keys(NAMES))) {
      const figures = await startOf(name)
      if (round > 0) found[name].push(figures)
    }
    if (round > 0 && round % 5 === 0) onProgress(`${round} of ${processes} processes each`)
  }
  return Object.fromEntries(Object.entries(found).map(([name, all]) => [name, {
    requireMs: summary(all.map(({ requireMs }) => requireMs)),
    ms: summary(all.map(({ ms }) => ms)),
    cpuMs: summary(all.map(({ cpuMs }) => cpuMs)),
    toPeer: summary(all.map(({ ms }, round) => ms / found.peer[round].ms)),
    modules: all[0].modules
  }]))
}

async function startOf (name) {
  const child = fork(join(__dirname, 'process.js'), [name], { env: { ...process.env, NODE_ENV: 'production' } })
  let figures
  child.once('message', message => { figures = message })
  await once(child, 'exit')
  if (figures === undefined) throw new Error(`the start of ${name} failed`)
  return figures
}

function markdown (found, { start: { processes } }) {
  const rows = Object.entries(NAMES).map(([name, says]) => {
    const { requireMs, ms, cpuMs, toPeer, modules } = found[name]
    return [says, spread(requireMs), spread(ms), spread(cpuMs), spread(toPeer, 2), modules]
  })
  const isReached = found.sealed.toPeer.median <= MOST_TO_PEER
  return `## Cold start

Milliseconds from before the require until \`app.ready()\`, in a fresh process that has loaded \`fastify\`. Medians over
${processes} processes each, in random order, with the quartiles. "Modules" are those that it adds to \`require.cache\`.

${table(['', 'require', 'require and register', 'CPU time of that', 'ratio to the peer', 'modules'], rows)}

The goal is at most ${MOST_TO_PEER} of \`@fastify/secure-session\`: ${isReached ? 'reached' : 'not reached'}.
`
}

module.exports = { run, markdown, charts: () => ({}) }
