import t, { type Test } from 'tap'
import secureSession from '../../index'
import { addRoutes, appWith, KEY, WARN, type LogLine, type TestApp } from '../helpers/app'
import { Browser, setCookies } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

async function site (t: Test, options: Partial<secureSession.SessionOptions>): Promise<TestApp> {
  const app = await appWith(t, { key: KEY, ...options })
  addRoutes(app)
  return app
}

function warnings (app: TestApp): LogLine[] {
  return app.lines.filter(({ level }) => level === WARN)
}

t.test('a configured maxAge without idle is the idle limit of the server, too', async t => {
  const clock = fakeClock(t)
  for (const [options, idleMs] of [[{}, HOUR_MS], [{ idle: '2h' }, 2 * HOUR_MS], [{ expiry: 60 }, 60_000]] as const) {
    const browser = new Browser(await site(t, { ...options, cookie: { maxAge: 3600 } }))
    const { renewedAt, expiresAt } = await browser.json('/info')
    t.equal(expiresAt - renewedAt, idleMs)
    t.match(setCookies(await browser.get('/set/user/ada')), [/; Max-Age=3600;/], 'and it goes out as it is')
    const copy = browser.copy()
    clock.advance(idleMs - 1)
    t.strictSame(await copy.json('/get'), { user: 'ada' })
    clock.advance(1)
    t.strictSame(await browser.json('/get'), {})
  }
})

t.test('a configured maxAge without idle raises the default absolute limit and sets when renewal is due', async t => {
  const clock = fakeClock(t)
  const browser = new Browser(await site(t, { cookie: { maxAge: 60 * 86_400 } }))
  await browser.get('/set/user/ada')
  clock.advance(15 * DAY_MS)
  t.match(setCookies(await browser.get('/get')), [/^session\.t=/])
  clock.advance(45 * DAY_MS - 1)
  t.strictSame(await browser.json('/get'), { user: 'ada' })
  clock.advance(1)
  t.strictSame(await browser.json('/get'), {})
})

t.test('renewAfter must be shorter than a configured maxAge without idle', async t => {
  const message = /"renewAfter".*"cookie.maxAge"/
  const booting = site(t, { renewAfter: '2h', cookie: { maxAge: 3600 } })
  await t.rejects(booting, { code: 'FST_SESSION_INVALID_OPTION', message })
})

t.test('boot warns once if the browser drops the cookie before, or keeps it after, the end of the session', async t => {
  for (const [options, message] of [
    [{ cookie: { maxAge: 3600 } },
      /3600 seconds after .* written.* 2592000 seconds.*Set "idle" to 3600 seconds and "persistent" to true/],
    [{ cookie: { maxAge: 3600 }, idle: '1d', absolute: '7d' },
      /3600 seconds after .* 604800 seconds.*"idle" to 86400 seconds/],
    [{ cookieOptions: { maxAge: 86_400 }, idle: '1h', absolute: '8h' },
      /keep the cookie for 86400 seconds, and the session expires after 28800 seconds/]
  ] as const) {
    const app = await site(t, options as object)
    t.match(warnings(app), [{ session: 'session', msg: message }])
    await new Browser(app).get('/set/user/ada')
    t.equal(warnings(app).length, 1, 'and not at requests')
  }
})

t.test('the first session whose own maxAge differs from its limits causes a warning, too', async t => {
  const app = await site(t, {})
  app.get('/options/:maxAge', async ({ session, params }) => {
    session.options({ maxAge: Number((params as { maxAge: string }).maxAge) })
    session.set('user', 'ada')
    return {}
  })
  await app.inject(`/options/${90 * 86_400}`)
  t.strictSame(warnings(app), [], 'a session that lives no longer than its cookie is no matter')
  for (let request = 0; request < 2; request++) await app.inject('/options/3600')
  t.match(warnings(app), [{
    session: 'session',
    msg: /session\.options\(\{ maxAge \}\): browsers drop the cookie 3600 seconds .* 2592000 .*Set "idle" to 3600 /
  }])
  t.equal(warnings(app).length, 1)
  const other = await site(t, {})
  other.get('/long', async ({ session }) => {
    session.options({ maxAge: 90 * 86_400 })
    session.set('user', 'ada')
    return {}
  })
  other.get('/shorter', async ({ session }) => { session.options({ absolute: '8h' }); return {} })
  const browser = new Browser(other)
  for (const url of ['/long', '/shorter']) await browser.get(url)
  t.match(warnings(other),
    [{ msg: /browsers keep the cookie for 7776000 seconds, and the session expires after 28800 seconds/ }])
})

