import { Redis } from 'ioredis'
import t from 'tap'
import secureSession from '../../index'
import { appWith, DEBUG, KEY, type TestApp } from '../helpers/app'
import { fakeClock, fakeTime } from '../helpers/clock'
import { startRedis } from '../helpers/redis'
import { away, CountingStore } from '../revocation/stores'

const DATA = { user: 17 }
const ONCE = { ttl: '15m', once: true }
const STORE_UNAVAILABLE = { code: 'FST_SESSION_STORE_UNAVAILABLE', statusCode: 503 }

/** How many of so many parallel calls, on these apps in turn, get the data. */
async function winners (apps: readonly TestApp[], token: string, calls = 50): Promise<number> {
  const results = await Promise.all(Array.from({ length: calls }, async (_, call) => {
    return await (apps[call % apps.length] as TestApp).secureSession.openToken('login', token)
  }))
  return results.filter(data => data !== null).length
}

t.test('a token that opens once opens once, and then the log says that it was used', async t => {
  const app = await appWith(t, { key: KEY, revocation: { store: secureSession.memoryRevocation() } })
  const { sealToken, openToken } = app.secureSession
  const [token, other] = [sealToken('login', DATA, ONCE), sealToken('login', DATA, ONCE)]
  t.strictSame(await openToken('login', token), DATA)
  t.equal(await openToken('login', token), null)
  t.match(app.lines.at(-1), { level: DEBUG, msg: 'token refused', purpose: 'login', reason: 'used' })
  t.strictSame(await openToken('login', other), DATA, 'each is used by itself')
})

t.test('one of 50 parallel calls gets the data, also on several servers with one store', async t => {
  const store = secureSession.memoryRevocation()
  const apps = [await appWith(t, { key: KEY, revocation: { store } }), await appWith(t, { key: KEY, revocation: { store } })]
  for (let round = 0; round < 5; round++) {
    const token = (apps[0] as TestApp).secureSession.sealToken('login', DATA, ONCE)
    t.equal(await winners(apps, token), 1)
    t.equal(await winners(apps, token), 0)
  }
})

t.test('one of 50 parallel calls gets the data, through Redis and several clients', async t => {
  const server = await startRedis()
  t.teardown(async () => { await server.remove() })
  const appOn = async (options = {}): Promise<TestApp> => {
    const client = new Redis(server.url, options)
    t.teardown(() => { client.disconnect() })
    return await appWith(t, { key: KEY, revocation: { store: secureSession.redisRevocation(client), timeout: '10s' } })
  }
  const apps = [await appOn(), await appOn({ enableAutoPipelining: true }), await appOn()]
  for (let round = 0; round < 10; round++) {
    const token = (apps[round % 3] as TestApp).secureSession.sealToken('login', DATA, ONCE)
    t.equal(await winners(apps, token), 1)
    t.equal(await winners(apps, token, 3), 0)
  }
})

t.test('a token that does not open asks no store and uses nothing up', async t => {
  const clock = fakeClock(t)
  const store = new CountingStore()
  const app = await appWith(t, { key: KEY, revocation: { store } })
  const { sealToken, openToken } = app.secureSession
  const token = sealToken('login', DATA, { ...ONCE, audience: 'web' })
  for (const [purpose, audience] of [['reset', 'web'], ['login', 'app'], ['login', undefined]] as const) {
    t.equal(await openToken(purpose, token, { audience }), null)
  }
  t.strictSame(await openToken('many', sealToken('many', DATA, { ttl: '15m' })), DATA)
  t.equal(store.raised, 0)
  t.strictSame(await openToken('login', token, { audience: 'web' }), DATA)
  const expired = sealToken('login', DATA, ONCE)
  clock.advance(15 * 60_000)
  t.equal(await openToken('login', expired), null)
  t.equal(store.raised, 1)
})

t.test('the store keeps a used token until it expires on all clocks, under a hash', async t => {
  const clock = fakeClock(t)
  const store = new CountingStore()
  const app = await appWith(t, { key: KEY, revocation: { store } })
  const token = app.secureSession.sealToken('login', DATA, ONCE)
  const expiresAtMs = clock.nowMs + 15 * 60_000
  clock.advance(60_000)
  await app.secureSession.openToken('login', token)
  t.match(store.raises, [{ key: /^[\w-]{22}$/, cutOffMs: expiresAtMs, keepForMs: 15 * 60_000 }])
})

