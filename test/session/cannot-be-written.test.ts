import { Readable } from 'node:stream'
import t from 'tap'
import secureSession from '../../index'
import { addRoutes, appWith, KEY, WARN, type TestApp } from '../helpers/app'
import { Browser, setCookies } from '../helpers/browser'
import { appOfUsers, loggedIn } from '../revocation/users'

function addFailingRoutes (app: TestApp): void {
  addRoutes(app)
  app.get('/bigint', async ({ session }) => { session.set('good', 1); session.set('mine', { deep: [{ value: 1n }] }); return {} })
  app.get('/cycle', async ({ session }) => { const ring: any = { token: 'secret-token' }; ring.ring = ring; session.set('mine', ring); return {} })
  app.get('/tojson', async ({ session }) => { session.set('mine', { toJSON () { throw new Error('no') } }); return {} })
  app.get('/nested', async ({ session }) => { session.get('cart').total = 1n; return {} })
  app.get('/cart', async ({ session }) => { session.set('cart', { total: 0 }); return {} })
  app.get('/big/:bytes', async ({ session, params }) => {
    session.set('small', 'x')
    session.set('biggest', 'secret'.repeat(Number((params as any).bytes) / 6))
    return {}
  })
}

/** The errors that the app's log has. */
const logged = ({ lines }: TestApp): any[] => lines.flatMap(({ err }) => err === undefined ? [] : [err])

t.test('a value that JSON cannot write fails the request, is named only in the log, and keeps the cookie', async t => {
  const app = await appWith(t)
  addFailingRoutes(app)
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  for (const url of ['/bigint', '/cycle', '/tojson']) {
    const response = await browser.get(url)
    t.match(response.json(), { statusCode: 500, code: 'FST_SESSION_NOT_SERIALIZABLE', message: 'the session cannot be written' })
    t.notMatch(response.body, /secret-token|mine/)
    t.match(logged(app).at(-1), { code: 'FST_SESSION_NOT_SERIALIZABLE', path: /^mine/, detail: /"mine"/ })
    t.strictSame(setCookies(response), [])
    t.strictSame(await browser.json('/get'), { user: 'ada' })
  }
})

t.test('a change in place that JSON cannot write fails the request', async t => {
  const app = await appWith(t)
  addFailingRoutes(app)
  const browser = new Browser(app)
  await browser.get('/cart')
  t.match((await browser.get('/nested')).json(), { code: 'FST_SESSION_NOT_SERIALIZABLE' })
  t.match(logged(app), [{ detail: /"cart"/ }])
  t.strictSame(await browser.json('/get'), { cart: { total: 0 } })
})

t.test('a session that cannot be written reports that it was changed', async t => {
  const app = await appWith(t)
  addFailingRoutes(app)
  const seen: boolean[] = []
  app.get('/read', async ({ session }) => { session.get('cart').total = 1n; seen.push(session.changed); return {} })
  const browser = new Browser(app)
  await browser.get('/cart')
  await browser.get('/read')
  t.strictSame(seen, [true])
})

t.test('a session that is too large fails the request, logs its sizes, and keeps the old cookie', async t => {
  const app = await appWith(t)
  addFailingRoutes(app)
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  await browser.get('/cart')
  const response = await browser.get('/big/6000')
  t.match(response.json(), { statusCode: 500, code: 'FST_SESSION_TOO_LARGE', message: 'the session cannot be written' })
  t.match(logged(app), [{ detail: /needs \d+ bytes of cookie "session" and 4027 fit; .*"biggest" 6002, "cart" 11, "user" 5$/ }])
  t.notMatch(response.body, /secret|biggest|6002/)
  t.strictSame(setCookies(response), [])
  t.strictSame(await browser.json('/get'), { user: 'ada', cart: { total: 0 } })
})

t.test('from 80 % of the size limit there is one warning, with the sizes', async t => {
  const app = await appWith(t)
  addFailingRoutes(app)
  for (const bytes of [2000, 2700, 2706, 2706, 2706]) await app.inject(`/big/${bytes}`)
  const warnings = app.lines.filter(({ level }) => level === WARN)
  t.equal(warnings.length, 1)
  t.match(warnings[0], { cookie: 'session', bytes: /\d{4}/, limit: 4027, msg: /80 %/ })
})

