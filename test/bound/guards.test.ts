import t, { type Test } from 'tap'
import secureSession from '../../index'
import type { TestApp } from '../helpers/app'
import { setCookies } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'
import { boundBrowser, cookieLines, DeviceBrowser, HOUR_MS, loggedIn, MINUTE_MS, shopOf } from './site'

const UNBOUND = { statusCode: 401, code: 'FST_SESSION_UNBOUND' }

/** A bank with pages that require a bound session, or a proof of the last two minutes. */
async function bankOf (t: Test, options: object = {}): Promise<TestApp> {
  const app = await shopOf(t, options)
  app.get('/bound', { onRequest: app.requireSession({ bound: true }) }, async ({ session }) => session.info)
  app.get('/pay', { onRequest: app.requireSession({ provenWithin: '2m' }) }, async ({ session }) => session.info)
  app.post('/pay', { onRequest: app.requireSession({ provenWithin: 120 }) }, async ({ body }) => ({ body }))
  app.get('/files/*', { preHandler: app.requireSession({ provenWithin: '2m' }) }, async ({ session }) => session.info)
  await app.register(async scope => {
    await scope.register(scope.sessionGuard, { bound: true })
    scope.get('/scope', async () => ({}))
  })
  return app
}

t.test('a guard with bound requires a proof, of whatever age', async t => {
  const clock = fakeClock(t)
  const app = await bankOf(t)
  const browser = await loggedIn(app)
  for (const url of ['/bound', '/scope']) {
    const reply = await browser.get(url)
    t.match([reply.json(), reply.headers['www-authenticate']], [UNBOUND, 'Cookie realm="session", cookie-name=session'], url)
  }
  await browser.register()
  t.equal((await browser.get('/scope')).statusCode, 200, 'from the registration on')
  await browser.refresh()
  clock.advance(11 * MINUTE_MS - 1)
  t.match((await browser.get('/bound')).json(), { bound: true })
  t.match((await new DeviceBrowser(app).get('/bound')).json(), { code: 'FST_SESSION_REQUIRED' })
})

t.test('a guard with provenWithin sends the browser to the same URL for a later proof, and clears the one that it has', async t => {
  const clock = fakeClock(t)
  const app = await bankOf(t)
  const browser = await boundBrowser(app)
  clock.advance(2 * MINUTE_MS - 1)
  t.equal((await browser.get('/pay?to=eve')).statusCode, 200)
  clock.advance(1)
  const stolen = browser.copy()
  for (const options of [{}, { method: 'POST' as const, payload: { to: 'eve' } }]) {
    const reply = await browser.copy().get('/pay?to=eve', options)
    t.strictSame([reply.statusCode, reply.headers['location'], reply.body], [307, '/pay?to=eve', ''])
    t.strictSame(cookieLines(reply), ['-session.d'])
    t.equal(reply.headers['cache-control'], 'no-store')
  }
  await browser.get('/pay')
  t.notOk(browser.cookies.has('session.d'))
  await browser.prove()
  t.match((await browser.get('/pay', { method: 'POST', payload: { to: 'eve' } })).json(), { body: { to: 'eve' } })
  for (let turn = 0; turn < 3; turn++) t.equal((await stolen.copy().get('/pay')).statusCode, 307, 'a copy is sent in circles')
  t.match(await stolen.ask('/me'), { user: 'ada', bound: true }, 'while it is good elsewhere until its proof is over')
})

t.test('a guard with provenWithin refuses a session that is not bound, and does not touch its cookies', async t => {
  const app = await bankOf(t)
  const reply = await (await loggedIn(app)).get('/pay')
  t.match([reply.json(), setCookies(reply)], [UNBOUND, []])
})

t.test('where enforce is off, a guard with bound still requires a proof', async t => {
  const clock = fakeClock(t)
  const app = await bankOf(t, { deviceBound: { enforce: false } })
  const browser = await boundBrowser(app)
  clock.advance(HOUR_MS)
  for (const url of ['/bound', '/pay']) t.match((await browser.copy().get(url)).json(), UNBOUND)
})

t.test('a guard of a session that may be good, and has no proof, fails as its use does', async t => {
  const clock = fakeClock(t)
  const app = await bankOf(t)
  const browser = await boundBrowser(app)
  clock.advance(HOUR_MS)
  browser.dropProof()
  for (const url of ['/bound', '/pay', '/scope']) {
    t.match((await browser.get(url, { headers: { 'secure-session-skipped': 'x' } })).json(), { statusCode: 503, code: 'FST_SESSION_UNPROVEN' })
    t.match((await browser.get(url)).json(), { code: 'FST_SESSION_REQUIRED' })
  }
})

