import fastifyRedis from '@fastify/redis'
import { Redis, type RedisOptions } from 'ioredis'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import type { Test } from 'tap'
import secureSession from '../../index'
import { bareApp, WARN, type TestApp } from '../helpers/app'
import { setCookies, type Browser } from '../helpers/browser'
import { fakeClock, type FakeClock } from '../helpers/clock'
import { appOfUsers, loggedIn, userIn } from './users'

/** What goes wrong with Redis, or on the way to it, and how it is mended. */
export interface Fault {
  begin (): unknown
  end (): unknown
}

const INFO = 30
const WINDOW_MS = 300_000
const TIMEOUT_MS = 500
/** No request may take so long. Far more than one should, for the sake of busy machines. */
const DEADLINE_MS = 20 * TIMEOUT_MS
const HEALING_MS = 30_000

export const AWAY = { code: 'FST_SESSION_STORE_UNAVAILABLE', statusCode: 503 }

type ClientOptions = Omit<RedisOptions, 'replyMapping'>

/** As people configure them. */
const CLIENTS: Readonly<Record<string, ClientOptions>> = {
  'ioredis as it comes': {},
  'ioredis without a queue': { enableOfflineQueue: false },
  'ioredis with few retries': { maxRetriesPerRequest: 1 }
}

/** An app whose store is on a client of some kind, and who is logged in there. */
interface Shop {
  readonly name: string
  readonly app: TestApp
  readonly onError: 'refuse' | 'allow'
  /** Another process, whose way to Redis is another. */
  readonly elsewhere: TestApp
  /** Due to be checked. */
  readonly ada: Browser
  /** All others are trusted. */
  readonly bob: Browser
  readonly eve: Browser
  readonly carol: Browser
}

/** @param directUrl the way that those who are not affected take */
export interface Ways {
  readonly url: string
  readonly directUrl: string
}

/** Whatever the client, and whatever the app said: each is served as it said while the fault lasts, and heals by itself. */
export async function survives (t: Test, { url, directUrl }: Ways, fault: Fault): Promise<void> {
  const clock = fakeClock(t)
  const shops = await openShops(t, { url, directUrl }, clock)
  await fault.begin()
  await Promise.all(shops.map(async shop => { await whileItLasts(t, shop) }))
  await fault.end()
  await Promise.all(shops.map(async shop => { await afterwards(t, shop) }))
  clock.advance(WINDOW_MS)
  await Promise.all(shops.map(async shop => { await inAnotherProcess(t, shop) }))
}

async function whileItLasts (t: Test, shop: Shop): Promise<void> {
  const { name, app, onError, ada, bob, eve } = shop
  const isRefused = onError === 'refuse'
  const copy = eve.copy()
  const { id } = await eve.json('/info')
  const [due, untouched, trusted, stranger, health, logout] = await soon(Promise.all([
    ada.get('/user'), ada.get('/untouched'), bob.get('/user'), app.inject('/user'), ada.get('/health'), eve.get('/logout'),
    t.rejects(app.secureSession.revokeSubject('carol'), AWAY, name),
    t.rejects(app.secureSession.revoke(id), AWAY, name)
  ]))
  t.match([due.statusCode, due.json()], isRefused ? [503, AWAY] : [200, { user: 'ada' }], `${name}: a session that is due`)
  t.strictSame([setCookies(due), ada.cookies.size], [[], 1], `${name}: its cookie stays`)
  t.strictSame([untouched.statusCode, stranger.statusCode, health.statusCode], [200, 200, 200], `${name}: who touches no session is served`)
  t.strictSame([trusted.statusCode, trusted.json()], [200, { user: 'bob' }], `${name}: a session within its window`)
  t.match([logout.statusCode, logout.json()], isRefused ? [503, AWAY] : [200, {}], `${name}: a logout`)
  t.strictSame([eve.cookies.size, await userIn(copy)], isRefused ? [1, 'eve'] : [0, null], `${name}: who logged out`)
  for (let turn = 0; turn < 10; turn++) t.equal((await soon(ada.get('/user'))).statusCode, isRefused ? 503 : 200)
  t.strictSame([tellings(app, WARN), tellings(app, INFO)], [1, 0], `${name}: it is told once`)
}

