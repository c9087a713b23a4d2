import { createReadStream } from 'node:fs'
import type { FastifyReply, LightMyRequestResponse } from 'fastify'
import t, { type Test } from 'tap'
import secureSession from '../../index'
import { addRoutes, appWith, bareApp, KEY, OTHER_KEY, WARN, type TestApp } from '../helpers/app'
import { Browser } from '../helpers/browser'

type Headers = Readonly<Record<string, string | string[]>>

/** An app whose routes say of caching what one gives them. */
async function appSaying (t: Test, headers: Headers, options: Partial<secureSession.SessionOptions> = {}): Promise<TestApp> {
  const app = await appWith(t, { key: KEY, ...options })
  app.addHook('onRequest', async (_request, reply) => { reply.headers(headers) })
  addRoutes(app)
  return app
}

function told (app: TestApp): number {
  return app.lines.filter(({ level, msg }) => level === WARN && /shared caches/.test(msg)).length
}

function cachingOf ({ headers }: LightMyRequestResponse): unknown {
  return { control: headers['cache-control'], vary: headers['vary'] }
}

t.test('a response that sets the cookie has no-store, unless the route sets its own Cache-Control', async t => {
  const app = await appSaying(t, {})
  t.strictSame(cachingOf(await app.inject('/set/a/1')), { control: 'no-store', vary: undefined })
  const own = await appSaying(t, { 'cache-control': 'private, max-age=60' })
  t.strictSame(cachingOf(await own.inject('/set/a/1')), { control: 'private, max-age=60', vary: 'Cookie' })
  t.equal(told(own), 0)
})

for (const [name, value] of [
  ['cache-control', 'public'], ['cache-control', 'public, max-age=0'], ['cache-control', 'max-age=60'], ['Cache-Control', 'S-MaxAge=1'], ['cache-control', 'no-cache="Set-Cookie", public'],
  ['cache-control', 'max-age="060"'], ['cdn-cache-control', 'max-age=60'], ['surrogate-control', 'max-age=60'], ['cloudflare-cdn-cache-control', 'max-age=60'], ['vercel-cdn-cache-control', 's-maxage=60']
] as const) {
  t.test(`a route that sets ${name}: ${value} keeps it, and one warning is logged`, async t => {
    const app = await appSaying(t, { [name]: value })
    const browser = new Browser(app)
    for (let time = 0; time < 2; time++) t.equal((await browser.get(`/set/a/${time}`)).headers[name.toLowerCase()], value)
    await browser.get('/get')
    t.match(app.lines.filter(({ level }) => level === WARN), [{ cookie: 'session', route: '/set/:key/:value' }])
    t.equal(told(app), 1)
  })
}

t.test('a Cache-Control that forbids shared caches causes no warning', async t => {
  for (const value of ['no-store', 'private', 'private, max-age=60', 'public, no-store', 'no-cache', 'max-age=0, must-revalidate', 'private="set-cookie", max-age=60', '']) {
    for (const name of ['cache-control', 'cdn-cache-control']) {
      const app = await appSaying(t, { [name]: value })
      await app.inject('/set/a/1')
      t.equal(told(app), 0, `${name}: ${value}`)
    }
  }
  const app = await appSaying(t, { 'cache-control': 'public' })
  await app.inject('/get')
  t.equal(told(app), 0, 'nor what sets no cookie')
})

t.test('a response that read the session has Vary: Cookie, with or without a session, also for HEAD', async t => {
  const app = await appSaying(t, {})
  const browser = new Browser(app)
  t.strictSame(cachingOf(await browser.get('/get')), { control: undefined, vary: 'Cookie' }, 'there was none')
  await browser.get('/set/a/1')
  t.strictSame(cachingOf(await browser.get('/get')), { control: undefined, vary: 'Cookie' })
  t.strictSame(cachingOf(await browser.get('/get', { method: 'HEAD' })), { control: undefined, vary: 'Cookie' })
  t.strictSame(cachingOf(await browser.get('/untouched')), { control: undefined, vary: undefined })
})

t.test('a response has no Vary: Cookie where the store was asked about the session and no handler used it', async t => {
  const app = await appSaying(t, {}, { revocation: { store: secureSession.memoryRevocation(), recheck: 0 } })
  const browser = new Browser(app)
  await browser.get('/set/a/1')
  t.strictSame(cachingOf(await browser.get('/untouched')), { control: undefined, vary: undefined })
})

t.test('a response with no-store has no Vary: Cookie', async t => {
  t.equal((await (await appSaying(t, { 'cache-control': 'No-Store' })).inject('/get')).headers['vary'], undefined)
  const cdn = await appSaying(t, { 'cache-control': 'no-store', 'cdn-cache-control': 'public, max-age=60' })
  t.equal((await cdn.inject('/get')).headers['vary'], 'Cookie', 'but a CDN that is told otherwise stores it')
  const app = await appSaying(t, {})
  app.post('/post', async ({ session }) => session.data())
  t.match(await app.inject({ method: 'POST', url: '/post' }), { statusCode: 200, headers: { vary: undefined } })
})

