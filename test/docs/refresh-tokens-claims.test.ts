import t, { type Test } from 'tap'
import { memoryRevocation, type RevocationStore } from '../../index'
import type { TestApp } from '../helpers/app'
import { Browser } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'
import { RedisMonitor } from '../helpers/redis-monitor'
import { appOf, appRegistered, DAY_MS, loggedIn, MINUTE_MS, PAGE, post, startRedis, status, Users } from './refresh-tokens-page'

/** What docs/refresh-tokens.md says of outages, clocks and numbers. */

interface Outage {
  readonly app: TestApp
  /** The same key and store, in another process. */
  readonly other: TestApp
  isAway: boolean
}

/** Two servers with a store that can be told to be away. */
async function serversWith (t: Test, onError: 'refuse' | 'allow'): Promise<Outage> {
  const memory = memoryRevocation()
  const gone = async (): Promise<never> => { throw new Error('away') }
  const outage = { isAway: false }
  const store: RevocationStore = {
    cutOffs: async keys => outage.isAway ? await gone() : await memory.cutOffs(keys),
    raise: async (key, cutOffMs, keepForMs) => outage.isAway ? await gone() : await memory.raise(key, cutOffMs, keepForMs)
  }
  const make = async (): Promise<TestApp> => {
    const app = await appRegistered(t, { store, onError }, { users: new Users() })
    app.get('/public', async () => ({}))
    app.post('/regenerate', async ({ session }) => { session.regenerate(['user']); return {} })
    app.post('/revoke', async ({ session }) => { await session.revoke(); return {} })
    app.post('/others', async ({ session }) => { await session.revokeOthers(); return {} })
    app.post('/subject', async () => { await app.secureSession.revokeSubject(17); return {} })
    return app
  }
  return Object.assign(outage, { app: await make(), other: await make() })
}

t.test('docs/refresh-tokens.md: the column onError: refuse is correct while the store is unavailable', async t => {
  const clock = fakeClock(t)
  const servers = await serversWith(t, 'refuse')
  const ada = await loggedIn(servers.app)
  servers.isAway = true
  t.equal(await status(ada, '/me'), 200, 'within its window')
  for (const path of ['/logout', '/regenerate', '/revoke', '/others', '/subject']) {
    t.match((await post(ada, path)).json, { statusCode: 503, code: 'FST_SESSION_STORE_UNAVAILABLE' }, path)
    t.equal(await status(ada, '/me'), 200, 'the browser keeps what it has')
  }
  t.equal(await status(await loggedIn(servers.app, 'grace'), '/me'), 200, 'a first login')
  clock.advance(5 * MINUTE_MS)
  t.match(await ada.json('/me'), { statusCode: 503 }, 'due')
  t.equal(await status(ada, '/public'), 200)
  servers.isAway = false
  t.equal(await status(ada, '/me'), 200)
  t.equal(servers.app.lines.filter(({ msg }) => /^the revocation store is (?:unavailable, and|available again)/.test(msg)).length, 2, 'away and back, once each')
})

t.test('docs/refresh-tokens.md: the column onError: allow is correct while the store is unavailable', async t => {
  const clock = fakeClock(t)
  const servers = await serversWith(t, 'allow')
  const ada = await loggedIn(servers.app)
  servers.isAway = true
  clock.advance(5 * MINUTE_MS)
  t.equal(await status(ada, '/me'), 200)
  for (const path of ['/revoke', '/others', '/subject']) {
    t.match((await post(ada, path)).json, { statusCode: 503 }, path)
    t.equal(await status(ada, '/me'), 200, path)
  }
  for (const path of ['/regenerate', '/logout']) {
    const [here, there] = [ada.copy(), ada.copy(servers.other)]
    t.equal((await post(ada, path)).status, 200, path)
    t.strictSame([await status(here, '/me'), await status(there, '/me')], [401, 200], `${path}: only this process refuses the copy`)
  }
  t.equal(ada.cookies.size, 0)
})

