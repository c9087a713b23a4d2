'use strict'

// Prints, as JSON, the bytes that a request allocates: of a server with nothing but cookies, and of one with this package by what it does to
// its session. Run with --jitless, so that V8 leaves out no allocation on its own judgement, and a young generation that is not collected in between.

const { getHeapStatistics } = require('node:v8')
const fastify = require('fastify')
const cookie = require('@fastify/cookie')
const secureSession = require('../..')

/** Bytes differ a little from one session to the next: numbers of its id take more room where they are large. */
const SESSIONS = 10
const REQUESTS_EACH = 20
const WARMING_UP = 60
/** What a request allocates if nothing else happens: now and then a timer runs, or a table grows. */
const QUANTILE = 0.1

/** 416 bytes as JSON. */
const DATA = {
  user: { id: 'c56a4180-65aa-42ec-a945-5fd21dec0538', name: 'Augusta A. King', roles: ['customer', 'editor'] },
  accessToken: 'x'.repeat(265),
  page: '/account/orders'
}

const read = session => session.get('page')

const HANDLERS = {
  login: session => { for (const [key, value] of Object.entries(DATA)) session.set(key, value) },
  read,
  none: read,
  junk: read,
  forged: read,
  'read-object': session => session.get('user'),
  write: session => { session.set('page', '/account/basket') }
}

async function bareServer () {
  const app = fastify()
  await app.register(cookie)
  app.get('/untouched', async () => 'text')
  await app.ready()
  return app
}

async function sessionServer () {
  const app = fastify()
  await app.register(cookie)
  await app.register(secureSession, { key: Buffer.alloc(32, 7) })
  app.get('/untouched', async () => 'text')
  for (const [name, handle] of Object.entries(HANDLERS)) {
    app.get(`/${name}`, async ({ session }) => {
      handle(session)
      return 'text'
    })
  }
  await app.ready()
  return app
}

async function measure (app, url, cookies) {
  for (let request = 0; request < WARMING_UP; request++) await app.inject({ url, headers: { cookie: cookies[request % SESSIONS] } })
  const heap = []
  let inBuffers = 0
  for (const cookie of cookies) {
    const options = { url, headers: { cookie } }
    global.gc()
    for (let request = 0; request < REQUESTS_EACH; request++) {
      const buffersBefore = process.memoryUsage().arrayBuffers
      const before = getHeapStatistics().used_heap_size
      await app.inject(options)
      heap.push(getHeapStatistics().used_heap_size - before)
      inBuffers += Math.max(0, process.memoryUsage().arrayBuffers - buffersBefore)
    }
  }
  heap.sort((a, b) => a - b)
  return { heap: heap[heap.length * QUANTILE], buffers: Math.round(inBuffers / heap.length) }
}

async function main () {
  const app = await sessionServer()
  const own = []
  while (own.length < SESSIONS) {
    const line = (await app.inject('/login')).headers['set-cookie']
    own.push(line.slice(0, line.indexOf(';')))
  }
  const none = own.map(() => 'theme=dark')
  const junk = own.map(() => `session=${'QUJD'.repeat(3800)}`)
  const forged = own.map(cookie => `${cookie.slice(0, -20)}${'A'.repeat(20)}`)
  const bare = await bareServer()
  const added = {}
  for (const [cookies, routes] of [[own, ['untouched', 'read', 'read-object', 'write']], [none, ['none']], [junk, ['junk']], [forged, ['forged']]]) {
    const without = await measure(bare, '/untouched', cookies)
    for (const route of routes) {
      const { heap, buffers } = await measure(app, `/${route}`, cookies)
      added[route] = { heap: heap - without.heap, buffers: buffers - without.buffers }
    }
  }
  console.log(JSON.stringify(added))
}

main()