async function afterwards (t: Test, { name, app, onError, ada, bob, eve, carol }: Shop): Promise<void> {
  const copies = [eve.copy(), carol.copy()]
  await until(async () => setCookies(await ada.get('/user')).length > 0, `${name}: a session is checked`)
  t.equal(await userIn(ada), 'ada', name)
  await until(async () => tellings(app, INFO) > 0, `${name}: it is told`)
  t.strictSame([tellings(app, WARN), tellings(app, INFO)], [1, 1], `${name}: it is told once that all is well`)
  t.equal((await eve.get('/logout')).statusCode, 200, name)
  await app.secureSession.revokeSubject('carol')
  for (const copy of copies) t.equal(await userIn(copy), null, `${name}: who was ended is over`)
  if (onError === 'allow') t.equal(await userIn(bob), 'bob', `${name}: nobody else is`)
}

/** What was ended is over everywhere. Who logged out while nobody could be told, and was let go, is not. */
async function inAnotherProcess (t: Test, { name, elsewhere, onError, ada, eve, carol, bob }: Shop): Promise<void> {
  t.equal(await userIn(ada.copy(elsewhere)), 'ada', `${name}: elsewhere`)
  t.equal(await userIn(carol.copy(elsewhere)), null, `${name}: elsewhere`)
  if (onError === 'refuse') t.equal(await userIn(eve.copy(elsewhere)), null, `${name}: elsewhere`)
  if (onError === 'allow') t.equal(await userIn(bob.copy(elsewhere)), 'bob', `${name}: elsewhere`)
}

/** One of each kind. */
async function openShops (t: Test, ways: Ways, clock: FakeClock): Promise<Shop[]> {
  const direct = await clientOf(t, ways.directUrl)
  await direct.flushall()
  const kinds: Array<[string, Redis]> = [['@fastify/redis', await fastifyClient(t, ways.url)]]
  for (const [name, options] of Object.entries(CLIENTS)) kinds.push([name, await clientOf(t, ways.url, options)])
  const apps = []
  for (const onError of ['refuse', 'allow'] as const) {
    for (const [index, [kind, client]] of kinds.entries()) {
      const prefix = `${onError}-${index}:`
      const app = await appOfUsers(t, { store: secureSession.redisRevocation(client, { prefix }), onError, timeout: TIMEOUT_MS / 1000 })
      const elsewhere = await appOfUsers(t, { store: secureSession.redisRevocation(direct, { prefix }), timeout: '30s' })
      apps.push({ name: `${kind}, ${onError}`, app, elsewhere, onError, ada: await loggedIn(app, 'ada') })
    }
  }
  clock.advance(WINDOW_MS)
  const shops = await Promise.all(apps.map(async shop => ({ ...shop, bob: await loggedIn(shop.app, 'bob'), eve: await loggedIn(shop.app, 'eve'), carol: await loggedIn(shop.app, 'carol') })))
  // Who logs in within the very millisecond survives a log-out everywhere.
  clock.advance(1000)
  return shops
}

export async function clientOf (t: Test, url: string, options: ClientOptions = {}): Promise<Redis> {
  const client = new Redis(url, options)
  t.teardown(() => { client.disconnect() })
  return await ready(client)
}

async function fastifyClient (t: Test, url: string): Promise<Redis> {
  const app = bareApp(t)
  await app.register(fastifyRedis, { url })
  return await ready(app.redis)
}

async function ready (client: Redis): Promise<Redis> {
  client.on('error', () => {})
  if (client.status !== 'ready') await once(client, 'ready')
  return client
}

/** What the plugin told the operator about the store. */
export function tellings ({ lines }: TestApp, level: number): number {
  return lines.filter(line => line.level === level && line['session'] === 'session').length
}

/** Rejects where it takes too long. */
export async function soon<T> (work: Promise<T>): Promise<T> {
  const giveUp = new AbortController()
  const late = pause(DEADLINE_MS, undefined, { signal: giveUp.signal }).then(() => { throw new Error(`no answer within ${DEADLINE_MS} ms`) })
  try {
    return await Promise.race([work, late])
  } finally {
    late.catch(() => {})
    giveUp.abort()
  }
}

/** Resolves once it is so. */
export async function until (isSo: () => Promise<boolean>, what: string): Promise<void> {
  const startedAt = performance.now()
  while (!await isSo()) {
    if (performance.now() - startedAt > HEALING_MS) throw new Error(`not within ${HEALING_MS} ms: ${what}`)
    await pause(20)
  }
}
