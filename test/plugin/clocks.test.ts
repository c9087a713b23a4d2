import t, { type Test } from 'tap'
import secureSession from '../../index'
import { addRoutes, appWith, DEBUG, KEY, OTHER_KEY, WARN, type LogLine, type TestApp } from '../helpers/app'
import { Browser } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'

const MINUTE = 60_000

async function site (t: Test, options: Partial<secureSession.SessionOptions> = {}): Promise<TestApp> {
  const app = await appWith(t, { key: KEY, ...options })
  addRoutes(app)
  return app
}

function refusals ({ lines }: TestApp): LogLine[] {
  return lines.filter(({ reason }) => reason === 'from-the-future')
}

t.test('the first valid session from the future is a warning about clocks; later ones are debug lines', async t => {
  const clock = fakeClock(t)
  const app = await site(t)
  const browser = new Browser(app)
  clock.advance(90_000)
  await browser.get('/set/user/ada')
  clock.advance(-90_000)
  for (let request = 0; request < 3; request++) t.strictSame(await browser.json('/get'), {})
  t.match(refusals(app), [
    { level: WARN, session: 'session', cookie: 'session', msg: /more than a minute ahead of the clock.*synchronize/ },
    { level: DEBUG, cookie: 'session' },
    { level: DEBUG, cookie: 'session' }
  ])
})

t.test('a session that is dated less than a minute ahead opens, without a warning', async t => {
  const clock = fakeClock(t)
  const app = await site(t)
  const browser = new Browser(app)
  clock.advance(MINUTE)
  await browser.get('/set/user/ada')
  clock.advance(-MINUTE)
  t.strictSame(await browser.json('/get'), { user: 'ada' })
  t.strictSame(app.lines.filter(({ level }) => level === WARN), [])
})

t.test('a forged cookie never causes the warning about clocks', async t => {
  const clock = fakeClock(t)
  const foreign = new Browser(await site(t, { key: OTHER_KEY }))
  clock.advance(10 * MINUTE)
  await foreign.get('/set/user/ada')
  clock.advance(-10 * MINUTE)
  const app = await site(t)
  await foreign.copy(app).get('/get')
  t.strictSame(app.lines.filter(({ level }) => level === WARN), [])
})

t.test('a stamp from the future is ignored, with the warning about clocks', async t => {
  const clock = fakeClock(t)
  const app = await site(t, { idle: '1h' })
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  clock.advance(50 * MINUTE)
  await browser.get('/get')
  clock.advance(-20 * MINUTE)
  for (let request = 0; request < 2; request++) t.strictSame(await browser.copy().json('/get'), { user: 'ada' })
  t.match(refusals(app), [{ level: WARN, cookie: 'session.t', msg: /renewal of a session was ignored.*clocks/ }])
  t.equal(refusals(app).length, 1)
})

t.test('a legacy session from the future causes the warning, once per session', async t => {
  const clock = fakeClock(t)
  const before = new Browser(await site(t, { cookieName: 'before' }))
  const now = new Browser(await site(t))
  clock.advance(2 * MINUTE)
  for (const browser of [before, now]) await browser.get('/set/user/ada')
  clock.advance(-2 * MINUTE)
  const sealed = await site(t, { legacy: [secureSession.sealedOpener({ cookieName: 'before' })] })
  await before.copy(sealed).get('/get')
  await now.copy(sealed).get('/get')
  t.match(refusals(sealed), [{ level: WARN, cookie: 'before' }, { level: DEBUG, cookie: 'session' }])
  const open = (): secureSession.LegacySession => ({ data: {}, renewedAt: clock.nowMs + 2 * MINUTE })
  const adopting = await site(t, { legacy: [{ cookieName: 'before', immediate: true, open }] })
  await before.copy(adopting).get('/get')
  t.match(refusals(adopting), [{ level: WARN, cookie: 'before' }])
})

t.test('the warning about clocks is logged with revocation and outside a request, too', async t => {
  const clock = fakeClock(t)
  for (const options of [{ revocation: { store: secureSession.memoryRevocation() } }, {}]) {
    const app = await site(t, options)
    const browser = new Browser(app)
    clock.advance(2 * MINUTE)
    await browser.get('/set/user/ada')
    clock.advance(-2 * MINUTE)
    if (options.revocation === undefined) t.equal(app.decodeSecureSession(browser.cookies.get('session')), null)
    else await browser.get('/untouched')
    t.match(refusals(app), [{ level: WARN }])
  }
})
