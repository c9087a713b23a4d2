import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import type { RefreshLockClient } from '../../lib/fresh-tokens'
import { appWith, OTHER_KEY, WARN, type TestApp } from '../helpers/app'
import { setCookies } from '../helpers/browser'
import { fakeClock, fakeTime } from '../helpers/clock'
import { startRedis, type TestRedis } from '../helpers/redis'
import { LIFE_MS, loggedIn, Provider, siteOf, tabs } from './provider'

/** Several servers, each with a memory of its own, that share a Redis. */

const PREFIX = 'fastify-sealed-session:refresh:'

let redis: TestRedis
let client: Redis
t.before(async () => {
  redis = await startRedis()
  client = new Redis(redis.url, { maxRetriesPerRequest: 0, retryStrategy: () => 10 })
  client.on('error', () => {})
})
t.beforeEach(async () => { await client.flushall() })
t.teardown(async () => {
  client.disconnect()
  await redis.remove()
})

async function servers (t: Test, provider: Provider, count: number, options: object = {}): Promise<TestApp[]> {
  return await Promise.all(Array.from({ length: count }, async () => await siteOf(t, provider, { lock: client, ...options })))
}

/** Until so many requests have reached the provider. */
async function untilAsked (provider: Provider, count: number): Promise<void> {
  while (provider.asked.length < count) await new Promise(resolve => { setImmediate(resolve) })
}

async function onlyKey (): Promise<string> {
  const keys = await client.keys('*')
  return keys[0] as string
}

t.test('fifty parallel requests over two servers refresh once, and Redis has no token in the clear', async t => {
  const clock = fakeClock(t, Date.now())
  const provider = new Provider()
  const [one, two] = await servers(t, provider, 2) as [TestApp, TestApp]
  const browser = await loggedIn(one)
  clock.advance(LIFE_MS)
  provider.hold()
  const all = [...tabs(browser, 25, one), ...tabs(browser, 25, two)]
  const answers = Promise.all(all.map(async tab => await tab.json('/token')))
  await untilAsked(provider, 1)
  t.match(await client.get(await onlyKey()), /^lock:/)
  provider.release()
  for (const answer of await answers) t.strictSame(answer, { token: 'access-2' })
  t.strictSame(provider.asked, ['refresh-1'])
  for (const tab of all) t.match(await tab.json('/get'), { tokens: { refreshToken: 'refresh-2', user: 7 } })

  const [key, ...others] = await client.keys('*')
  t.strictSame(others, [])
  t.match(key, new RegExp(`^${PREFIX}[\\w-]{43}$`))
  t.match(await client.get(String(key)), /^[\w-]{100,}$/)
  const leftMs = await client.pttl(String(key))
  t.ok(leftMs > 50_000 && leftMs <= 60_000, String(leftMs))
})

t.test('a server that was not asked follows what others have refreshed, and finds the newest tokens at logout', async t => {
  const clock = fakeClock(t, Date.now())
  const provider = new Provider()
  provider.lifeMs = 61_000
  const [one, two, three] = await servers(t, provider, 3) as [TestApp, TestApp, TestApp]
  const browser = await loggedIn(one)
  const old = browser.copy()
  for (const token of ['access-2', 'access-3']) {
    clock.advance(2000)
    t.strictSame(await browser.json('/token'), { token })
  }
  t.match(await old.copy(three).json('/newest'), { tokens: { refreshToken: 'refresh-3' } })
  t.strictSame(await old.copy(two).json('/token'), { token: 'access-3' })
  t.equal(provider.asked.length, 2)
  clock.advance(2000)
  t.strictSame(await old.copy(two).json('/token'), { token: 'access-4' }, 'and goes on from there')
})

t.test('large tokens are given to the other servers', async t => {
  const clock = fakeClock(t, Date.now())
  const large = 'x'.repeat(8800)
  let asked = 0
  const refresh = async (): Promise<object> => ({ accessToken: large, refreshToken: String(++asked), expiresAt: Date.now() + LIFE_MS })
  const [one, two] = await Promise.all([1, 2].map(async () => {
    return await siteOf(t, new Provider(), { lock: client, refresh: refresh as never }, { maxCookies: 3 })
  })) as [TestApp, TestApp]
  const browser = await loggedIn(one)
  clock.advance(LIFE_MS)
  for (const app of [one, two]) t.strictSame(await browser.copy(app).json('/token'), { token: large })
  t.equal(asked, 1)
})

