import t from 'tap'
import { parseLine, setCookies } from '../helpers/browser'
import { fakeClock, turns } from '../helpers/clock'
import { CountingStore } from './stores'
import { appOfUsers, loggedIn, userIn } from './users'

const MINUTE_MS = 60_000
const RECHECK_MS = 5 * MINUTE_MS

t.test('a new session is trusted for as long as one that was checked', async t => {
  const clock = fakeClock(t)
  const store = new CountingStore()
  const app = await appOfUsers(t, { store })
  const browser = await loggedIn(app)
  const asked = store.asked
  clock.advance(RECHECK_MS - 1)
  t.equal(await userIn(browser), 'ada')
  t.equal(store.asked, asked)
})

t.test('after the window the store is asked once, and a stamp says so to every process', async t => {
  const clock = fakeClock(t)
  const store = new CountingStore()
  const [here, there] = [await appOfUsers(t, { store }), await appOfUsers(t, { store })]
  const browser = await loggedIn(here)
  clock.advance(RECHECK_MS)
  const asked = store.asked
  const response = await browser.get('/user')
  t.strictSame(setCookies(response).map(line => parseLine(line).name), ['session.t'])
  t.equal(store.asked, asked + 1)
  const elsewhere = browser.copy(there)
  for (let request = 0; request < 5; request++) {
    t.equal(await userIn(elsewhere), 'ada')
    t.equal(await userIn(browser), 'ada')
    clock.advance(MINUTE_MS - 1)
  }
  t.equal(store.asked, asked + 1)
  clock.advance(5)
  t.equal(await userIn(elsewhere), 'ada')
  t.equal(store.asked, asked + 2)
})

t.test('a checked session gets a stamp even if no handler accesses it, and is not renewed by that', async t => {
  const clock = fakeClock(t)
  const app = await appOfUsers(t, {}, { idle: '1h' })
  const browser = await loggedIn(app)
  const { renewedAt } = await browser.json('/info')
  clock.advance(20 * MINUTE_MS)
  t.strictSame(setCookies(await browser.get('/untouched')).map(line => parseLine(line).name), ['session.t'])
  t.equal((await browser.json('/info')).renewedAt, renewedAt)
  t.equal((await browser.json('/info')).renewedAt, clock.nowMs)
})

t.test('a stamp for a renewal keeps the time of the check, and a stamp for a check keeps the renewal', async t => {
  const clock = fakeClock(t)
  const store = new CountingStore()
  const [here, there] = [await appOfUsers(t, { store, recheck: '20m' }, { idle: '1h' }), await appOfUsers(t, { store, recheck: '20m' }, { idle: '1h' })]
  const browser = (await loggedIn(here)).copy(there)
  clock.advance(20 * MINUTE_MS)
  await browser.get('/user')
  const asked = store.asked
  clock.advance(16 * MINUTE_MS)
  t.equal(setCookies(await browser.get('/user')).length, 1, 'renewed')
  clock.advance(3 * MINUTE_MS)
  t.equal(await userIn(browser.copy(here)), 'ada')
  t.equal(store.asked, asked, 'and not asked')
  clock.advance(MINUTE_MS)
  const { renewedAt } = await browser.json('/info')
  t.equal(store.asked, asked + 1)
  t.equal(renewedAt, clock.nowMs - 4 * MINUTE_MS)
})

t.test('a write and a stamp can be sent in one reply', async t => {
  const clock = fakeClock(t)
  const app = await appOfUsers(t)
  const browser = await loggedIn(app)
  clock.advance(RECHECK_MS)
  t.strictSame(setCookies(await browser.get('/set/1')).map(line => parseLine(line).name), ['session', 'session.t'])
})

t.test('a client that drops the stamps does not cause more lookups', async t => {
  const clock = fakeClock(t)
  const store = new CountingStore()
  const app = await appOfUsers(t, { store })
  const browser = await loggedIn(app)
  clock.advance(RECHECK_MS)
  const asked = store.asked
  for (let request = 0; request < 10; request++) await browser.copy().get('/user')
  t.equal(store.asked, asked + 1)
})

t.test('parallel requests of one session share one lookup', async t => {
  const clock = fakeClock(t)
  const store = new CountingStore()
  const app = await appOfUsers(t, { store })
  const [browser, other] = [await loggedIn(app), await loggedIn(app, 'grace')]
  clock.advance(RECHECK_MS)
  const asked = store.asked
  const users = await Promise.all(Array.from({ length: 20 }, async (_, index) => await userIn((index % 2 === 0 ? browser : other).copy())))
  t.strictSame([...new Set(users)], ['ada', 'grace'])
  t.equal(store.asked, asked + 2)
})

t.test('with a recheck of 0 each request asks, also parallel ones, and no stamp is sent', async t => {
  const store = new CountingStore()
  const app = await appOfUsers(t, { store, recheck: 0 })
  const browser = await loggedIn(app)
  const asked = store.asked
  await Promise.all(Array.from({ length: 10 }, async () => await browser.copy().get('/user')))
  t.equal(store.asked, asked + 10)
  t.strictSame(setCookies(await browser.get('/user')), [])
})

t.test('anonymous requests, bad cookies and routes without a session cause no lookup', async t => {
  const store = new CountingStore()
  const app = await appOfUsers(t, { store, recheck: 0 })
  const browser = await loggedIn(app)
  const asked = store.asked
  await app.inject('/user')
  await app.inject({ url: '/user', headers: { cookie: `session=${'x'.repeat(500)}` } })
  await app.inject({ url: '/user', headers: { cookie: 'session=; session.t=' } })
  await browser.get('/health')
  t.equal(store.asked, asked)
})

t.test('a revoked session is remembered, and not looked up again', async t => {
  const store = new CountingStore()
  const app = await appOfUsers(t, { store, recheck: 0 })
  const browser = await loggedIn(app)
  const copy = browser.copy()
  await browser.get('/logout')
  const asked = store.asked
  for (let request = 0; request < 10; request++) t.equal(await userIn(copy.copy()), null)
  t.equal(store.asked, asked)
})

t.test('a stamp from the future does not count', async t => {
  const clock = fakeClock(t)
  const store = new CountingStore()
  const app = await appOfUsers(t, { store, recheck: '1m' })
  const browser = await loggedIn(app)
  clock.advance(3 * MINUTE_MS)
  await browser.get('/user')
  clock.advance(-2 * MINUTE_MS)
  const elsewhere = browser.copy(await appOfUsers(t, { store, recheck: '1m' }))
  const asked = store.asked
  t.equal(await userIn(elsewhere), 'ada')
  t.equal(store.asked, asked + 1)
})

t.test('no request shares a result of a lookup that began longer ago than the window', async t => {
  const clock = fakeClock(t)
  const store = new CountingStore()
  const app = await appOfUsers(t, { store, recheck: '1s', timeout: '30s' })
  const browser = await loggedIn(app)
  clock.advance(1000)
  const late: Array<(answer: number[]) => void> = []
  store.instead = async () => await new Promise(resolve => { late.push(resolve) })
  const first = userIn(browser.copy())
  while (late.length < 1) await turns()
  clock.advance(999)
  const second = userIn(browser.copy())
  await turns()
  t.equal(late.length, 1)
  clock.advance(1)
  const third = userIn(browser.copy())
  while (late.length < 2) await turns()
  late[0]?.([0, 0])
  t.strictSame([await first, await second], ['ada', 'ada'])
  late[1]?.([0, clock.nowMs])
  t.equal(await third, null)
  store.instead = null
  t.equal(await userIn(browser), null)
})
