import Redis from 'ioredis'
import t from 'tap'
import { memoryRevocation } from '../../index'
import { bareApp, WARN } from '../helpers/app'
import { Browser } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'
import { RedisMonitor } from '../helpers/redis-monitor'
import type { TestRedis } from '../helpers/redis'
import { appOf, block, DAY_MS, LOGIN, loggedIn, MINUTE_MS, post, run, startRedis, status, Users } from './refresh-tokens-page'

/** What docs/refresh-tokens.md shows, run as it stands there. */

let redis: Redis
let server: TestRedis
t.before(async () => { ({ redis, server } = await startRedis()) })

t.test('docs/refresh-tokens.md: after login and logout, a copy of the cookie is refused', async t => {
  const app = await appOf(t, { redis, users: new Users() })
  t.equal((await post(new Browser(app), '/login', { name: 'ada', password: 'wrong' })).status, 401)
  t.match((await new Browser(app).get('/me')).json(), { statusCode: 401, code: 'FST_SESSION_REQUIRED' })
  const ada = await loggedIn(app)
  t.match(await ada.json('/me'), { id: 17, name: 'ada' })
  const copy = ada.copy()
  await post(ada, '/logout')
  t.equal(ada.cookies.size, 0)
  t.equal(await status(copy, '/me'), 401)
  t.equal(copy.cookies.size, 0)
})

t.test('docs/refresh-tokens.md: a session is checked once per window, and other servers trust the stamp', async t => {
  const clock = fakeClock(t, Date.now())
  const monitor = await RedisMonitor.of(server)
  t.teardown(() => { monitor.stop() })
  const [one, other] = [await appOf(t, { redis, users: new Users() }), await appOf(t, { redis, users: new Users() })]
  const ada = await loggedIn(one)
  await monitor.take()

  clock.advance(5 * MINUTE_MS - 1000)
  await ada.get('/me')
  t.strictSame(await monitor.take(), [])
  clock.advance(1000)
  await Promise.all([ada.get('/me'), ada.copy().get('/me'), ada.copy().get('/me')])
  t.strictSame((await monitor.take()).map(([name]) => name), ['get', 'get'])
  t.ok((ada.cookies.get('session.t') ?? '').length > 90 && (ada.cookies.get('session.t') ?? '').length < 130)
  await ada.copy(other).get('/me')
  t.strictSame(await monitor.take(), [])
})

t.test('docs/refresh-tokens.md: the server that revoked a session refuses a copy at once, others later', async t => {
  const clock = fakeClock(t, Date.now())
  const [one, other] = [await appOf(t, { redis, users: new Users() }), await appOf(t, { redis, users: new Users() })]
  const ada = await loggedIn(one)
  const [here, there] = [ada.copy(), ada.copy(other)]
  await post(ada, '/logout')
  t.equal(await status(here, '/me'), 401)
  t.equal(await status(there, '/me'), 200)
  clock.advance(5 * MINUTE_MS)
  t.equal(await status(there, '/me'), 401)
})

t.test('docs/refresh-tokens.md: a remembered session has its limit, and its end is kept as long', async t => {
  const clock = fakeClock(t, Date.now())
  const app = await appOf(t, { redis, users: new Users() }, '/remember-me')
  const ada = await loggedIn(app)
  t.match((await post(ada, '/remember-me')).headers['set-cookie'], /Max-Age=7776000/)
  for (let month = 0; month < 2; month++) {
    clock.advance(29 * DAY_MS)
    t.equal(await status(ada, '/me'), 200)
  }
})

t.test('docs/refresh-tokens.md: logout everywhere, of all others, and by an admin', async t => {
  const app = await appOf(t, { redis, users: new Users() }, '/logout/everywhere')
  const [first, second] = [await loggedIn(app), await loggedIn(app)]
  const grace = await loggedIn(app, 'grace')
  await post(first, '/logout/everywhere')
  const again = await loggedIn(app)
  t.equal(first.cookies.size, 0)
  t.equal(await status(second, '/me'), 401)
  t.equal(await status(again, '/me'), 200)
  t.equal(await status(grace, '/me'), 200)

  const [here, there, copy] = [again, await loggedIn(app), again.copy()]
  t.equal((await post(here, '/logout/others')).status, 200)
  t.strictSame([await status(here, '/me'), await status(there, '/me'), await status(copy, '/me')], [200, 401, 401])

  t.equal((await post(grace, '/users/17/logout')).status, 401)
  t.equal(await status(here, '/me'), 200)
  t.equal((await post(here, '/users/18/logout')).status, 200, 'the text of a number means the same user')
  t.equal(await status(grace, '/me'), 401)
})

