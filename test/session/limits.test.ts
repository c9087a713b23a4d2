import t, { type Test } from 'tap'
import { createSealer } from '../../lib/sealer'
import { addRoutes, appWith, KEY } from '../helpers/app'
import { Browser, setCookies } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

async function browserOf (t: Test, options: object): Promise<Browser> {
  const app = await appWith(t, { key: KEY, ...options })
  addRoutes(app)
  return new Browser(app)
}

t.test('a session that was not used for the idle limit has expired, to the millisecond', async t => {
  const clock = fakeClock(t)
  const browser = await browserOf(t, { idle: '1h' })
  await browser.get('/set/user/ada')
  const early = browser.copy()
  clock.advance(HOUR - 1)
  t.strictSame(await early.json('/get'), { user: 'ada' })
  clock.advance(1)
  t.strictSame(await browser.json('/get'), {})
})

t.test('the server refuses an expired session even if the browser has restored its cookie', async t => {
  const clock = fakeClock(t)
  const app = await appWith(t, { key: KEY, idle: 60, cookie: { maxAge: 365 * 86400 } })
  addRoutes(app)
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  clock.advance(MINUTE)
  const response = await browser.get('/get')
  t.strictSame(response.json(), {})
  t.strictSame(setCookies(response), [], 'and the cookie is left alone')
  t.match(app.lines.find(({ reason }) => reason !== undefined), { level: 20, reason: 'expired', cookie: 'session' })
})

t.test('a session older than the absolute limit has expired, even if it was written, touched and used', async t => {
  const clock = fakeClock(t)
  const browser = await browserOf(t, { idle: '1h', absolute: '4h' })
  await browser.get('/set/user/ada')
  for (let elapsed = 0; elapsed + 10 * MINUTE < 4 * HOUR; elapsed += 10 * MINUTE) {
    clock.advance(10 * MINUTE)
    t.match(await browser.json('/get'), { user: 'ada' })
    await browser.get(elapsed % HOUR === 0 ? '/touch' : '/set/a/b')
  }
  clock.advance(10 * MINUTE)
  t.strictSame(await browser.json('/get'), {})
})

t.test('the default limits are one day idle and thirty days absolute', async t => {
  const clock = fakeClock(t)
  const browser = await browserOf(t, {})
  await browser.get('/set/user/ada')
  const { createdAt, expiresAt } = await browser.json('/info')
  t.equal(expiresAt - createdAt, DAY)
  for (let day = 0; day < 59; day++) {
    clock.advance(DAY / 2)
    t.match(await browser.json('/get'), { user: 'ada' })
  }
  clock.advance(DAY / 2)
  t.strictSame(await browser.json('/get'), {})
})

t.test('an idle limit longer than thirty days raises the default absolute limit', async t => {
  const clock = fakeClock(t)
  const browser = await browserOf(t, { expiry: '60d' })
  await browser.get('/set/user/ada')
  clock.advance(59 * DAY)
  t.match(await browser.json('/get'), { user: 'ada' })
})

t.test('an absolute limit shorter than the idle limit ends the session first', async t => {
  const clock = fakeClock(t)
  const browser = await browserOf(t, { absolute: '8h' })
  await browser.get('/set/user/ada')
  const { createdAt, expiresAt } = await browser.json('/info')
  t.equal(expiresAt - createdAt, 8 * HOUR)
  clock.advance(8 * HOUR)
  t.strictSame(await browser.json('/get'), {})
})

t.test('a session that was created more than a minute in the future is refused', async t => {
  const clock = fakeClock(t)
  for (const [aheadMs, opens] of [[MINUTE, true], [MINUTE + 1, false]] as const) {
    const browser = await browserOf(t, {})
    clock.advance(aheadMs)
    await browser.get('/set/user/ada')
    clock.advance(-aheadMs)
    t.strictSame(await browser.json('/get'), opens ? { user: 'ada' } : {})
  }
})

t.test('a session whose renewal time is more than a minute in the future is refused', async t => {
  const clock = fakeClock(t)
  let nowMs = clock.nowMs
  const sealer = createSealer({ key: KEY, now: () => nowMs })
  nowMs += 2 * MINUTE
  const token = sealer.seal({}, { id: '0'.repeat(32), createdAt: clock.nowMs })
  nowMs -= 2 * MINUTE
  t.strictSame(sealer.open(token), { ok: false, reason: 'from-the-future' })
})

t.test('a server whose clock is behind does not set the times of a session back', async t => {
  const clock = fakeClock(t)
  const browser = await browserOf(t, {})
  await browser.get('/set/user/ada')
  const before = await browser.json('/info')
  clock.advance(-30_000)
  await browser.get('/set/a/b')
  t.equal((await browser.json('/info')).renewedAt, before.renewedAt)
})

t.test('info has the id and the times of the session, and is frozen', async t => {
  const clock = fakeClock(t)
  const app = await appWith(t, { key: KEY, idle: '1h' })
  addRoutes(app)
  app.get('/frozen', async ({ session }) => ({ frozen: Object.isFrozen(session.info) }))
  const browser = new Browser(app)
  t.match(await browser.json('/info'), { id: /^[0-9a-f]{32}$/, createdAt: clock.nowMs, renewedAt: clock.nowMs, expiresAt: clock.nowMs + HOUR, isNew: true })
  await browser.get('/set/user/ada')
  const createdAt = clock.nowMs
  clock.advance(5 * MINUTE)
  t.match(await browser.json('/info'), { createdAt, renewedAt: createdAt, expiresAt: createdAt + HOUR, isNew: false })
  t.strictSame(await browser.json('/frozen'), { frozen: true })
})

t.test('touch restarts the idle limit and not the absolute limit', async t => {
  const clock = fakeClock(t)
  const browser = await browserOf(t, { idle: '1h' })
  await browser.get('/set/user/ada')
  const before = await browser.json('/info')
  clock.advance(MINUTE)
  t.equal(setCookies(await browser.get('/touch')).length, 1)
  t.match(await browser.json('/info'), { id: before.id, createdAt: before.createdAt, renewedAt: before.renewedAt + MINUTE })
})
