import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { FastifyInstance } from 'fastify'
import { fakeClock } from '../helpers/clock'
import { clientOf, RedisServer } from '../helpers/redis-server'
import { found, started } from '../helpers/started'
import { Visitor } from '../neighbours/helpers'

/** examples/devices, with a real Redis. */

const { buildApp } = require('../../examples/devices/app') as { buildApp: (options: object) => FastifyInstance }
const { makeUsers } = require('../../examples/demo/users') as { makeUsers: (people: object[]) => Promise<object> }

const KEY = randomBytes(32)
const HOUR_MS = 60 * 60 * 1000
const DAY_MS = 24 * HOUR_MS
const people = ['ada', 'grace'].map(id => ({ id, name: id, password: `password of ${id}` }))
const redis = RedisServer.start()
t.teardown(async () => { await (await redis).remove() })

interface Device {
  readonly key: string
  readonly agent: string
  readonly place: string
  readonly isThis: boolean
  readonly firstSeen: string
  readonly lastSeen: string
}

async function server (t: Test, options: object = {}): Promise<string> {
  const client = clientOf(t, await redis)
  await client.flushall()
  const app = buildApp({ key: KEY, redis: client, users: await makeUsers(people), ...options })
  t.teardown(async () => { await app.close() })
  return await app.listen({ port: 0, host: '127.0.0.1' })
}

async function loggedIn (address: string, agent: string, user = 'ada'): Promise<Visitor> {
  const visitor = new Visitor(address)
  const headers = { 'content-type': 'application/json', 'user-agent': agent }
  const body = JSON.stringify({ username: user, password: `password of ${user}` })
  const { status } = await visitor.send('/session', { method: 'POST', headers, body })
  if (status !== 200) throw new Error(`the login answered ${status}`)
  return visitor
}

async function devices (visitor: Visitor): Promise<Device[]> {
  return await visitor.json('/devices')
}

async function end (visitor: Visitor, path: string): Promise<number> {
  return (await visitor.send(path, { method: 'DELETE' })).status
}

t.test('the list has each browser of the user, with agent, place and times, and names this one', async t => {
  const address = await server(t)
  const laptop = await loggedIn(address, 'laptop')
  await loggedIn(address, 'phone')
  await loggedIn(address, 'other user', 'grace')
  const list = await devices(laptop)
  t.strictSame(list.map(({ agent }) => agent).sort(), ['laptop', 'phone'])
  t.strictSame(list.filter(({ isThis }) => isThis).map(({ agent }) => agent), ['laptop'])
  for (const { key, place, firstSeen, lastSeen } of list) {
    t.match(key, /^[\w-]{22}$/)
    t.equal(place, '127.0.0.1')
    t.ok(Date.parse(firstSeen) <= Date.parse(lastSeen))
  }
})

t.test('a user ends a device, and it is logged out with its next request', async t => {
  const address = await server(t)
  const laptop = await loggedIn(address, 'laptop')
  const phone = await loggedIn(address, 'phone')
  const { key } = (await devices(laptop)).find(({ agent }) => agent === 'phone') as Device
  t.equal(await end(laptop, `/devices/${key}`), 204)
  t.equal((await phone.send('/devices')).status, 401)
  t.strictSame((await devices(laptop)).map(({ agent }) => agent), ['laptop'])
})

t.test('a user cannot end the device of another user', async t => {
  const address = await server(t)
  const ada = await loggedIn(address, 'laptop')
  const grace = await loggedIn(address, 'tablet', 'grace')
  const [{ key }] = await devices(grace) as [Device]
  t.equal(await end(ada, `/devices/${key}`), 404)
  t.equal((await devices(grace)).length, 1)
})

t.test('a logout removes the device from the list, and so does ending this one', async t => {
  const address = await server(t)
  const laptop = await loggedIn(address, 'laptop')
  const phone = await loggedIn(address, 'phone')
  const tablet = await loggedIn(address, 'tablet')
  t.equal(await end(phone, '/session'), 204)
  const { key } = (await devices(tablet)).find(({ isThis }) => isThis) as Device
  t.equal(await end(tablet, `/devices/${key}`), 204)
  t.equal((await tablet.send('/devices')).status, 401)
  t.strictSame((await devices(laptop)).map(({ agent }) => agent), ['laptop'])
})

t.test('a user ends all other devices, and this one stays in the list under its new id', async t => {
  const address = await server(t)
  const laptop = await loggedIn(address, 'laptop')
  const phone = await loggedIn(address, 'phone')
  t.equal(await end(laptop, '/devices'), 204)
  t.equal((await phone.send('/devices')).status, 401)
  t.strictSame((await devices(laptop)).map(({ isThis }) => isThis), [true])
})

t.test('with one device too many, the session that began first ends', async t => {
  const address = await server(t, { most: 2 })
  const first = await loggedIn(address, 'first')
  const second = await loggedIn(address, 'second')
  await devices(first)
  const third = await loggedIn(address, 'third')
  t.strictSame((await devices(third)).map(({ agent }) => agent).sort(), ['second', 'third'])
  t.equal((await first.send('/devices')).status, 401)
  t.equal((await second.send('/devices')).status, 200)
})

