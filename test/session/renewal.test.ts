import t, { type Test } from 'tap'
import { addRoutes, appWith, KEY } from '../helpers/app'
import { Browser, setCookies } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'

const MINUTE = 60_000

async function browserOf (t: Test, options: object = {}): Promise<Browser> {
  const app = await appWith(t, { key: KEY, idle: '1h', ...options })
  addRoutes(app)
  return new Browser(app)
}

t.test('a session that is used after a quarter of idle gets a stamp, and its data cookie is not rewritten', async t => {
  const clock = fakeClock(t)
  const browser = await browserOf(t)
  await browser.get('/set/user/ada')
  clock.advance(15 * MINUTE - 1)
  t.strictSame(setCookies(await browser.get('/get')), [])
  clock.advance(1)
  const lines = setCookies(await browser.get('/get'))
  t.match(lines, [/^session\.t=[\w-]{99}; Path=\/; HttpOnly; SameSite=Lax$/])
  t.equal(lines.length, 1)
  t.strictSame(setCookies(await browser.get('/get')), [], 'renewed, it is not due again')
})

t.test('a session that is used from time to time lives for as long as it is used', async t => {
  const clock = fakeClock(t)
  const browser = await browserOf(t)
  await browser.get('/set/user/ada')
  const data = browser.cookies.get('session')
  for (let round = 0; round < 20; round++) {
    clock.advance(59 * MINUTE)
    t.strictSame(await browser.json('/get'), { user: 'ada' })
  }
  t.equal(browser.cookies.get('session'), data)
  clock.advance(60 * MINUTE)
  t.strictSame(await browser.json('/get'), {})
})

t.test('a session that is renewed is not changed', async t => {
  const clock = fakeClock(t)
  const app = await appWith(t, { key: KEY, idle: '1h' })
  addRoutes(app)
  app.get('/changed', async ({ session }) => ({ changed: session.changed }))
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  clock.advance(30 * MINUTE)
  const response = await browser.get('/changed')
  t.strictSame(response.json(), { changed: false })
  t.match(setCookies(response), [/^session\.t=/])
})

t.test('info contains the renewal time of the stamp', async t => {
  const clock = fakeClock(t)
  const browser = await browserOf(t)
  await browser.get('/set/user/ada')
  clock.advance(30 * MINUTE)
  await browser.get('/get')
  const stamped = clock.nowMs
  clock.advance(16 * MINUTE)
  t.match(await browser.json('/info'), { renewedAt: stamped, createdAt: stamped - 30 * MINUTE, expiresAt: stamped + 60 * MINUTE })
})

t.test('a request that does not access the session renews nothing', async t => {
  const clock = fakeClock(t)
  const browser = await browserOf(t)
  await browser.get('/set/user/ada')
  clock.advance(30 * MINUTE)
  t.strictSame(setCookies(await browser.get('/untouched')), [])
})

t.test('a request that writes the session sets no stamp', async t => {
  const clock = fakeClock(t)
  const browser = await browserOf(t)
  await browser.get('/set/user/ada')
  clock.advance(30 * MINUTE)
  t.match(setCookies(await browser.get('/set/a/b')), [/^session=/])
})

t.test('a stamp renews only its own session', async t => {
  const clock = fakeClock(t)
  const ada = await browserOf(t)
  await ada.get('/set/user/ada')
  const grace = ada.copy()
  grace.cookies.clear()
  await grace.get('/set/user/grace')
  clock.advance(30 * MINUTE)
  await ada.get('/get')
  clock.advance(31 * MINUTE)
  grace.cookies.set('session.t', ada.cookies.get('session.t') as string)
  t.strictSame(await grace.json('/get'), {})
  t.strictSame(await ada.json('/get'), { user: 'ada' })
})

t.test('a stamp that is forged, random, cut or a session token renews nothing and throws nothing', async t => {
  const clock = fakeClock(t)
  const browser = await browserOf(t)
  await browser.get('/set/user/ada')
  clock.advance(30 * MINUTE)
  await browser.get('/get')
  clock.advance(31 * MINUTE)
  const stamp = browser.cookies.get('session.t') as string
  for (const bad of ['', 'x', stamp.slice(1), stamp.slice(0, -1), `${stamp}A`, stamp.slice(0, 50) + (stamp[50] === 'A' ? 'B' : 'A') + stamp.slice(51), 'A'.repeat(99), browser.cookies.get('session') as string]) {
    const victim = browser.copy()
    victim.cookies.set('session.t', bad)
    t.strictSame(await victim.json('/get'), {})
  }
  t.strictSame(await browser.json('/get'), { user: 'ada' })
})

t.test('a stamp from the future renews nothing', async t => {
  const clock = fakeClock(t)
  const browser = await browserOf(t)
  await browser.get('/set/user/ada')
  clock.advance(50 * MINUTE)
  await browser.get('/get')
  clock.advance(-20 * MINUTE)
  t.equal((await browser.json('/info')).renewedAt, clock.nowMs - 30 * MINUTE)
})

t.test('if there are several stamps, the latest counts', async t => {
  const clock = fakeClock(t)
  const browser = await browserOf(t)
  await browser.get('/set/user/ada')
  clock.advance(20 * MINUTE)
  await browser.get('/get')
  const early = browser.cookies.get('session.t') as string
  clock.advance(20 * MINUTE)
  await browser.get('/get')
  const late = browser.cookies.get('session.t') as string
  clock.advance(50 * MINUTE)
  for (const stamps of [[early, late], [late, early]]) {
    const cookie = [`session=${browser.cookies.get('session') as string}`, ...stamps.map(stamp => `session.t=${stamp}`)].join('; ')
    const copy = browser.copy()
    copy.cookies.clear()
    t.strictSame(await copy.json('/get', { headers: { cookie } }), { user: 'ada' })
  }
})

t.test('a session with its own idle limit is renewed in proportion to it', async t => {
  const clock = fakeClock(t)
  const app = await appWith(t, { key: KEY, idle: '1h' })
  addRoutes(app)
  app.get('/remember', async ({ session }) => { session.set('user', 'ada'); session.options({ maxAge: 10 * 3600 }); return {} })
  const browser = new Browser(app)
  await browser.get('/remember')
  clock.advance(149 * MINUTE)
  t.strictSame(setCookies(await browser.get('/get')), [])
  clock.advance(MINUTE)
  t.match(setCookies(await browser.get('/get')), [/^session\.t=.*; Max-Age=36000;/])
})

t.test('renewAfter sets when a session is renewed', async t => {
  const clock = fakeClock(t)
  const browser = await browserOf(t, { renewAfter: '1m' })
  await browser.get('/set/user/ada')
  clock.advance(MINUTE)
  t.match(setCookies(await browser.get('/get')), [/^session\.t=/])
})
