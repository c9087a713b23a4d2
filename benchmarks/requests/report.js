'use strict'

const { SESSION_BYTES } = require('../session/data')
const { spread, table } = require('../report/markdown')
const variants = require('../servers')
const { SHARE_AT_OTHER_SIZES, SHARE_OF_SLOW } = require('./measure')

const OPENING = ['untouched', 'reads a string', 'reads an object', 'reads with a stamp']
const WRITING = ['writes all values', 'changes one value', 'renews']
const REFUSING = ['forged', 'junk', 'no cookie']
const TO_PEER = ['untouched', 'reads a string', 'reads an object', 'writes all values', 'changes one value', 'forged']
const SHOWN_TO_PEER = ['floor', 'sealed, hit', 'sealed, miss', 'sealed, no cache']

function markdown ({ redis, sizes, goals }, { requests: settings }) {
  const { starts, rounds, sizeRounds, requests, missCookies, connections } = settings
  const main = sizes.find(({ bytes }) => bytes === SESSION_BYTES)
  const others = sizes.filter(size => size !== main)
  const largest = Math.max(...sizes.map(({ bytes }) => bytes))
  const fewer = Math.ceil(requests * SHARE_AT_OTHER_SIZES)
  return `## CPU time per request

CPU time of the server process that a session adds to \`fastify\` and \`@fastify/cookie\` alone (the baseline): user and
system, all threads. Each figure is the median over ${starts} starts of the server process, with the quartiles. The
value of a start is the median of its rounds; that of a round is the difference to the baseline in the same round.
Processes start in random order, and in each round routes and servers have their turns in random order.

A turn is ${requests} requests over ${connections} connections (${SHARE_OF_SLOW} of that for jose, iron-session and h3), from
another process, after some that do not count. There are ${rounds} rounds at ${SESSION_BYTES} bytes, and ${sizeRounds} rounds of
${fewer} requests at each other size.

${servers(redis)}

The bytes are those of the session's JSON; ${largest} bytes nearly fill a cookie of 4096 bytes in every library. "Reads
with a stamp": the session was written 7 hours ago, and renewed since by a second cookie. "Renews": its renewal is due at
every request. "Forged": one character of the cookie was changed. "Junk": a cookie of 15 KB of base64url characters.
These two and "no cookie" read a string. A miss has one of ${missCookies} cookies, in turn. A dash: not measured.

### ${SESSION_BYTES} bytes: added to the baseline, in µs

${[OPENING, WRITING, REFUSING].map(names => addedTable(main, names)).join('\n\n')}

![CPU time that a session adds to a request](results/added-cost.svg)

### ${SESSION_BYTES} bytes: ratio to the peer

The median over the starts of the ratio to what the peer added in the same start, with the quartiles.

${ratioTable(main)}

### Goals

${goalTable(goals.toPeer)}

A goal is within the control if less time lies over it than the farther quartile of the second baseline. To refuse a
forged cookie may cost what a miss costs and the exception that the binding of libsodium throws (the difference that it
makes to the floor): ${forgedText(goals.forged)}

### Other sizes: added to the baseline, in µs

${others.map(sizeText).join('\n\n')}

![CPU time that a session adds, over its size](results/cost-over-size.svg)
`
}

function sizeText (size) {
  return `#### ${size.bytes} bytes\n\n${addedTable(size, size.routes.map(({ route }) => route))}`
}

function servers (redis) {
  const taken = variants.filter(({ needsRedis }) => !needsRedis || redis !== null)
  const lines = taken.map(({ name, says, needsRedis }) => {
    return `- **${name}**: ${says}${needsRedis ? ` (Redis ${redis})` : ''}`
  })
  if (redis === null) lines.push('- `@fastify/session` with Redis was left out: no `redis-server` in the PATH')
  return lines.join('\n')
}

function addedTable ({ routes }, names) {
  const columns = names.map(name => routes.find(({ route }) => route === name))
  const rows = variants.filter(({ name }) => columns.some(({ added }) => added[name] !== undefined))
  return table(['', ...names], [
    ['**baseline itself**', ...columns.map(({ baseline }) => spread(baseline))],
    ...rows.map(({ name }) => [name, ...columns.map(({ added }) => spread(added[name]))])
  ])
}

function ratioTable ({ routes }) {
  const columns = TO_PEER.map(name => routes.find(({ route }) => route === name))
  const rows = SHOWN_TO_PEER.map(name => [name, ...columns.map(({ ratio }) => spread(ratio[name], 2))])
  return table(['', ...TO_PEER], rows)
}

function goalTable (goals) {
  const head = kind => [`${kind}: goal`, 'found', 'over the goal by, µs', 'reached']
  const cells = ({ atMost, ratio, over, reached }) => [`≤ ${atMost}`, ratio.median.toFixed(2), over.toFixed(1), reached]
  const rows = goals.map(goal => [goal.route, ...cells(goal.hit), ...cells(goal.miss), goal.control.toFixed(1)])
  return table(['route, ratio to the peer', ...head('hit'), ...head('miss'), 'control, µs'], rows)
}

function forgedText ({ us, readUs, exception, over, reached }) {
  const goal = `${readUs.toFixed(1)} and ${exception.toFixed(1)} µs`
  const verdict = `over the goal by ${over.toFixed(1)} µs; reached: ${reached}`
  return `it costs ${us.toFixed(1)} µs, the goal is ${goal}; ${verdict}.`
}

module.exports = { markdown }
