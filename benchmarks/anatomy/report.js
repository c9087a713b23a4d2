'use strict'

const { table } = require('../report/markdown')
const { SESSION_BYTES } = require('../session/data')

function markdown ({ routes, decryptInLoop }, { anatomy: { starts, rounds, requests, warmUp, connections } }) {
  const sumOf = ({ steps }) => steps.reduce((sum, { us }) => sum + us, 0)
  const decryption = usOf(routes.find(({ route }) => route === 'read, miss'), 'decrypt')
  return `## Where the time goes

The time in µs that this package takes of a request with a session of ${SESSION_BYTES} bytes, step by step: of the handler's calls of \`request.session\`, and of the plugin's
onSend hook. Timers lie around functions of the package in a server under the load of the part above; each moment belongs to the innermost step.

Each figure is wall-clock time, the mean over that half of the requests that lies in the middle: such means add up, as medians do not. ${starts} starts of the
server, in each ${rounds} rounds of ${requests} requests on each route over ${connections} connections, after ${warmUp} that do not count. What the timers themselves take is measured on an empty
step beside the others, and is not in the figures of the steps. "timed only as a whole": another server, without timers around the steps. What differs
between the two is what the timers change, and noise.

A hit: all requests have the same cookie. A miss: they cycle through more cookies than the cache holds.

${table(['step', ...routes.map(({ route }) => route)], [
  ...routes[0].steps.map(({ name }) => [name, ...routes.map(route => shown(usOf(route, name)))]),
  ['**all steps**', ...routes.map(route => `**${shown(sumOf(route))}**`)],
  ['timed only as a whole', ...routes.map(({ whole }) => shown(whole))],
  ['the timers themselves, not in the figures of the steps', ...routes.map(({ timers }) => shown(timers))]
])}

"the session object": \`request.session\`, \`get\` or \`set\`, finding the key, and the checks of the session's times; for a cookie that is refused, the refusal. "headers of
the reply": Set-Cookie, Cache-Control and Vary. Not in the figures: what the package does before the handler, what longer headers cost Node.js, and the
collection of garbage.

These steps cost more in a server than in a loop of nothing else, for between two requests the processor's caches have held other things: decryption
takes ${shown(decryption)} µs here and ${shown(decryptInLoop)} µs in a loop, ${(decryption / decryptInLoop).toFixed(1)} times as much. The next part, seal and open alone, has the figures of loops.

![Where the time of a request goes](results/anatomy.svg)
`
}

function usOf ({ steps }, name) {
  return steps.find(step => step.name === name).us
}

/** A dash where a route does not get to a step. */
function shown (us) {
  if (us === null) return '–'
  const text = us.toFixed(1)
  return text === '-0.0' ? '0.0' : text
}

module.exports = { markdown }
