'use strict'

// Prints the bytes that a request allocates on V8's heap, as JSON: of a server with nothing but cookies, and what this package adds to it.
// Run with --jitless, so that V8 leaves out no allocation on its own judgement, and a young generation that is not collected in between.

const fastify = require('fastify')
const cookie = require('@fastify/cookie')
const secureSession = require('../..')

const REQUESTS = 200
const PAGE = '/account/orders'

async function bytesPerRequest (app, url, headers) {
  for (let request = 0; request < REQUESTS; request++) await app.inject({ url, headers })
  global.gc()
  const before = process.memoryUsage().heapUsed
  for (let request = 0; request < REQUESTS; request++) await app.inject({ url, headers })
  return Math.round((process.memoryUsage().heapUsed - before) / REQUESTS)
}

async function main () {
  const bare = fastify()
  bare.register(cookie)
  bare.get('/', async () => PAGE)

  const app = fastify()
  app.register(cookie)
  app.register(secureSession, { key: Buffer.alloc(32, 1) })
  app.get('/login', async request => {
    request.session.set('user', { id: 'c56a4180-65aa-42ec-a945-5fd21dec0538', name: 'Augusta A. King', roles: ['customer', 'editor'] })
    request.session.set('accessToken', 'x'.repeat(240))
    request.session.set('page', PAGE)
    return PAGE
  })
  app.get('/untouched', async () => PAGE)
  app.get('/read', async request => request.session.get('page'))
  app.get('/write', async request => {
    request.session.set('page', '/account/basket')
    return PAGE
  })

  const own = (await app.inject('/login')).headers['set-cookie'].split(';')[0]
  const forged = `${own.slice(0, -4)}AAAA`
  const junk = `session=${'QUJD'.repeat(3800)}`
  const added = {}
  for (const [name, url, cookie] of [['untouched', '/untouched', own], ['read', '/read', own], ['write', '/write', own], ['forged', '/read', forged], ['junk', '/read', junk]]) {
    const headers = { cookie }
    added[name] = await bytesPerRequest(app, url, headers) - await bytesPerRequest(bare, '/', headers)
  }
  console.log(JSON.stringify(added))
}

main()