t.test('a session that expired by idle is not listed', async t => {
  const clock = fakeClock(t, Date.now())
  const address = await server(t)
  await loggedIn(address, 'expired')
  clock.advance(2 * DAY_MS)
  const laptop = await loggedIn(address, 'laptop')
  t.strictSame((await devices(laptop)).map(({ agent }) => agent), ['laptop'])
  t.equal(await clientOf(t, await redis).hlen('devices:ada'), 1)
})

t.test('no session ends for one that expired by idle', async t => {
  const clock = fakeClock(t, Date.now())
  const address = await server(t, { most: 2 })
  const laptop = await loggedIn(address, 'laptop')
  clock.advance(HOUR_MS)
  await loggedIn(address, 'expired')
  clock.advance(20 * HOUR_MS)
  t.equal((await devices(laptop)).length, 2)
  clock.advance(10 * HOUR_MS)
  const phone = await loggedIn(address, 'phone')
  t.strictSame((await devices(phone)).map(({ agent }) => agent).sort(), ['laptop', 'phone'])
  t.equal((await laptop.send('/devices')).status, 200)
})

t.test('a session that was used within idle and not since is listed until idle has passed', async t => {
  const clock = fakeClock(t, Date.now())
  const address = await server(t)
  const [laptop, phone] = [await loggedIn(address, 'laptop'), await loggedIn(address, 'phone')]
  clock.advance(DAY_MS - HOUR_MS)
  t.equal((await devices(laptop)).length, 2)
  clock.advance(HOUR_MS + 59_999)
  t.equal((await devices(laptop)).length, 2)
  clock.advance(1)
  t.equal((await devices(laptop)).length, 1)
  t.equal((await phone.send('/devices')).status, 401)
})

t.test('after logging out everywhere, the list has only who logged in since', async t => {
  const address = await server(t)
  const laptop = await loggedIn(address, 'laptop')
  await loggedIn(address, 'phone')
  t.equal(await end(laptop, '/sessions'), 204)
  const tablet = await loggedIn(address, 'tablet')
  t.strictSame((await devices(tablet)).map(({ agent }) => agent), ['tablet'])
})

t.test('where the others cannot be revoked, they stay in the list', async t => {
  const client = clientOf(t, await redis)
  const address = await server(t, { redis: client, logger: false })
  const laptop = await loggedIn(address, 'laptop')
  await loggedIn(address, 'phone')
  t.equal((await devices(laptop)).length, 2)
  const failing = async (): Promise<never> => { throw new Error('down') }
  Object.assign(client, { eval: failing, evalsha: failing, call: failing })
  t.equal(await end(laptop, '/devices'), 503)
  const rows = await client.hvals('devices:ada')
  t.strictSame(rows.map(row => (JSON.parse(row) as Device).agent).sort(), ['laptop', 'phone'])
})

t.test('a login that is not yet in the table when a user ends all others is not added after that', async t => {
  const client = clientOf(t, await redis)
  const address = await server(t, { redis: client })
  const laptop = await loggedIn(address, 'laptop')
  await devices(laptop)
  const multi = client.multi.bind(client) as () => ReturnType<typeof client.multi>
  let release = (): void => {}
  const held = new Promise<void>(resolve => { release = resolve })
  Object.assign(client, {
    multi () {
      const commands = multi()
      const exec = commands.exec.bind(commands) as () => Promise<unknown>
      return Object.assign(commands, { exec: async () => { await held; return await exec() } })
    }
  })
  await loggedIn(address, 'phone')
  t.equal(await end(laptop, '/devices'), 204)
  release()
  t.strictSame((await devices(laptop)).map(({ isThis }) => isThis), [true])
})

t.test('a login again in one browser leaves one row', async t => {
  const address = await server(t)
  const laptop = await loggedIn(address, 'laptop')
  const headers = { 'content-type': 'application/json', 'user-agent': 'laptop again' }
  await laptop.send('/session', { method: 'POST', headers, body: JSON.stringify({ username: 'ada', password: 'password of ada' }) })
  t.strictSame((await devices(laptop)).map(({ agent }) => agent), ['laptop again'])
})

t.test('npm run start:devices prints where the site is and how to log in, and ends on SIGTERM', async t => {
  const { url } = await redis
  await clientOf(t, await redis).flushall()
  const site = await started(t, [join(__dirname, '../../examples/devices/start.js')], { REDIS_URL: url, PORT: '0' })
  const address = found(/The site is at {2}(\S+)/, site.printed)
  const password = found(/ada {5}(\S+)/, site.printed)
  const visitor = new Visitor(address)
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify({ username: 'ada', password })
  t.equal((await visitor.send('/session', { method: 'POST', headers, body })).status, 200)
  t.equal((await devices(visitor)).length, 1)
  t.equal(await site.stop(), 0)
})