t.test('docs/refresh-tokens.md: the effects of clocks that differ are correct', async t => {
  const clock = fakeClock(t)
  const store = memoryRevocation({ now: () => 0 })
  const [app, other] = [await appRegistered(t, { store, recheck: 0 }, { users: new Users() }), await appRegistered(t, { store, recheck: 0 }, { users: new Users() })]
  const nowMs = clock.nowMs

  clock.set(nowMs + 20_000)
  const ahead = await loggedIn(other)
  const aheadToo = await loggedIn(other)
  clock.set(nowMs)
  const level = await loggedIn(app)
  clock.set(nowMs + 1000)
  await app.secureSession.revokeSubject(17)
  t.equal(await status(level, '/me'), 401)
  t.equal(await status(ahead, '/me'), 200, 'begun where the clock is ahead')
  const copy = aheadToo.copy(app)
  await post(aheadToo.copy(app), '/logout')
  t.equal(await status(copy, '/me'), 401, 'a logout does not depend on clocks')

  clock.set(nowMs - 30_000)
  const behind = await loggedIn(other)
  clock.set(nowMs + 2000)
  t.equal(await status(behind, '/me'), 200, 'a login after it where the clock is behind')
})

t.test('docs/refresh-tokens.md: in Redis every key expires, by the session or after the longest limit', async t => {
  const { redis } = await startRedis()
  const app = await appOf(t, { redis, users: new Users() })
  const daysLeft = async (): Promise<number[]> => {
    const keys = await redis.keys('fastify-sealed-session:cut-off:*')
    return (await Promise.all(keys.map(async key => await redis.pttl(key)))).map(ms => Math.round(ms / DAY_MS)).sort((a, b) => a - b)
  }
  await post(await loggedIn(app), '/logout')
  t.strictSame(await daysLeft(), [30])
  for (let time = 0; time < 3; time++) await app.secureSession.revokeSubject(17)
  t.strictSame(await daysLeft(), [30, 400], 'one for a user, however often')
  await app.secureSession.revoke('a'.repeat(32))
  t.strictSame(await daysLeft(), [30, 400, 400])
})

t.test('docs/refresh-tokens.md: a login is one lookup, and the end of a session is one write', async t => {
  const { redis, server } = await startRedis()
  const monitor = await RedisMonitor.of(server)
  t.teardown(() => { monitor.stop() })
  const app = await appOf(t, { redis, users: new Users() })
  const said = async (work: () => Promise<unknown>): Promise<string[]> => {
    await monitor.take()
    await work()
    return (await monitor.take()).map(([name]) => name as string).sort()
  }
  const ada = new Browser(app)
  const login = async (): Promise<unknown> => await post(ada, '/login', { name: 'ada', password: 'ada one' })
  t.strictSame(await said(login), ['get'])
  t.strictSame(await said(login), ['eval', 'get'])
  t.strictSame(await said(async () => await post(ada, '/logout')), ['eval'])
  t.strictSame(await said(async () => { await app.secureSession.revokeSubject(17) }), ['eval'])
})

t.test('docs/refresh-tokens.md: the arithmetic is right', async t => {
  const number = (text: string | undefined): number => Number((text ?? '').replaceAll(',', ''))
  const rows = Array.from(PAGE.matchAll(/^\| `'(\d+)m'` \| ([\d,]+) \/ (\d+) = ([\d,]+) \| ([\d,]+) \|$/gm))
  t.equal(rows.length, 3)
  for (const [, minutes, sessions, seconds, checks, commands] of rows) {
    t.equal(number(seconds), number(minutes) * 60)
    t.equal(number(checks), Math.round(number(sessions) / number(seconds)))
    t.equal(number(commands), Math.round(2 * number(sessions) / number(seconds)))
  }
  const [, perDay, days, cutOffs, megabytes] = /([\d,]+) logouts a day for (\d+) days are ([\d,]+) entries, or (\d+) MB/.exec(PAGE) ?? []
  t.equal(number(cutOffs), number(perDay) * number(days))
  const [, bytes] = /about (\d+) bytes per cut-off/.exec(PAGE) ?? []
  t.equal(number(megabytes), Math.round(number(cutOffs) * number(bytes) / 1e6))
})