t.test('docs/refresh-tokens.md: a new password ends all sessions but the new one, in either order', async t => {
  const code = block(t, 'js', '/password')
  const lines = /( *await app\.secureSession\.revokeSubject\(id\)\n)( *request\.session\.regenerate\(.*\n)/
  for (const ordered of [code, code.replace(lines, '$2$1')]) {
    const app = await appOf(t, { redis, users: new Users() })
    run(t, ordered, { app, users: new Users() })
    const [here, there] = [await loggedIn(app), await loggedIn(app)]
    const copy = here.copy()
    t.equal((await post(here, '/password', { old: 'wrong', new: 'ada two' })).status, 403)
    t.equal((await post(here, '/password', { old: 'ada one', new: 'ada two' })).status, 200)
    t.strictSame([await status(here, '/me'), await status(there, '/me'), await status(copy, '/me')], [200, 401, 401])
  }
  t.match(code, lines)
})

t.test('docs/refresh-tokens.md: step-up authentication asks for the password after an old login', async t => {
  const clock = fakeClock(t, Date.now())
  const users = new Users()
  const app = await appOf(t, { redis, users }, '/email')
  const ada = await loggedIn(app)
  t.equal((await post(ada, '/email', { email: 'ada@one.example' })).status, 200)

  clock.advance(5 * MINUTE_MS + 1)
  const stale = await post(ada, '/email', { email: 'ada@two.example' })
  t.match(stale.json, { statusCode: 401, code: 'FST_SESSION_STALE' })
  t.match(stale.headers['www-authenticate'], 'error="insufficient_user_authentication", max_age="300"')
  t.equal(users.emails.get(17), 'ada@one.example')

  t.equal((await post(ada, '/confirm', { password: 'wrong' })).status, 401)
  const copy = ada.copy()
  t.equal((await post(ada, '/confirm', { password: 'ada one' })).status, 200)
  t.equal((await post(ada, '/email', { email: 'ada@two.example' })).status, 200)
  t.equal(users.emails.get(17), 'ada@two.example')
  t.equal(await status(copy, '/me'), 401)
})

t.test('docs/refresh-tokens.md: a copy that is sent after the logout is logged', async t => {
  const app = await appOf(t, { redis, users: new Users() }, 'node:diagnostics_channel')
  const ada = await loggedIn(app)
  const copy = ada.copy()
  await post(ada, '/logout')
  await copy.get('/me')
  const told = app.lines.filter(({ level, msg }) => level === WARN && msg === 'a revoked session was presented again')
  t.match(told, [{ session: 'session', id: /^[\w-]{22}$/ }])
  t.equal(told.length, 1)
})

t.test('docs/refresh-tokens.md: an app can keep a list of devices', async t => {
  const rows = new Map<string, { user: number, id: string }>()
  const devices = {
    add: async (user: number, device: { id: string }) => { rows.set(device.id, { user, ...device }) },
    of: async (user: number) => [...rows.values()].filter(row => row.user === user),
    remove: async (user: number, id: string) => rows.get(id)?.user === user && rows.delete(id)
  }
  const app = await appOf(t, { redis, users: new Users(), devices }, '/devices')
  const [here, there, grace] = [await loggedIn(app), await loggedIn(app), await loggedIn(app, 'grace')]
  for (const browser of [here, there, grace]) t.equal((await post(browser, '/devices')).status, 200)
  const list = await here.json('/devices') as Array<{ id: string }>
  t.equal(list.length, 2)
  const id = list[1]?.id as string
  t.equal((await post(grace, `/devices/${id}/end`)).status, 404, 'nobody else ends it')
  t.equal((await post(here, `/devices/${id}/end`)).status, 200)
  t.strictSame([await status(here, '/me'), await status(there, '/me'), await status(grace, '/me')], [200, 401, 200])
})

t.test('docs/refresh-tokens.md: node-redis works with adapted arguments', async t => {
  const client = {
    get: async (key: string) => await redis.get(key),
    eval: async (script: string, { keys, arguments: args }: { keys: string[], arguments: string[] }) => await redis.eval(script, keys.length, ...keys, ...args)
  }
  const app = bareApp(t)
  run(t, block(t, 'js', 'arguments: rest'), { app, client })
  run(t, block(t, 'js', LOGIN).replace(/app\.register[^]*/, ''), { app, users: new Users() })
  app.get('/me', async request => request.session.data())
  const ada = await loggedIn(app)
  const copy = ada.copy()
  await post(ada, '/logout')
  t.strictSame(await copy.json('/me'), {})
})

t.test('docs/refresh-tokens.md: the store contract runs in any test runner', async t => {
  const checks: Array<[string, () => Promise<void>]> = []
  const test = (name: string, check: () => Promise<void>): void => { checks.push([name, check]) }
  run(t, block(t, 'js', 'revocationStoreContract'), { store: memoryRevocation(), 'node:test': { test } })
  t.ok(checks.length >= 10)
  await Promise.all(checks.map(async ([name, check]) => { await t.resolves(check(), name) }))
})
