import t, { type Test } from 'tap'
import secureSession from '../../index'
import { keyOfId } from '../../lib/revocation/keys'
import { KEY, type TestApp } from '../helpers/app'
import { Browser } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'
import { away, CountingStore } from './stores'
import { ADA } from './world'
import { appOfUsers, loggedIn, userIn, type Revocation } from './users'

/** How long the store keeps the end of a session: until no copy of its cookie can live. */

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const SKEW_MS = MINUTE_MS
const LONGEST_MS = 400 * DAY_MS
const LIMITS = { idle: '1h', absolute: '2h' }
const LIMITS_MS = { '90m': 1.5 * HOUR_MS, '2h': 2 * HOUR_MS, '3h': 3 * HOUR_MS, '90d': 90 * DAY_MS }

async function appOf (t: Test, revocation: Revocation, options: Partial<secureSession.SessionOptions> = LIMITS): Promise<TestApp> {
  const app = await appOfUsers(t, revocation, options)
  app.get('/become/:user', async ({ session, params }) => { session.set('user', (params as { user: string }).user); return {} })
  app.get<{ Params: { to: string } }>('/limit/:to', async ({ session, params: { to } }) => { session.options({ idle: to, absolute: to }); return {} })
  app.get<{ Params: { time: string } }>('/login-for/:time', async ({ session, params: { time } }) => {
    session.regenerate()
    session.set('user', 'ada')
    session.options({ idle: time, absolute: time })
    return {}
  })
  return app
}

t.test('the end of a session is kept until its own absolute end, on all clocks', async t => {
  const clock = fakeClock(t)
  for (const route of ['/logout', '/revoke', '/regenerate', '/revoke-others', '/become/bob']) {
    const store = new CountingStore()
    const app = await appOf(t, { store })
    const browser = await loggedIn(app)
    const { id } = await browser.json('/info')
    clock.advance(50 * MINUTE_MS)
    await browser.get('/user')
    clock.advance(20 * MINUTE_MS)
    await browser.get(route)
    const ofId = store.raises.filter(({ key }) => key === keyOfId(id))
    t.match(ofId, [{ keepForMs: 50 * MINUTE_MS + SKEW_MS }], route)
    t.equal(ofId.length, 1)
  }
})

t.test('the end of a session with its own limits is kept until those limits', async t => {
  fakeClock(t)
  for (const [absolute, ms] of [['90d', 90 * DAY_MS], ['90m', 90 * MINUTE_MS]] as const) {
    const store = new CountingStore()
    const browser = new Browser(await appOf(t, { store }))
    await browser.get(`/login-for/${absolute}`)
    await browser.get('/logout')
    t.match(store.raises, [{ keepForMs: ms + SKEW_MS }], absolute)
  }
})

t.test('the end of a subject, or of an id by secureSession.revoke, is kept for the longest session', async t => {
  const store = new CountingStore()
  const app = await appOf(t, { store })
  const browser = await loggedIn(app)
  await app.secureSession.revoke((await browser.json('/info')).id)
  await app.secureSession.revokeSubject('ada')
  await (await loggedIn(app)).get('/revoke-others')
  t.match(store.raises.map(({ keepForMs }) => keepForMs), [LONGEST_MS + SKEW_MS, LONGEST_MS + SKEW_MS, Number, LONGEST_MS + SKEW_MS])
  t.equal(store.raises.at(-1)?.key, ADA)
})

t.test('the end of a legacy session of this plugin or of the peer is kept until its absolute end', async t => {
  const clock = fakeClock(t)
  const store = new CountingStore()
  const legacy = [secureSession.sealedOpener({ cookieName: 'session' }), secureSession.secureSessionOpener({ key: KEY, cookieName: 'peer' })]
  const app = await appOf(t, { store }, { ...LIMITS, cookieName: 'new', legacy })
  const browser = (await loggedIn(await appOf(t, {}))).copy(app)
  clock.advance(HOUR_MS / 2)
  await browser.get('/logout')
  t.match(store.raises, [{ keepForMs: 1.5 * HOUR_MS + SKEW_MS }])
})

