import { Redis } from 'ioredis'
import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import secureSession from '../../index'
import { OTHER_KEY, type TestApp } from '../helpers/app'
import { Browser, setCookies } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'
import { RedisMonitor } from '../helpers/redis-monitor'
import { startRedis } from '../helpers/redis'
import { appOfUsers, loggedIn, userIn, type Revocation } from './users'

const { redisRevocation } = secureSession

const MINUTE_MS = 60_000
const WINDOW_MS = 5 * MINUTE_MS

let redis: Redis
let monitor: RedisMonitor

t.before(async () => {
  const server = await startRedis()
  redis = new Redis(server.url)
  monitor = await RedisMonitor.of(server)
  t.teardown(async () => {
    monitor.stop()
    redis.disconnect()
    await server.remove()
  })
})

/** A process of a fleet. No machine is so slow that its Redis seems away. */
async function processOf (t: Test, revocation: Revocation = {}, options: Partial<secureSession.SessionOptions> = {}): Promise<TestApp> {
  return await appOfUsers(t, { store: redisRevocation(redis), recheck: '5m', timeout: '30s', ...revocation }, options)
}

/** The names of the commands since this was last asked; each check is one GET of the id's key, and one of the subject's. */
async function commands (): Promise<string[]> {
  return (await monitor.take()).map(([name]) => name as string)
}

const CHECK = ['get', 'get']
const NONE: string[] = []

async function inParallel (count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  await Promise.all(Array.from({ length: count }, async (_, index) => await work(index)))
}

t.test('a login asks for the cut-off of its subject, and an anonymous session asks nothing', async t => {
  const app = await processOf(t)
  await commands()
  const browser = new Browser(app)
  await browser.get('/set/dark')
  t.strictSame(await commands(), NONE)
  await loggedIn(app)
  t.strictSame(await commands(), ['get'])
})

t.test('in the window of a new session the store is not asked, for any number of requests', async t => {
  const clock = fakeClock(t)
  const app = await processOf(t)
  const browser = await loggedIn(app)
  await commands()
  for (let turn = 0; turn < 10; turn++) {
    await inParallel(10, async () => await browser.get('/user'))
    await browser.get(`/set/${turn}`)
    clock.advance(WINDOW_MS / 10 - 1)
  }
  t.strictSame(await commands(), NONE)
})

t.test('after the window a session is checked once, and then trusted for another window', async t => {
  const clock = fakeClock(t)
  const app = await processOf(t)
  const browser = await loggedIn(app)
  for (let window = 0; window < 3; window++) {
    clock.advance(WINDOW_MS)
    await commands()
    t.equal(await userIn(browser), 'ada')
    t.strictSame(await commands(), CHECK)
    clock.advance(WINDOW_MS - 1)
    for (let turn = 0; turn < 20; turn++) await browser.get('/user')
    t.strictSame(await commands(), NONE)
    clock.advance(1)
  }
})

t.test('both keys of a check are requested together, and contain no id or subject', async t => {
  const clock = fakeClock(t)
  const app = await processOf(t)
  const browser = await loggedIn(app)
  const { id } = await browser.json('/info')
  clock.advance(WINDOW_MS)
  await commands()
  await browser.get('/user')
  const asked = await monitor.take()
  t.strictSame(asked.map(([name]) => name), CHECK)
  for (const [, key] of asked) {
    t.match(key, /^fastify-sealed-session:cut-off:[\w-]{22}$/)
    t.notOk(key?.includes(id) === true || key?.includes('ada') === true)
  }
})

t.test('an anonymous session is checked by its id alone', async t => {
  const clock = fakeClock(t)
  const app = await processOf(t)
  const browser = new Browser(app)
  await browser.get('/set/dark')
  clock.advance(WINDOW_MS)
  await commands()
  await browser.get('/user')
  t.strictSame(await commands(), ['get'])
})

t.test('parallel requests of one session cause one lookup', async t => {
  const clock = fakeClock(t)
  const app = await processOf(t)
  const browser = await loggedIn(app)
  clock.advance(WINDOW_MS)
  await commands()
  const copy = browser.copy()
  await inParallel(100, async () => { t.equal(await userIn(copy), 'ada') })
  t.strictSame(await commands(), CHECK)
})

t.test('a client that never accepts the stamp causes no more lookups than one that does', async t => {
  const clock = fakeClock(t)
  const app = await processOf(t)
  const stubborn = await loggedIn(app)
  clock.advance(WINDOW_MS)
  await commands()
  for (let turn = 0; turn < 30; turn++) t.equal((await stubborn.copy().json('/user')).user, 'ada')
  t.strictSame(await commands(), CHECK)
  clock.advance(WINDOW_MS)
  await inParallel(30, async () => await stubborn.copy().get('/untouched'))
  t.strictSame(await commands(), CHECK)
})

t.test('the stamp of one process is trusted by all processes', async t => {
  const clock = fakeClock(t)
  const [app, elsewhere] = [await processOf(t), await processOf(t)]
  const browser = await loggedIn(app)
  clock.advance(WINDOW_MS)
  t.equal(await userIn(browser), 'ada')
  clock.advance(WINDOW_MS - 1)
  await commands()
  const carried = browser.copy(elsewhere)
  t.equal(await userIn(carried), 'ada')
  t.strictSame(await commands(), NONE)
  clock.advance(1)
  t.equal(await userIn(carried), 'ada')
  t.strictSame(await commands(), CHECK, 'and for no longer than by the one that issued it')
})