t.test('no warning is logged if the cookie ends with the session or has no lifetime', async t => {
  for (const options of [
    {}, { persistent: true }, { cookie: { maxAge: 3600 }, absolute: '1h' },
    { cookie: { maxAge: 86_400 }, idle: '1h', absolute: '1d' }
  ]) {
    t.strictSame(warnings(await site(t, options)), [])
  }
})

t.test('after a configured expires has passed, logins work without it, and one warning says so', async t => {
  const clock = fakeClock(t)
  const app = await site(t, { cookie: { expires: new Date(clock.nowMs + 7 * DAY_MS) } })
  t.match(setCookies(await app.inject('/set/user/ada')), [/; Expires=Thu, 08 Jan 2026 00:00:00 GMT;/])
  clock.advance(7 * DAY_MS - 1)
  t.match(setCookies(await app.inject('/set/user/ada')), [/; Expires=/])
  t.strictSame(warnings(app), [])
  clock.advance(1)
  const browser = new Browser(app)
  for (let request = 0; request < 3; request++) {
    t.match(setCookies(await browser.get(`/set/user/ada${request}`)),
      [/^session=[\w-]+; Path=\/; HttpOnly; SameSite=Lax$/])
  }
  t.strictSame(await browser.json('/get'), { user: 'ada2' })
  t.match(warnings(app),
    [{ expires: '2026-01-08T00:00:00.000Z', msg: /"cookie.expires" has passed.*"persistent": true/ }])
  t.equal(warnings(app).length, 1)
})

t.test('an Expires that has passed in whole seconds is not sent', async t => {
  const clock = fakeClock(t)
  const app = await site(t, { cookie: { expires: new Date(clock.nowMs + 1500) } })
  clock.advance(999)
  t.match(setCookies(await app.inject('/set/user/ada')), [/; Expires=Thu, 01 Jan 2026 00:00:01 GMT;/])
  clock.advance(1)
  t.notMatch(setCookies(await app.inject('/set/user/ada'))[0], /Expires/)
})

t.test('after a configured expires has passed, a renewal is sent without it', async t => {
  const clock = fakeClock(t)
  const app = await site(t, { cookie: { expires: new Date(clock.nowMs + HOUR_MS) } })
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  clock.advance(10 * HOUR_MS)
  t.match(setCookies(await browser.get('/get')), [/^session\.t=[\w-]+; Path=\/; HttpOnly; SameSite=Lax$/])
  t.equal(warnings(app).length, 1)
})

t.test('after a configured expires has passed, a maxAge beside it is still sent', async t => {
  const clock = fakeClock(t)
  const app = await site(t, { absolute: '1d', cookie: { expires: new Date(clock.nowMs + HOUR_MS), maxAge: 86_400 } })
  clock.advance(HOUR_MS)
  t.match(setCookies(await app.inject('/set/user/ada')),
    [/^session=[\w-]+; Max-Age=86400; Path=\/; HttpOnly; SameSite=Lax$/])
  t.equal(warnings(app).length, 1)
})

t.test('sessions with their own limits do not use a passed expires, and cause no warning', async t => {
  const clock = fakeClock(t)
  const app = await site(t, { cookie: { expires: new Date(clock.nowMs + HOUR_MS) } })
  app.get('/remember', async ({ session }) => {
    session.set('user', 'ada')
    session.options({ persistent: true, absolute: '2d' })
    return {}
  })
  clock.advance(2 * HOUR_MS)
  t.match(setCookies(await app.inject('/remember')), [/; Max-Age=172800;/])
  t.strictSame(warnings(app), [])
})

t.test('each session of an app has its own warning about expires', async t => {
  const clock = fakeClock(t)
  const expires = new Date(clock.nowMs + HOUR_MS)
  const app = await appWith(t, ['a', 'b'].map(sessionName => ({ key: KEY, sessionName, cookie: { expires } })))
  app.get('/', async (request: any) => { request.a.set('x', 1); request.b.set('x', 1); return {} })
  clock.advance(HOUR_MS)
  for (let request = 0; request < 2; request++) await app.inject('/')
  t.strictSame(warnings(app).map(({ session }) => session), ['a', 'b'])
})
