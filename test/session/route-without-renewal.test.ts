import t, { type Test } from 'tap'
import secureSession from '../../index'
import { addRoutes, appWith, bareApp, KEY, WARN, type TestApp } from '../helpers/app'
import { Browser, parseLine, setCookies } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'
import { loggedInBefore } from '../legacy/old-app'
import { CountingStore } from '../revocation/stores'

const MINUTE = 60_000
const OLD_KEY = Buffer.from('c3'.repeat(32), 'hex')
const LOOKS = [{ session: { renew: false } }, { session: false }]

async function site (t: Test, options: Partial<secureSession.SessionOptions> = {}): Promise<TestApp> {
  const app = await appWith(t, { key: KEY, idle: '30m', ...options })
  addRoutes(app)
  for (const [index, config] of LOOKS.entries()) {
    app.get(`/poll/${index}`, { config }, async ({ session }) => session?.data() ?? null)
  }
  app.get('/poll/write', { config: { session: { renew: false } } }, async ({ session }) => {
    session.set('seen', Date.now())
    return {}
  })
  app.get('/poll/untouched', { config: { session: { renew: false } } }, async () => ({}))
  return app
}

for (const [index, config] of LOOKS.entries()) {
  t.test(`a page that polls a route with ${JSON.stringify(config)} does not keep the session alive`, async t => {
    const clock = fakeClock(t)
    const browser = new Browser(await site(t))
    await browser.get('/set/user/ada')
    for (let minute = 1; minute < 30; minute++) {
      clock.advance(MINUTE)
      const response = await browser.get(`/poll/${index}`)
      t.strictSame(response.json(), { user: 'ada' })
      t.strictSame(setCookies(response), [])
    }
    clock.advance(MINUTE)
    t.strictSame(await browser.json(`/poll/${index}`), {})
  })
}

t.test('routes with renew: true, with session: true or with an empty object renew the session', async t => {
  for (const config of [
    {}, { session: true }, { session: {} }, { session: undefined }, { session: { renew: true } },
    { session: { renew: undefined } }
  ]) {
    const clock = fakeClock(t)
    const app = await site(t)
    app.get('/use', { config }, async ({ session }) => session.data())
    const browser = new Browser(app)
    await browser.get('/set/user/ada')
    clock.advance(20 * MINUTE)
    t.strictSame(setCookies(await browser.get('/poll/0')), [])
    t.match(setCookies(await browser.get('/use')), [/^session\.t=/])
    clock.advance(29 * MINUTE)
    t.strictSame(await browser.json('/poll/0'), { user: 'ada' }, 'the stamp counts where it is only looked at')
  }
})

t.test('a change on a route that does not renew is written, and renews the session', async t => {
  const clock = fakeClock(t)
  const browser = new Browser(await site(t))
  await browser.get('/set/user/ada')
  clock.advance(20 * MINUTE)
  t.match(setCookies(await browser.get('/poll/write')), [/^session=/])
  clock.advance(29 * MINUTE)
  t.match(await browser.json('/get'), { user: 'ada' })
})

t.test('on a route that does not renew, the store is asked, and the stamp of the check does not renew', async t => {
  const clock = fakeClock(t)
  const store = new CountingStore()
  const options = { subject: (session: any) => session.get('user'), revocation: { store, recheck: '10m' } }
  const browser = new Browser(await site(t, options))
  await browser.get('/set/user/ada')
  const asked = store.asked
  for (let minute = 5; minute < 30; minute += 5) {
    clock.advance(5 * MINUTE)
    const response = await browser.get('/poll/0')
    t.strictSame(response.json(), { user: 'ada' })
    t.strictSame(setCookies(response).map(line => parseLine(line).name), minute % 10 === 0 ? ['session.t'] : [])
  }
  t.equal(store.asked, asked + 2)
  clock.advance(5 * MINUTE)
  t.strictSame(await browser.json('/poll/0'), {})
})

t.test('on a route that does not renew, a revoked session is empty, and its cookies are cleared', async t => {
  const clock = fakeClock(t)
  const revocation = { store: secureSession.memoryRevocation() }
  const app = await site(t, { subject: session => session.get('user'), revocation })
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  clock.advance(MINUTE)
  await app.secureSession.revokeSubject('ada')
  const response = await browser.get('/poll/0')
  t.strictSame(response.json(), {})
  t.match(setCookies(response)[0], /^session=; Max-Age=0/)
})

t.test('on a route that does not renew, a legacy session is migrated by a change and not by a read', async t => {
  const clock = fakeClock(t)
  const before = await loggedInBefore(t, { key: OLD_KEY })
  for (const revocation of [undefined, { store: secureSession.memoryRevocation() }]) {
    const app = await site(t, {
      legacy: [secureSession.secureSessionOpener({ key: OLD_KEY })],
      subject: session => session.get('user'),
      ...(revocation === undefined ? {} : { revocation })
    })
    const old = before.copy(app)
    clock.advance(6 * MINUTE)
    for (const url of ['/poll/0', '/poll/untouched']) t.strictSame(setCookies(await old.get(url)), [], url)
    if (revocation === undefined) t.strictSame(setCookies(await old.get('/poll/1')), [])
    const isChanged = setCookies(await old.get('/poll/write'))
    t.match(isChanged, [/^session=AQ/])
  }
})

t.test('a wrong value of config.session throws when the route is added', async t => {
  for (const [session, message] of [
    ['no',
      /the route GET \/poll: config\.session must be true, false or .* \{ renew: false \}; found a string of 2/],
    [null, /config\.session must be .*found null/],
    [0, /config\.session must be .*found 0/],
    [[], /config\.session must be .*found an array/],
    [{ renw: false }, /config\.session: "renw" is unknown; known is renew/],
    [{ renew: 'no' }, /config\.session\.renew must be true or false; found a string of 2/],
    [{ renew: null }, /config\.session\.renew must be true or false; found null/]
  ] as const) {
    const app = await appWith(t)
    const route = { config: { session } as never }
    const code = 'FST_SESSION_INVALID_OPTION'
    t.throws(() => { app.get('/poll', route, async () => ({})) }, { code, message })
    await app.register(async scope => {
      t.throws(() => { scope.get('/inner', route, async () => ({})) }, { code })
    })
  }
})

t.test('a wrong value of config.session on a route from before the plugin is logged once', async t => {
  const clock = fakeClock(t)
  const app = bareApp(t)
  app.register(secureSession, { key: KEY, idle: '30m' })
  addRoutes(app)
  app.get('/poll', { config: { session: { renew: false } } }, async ({ session }) => session.data())
  app.get('/wrong', { config: { session: { renw: false } } as never }, async ({ session }) => session.data())
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  for (let round = 0; round < 3; round++) {
    clock.advance(20 * MINUTE)
    t.strictSame(setCookies(await browser.get('/poll')), [])
    t.match(setCookies(await browser.get('/wrong')), [/^session\.t=/])
  }
  const warnings = app.lines.filter(({ level }) => level === WARN)
  t.match(warnings,
    [{ session: 'session', route: '/wrong', msg: /config is ignored: config\.session: "renw" is unknown/ }])
  t.equal(warnings.length, 1)
})