t.test('the way to the same URL leads to the same host, whatever the path begins with', async t => {
  const clock = fakeClock(t)
  const app = await bankOf(t)
  app.get('/*', { onRequest: app.requireSession({ provenWithin: '2m' }) }, async () => ({}))
  const browser = await boundBrowser(app)
  clock.advance(3 * MINUTE_MS)
  for (const [url, location] of [['//evil.example/x', '/.//evil.example/x'], ['/\\evil.example', '/./\\evil.example'], ['/files/%2F%2Fevil?a=//b', '/files/%2F%2Fevil?a=//b']] as const) {
    const { headers: { cookie } } = { headers: { cookie: browser.header } }
    const found = await app.inject({ url: '/public', headers: { cookie } })
    t.equal(found.statusCode, 200)
    const reply = await rawGet(app, url, cookie)
    t.strictSame([reply.status, reply.location], [307, location])
    t.equal(new URL(reply.location ?? '', 'https://shop.example/a/b').host, 'shop.example')
  }
})

t.test('a request target in absolute form is answered with its path, on the same host', async t => {
  const clock = fakeClock(t)
  const app = await bankOf(t)
  app.get('/*', { onRequest: app.requireSession({ provenWithin: '2m' }) }, async () => ({}))
  const browser = await boundBrowser(app)
  clock.advance(3 * MINUTE_MS)
  for (const [target, location] of [
    ['http://evil.example/files/x?a=1', '/files/x?a=1'],
    ['http://evil.example//other.example/x', '/.//other.example/x'],
    ['data://evil.example', '/./']
  ] as const) {
    t.strictSame(await rawGet(app, target, browser.header), { status: 307, location }, target)
  }
})

/** With the target of the request as it is written. */
async function rawGet (app: TestApp, target: string, cookie: string): Promise<{ status: number, location: string | undefined }> {
  const { port } = await listening(app)
  const { connect } = await import('node:net')
  const text = await new Promise<string>((resolve, reject) => {
    let got = ''
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(`GET ${target} HTTP/1.1\r\nHost: shop.example\r\nCookie: ${cookie}\r\nX-Forwarded-Proto: https\r\nConnection: close\r\n\r\n`)
    })
    socket.on('data', chunk => { got += String(chunk) })
    socket.on('end', () => { resolve(got) })
    socket.on('error', reject)
  })
  return { status: Number(text.split(' ')[1]), location: /\r\nlocation: (.*)\r\n/i.exec(text)?.[1] }
}

async function listening (app: TestApp): Promise<{ port: number }> {
  if (!app.server.listening) await app.listen({ port: 0, host: '127.0.0.1' })
  return app.server.address() as { port: number }
}

t.test('options of a guard that are wrong are refused at boot', async t => {
  const app = await shopOf(t)
  for (const [options, message] of [
    [{ bound: 'yes' }, /"bound" must be true or false/],
    [{ provenWithin: '1m' }, /"provenWithin" must be 2 minutes or more.*found 60 seconds/],
    [{ provenWithin: 119.9 }, /"provenWithin"/],
    [{ provenWithin: 'soon' }, /"provenWithin" must be seconds/],
    [{ provenWithin: 0 }, /"provenWithin" must be seconds/]
  ] as const) {
    t.throws(() => app.requireSession(options as never), { code: 'FST_SESSION_INVALID_OPTION', message })
  }
  t.doesNotThrow(() => app.requireSession({ bound: false, provenWithin: undefined }))
})

t.test('a guard that needs a binding warns at boot, once, where the session cannot be bound', async t => {
  const app = await shopOf(t, { deviceBound: undefined })
  const warnings = (): unknown[] => app.lines.filter(({ level }) => level === 40)
  app.requireSession()
  app.requireSession({ bound: false })
  t.strictSame(warnings(), [])
  app.requireSession({ bound: true })
  app.requireSession({ provenWithin: '2m' })
  app.requireSession({ bound: true })
  t.match(warnings(), [{ session: 'session', msg: /"bound" or "provenWithin" needs the option "deviceBound"/ }])
  t.equal(warnings().length, 1)
  await bankOf(t)
  const other = await bankOf(t)
  t.strictSame(other.lines.filter(({ level }) => level === 40), [])
})

t.test('with revocation a more recent proof is required as well', async t => {
  const clock = fakeClock(t)
  const app = await bankOf(t, { revocation: { store: secureSession.memoryRevocation() } })
  const browser = await boundBrowser(app)
  clock.advance(7 * MINUTE_MS)
  const reply = await browser.get('/pay')
  t.strictSame([reply.statusCode, cookieLines(reply)], [307, ['-session.d', '+session.t']], 'beside the stamp of a check')
})