t.test('if an opener gives sessions without times, ends are kept for the longest possible session', async t => {
  const store = new CountingStore()
  const open = (id: string): secureSession.LegacySession => ({ data: { user: 'ada' }, id })
  const app = await appOf(t, { store }, { ...LIMITS, legacy: [{ cookieName: 'old', open }] })
  for (const [id, path] of [['one', '/logout'], ['two', '/set/1']] as const) {
    const browser = new Browser(app)
    browser.cookies.set('old', id)
    await browser.get(path)
    await browser.get('/logout')
  }
  t.strictSame(store.raises.map(({ keepForMs }) => keepForMs), [LONGEST_MS + SKEW_MS, LONGEST_MS + SKEW_MS])
})

t.test('if copies have different limits, the end of one is kept for as long as any of them could live', async t => {
  const clock = fakeClock(t)
  for (const [before, after] of [['2h', '90d'], ['90d', '2h'], ['90m', '3h'], ['3h', '90m']] as const) {
    const [shorterMs, longerMs] = [before, after].map(limit => LIMITS_MS[limit]).sort((a, b) => a - b) as [number, number]
    for (const ended of ['first', 'second'] as const) {
      const store = secureSession.memoryRevocation()
      const app = await appOf(t, { store, recheck: 0 })
      const first = new Browser(app)
      const beganAtMs = clock.nowMs
      await first.get(`/login-for/${before}`)
      clock.advance(MINUTE_MS)
      const second = first.copy()
      await second.get(`/limit/${after}`)
      t.strictSame([await userIn(first), await userIn(second)], ['ada', 'ada'])
      const copies = [first.copy(), second.copy()]
      await (ended === 'first' ? first : second).get('/logout')
      t.equal(store.size, 1)
      for (const atMs of [shorterMs + 2 * MINUTE_MS, longerMs - 1]) {
        clock.set(beganAtMs + atMs)
        // Another process, which has heard of nothing yet.
        const there = await appOf(t, { store, recheck: 0 })
        const users = await Promise.all(copies.map(async copy => await userIn(copy.copy(there))))
        t.strictSame(users, [null, null], `${before}, then ${after}; the ${ended} was ended; after ${atMs} ms`)
      }
    }
  }
})

t.test('a change of the absolute limit is written to the store once, and revokes nothing', async t => {
  const clock = fakeClock(t)
  const store = new CountingStore()
  const app = await appOf(t, { store, recheck: 0 })
  app.get('/idle', async ({ session }) => { session.options({ idle: '30m' }); return {} })
  app.get('/limit-of-nobody', async ({ session }) => { session.options({ absolute: '3h' }); session.set('cart', 1); return {} })
  const browser = await loggedIn(app)
  const { id } = await browser.json('/info')
  clock.advance(30 * MINUTE_MS)
  await browser.get('/limit/3h')
  t.strictSame(store.raises, [{ key: keyOfId(id), cutOffMs: 0, keepForMs: 2.5 * HOUR_MS + SKEW_MS }])
  await browser.get('/limit/3h')
  await browser.get('/idle')
  await browser.get('/set/1')
  t.equal(store.raised, 1)
  await browser.get('/limit/90m')
  t.match(store.raises[1], { cutOffMs: 0, keepForMs: 2.5 * HOUR_MS + SKEW_MS })
  t.equal(await userIn(browser), 'ada')
  const stranger = new Browser(app)
  await stranger.get('/set/1')
  await stranger.get('/limit-of-nobody')
  t.equal(store.raised, 2, 'not of an anonymous session')
})

t.test('a change of the absolute limit is not written if the end is kept for longer in any case', async t => {
  const store = new CountingStore()
  const app = await appOf(t, { store }, { ...LIMITS, legacy: [{ cookieName: 'old', open: () => null }] })
  const browser = await loggedIn(app)
  await browser.get('/limit/3h')
  t.equal(store.raised, 0)
  await browser.get('/logout')
  t.match(store.raises, [{ keepForMs: LONGEST_MS + SKEW_MS }])
})

t.test('while the store is unavailable, the limits change only if `onError` is allow', async t => {
  for (const [onError, status] of [['refuse', 503], ['allow', 200]] as const) {
    const store = new CountingStore()
    const browser = await loggedIn(await appOf(t, { store, onError }))
    store.instead = away
    const response = await browser.get('/limit/3h')
    t.equal(response.statusCode, status)
    t.equal(response.headers['set-cookie'] === undefined, status === 503)
  }
})