t.test('the error of a session is thrown once: the reply of an error handler is sent, without its cookie', async t => {
  const app = await appWith(t)
  addFailingRoutes(app)
  let handled = 0
  app.setErrorHandler(async (error, request, reply) => {
    handled++
    return reply.code(418).send({ custom: (error as { code?: string }).code, user: request.session.get('user') })
  })
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  const response = await browser.get('/big/6000')
  t.equal(response.statusCode, 418)
  t.strictSame(response.json(), { custom: 'FST_SESSION_TOO_LARGE', user: 'ada' })
  t.strictSame(setCookies(response), [])
  t.equal(handled, 1)
})

t.test('when one session of a request cannot be written, another session of that request is written, once', async t => {
  const app = await appWith(t, [{ key: KEY }, { key: KEY, sessionName: 'flash' }])
  app.get('/', async (request: any) => { request.flash.set('a', 1); request.session.set('mine', { n: 1n }); return {} })
  app.get('/reverse', async (request: any) => { request.session.set('mine', { n: 1n }); request.flash.set('a', 1); return {} })
  for (const url of ['/', '/reverse']) {
    const response = await app.inject(url)
    t.equal(response.statusCode, 500)
    t.match(setCookies(response), [/^flash=/])
    t.equal(setCookies(response).length, 1)
  }
})

t.test('when two sessions of a request cannot be written, one error is thrown and the other is logged', async t => {
  const app = await appWith(t, [{ key: KEY }, { key: KEY, sessionName: 'flash' }])
  app.get('/', async (request: any) => { request.flash.set('b', { n: 1n }); request.session.set('a', { n: 1n }); return {} })
  const response = await app.inject('/')
  t.match(response.json(), { code: 'FST_SESSION_NOT_SERIALIZABLE' })
  t.strictSame(logged(app).map(({ path }) => path), ['b', 'a'])
})

t.test('a stream payload is destroyed if an error replaces it', async t => {
  const app = await appWith(t)
  const payloads: Record<string, any> = {}
  let cancelled = 0
  const web = (): ReadableStream => new ReadableStream({ pull: controller => { controller.enqueue(Buffer.from('x')) }, cancel: () => { cancelled++ } })
  const make: Record<string, () => unknown> = {
    node: () => Readable.from(['x']),
    web,
    response: () => new Response(web()),
    empty: () => new Response(null),
    text: () => 'text',
    nothing: () => null
  }
  app.get('/:kind', async (request, reply) => {
    const { kind } = request.params as { kind: string }
    request.session.set('mine', { n: 1n })
    payloads[kind] = make[kind]?.()
    return reply.send(payloads[kind])
  })
  for (const kind of Object.keys(make)) t.equal((await app.inject(`/${kind}`)).statusCode, 500, kind)
  t.equal(payloads['node'].destroyed, true)
  t.equal(cancelled, 2)
})

t.test('a web stream payload that is locked by a reader does not prevent the error reply', async t => {
  const app = await appWith(t)
  app.get('/', async (request, reply) => {
    request.session.set('mine', { n: 1n })
    const stream = new ReadableStream()
    stream.getReader()
    return reply.send(stream)
  })
  t.match((await app.inject('/')).json(), { code: 'FST_SESSION_NOT_SERIALIZABLE' })
})

t.test('an exception or a wrong result of a custom serializer is a typed error', async t => {
  for (const serialize of [() => { throw new Error('no') }, () => 42, () => undefined]) {
    const app = await appWith(t, { key: KEY, serializer: { serialize: serialize as unknown as () => string, deserialize: () => ({}) } })
    addRoutes(app)
    t.match((await app.inject('/set/a/b')).json(), { statusCode: 500, code: 'FST_SESSION_NOT_SERIALIZABLE' })
    t.match(logged(app), [{ detail: /serializer/, path: null }])
  }
})

t.test('the error about the size names only values that JSON can measure', async t => {
  const serializer = { serialize: () => Buffer.alloc(5000), deserialize: () => ({}) }
  const app = await appWith(t, { key: KEY, serializer })
  app.get('/', async ({ session }) => { session.set('big', [1n]); session.set('a', 1); return {} })
  t.match((await app.inject('/')).json(), { code: 'FST_SESSION_TOO_LARGE' })
  t.match(logged(app), [{ detail: /"a" 1, "big" 0/ }])
})

