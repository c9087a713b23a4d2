import t, { type Test } from 'tap'
import { revoked } from '../../lib/keyring/lifecycle'
import type { TestApp } from '../helpers/app'
import { setCookies } from '../helpers/browser'
import { fakeTime, passUntil, type FakeTime } from '../helpers/clock'
import { keyIdOf, keyNumber, MemoryStore, rotate } from '../helpers/keyrings'
import { boundBrowser, DeviceBrowser, MINUTE_MS, shopOf } from './site'

/** Proofs, identifiers and challenges, while keys rotate. */

const DAYS_90_MS = 90 * 86_400_000

async function appOn (t: Test, store: MemoryStore, more: object = {}): Promise<TestApp> {
  return await shopOf(t, { key: undefined, keyring: store, reloadEvery: '1h', ...more })
}

async function begin (t: Test): Promise<{ time: FakeTime, store: MemoryStore, app: TestApp, browser: DeviceBrowser }> {
  const time = fakeTime(t)
  const store = new MemoryStore([keyNumber(1, time.nowMs - 1000)])
  const app = await appOn(t, store)
  return { time, store, app, browser: await boundBrowser(app) }
}

t.test('after a rotation all opens, new proofs and challenges are of the new key, and the identifier stays', async t => {
  const { time, store, browser } = await begin(t)
  const { identifier, challenge } = browser
  rotate(store, time.nowMs)
  await time.pass(60 * MINUTE_MS)
  t.equal((await browser.refresh()).statusCode, 403, 'the challenge was too old')
  const refreshed = await browser.refresh()
  t.equal(refreshed.statusCode, 204)
  const proof = browser.cookies.get('session.d') as string
  t.not(keyIdOf(proof), keyIdOf(identifier))
  t.not(keyIdOf(browser.challenge), keyIdOf(challenge))
  t.equal(browser.identifier, identifier)
  t.match(await browser.ask('/me'), { user: 'ada', bound: true })
})

t.test('a key that is revoked ends what it identified, and its proofs and challenges count no more', async t => {
  const { time, store, browser } = await begin(t)
  const first = keyIdOf(browser.identifier)
  rotate(store, time.nowMs)
  await time.pass(60 * MINUTE_MS)
  await browser.prove()
  await browser.get('/write/page')
  store.keys = revoked(store.keys, first, time.nowMs, DAYS_90_MS) ?? []
  await time.pass(60 * MINUTE_MS)
  const reply = await browser.refresh()
  t.match([reply.statusCode, reply.json(), setCookies(reply)], [200, { session_identifier: browser.identifier, continue: false }, []])
})

t.test('a revoked key takes the proof of a session that another key has sealed', async t => {
  const time = fakeTime(t)
  const store = new MemoryStore([keyNumber(1, time.nowMs - 1000)])
  const browser = await boundBrowser(await appOn(t, store, { reloadEvery: '10s' }))
  const proof = browser.cookies.get('session.d') as string
  rotate(store, time.nowMs)
  await time.pass(10_000)
  await browser.get('/write/page')
  t.not(keyIdOf(browser.cookies.get('session') as string), keyIdOf(proof))
  t.match(await browser.ask('/me'), { user: 'ada', bound: true }, 'while it is retired, it counts')
  store.keys = revoked(store.keys, keyIdOf(proof), time.nowMs, DAYS_90_MS) ?? []
  await time.pass(10_000)
  t.match(await browser.ask('/me'), { user: null })
})

t.test('a proof and an identifier of a key that another server has just begun to use are waited for', async t => {
  const { time, store, app, browser } = await begin(t)
  rotate(store, time.nowMs)
  const ahead = await appOn(t, store)
  await browser.copy(ahead).refresh()
  const there = browser.copy(ahead)
  await there.refresh()
  const here = there.copy(app)
  t.not(keyIdOf(here.cookies.get('session.d') as string), keyIdOf(here.cookies.get('session') as string))
  t.match(await passUntil(time, here.ask('/me')), { user: 'ada', bound: true })

  rotate(store, time.nowMs)
  const later = await appOn(t, store)
  const eve = await boundBrowser(later, 'eve')
  const stranger = eve.copy(app)
  stranger.cookies.clear()
  const reply = await passUntil(time, stranger.refresh())
  t.match([reply.statusCode, reply.json()], [200, { continue: false }])
  t.match(app.lines.findLast(({ answer }) => answer === 'ended'), { reason: 'no-session' }, 'the identifier was opened, by its header alone')
  t.equal((await passUntil(time, eve.copy(app).refresh())).statusCode, 204)
})

t.test('where the keyring cannot be read, an unknown key is no reason to end: 503', async t => {
  const { time, store, app, browser } = await begin(t)
  rotate(store, time.nowMs)
  const ahead = await appOn(t, store)
  const eve = await boundBrowser(ahead, 'eve')
  store.insteadOfReading = async () => { throw new Error('the store is unavailable') }
  const here = eve.copy(app)
  const refreshed = await passUntil(time, here.refresh())
  t.strictSame([refreshed.statusCode, refreshed.body, setCookies(refreshed)], [503, '', []], 'the identifier')
  here.identifier = browser.identifier
  t.equal((await passUntil(time, here.refresh())).statusCode, 503, 'the session')
  const login = new DeviceBrowser(ahead)
  await login.get('/login/bob')
  const registered = await passUntil(time, login.copy(app).register())
  t.strictSame([registered.statusCode, registered.headers['cache-control']], [503, 'no-store'])
  const cookie = `session=${eve.cookies.get('session') as string}; ${browser.header}`
  t.equal((await passUntil(time, browser.copy().refresh({ cookie }))).statusCode, 204, 'beside the session of the device')
  store.insteadOfReading = null
  await time.pass(1000)
  t.equal((await passUntil(time, login.copy(app).register())).statusCode, 200)
  t.equal((await passUntil(time, eve.copy(app).refresh())).statusCode, 204)
})

t.test('while the keyring cannot be read, a proof of a key that is not known counts as one that may be good', async t => {
  const { time, store, app, browser } = await begin(t)
  rotate(store, time.nowMs)
  const ahead = browser.copy(await appOn(t, store))
  await ahead.prove()
  t.not(keyIdOf(ahead.cookies.get('session.d') as string), keyIdOf(ahead.cookies.get('session') as string))
  const here = ahead.copy(app)
  store.read = async () => { throw new Error('down') }
  for (const cookie of [here.header, `${here.header}; session.d=x`, `session.d=x; ${here.header}`]) {
    const reply = await passUntil(time, here.get('/write/page', { headers: { cookie } }))
    t.match([reply.statusCode, reply.headers['retry-after'], setCookies(reply)], [503, '10', []])
  }
})