t.test('tokens that are too large for the others are used, and reported', async t => {
  const clock = fakeClock(t, Date.now())
  const accessToken = 'x'.repeat(9200)
  const app = await siteOf(t, new Provider(), { lock: client, refresh: () => ({ accessToken, expiresAt: Date.now() + LIFE_MS }) }, { maxCookies: 3 })
  app.get('/used', async request => { const token = await request.freshToken(); request.session.delete(); return { token } })
  const browser = await loggedIn(app)
  clock.advance(LIFE_MS)
  t.strictSame(await browser.json('/used'), { token: accessToken })
  t.match(app.lines.filter(({ level }) => level === WARN), [{ err: { code: 'FST_SESSION_TOO_LARGE' }, msg: /not given to the other servers/ }])
})

t.test('a grant that has ended is known to the other servers', async t => {
  const clock = fakeClock(t, Date.now())
  const provider = new Provider()
  const [one, two] = await servers(t, provider, 2) as [TestApp, TestApp]
  const browser = await loggedIn(one)
  provider.isEnded = true
  clock.advance(LIFE_MS)
  for (const app of [one, two]) {
    const tab = browser.copy(app)
    t.match(await tab.copy().json('/token'), { statusCode: 401, code: 'FST_SESSION_GRANT_ENDED' })
    t.strictSame(await tab.json('/newest'), { tokens: null })
  }
  t.equal(provider.asked.length, 1)
})

t.test('a server that fails frees the lock, and another one asks', async t => {
  const clock = fakeClock(t, Date.now())
  const provider = new Provider()
  const [one, two] = await servers(t, provider, 2) as [TestApp, TestApp]
  const browser = await loggedIn(one)
  clock.advance(LIFE_MS)
  provider.failure = new Error('no answer')
  t.equal((await browser.copy().get('/token')).statusCode, 503)
  t.strictSame(await client.keys('*'), [])
  provider.failure = null
  t.strictSame(await browser.copy(two).json('/token'), { token: 'access-2' })
})

t.test('the lock of a server that was killed expires, and a request waits for that', async t => {
  const clock = fakeClock(t, Date.now())
  const provider = new Provider()
  const [one, two, three] = await servers(t, provider, 3) as [TestApp, TestApp, TestApp]
  const browser = await loggedIn(one)
  clock.advance(LIFE_MS)
  provider.hold()
  const held = browser.copy(one).json('/token')
  await untilAsked(provider, 1)
  t.ok(await client.pttl(await onlyKey()) <= 11_000)
  const waiting = browser.copy(two).json('/token')
  const newest = browser.copy(three).json('/newest')
  await client.set(await onlyKey(), 'lock:of-a-killed-server')
  provider.release()
  t.strictSame(await held, { token: 'access-2' }, 'a server whose lock has expired still has its tokens')
  t.equal(await client.get(await onlyKey()), 'lock:of-a-killed-server', 'and leaves the lock of another alone')
  clock.advance(12_000)
  t.match(await waiting, { statusCode: 503, code: 'FST_SESSION_PROVIDER_UNAVAILABLE' })
  t.match(await newest, { tokens: { refreshToken: 'refresh-1' } })
  t.match(three.lines.filter(({ level }) => level === WARN), [{ msg: /unknown whether another server/ }])
})

t.test('a lock lasts for as long as the provider takes, so no other server asks', async t => {
  const provider = new Provider()
  const [one, two] = await servers(t, provider, 2, { timeout: 0.2 }) as [TestApp, TestApp]
  const browser = await loggedIn(one)
  const clock = fakeClock(t, Date.now() + LIFE_MS)
  provider.hold()
  t.equal((await browser.copy(one).get('/token')).statusCode, 503)
  const lock = await client.get(await onlyKey())
  await client.set(await onlyKey(), lock as string, 'PX', 1_000)
  clock.advance(500)
  while (await client.pttl(await onlyKey()) < 1_000) await new Promise(resolve => { setImmediate(resolve) })
  t.equal(await client.get(await onlyKey()), lock)
  const waiting = browser.copy(two).json('/token')
  provider.release()
  t.strictSame(await waiting, { token: 'access-2' })
  t.equal(provider.asked.length, 1)
})