t.test('a client that drops the stamp is checked once by each process', async t => {
  const clock = fakeClock(t)
  const processes = [await processOf(t), await processOf(t), await processOf(t)]
  const stubborn = await loggedIn(processes[0] as TestApp)
  clock.advance(WINDOW_MS)
  await commands()
  for (let turn = 0; turn < 5; turn++) {
    for (const app of processes) await inParallel(5, async () => { t.equal(await userIn(stubborn.copy(app)), 'ada') })
  }
  t.strictSame(await commands(), processes.flatMap(() => CHECK))
})

t.test('the number of lookups depends on sessions and windows, not on requests', async t => {
  const clock = fakeClock(t)
  const app = await processOf(t)
  const browsers: Browser[] = []
  for (let index = 0; index < 40; index++) browsers.push(await loggedIn(app, `user-${index}`))
  await commands()
  for (let window = 0; window < 3; window++) {
    clock.advance(WINDOW_MS)
    for (let round = 0; round < 4; round++) await inParallel(browsers.length * 3, async index => await browsers[index % browsers.length]?.get('/user'))
  }
  t.equal((await commands()).length, browsers.length * 3 * CHECK.length)
})

t.test('with a window of 0 each request asks for itself, and no stamp is written', async t => {
  const clock = fakeClock(t)
  const app = await processOf(t, { recheck: 0 })
  const browser = await loggedIn(app)
  await commands()
  for (let turn = 0; turn < 3; turn++) t.strictSame(setCookies(await browser.get('/user')), NONE)
  t.strictSame(await commands(), [...CHECK, ...CHECK, ...CHECK])
  await inParallel(5, async () => { t.strictSame(setCookies(await browser.get('/user')), NONE) })
  t.strictSame(await commands(), Array(5).fill(CHECK).flat())
  clock.advance(MINUTE_MS)
  await browser.get('/untouched')
  t.strictSame([...browser.cookies.keys()], ['session'])
})

t.test('bad cookies cause no store command', async t => {
  const clock = fakeClock(t)
  const app = await processOf(t, { recheck: 0 })
  const expired = await loggedIn(app)
  const foreign = await loggedIn(await processOf(t, {}, { key: OTHER_KEY }))
  clock.advance(25 * 60 * MINUTE_MS)
  const good = (await loggedIn(app)).cookies.get('session') as string
  await commands()
  const flipped = Buffer.from(good, 'base64url')
  flipped.writeUInt8(flipped.readUInt8(40) ^ 1, 40)
  const junk = [randomBytes(150).toString('base64url'), flipped.toString('base64url'), good.slice(0, -4), `${good}AAAA`, 'a*b*c', '', expired.cookies.get('session'), foreign.cookies.get('session')]
  for (const value of junk) {
    const response = await app.inject({ url: '/user', headers: { cookie: `session=${value}; session.t=${value}` } })
    t.strictSame(response.json(), { user: null })
  }
  await app.inject('/user')
  t.strictSame(await commands(), NONE)
})

t.test('a revoked session is remembered, and not looked up again', async t => {
  for (const recheck of ['5m', 0] as const) {
    const clock = fakeClock(t)
    const [app, elsewhere] = [await processOf(t, { recheck }), await processOf(t, { recheck })]
    const browser = await loggedIn(app)
    const copies = [browser.copy(), browser.copy(elsewhere)] as const
    clock.advance(WINDOW_MS)
    await browser.get('/logout')
    await commands()
    t.equal(await userIn(copies[0].copy()), null)
    t.strictSame(await commands(), NONE, 'by the process that ended it')
    t.equal(await userIn(copies[1].copy()), null)
    t.strictSame(await commands(), CHECK)
    for (let turn = 0; turn < 20; turn++) t.equal(await userIn(copies[1].copy()), null)
    clock.advance(3 * WINDOW_MS)
    await inParallel(20, async () => { t.equal(await userIn(copies[1].copy()), null) })
    t.strictSame(await commands(), NONE, 'and by one that heard of it')
  }
})

t.test('a subject whose sessions were revoked is remembered, and not looked up again', async t => {
  const clock = fakeClock(t)
  const app = await processOf(t)
  const browsers = [await loggedIn(app), await loggedIn(app), await loggedIn(app)]
  clock.advance(WINDOW_MS)
  await app.secureSession.revokeSubject('ada')
  await commands()
  for (const browser of browsers) t.equal(await userIn(browser.copy()), null)
  t.strictSame(await commands(), NONE)
})

t.test('a route with `session: false` causes no store command', async t => {
  const clock = fakeClock(t)
  const app = await processOf(t, { recheck: 0 })
  const browser = await loggedIn(app)
  clock.advance(MINUTE_MS)
  await commands()
  await inParallel(10, async () => { t.equal((await browser.get('/health')).statusCode, 200) })
  t.strictSame(await commands(), NONE)
})

t.test('a logout is one store command, for any number of earlier lookups', async t => {
  const app = await processOf(t)
  const browser = await loggedIn(app)
  await commands()
  await browser.get('/logout')
  t.strictSame(await commands(), ['eval'])
  await app.secureSession.revokeSubject('ada')
  t.strictSame(await commands(), ['eval'])
})
