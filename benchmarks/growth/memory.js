'use strict'

const { randomBytes } = require('node:crypto')
const exchange = require('../traffic/exchange')
const { connectionTo, requestBytes } = require('../traffic/load')
const { Replies } = require('../traffic/replies')
const { shuffled, summary } = require('../report/statistics')
const { cookieOf } = require('../session/cookies')
const { SESSION_BYTES } = require('../session/data')
const { BODY_BYTES } = require('../requests/routes')
const { start } = require('./cells')

const CONNECTIONS = 20

/** What an open request holds: `{ name, of, path }`. */
const KINDS = [
  { name: 'baseline', of: 'baseline', path: '/hold' },
  { name: 'sealed, untouched', of: 'sealed', path: '/hold' },
  { name: 'sealed, read, hit', of: 'sealed', path: '/hold-open' },
  { name: 'sealed, read, no cache', of: 'sealed-uncached', path: '/hold-open' },
  { name: 'peer, untouched', of: 'peer', path: '/hold' },
  { name: 'peer, read', of: 'peer', path: '/hold-open' }
]

/** Bytes of heap and external memory that one open request holds, after a collection: `{ [name]: { median, lower, upper } }`. */
async function measureMemory ({ memoryRounds, open }, onProgress) {
  const key = randomBytes(32)
  const servers = {}
  for (const of of new Set(KINDS.map(kind => kind.of))) servers[of] = await start('holding', { key, of: require.resolve(`../servers/${of}`) })
  const cookieFrom = async of => cookieOf((await exchange(servers[of].port, `/login?bytes=${SESSION_BYTES}`, null)).setCookies)
  const cookies = { sealed: await cookieFrom('sealed'), peer: await cookieFrom('peer') }
  const found = Object.fromEntries(KINDS.map(({ name }) => [name, []]))
  for (let round = -1; round < memoryRounds; round++) {
    for (const { name, of, path } of shuffled(KINDS)) {
      const bytes = await heldBy(servers[of], { path, cookie: cookies[of] ?? cookies.sealed }, open)
      if (round >= 0) found[name].push(bytes)
    }
  }
  onProgress(`memory: ${memoryRounds} rounds of ${open} open requests`)
  for (const server of Object.values(servers)) await server.stop()
  return Object.fromEntries(Object.entries(found).map(([name, values]) => [name, summary(values)]))
}

/** One open request on each connection is not counted: what a connection holds by itself is there by then. */
async function heldBy (server, request, open) {
  const perConnection = Math.ceil(open / CONNECTIONS)
  const sockets = await Promise.all(Array.from({ length: CONNECTIONS }, () => connectionTo(server.port)))
  const hold = async (count, total) => {
    for (const socket of sockets) socket.write(Buffer.concat(Array.from({ length: count }, () => requestBytes(request))))
    while (await server.ask('held') < total * CONNECTIONS);
    const { heapUsed, external } = await server.memory()
    return heapUsed + external
  }
  const before = await hold(1, 1)
  const after = await hold(perConnection, perConnection + 1)
  const answered = Promise.all(sockets.map(socket => allReplies(socket, perConnection + 1)))
  await server.ask('release')
  await answered
  for (const socket of sockets) socket.destroy()
  return (after - before) / (perConnection * CONNECTIONS)
}

function allReplies (socket, count) {
  return new Promise((resolve, reject) => {
    const replies = new Replies(BODY_BYTES)
    let answered = 0
    socket.on('data', chunk => {
      try {
        answered += replies.take(chunk).length
      } catch (error) {
        reject(error)
      }
      if (answered === count) resolve()
    })
  })
}

module.exports = { measureMemory }