t.test('a provider that gives the same tokens again is asked once, and the result is not looked up again and again', async t => {
  const clock = fakeClock(t, Date.now())
  const provider = new Provider()
  let same: object = {}
  let gets = 0
  const lock = { get: async (key: string) => { gets++; return await client.get(key) }, eval: client.eval.bind(client) } as RefreshLockClient
  const [one, two] = await servers(t, provider, 2, { lock, refresh: async () => same }) as [TestApp, TestApp]
  const browser = await loggedIn(one)
  clock.advance(LIFE_MS - 30_000)
  same = (await browser.json('/newest')).tokens
  gets = 0
  for (const app of [one, two]) {
    t.strictSame(await browser.copy(app).json('/token'), { token: 'access-1' })
    t.match(await browser.copy(app).json('/newest'), { tokens: { accessToken: 'access-1' } })
  }
  t.ok(gets < 10, String(gets))
})

t.test('a lock that Redis takes too late is freed when the answer comes', async t => {
  const time = fakeTime(t)
  const provider = new Provider()
  const done: string[] = []
  let take = (): void => {}
  const lock = {
    get: async () => null,
    eval: async (script: string): Promise<null> => {
      const isTake = script.includes('if not held')
      done.push(isTake ? 'take' : 'release')
      if (isTake) await new Promise<void>(resolve => { take = resolve })
      return null
    }
  } as unknown as RefreshLockClient
  const app = await siteOf(t, provider, { lock })
  const browser = await loggedIn(app)
  time.advance(LIFE_MS)
  const answer = browser.json('/token')
  await time.pass(1_000)
  t.match(await answer, { code: 'FST_SESSION_PROVIDER_UNAVAILABLE' })
  t.strictSame(done, ['take'])
  take()
  await time.pass(1)
  t.strictSame(done, ['take', 'release'])
})

t.test('when the lock of a killed server has expired, one of those who wait asks the provider', async t => {
  const clock = fakeClock(t, Date.now())
  const provider = new Provider()
  const killed = await siteOf(t, provider, { lock: client, refresh: async () => await new Promise(() => {}) })
  const [one, two] = await servers(t, provider, 2) as [TestApp, TestApp]
  const browser = await loggedIn(one)
  clock.advance(LIFE_MS)
  browser.copy(killed).get('/token').catch(() => {})
  while ((await client.keys('*')).length === 0) await new Promise(resolve => { setImmediate(resolve) })
  const waiting = Promise.all([one, two].map(async app => await browser.copy(app).json('/token')))
  await client.get('x')
  t.strictSame(provider.asked, [])
  await client.del(await onlyKey())
  t.strictSame(await waiting, [{ token: 'access-2' }, { token: 'access-2' }])
  t.equal(provider.asked.length, 1)
})

t.test('each tenant has its own keys, also for what its servers give to each other', async t => {
  const clock = fakeClock(t, Date.now())
  const provider = new Provider()
  const tenant = ({ headers }: { headers: Record<string, unknown> }): string | undefined => headers['x-shop'] as string
  const [one, two] = await Promise.all([1, 2].map(async () => await siteOf(t, provider, { lock: client }, { tenant }))) as [TestApp, TestApp]
  one.get('/ended', async request => {
    request.session.set('tokens', { accessToken: 'access', refreshToken: 'refresh', expiresAt: 0, user: 7 })
    return { token: await request.freshToken() }
  })
  const browser = await loggedIn(one)
  t.ok((await browser.json('/ended')).code, 'tokens of no tenant cannot be shared')
  t.match(await browser.json('/token'), { code: 'FST_SESSION_GRANT_ENDED' }, 'a request of no tenant has no session')
  const headers = { 'x-shop': 'acme' }
  await browser.get('/login', { headers })
  clock.advance(LIFE_MS)
  const token = { token: 'access-3' }
  for (const app of [one, two]) t.strictSame(await browser.copy(app).json('/token', { headers }), token)
  t.equal(provider.asked.length, 1)
  const acme = await one.secureSession.forTenant('acme')
  const other = await one.secureSession.forTenant('other')
  const result = await client.get(await onlyKey())
  const options = { maxLength: 12_279, audience: (await onlyKey()).slice(PREFIX.length) }
  t.ok(await acme.openToken('fastify-sealed-session:refreshed-tokens', result, options))
  t.equal(await other.openToken('fastify-sealed-session:refreshed-tokens', result, options), null)
})

