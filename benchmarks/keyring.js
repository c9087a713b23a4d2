'use strict'

/**
 * What the size of a keyring costs a request: CPU time per request with a fixed key, and with rings of 1 and 100 keys, each
 * server twice, in turns. Client and server share a process, so it is the differences that tell.
 *
 *     npm run build && node benchmarks/keyring.js [rounds]
 */

const { randomBytes } = require('node:crypto')
const { Agent, get } = require('node:http')
const fastify = require('fastify')
const secureSession = require('..')
const { keyOf } = require('../dist/lib/keyring/lifecycle')
const { writeKeyring } = require('../dist/lib/keyring/document')
const { summary } = require('./report/statistics')

const ROUNDS = Number(process.argv[2] ?? 60)
const WARM_UP = 5
const REQUESTS = 400
const KEY = Buffer.alloc(32, 1)
const PATHS = { '/untouched': 'untouched', '/read': 'read', '/write': 'write' }

/** A ring whose active key is KEY, among others that only open. */
function ringOf (size) {
  const nowMs = Date.now()
  const others = Array.from({ length: size - 1 }, (_, index) => keyOf(randomBytes(32), nowMs - 100_000 - index))
  const text = writeKeyring([...others, keyOf(KEY, nowMs - 1000)])
  return { read: async () => text, update: async () => false }
}

async function serverOf (keys) {
  const app = fastify()
  app.register(secureSession, keys)
  app.get('/untouched', (request, reply) => { reply.send('x') })
  app.get('/read', (request, reply) => { reply.send(request.session.get('user')) })
  app.get('/write', (request, reply) => {
    request.session.set('user', `ada ${Math.random()}`)
    reply.send('x')
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  return { app, port: app.server.address().port }
}

const agent = new Agent({ keepAlive: true, maxSockets: 1 })

function request (port, path, cookie) {
  return new Promise((resolve, reject) => {
    get({ port, path, agent, headers: cookie === undefined ? {} : { cookie } }, response => {
      response.resume()
      response.on('end', () => resolve(response))
    }).on('error', reject)
  })
}

async function cpuPerRequest (port, path, cookie) {
  const before = process.cpuUsage()
  for (let sent = 0; sent < REQUESTS; sent++) await request(port, path, cookie)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / REQUESTS
}

async function main () {
  const kinds = { 'a fixed key': () => ({ key: KEY }), 'a ring of 1 key': () => ({ keyring: ringOf(1) }), 'a ring of 100 keys': () => ({ keyring: ringOf(100) }) }
  const servers = []
  for (const again of ['', ', again']) {
    for (const [name, keys] of Object.entries(kinds)) servers.push({ name: name + again, ...await serverOf(keys()), found: { '/untouched': [], '/read': [], '/write': [] } })
  }
  const { headers } = await request(servers[0].port, '/write')
  const cookie = headers['set-cookie'][0].split(';')[0]
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    for (const { port, found } of servers) {
      for (const path of Object.keys(PATHS)) {
        const us = await cpuPerRequest(port, path, cookie)
        if (round >= WARM_UP) found[path].push(us)
      }
    }
  }
  console.log(`CPU us per request, client and server together, medians of ${ROUNDS} rounds`)
  console.log(['', ...Object.values(PATHS)].map((text, index) => text.padEnd(index === 0 ? 28 : 12)).join(''))
  for (const { name, found } of servers) console.log(name.padEnd(28) + Object.values(found).map(values => summary(values).median.toFixed(1).padEnd(12)).join(''))
  agent.destroy()
  await Promise.all(servers.map(({ app }) => app.close()))
}

main()
