'use strict'

const { SESSION_BYTES } = require('../session/data')
const { spread, table } = require('../report/markdown')
const variants = require('../servers')
const { SHARE_AT_OTHER_SIZES, SHARE_OF_SLOW } = require('./measure')

const USING = ['untouched', 'read', 'read an object', 'read with a stamp', 'write', 'renew']
const REFUSING = ['forged', 'junk', 'no cookie']

function markdown ({ redis, sizes, goals }, { requests: settings }) {
  const { starts, rounds, sizeRounds, requests, connections } = settings
  const main = sizes.find(({ bytes }) => bytes === SESSION_BYTES)
  const others = sizes.filter(size => size !== main)
  return `## CPU time per request

What a session costs the server, over \`fastify\` and \`@fastify/cookie\` alone (the baseline). ${starts} starts of all servers, in each ${rounds} rounds
of ${requests} requests at ${SESSION_BYTES} bytes and ${sizeRounds} of ${Math.ceil(requests * SHARE_AT_OTHER_SIZES)} at each other size, to each server on each route over ${connections} connections (of ${SHARE_OF_SLOW} of that to
jose, iron-session and h3, after as long a warm-up), routes and servers in an order drawn anew. Each figure is CPU time of the server process, user and system, all
threads: the median of the differences to the baseline within a round, with the quartiles. The load comes from another process. The first requests after
a server's turn comes do not count.

${servers(redis)}

A session is so many bytes of JSON. ${Math.max(...sizes.map(({ bytes }) => bytes))} bytes are about what fits into one cookie of 4096 bytes in every library. "read with a stamp": the session was
written 7 hours ago and renewed since by a second cookie; "renew": it is due for renewal at every request. A dash: there is no such thing, or it was
not measured. "forged": one character of the cookie was changed; "junk": a cookie of 15 KB of base64url characters. These two, and no cookie, are "read".

### ${SESSION_BYTES} bytes: added to the baseline, in µs

${tables(main)}

![CPU time that a session adds to a request](results/added-cost.svg)

### Goals

${goalTable(goals)}

A goal counts as reached where no more lies over it than the control: the farther quartile of the difference of two equal servers.

### Other sizes: added to the baseline, in µs

${others.map(size => `#### ${size.bytes} bytes\n\n${tables(size)}`).join('\n\n')}

![CPU time that a session adds, over its size](results/cost-over-size.svg)
`
}

function servers (redis) {
  const taken = variants.filter(({ needsRedis }) => !needsRedis || redis !== null)
  const lines = taken.map(({ name, says }) => `- **${name}**: ${says}`)
  const left = redis === null ? ['- `@fastify/session` with Redis was left out: no `redis-server` in the PATH'] : []
  return [...lines, ...left].join('\n') + (redis === null ? '' : ` (Redis ${redis})`)
}

function tables (size) {
  return [USING, REFUSING].map(names => tableOf(size, names)).join('\n\n')
}

function tableOf ({ routes, doNotFit }, names) {
  const columns = names.map(name => routes.find(({ route }) => route === name)).filter(Boolean)
  const rows = variants.filter(({ name }) => columns.some(({ added }) => added[name] !== undefined) || doNotFit.includes(name))
  return table(['', ...columns.map(({ route }) => route)], [
    ['**baseline itself**', ...columns.map(({ baseline }) => spread(baseline))],
    ...rows.map(({ name }) => [name, ...columns.map(({ added }) => doNotFit.includes(name) ? 'does not fit' : spread(added[name]))])
  ])
}

function goalTable (goals) {
  const [main, ...others] = [...goals].sort((a, b) => (b.bytes === SESSION_BYTES) - (a.bytes === SESSION_BYTES))
  const head = ['sealed, route', 'goal', 'found', 'over the goal by, µs', 'control, µs', 'reached', ...others.map(({ bytes }) => `at ${bytes} bytes`)]
  return table(head, main.goals.map(({ route, than, onRoute, atMost, ratio, over, control, reached }, index) => [
    route,
    onRoute === undefined ? `≤ ${atMost} × ${than}` : `≤ its own ${onRoute}`,
    ...ratio === undefined ? ['–', '–', '–'] : [ratio.toFixed(2), over.toFixed(1), control.toFixed(1)],
    reached,
    ...others.map(({ goals }) => goals[index].ratio === undefined ? '–' : `${goals[index].ratio.toFixed(2)}, ${goals[index].reached}`)
  ]))
}

module.exports = { markdown }