t.test('a late answer is given to the other servers', async t => {
  const clock = fakeClock(t, Date.now())
  const provider = new Provider()
  const [one, two] = await servers(t, provider, 2, { timeout: 0.05 }) as [TestApp, TestApp]
  const browser = await loggedIn(one)
  clock.advance(LIFE_MS)
  provider.hold()
  t.equal((await browser.copy(one).get('/token')).statusCode, 503)
  provider.release()
  while ((await client.keys('*')).length === 0) await new Promise(resolve => { setImmediate(resolve) })
  t.strictSame(await browser.copy(two).json('/token'), { token: 'access-2' })
  t.equal(provider.asked.length, 1)
})

t.test('without Redis the provider counts as unavailable, and a good token is used', async t => {
  const clock = fakeClock(t, Date.now())
  const provider = new Provider()
  const refused = new Error('ECONNREFUSED, sent lock:secret')
  let fail: () => Promise<never> = async () => { throw refused }
  const lock: RefreshLockClient = { get: async () => await fail(), eval: async () => await fail() }
  const app = await siteOf(t, provider, { lock })
  const browser = await loggedIn(app)
  clock.advance(LIFE_MS - 1000)
  t.strictSame(await browser.json('/token'), { token: 'access-1' })
  t.match(await browser.json('/newest'), { tokens: { accessToken: 'access-1' } })
  clock.advance(1000)
  for (const failure of [fail, async () => 5 as never, async () => await new Promise<never>(() => {})]) {
    fail = failure
    const response = await browser.get('/token')
    t.match(response.json(), { statusCode: 503, code: 'FST_SESSION_PROVIDER_UNAVAILABLE' })
    t.strictSame(setCookies(response), [])
  }
  t.strictSame(provider.asked, [])
})

t.test('Redis that fails after the provider gave tokens costs this server nothing', async t => {
  const clock = fakeClock(t, Date.now())
  const provider = new Provider()
  let isTaken = false
  const lock: RefreshLockClient = {
    get: async () => null,
    eval: async () => {
      if (isTaken) throw new Error('READONLY')
      isTaken = true
      return null
    }
  }
  const app = await siteOf(t, provider, { lock })
  const browser = await loggedIn(app)
  clock.advance(LIFE_MS)
  t.strictSame(await browser.json('/token'), { token: 'access-2' })
  t.match(app.lines.filter(({ level }) => level === WARN), [{ msg: /not given to the other servers/, err: { stack: /READONLY/ } }])
  isTaken = false
  provider.failure = new Error('no answer')
  clock.advance(LIFE_MS)
  t.equal((await browser.get('/token')).statusCode, 503)
})

t.test('a result opens only with the keys and for the tokens that it was sealed for', async t => {
  const clock = fakeClock(t, Date.now())
  const provider = new Provider()
  const [one, two] = await servers(t, provider, 2) as [TestApp, TestApp]
  const browser = await loggedIn(one)
  const other = await loggedIn(one)
  clock.advance(LIFE_MS)
  await other.copy().get('/token')
  const result = await client.get(await onlyKey()) as string
  await client.flushall()
  provider.failure = new Error('no answer')

  provider.hold()
  const waits = browser.copy(one).get('/token')
  await untilAsked(provider, 2)
  const key = await onlyKey()
  provider.release()
  await waits
  for (const value of [result, 'forged', '']) {
    await client.set(key, value)
    const response = await browser.copy(two).get('/token')
    t.match(response.json(), { statusCode: 503, code: 'FST_SESSION_PROVIDER_UNAVAILABLE' })
  }
  t.equal(provider.asked.length, 2)
  t.match(two.lines.find(({ err }) => err !== undefined), { err: { stack: /the result of another server does not open/ } })

  const stranger = await appWith(t, { key: OTHER_KEY })
  t.equal(await stranger.secureSession.openToken('fastify-sealed-session:refreshed-tokens', result, { maxLength: 12_279, audience: key.slice(PREFIX.length) }), null)
})