t.test('an error handler may repair the session, and its reply then sets the cookie', async t => {
  const app = await appWith(t)
  addFailingRoutes(app)
  let mend: (session: any) => void = () => undefined
  app.setErrorHandler(async (error, request, reply) => { mend(request.session); return reply.code(418).send({ custom: (error as { code?: string }).code }) })
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  mend = session => { session.unset('biggest'); session.set('flash', 'sorry') }
  t.match((await browser.get('/big/6000')).json(), { custom: 'FST_SESSION_TOO_LARGE' })
  t.strictSame(await browser.json('/get'), { user: 'ada', small: 'x', flash: 'sorry' })
  mend = session => { session.delete() }
  t.equal((await browser.get('/big/6000')).statusCode, 418)
  t.equal(browser.header, '')
})

t.test('if an error handler does not repair the session, its reply is sent, and a second error is logged', async t => {
  const app = await appWith(t)
  addFailingRoutes(app)
  app.setErrorHandler(async (error, request, reply) => { request.session.set('flash', 'sorry'); return reply.code(418).send({ custom: (error as { code?: string }).code }) })
  const response = await app.inject('/big/6000')
  t.equal(response.statusCode, 418)
  t.strictSame(response.json(), { custom: 'FST_SESSION_TOO_LARGE' })
  t.strictSame(setCookies(response), [])
  t.ok(app.lines.some(({ level, err }) => level === 50 && (err as { code?: string }).code === 'FST_SESSION_TOO_LARGE'))
})

t.test('code of the app that runs while the session is written can neither change nor commit it', async t => {
  const app = await appWith(t)
  app.get('/set', async ({ session }) => { session.set('a', { toJSON () { session.set('late', 1); return 1 } }); return {} })
  app.get('/commit', async ({ session }, reply) => { session.set('a', { toJSON () { reply.commitSession(); return 1 } }); return {} })
  for (const url of ['/set', '/commit']) {
    const response = await app.inject(url)
    t.match(response.json(), { statusCode: 500, code: 'FST_SESSION_NOT_SERIALIZABLE' })
    t.strictSame(setCookies(response), [])
  }
})

t.test('a toJSON that changes the session while it is planned gets an error, with `revocation` too', async t => {
  const app = await appOfUsers(t)
  const codes: string[] = []
  app.get('/hostile', async ({ session }, reply) => {
    const attempt = (work: () => unknown): void => {
      try {
        work()
      } catch (error) {
        codes.push((error as { code: string }).code)
      }
    }
    session.set('user', 'grace')
    session.set('a', {
      toJSON () {
        attempt(() => { session.set('late', 1) })
        attempt(() => reply.commitSession())
        return 1
      }
    })
    return {}
  })
  const browser = await loggedIn(app)
  t.equal((await browser.get('/hostile')).statusCode, 200)
  t.ok(codes.length > 0)
  t.strictSame(codes.filter(code => code !== 'FST_SESSION_COMMITTED'), [])
  t.strictSame(app.decodeSecureSession(browser.cookies.get('session'))?.data(), {
    user: 'grace', secret: 'of the session', a: 1
  })
})

t.test('what an error handler changes in place is written, where another session had failed', async t => {
  for (const revocation of [undefined, { store: secureSession.memoryRevocation() }]) {
    const app = await appWith(t, [{ key: KEY, revocation }, { key: KEY, sessionName: 'cart', cookieName: 'basket' }])
    app.get('/list', async ({ session }) => { session.set('list', []); return {} })
    app.get('/both', async (request: any) => {
      request.session.get('list').push('by the handler')
      request.cart.set('big', 'x'.repeat(5000))
      return {}
    })
    app.get('/read', async ({ session }) => session.data())
    app.setErrorHandler(async (error, request) => {
      request.session.get('list').push('by the error handler')
      return { code: (error as { code?: string }).code }
    })
    const browser = new Browser(app)
    await browser.get('/list')
    t.strictSame(await browser.json('/both'), { code: 'FST_SESSION_TOO_LARGE' })
    t.strictSame(await browser.json('/read'), { list: ['by the handler', 'by the error handler'] })
  }
})
