'use strict'

const { table } = require('../report/markdown')
const { SESSION_BYTES } = require('../session/data')

function markdown ({ routes, decryptInLoop }, { anatomy: { starts, rounds, requests, warmUp, connections } }) {
  const sumOf = ({ steps }) => steps.reduce((sum, { us }) => sum + us, 0)
  const decryption = usOf(routes.find(({ route }) => route === 'read, miss'), 'decrypt')
  return `## Where the time goes

The time in µs that this package takes of a request with a session of ${SESSION_BYTES} bytes, step by step: of the handler's calls of
\`request.session\`, and of the plugin's onSend hook. Timers lie around functions of the package in a server under load;
each moment belongs to the innermost step. A hit: all requests have the same cookie. A miss: they cycle through more
cookies than the cache holds.

Each figure is wall-clock time, the mean over the middle half of the requests: such means add up, as medians do not.
Starts of the server: ${starts}, each with ${rounds} rounds of ${requests} requests per route over ${connections} connections, after ${warmUp} that do not
count. The time of the timers is measured on an empty step beside the others, and is not in the figures of the steps.
"Timed only as a whole": another server, without timers around the steps. The difference between the two is what the
timers change, and noise.

${table(['step', ...routes.map(({ route }) => route)], [
  ...routes[0].steps.map(({ name }) => [name, ...routes.map(route => shown(usOf(route, name)))]),
  ['**all steps**', ...routes.map(route => `**${shown(sumOf(route))}**`)],
  ['timed only as a whole', ...routes.map(({ whole }) => shown(whole))],
  ['the timers themselves, not in the figures of the steps', ...routes.map(({ timers }) => shown(timers))]
])}

"The session object": \`request.session\`, \`get\` or \`set\`, finding the key, and the checks of the session's times; for a
cookie that is refused, the refusal. "Headers of the reply": Set-Cookie, Cache-Control and Vary. Not in the figures: the
work of the package before the handler, the cost of longer headers in Node.js, and garbage collection.

These steps cost more in a server than in a tight loop, because the processor's caches hold other data between two
requests: decryption takes ${shown(decryption)} µs here and ${shown(decryptInLoop)} µs in a loop, ${(decryption / decryptInLoop).toFixed(1)} times as much.

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