t.test('a Vary header of the route stays', async t => {
  for (const [own, whole] of [['Accept-Encoding', 'Accept-Encoding, Cookie'], ['accept, COOKIE', 'accept, COOKIE'], ['*', '*'], ['', 'Cookie'], [['Accept', 'Origin'], 'Accept,Origin, Cookie'], ['Cookie2', 'Cookie2, Cookie']] as const) {
    const app = await appSaying(t, { vary: own as string })
    t.equal((await app.inject('/get')).headers['vary'], whole)
  }
})

t.test('several sessions of one request add Vary: Cookie once', async t => {
  const app = await appWith(t, [{ key: KEY }, { key: OTHER_KEY, sessionName: 'cart' }])
  app.get('/', async request => [request.session.data(), (request as never as { cart: secureSession.Session }).cart.data()])
  t.equal((await app.inject('/')).headers['vary'], 'Cookie')
})

t.test('with cacheControl: false the caching headers of a route are unchanged, and nothing is logged', async t => {
  const app = await appSaying(t, { 'cache-control': 'public' }, { cacheControl: false })
  const browser = new Browser(app)
  t.strictSame(cachingOf(await browser.get('/set/a/1')), { control: 'public', vary: undefined })
  t.strictSame(cachingOf(await browser.get('/get')), { control: 'public', vary: undefined })
  t.equal(told(app), 0)
})

t.test('a response that a guard refused has Vary: Cookie, because the guard reads the session', async t => {
  const app = await appWith(t, { key: KEY, subject: session => session.get('user') as string })
  app.get('/', { onRequest: app.requireSession() }, async () => ({}))
  t.match(await app.inject('/'), { statusCode: 401, headers: { vary: 'Cookie' } })
})

const REPLIES: Readonly<Record<string, (reply: FastifyReply) => unknown>> = {
  redirect: reply => reply.redirect('/elsewhere'),
  'not modified': reply => reply.code(304).send(),
  stream: () => createReadStream(__filename),
  'web response': () => new Response('x', { headers: { vary: 'Accept' } }),
  error: () => { throw new Error('after it was read') },
  'not found': reply => { reply.callNotFound() }
}

for (const [kind, answer] of Object.entries(REPLIES)) {
  t.test(`a ${kind} has Vary: Cookie, too`, async t => {
    const app = await appWith(t)
    app.setNotFoundHandler(async ({ session }, reply) => { reply.code(404); return session.data() })
    app.get('/', async ({ session }, reply) => {
      session.get('user')
      return answer(reply) ?? reply
    })
    const address = await app.listen({ host: '127.0.0.1', port: 0 })
    const response = await fetch(address, { redirect: 'manual' })
    await response.text()
    t.equal(response.headers.get('vary'), kind === 'web response' ? 'Accept, Cookie' : 'Cookie')
  })
}

t.test('a web Response from another server has Vary: Cookie, and its Cache-Control counts', async t => {
  const elsewhere = bareApp(t)
  elsewhere.get('/', async (_request, reply) => reply.headers({ vary: 'Accept', 'cache-control': 'public, max-age=60' }).send('from elsewhere'))
  const upstream = await elsewhere.listen({ host: '127.0.0.1', port: 0 })
  const app = await appWith(t)
  app.get('/read', async ({ session }) => { session.get('user'); return await fetch(upstream) })
  app.get('/write', async ({ session }) => { session.set('user', 'ada'); return await fetch(upstream) })
  const address = await app.listen({ host: '127.0.0.1', port: 0 })
  for (const [path, warnings] of [['/read', 0], ['/write', 1]] as const) {
    const response = await fetch(address + path)
    t.strictSame([response.headers.get('vary'), response.headers.get('cache-control'), await response.text()], ['Accept, Cookie', 'public, max-age=60', 'from elsewhere'])
    t.equal(told(app), warnings)
  }
})

t.test('if a web Response has no caching header, the header of the reply counts', async t => {
  const app = await appSaying(t, { vary: 'Origin', 'cache-control': 'public' })
  app.get('/web', async ({ session }) => { session.set('user', 'ada'); return new Response('x') })
  t.match(await app.inject('/web'), { headers: { vary: 'Origin, Cookie', 'cache-control': 'public' }, body: 'x' })
  t.equal(told(app), 1)
})

t.test('a reply whose head the app writes has Vary: Cookie as well', async t => {
  const app = await appWith(t)
  app.get('/', (request, reply) => {
    request.session.get('user')
    reply.commitSession()
    reply.hijack()
    reply.raw.end('by hand')
  })
  const address = await app.listen({ host: '127.0.0.1', port: 0 })
  t.equal((await fetch(address)).headers.get('vary'), 'Cookie')
})

t.test('https at a proxy that is not trusted causes one warning, in every spelling of the header', async t => {
  for (const protocol of ['https', 'HTTPS', 'https, http']) {
    const app = await appWith(t)
    addRoutes(app)
    for (let time = 0; time < 2; time++) await app.inject({ url: '/set/a/1', headers: { 'x-forwarded-proto': protocol } })
    t.match(app.lines.filter(({ level }) => level === WARN), [{ cookie: 'session', msg: /trustProxy/ }], protocol)
  }
})
