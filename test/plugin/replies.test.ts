import { once } from 'node:events'
import { connect, type IncomingHttpHeaders } from 'node:http2'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import secureSession from '../../index'
import { addRoutes, appWith, bareApp, KEY, type TestApp } from '../helpers/app'
import { Browser, setCookies } from '../helpers/browser'

function addReplies (app: TestApp): void {
  addRoutes(app)
  const set = async ({ session }: any): Promise<void> => { session.set('user', 'ada') }
  app.get('/error', { preHandler: set }, async () => { throw Object.assign(new Error('no'), { statusCode: 418 }) })
  app.get('/redirect', { preHandler: set }, async (request, reply) => reply.redirect('/elsewhere', 303))
  app.get('/stream', { preHandler: set }, async (request, reply) => reply.send(Readable.from(['a', 'b'])))
  app.get('/web-stream', { preHandler: set }, async (request, reply) => reply.send(new Response('web').body))
  app.get('/response', { preHandler: set }, async () => new Response('{}', { status: 201, headers: [['set-cookie', 'other=1'], ['x-own', 'yes']] }))
  app.get('/not-modified', { preHandler: set }, async (request, reply) => reply.code(304).send())
  app.get('/no-content', { preHandler: set }, async (request, reply) => reply.code(204).send())
  app.get('/buffer', { preHandler: set }, async () => Buffer.from('bytes'))
  app.get('/text', { preHandler: set }, (request, reply) => { reply.send('text') })
  app.get('/invalid', { preHandler: set, schema: { response: { 200: { type: 'object', required: ['a'], properties: { a: { type: 'string' } } } } } }, async () => ({}))
  app.post('/post', { preValidation: set, schema: { body: { type: 'object', required: ['a'] } } }, async () => ({}))
  app.setNotFoundHandler(async (request, reply) => { request.session.set('lost', request.url); return reply.code(404).send({}) })
}

const STATUS: Record<string, number> = {
  '/error': 418, '/redirect': 303, '/stream': 200, '/web-stream': 200, '/response': 201, '/not-modified': 304, '/no-content': 204, '/buffer': 200, '/text': 200, '/invalid': 500, '/nowhere': 404
}

t.test('every kind of reply sets the cookie', async t => {
  const app = await appWith(t)
  addReplies(app)
  for (const [url, status] of Object.entries(STATUS)) {
    const browser = new Browser(app)
    const response = await browser.get(url)
    t.equal(response.statusCode, status, url)
    t.equal(setCookies(response).filter(line => line.startsWith('session=')).length, 1, `one cookie with ${url}`)
    t.match(await browser.json('/get'), url === '/nowhere' ? { lost: '/nowhere' } : { user: 'ada' })
  }
})

t.test('every kind of reply sets the cookie over real HTTP', async t => {
  const app = await appWith(t)
  addReplies(app)
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  for (const [url, status] of Object.entries(STATUS)) {
    const response = await fetch(address + url, { redirect: 'manual' })
    await response.text()
    t.equal(response.status, status, url)
    t.equal(response.headers.getSetCookie().filter(line => line.startsWith('session=')).length, 1, url)
    t.equal(response.headers.get('cache-control'), 'no-store')
  }
})

t.test('a web Response keeps its own headers', async t => {
  const app = await appWith(t)
  addReplies(app)
  const response = await app.inject('/response')
  t.equal(response.headers['x-own'], 'yes')
  t.strictSame(setCookies(response).map(line => line.split('=')[0]).sort(), ['other', 'session'])
})

t.test('HEAD sets the cookie like GET', async t => {
  const app = await appWith(t)
  addReplies(app)
  t.equal(setCookies(await app.inject({ method: 'HEAD', url: '/text' })).length, 1)
})

t.test('a request that fails validation keeps earlier changes of the session', async t => {
  const app = await appWith(t)
  addReplies(app)
  const response = await app.inject({ method: 'POST', url: '/post', payload: {} })
  t.equal(response.statusCode, 400)
  t.equal(setCookies(response).length, 1)
})

t.test('an error handler may change the session', async t => {
  const app = await appWith(t)
  addReplies(app)
  app.get('/flash', { errorHandler: async (error, request, reply) => { request.session.set('flash', error.message); return reply.code(500).send({}) } }, async () => { throw new Error('sorry') })
  const browser = new Browser(app)
  await browser.get('/flash')
  t.strictSame(await browser.json('/get'), { flash: 'sorry' })
})

t.test('after an error in a later onSend hook, the error reply sets the cookie once', async t => {
  const app = bareApp(t)
  await app.register(secureSession, { key: KEY })
  let first = true
  app.addHook('onSend', async () => { if (first) { first = false; throw new Error('late') } })
  app.get('/', async ({ session }) => { session.set('user', 'ada'); return {} })
  app.get('/get', async ({ session }) => session.data())
  const browser = new Browser(app)
  const response = await browser.get('/')
  t.equal(response.statusCode, 500)
  t.equal(setCookies(response).length, 1)
  t.strictSame(await browser.json('/get'), { user: 'ada' })
})

t.test('an error handler that removes the Set-Cookie header does not remove the session cookie', async t => {
  const app = await appWith(t)
  let first = true
  app.addHook('onSend', async () => { if (first) { first = false; throw new Error('late') } })
  app.setErrorHandler(async (error, request, reply) => { reply.removeHeader('set-cookie'); return reply.code(500).send({ message: (error as Error).message }) })
  app.get('/', async ({ session }) => { session.set('user', 'ada'); return {} })
  t.equal(setCookies(await app.inject('/')).length, 1)
})

t.test('malformed requests cause no error in the plugin', async t => {
  const app = await appWith(t)
  addReplies(app)
  t.equal((await app.inject('/%')).statusCode, 400)
  t.equal((await app.inject({ method: 'POST', url: '/post', payload: '{', headers: { 'content-type': 'application/json' } })).statusCode, 400)
})

t.test('sessions work over HTTP/2', async t => {
  const app = fastify({ http2: true }) as unknown as FastifyInstance
  t.teardown(() => app.close())
  await app.register(secureSession, { key: KEY })
  addRoutes(app)
  const client = connect(await app.listen({ port: 0, host: '127.0.0.1' }))
  t.teardown(() => client.close())
  const get = async (path: string, cookie: string[] = []): Promise<{ lines: string[], body: string }> => {
    const stream = client.request({ ':path': path, cookie })
    const [headers] = await once(stream, 'response') as [IncomingHttpHeaders]
    return { lines: headers['set-cookie'] ?? [], body: await text(stream) }
  }
  const { lines } = await get('/set/user/ada')
  t.equal(lines.length, 1)
  t.equal((await get('/get', ['other=1', lines[0]?.split(';')[0] as string])).body, '{"user":"ada"}')
})