t.test('a token of a server whose clock is ahead is used up, too', async t => {
  const clock = fakeClock(t)
  const app = await appWith(t, { key: KEY, revocation: { store: secureSession.memoryRevocation() } })
  const token = app.secureSession.sealToken('login', DATA, { ttl: 1, once: true })
  clock.advance(-60_000)
  t.strictSame(await app.secureSession.openToken('login', token), DATA)
  t.equal(await app.secureSession.openToken('login', token), null)
  clock.advance(60_999)
  t.equal(await app.secureSession.openToken('login', token), null)
})

t.test('a memory store that had to drop a used token lets it open no more', async t => {
  const clock = fakeClock(t)
  const app = await appWith(t, { key: KEY, revocation: { store: secureSession.memoryRevocation({ max: 2 }) } })
  const { sealToken, openToken } = app.secureSession
  const [used, unused] = [sealToken('login', DATA, ONCE), sealToken('login', DATA, ONCE)]
  clock.advance(1000)
  t.strictSame(await openToken('login', used), DATA)
  clock.advance(1)
  for (let others = 0; others < 2; others++) t.strictSame(await openToken('login', sealToken('login', DATA, ONCE)), DATA)
  t.equal(await openToken('login', used), null)
  t.equal(await openToken('login', unused), null, 'nor any that was made before then')
  clock.advance(1)
  t.strictSame(await openToken('login', sealToken('login', DATA, ONCE)), DATA)
})

t.test('while the store is down, a token that opens once is a 503 for every onError, and opens afterwards', async t => {
  for (const onError of ['refuse', 'allow'] as const) {
    const store = new CountingStore()
    const app = await appWith(t, { key: KEY, revocation: { store, onError }, tokens: { login: ONCE } })
    app.post('/login', async ({ body }) => await app.secureSession.openToken('login', body))
    const token = app.secureSession.sealToken('login', DATA)
    store.instead = away
    await t.rejects(app.secureSession.openToken('login', token), STORE_UNAVAILABLE)
    const response = await app.inject({ method: 'POST', url: '/login', body: token, headers: { 'content-type': 'text/plain' } })
    t.match([response.statusCode, response.json()], [503, { code: STORE_UNAVAILABLE.code, message: 'the revocation store is unavailable' }])
    t.equal(await app.secureSession.openToken('login', 'x'), null, 'what does not open needs no store')
    store.instead = null
    t.strictSame(await app.secureSession.openToken('login', token), DATA)
  }
})

t.test('a store that does not answer in time is a 503', async t => {
  const time = fakeTime(t)
  const store = new CountingStore()
  const app = await appWith(t, { key: KEY, revocation: { store } })
  store.instead = async () => await new Promise(() => {})
  const opening = app.secureSession.openToken('login', app.secureSession.sealToken('login', DATA, ONCE))
  await Promise.all([t.rejects(opening, STORE_UNAVAILABLE), time.pass(500)])
})

t.test('without the option revocation, `once` is an error of the call, also where another server sealed the token', async t => {
  const revocation = { store: secureSession.memoryRevocation() }
  const [without, withStore] = [await appWith(t), await appWith(t, { key: KEY, revocation })]
  const error = { code: 'FST_SESSION_INVALID_OPTION', message: /needs the option "revocation".*found no "revocation"/ }
  t.throws(() => without.secureSession.sealToken('login', DATA, ONCE), error)
  await t.rejects(without.secureSession.openToken('login', withStore.secureSession.sealToken('login', DATA, ONCE)), error)
})

t.test('what was sealed before the option tokens said `once` opens once, too, and a call can give `once: false`', async t => {
  const revocation = { store: secureSession.memoryRevocation() }
  const app = await appWith(t, { key: KEY, revocation, tokens: { login: ONCE } })
  const { sealToken, openToken } = app.secureSession
  const token = (await appWith(t)).secureSession.sealToken('login', DATA, { ttl: '15m' })
  t.strictSame(await openToken('login', token), DATA)
  t.equal(await openToken('login', token), null)
  const other = await appWith(t, { key: KEY, revocation, tokens: { reset: { ttl: '15m' } } })
  const many = sealToken('login', DATA, { once: false })
  for (let call = 0; call < 2; call++) t.strictSame(await other.secureSession.openToken('login', many), DATA)
})
