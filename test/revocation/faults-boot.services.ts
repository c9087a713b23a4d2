import { Redis } from 'ioredis'
import t from 'tap'
import secureSession from '../../index'
import { RedisServer, freePort } from '../helpers/redis-server'
import { AWAY, soon, until } from './outage'
import { appOfUsers, loggedIn, userIn } from './users'

const CLIENTS = [
  { lazyConnect: true },
  {},
  { enableOfflineQueue: false },
  { lazyConnect: true, enableOfflineQueue: false },
  { maxRetriesPerRequest: 0 }
]

t.test('an app boots without a reachable store, serves requests that need none, and recovers', async t => {
  const gone = await RedisServer.start()
  t.teardown(async () => { await gone.remove() })
  await gone.stop()
  await Promise.all(CLIENTS.map(async options => {
    const client = new Redis(gone.url, { ...options, retryStrategy: () => 50 })
    client.on('error', () => {})
    t.teardown(() => { client.disconnect() })
    const app = await appOfUsers(t, { store: secureSession.redisRevocation(client), recheck: 0, timeout: 0.5 })
    await app.ready()
    t.strictSame((await app.inject('/user')).json(), { user: null }, 'who brings no session is nobody')
    const browser = await soon(loggedIn(app))
    t.match((await soon(browser.get('/user'))).json(), AWAY)
    t.equal((await soon(browser.get('/untouched'))).statusCode, 200)
    t.equal((await browser.get('/health')).statusCode, 200)
    await t.rejects(soon(app.secureSession.revokeSubject('ada')), AWAY)
  }))
})

t.test('an app recovers when its store becomes reachable', async t => {
  const server = await RedisServer.start()
  t.teardown(async () => { await server.remove() })
  await server.stop()
  const browsers = await Promise.all(CLIENTS.map(async options => {
    const client = new Redis(server.url, { ...options, retryStrategy: () => 50 })
    client.on('error', () => {})
    t.teardown(() => { client.disconnect() })
    const browser = await loggedIn(await appOfUsers(t, { store: secureSession.redisRevocation(client), recheck: 0, timeout: 0.5 }))
    t.match((await soon(browser.get('/user'))).json(), AWAY)
    return browser
  }))
  await server.start()
  await Promise.all(browsers.map(async browser => {
    await until(async () => (await browser.get('/user')).statusCode === 200, 'the session is served')
    t.equal(await userIn(browser), 'ada')
  }))
})

t.test('an unknown host name and a closed client count as an outage', async t => {
  const port = await freePort()
  const clients = [
    new Redis({ host: 'redis.invalid', lazyConnect: true, retryStrategy: () => 50 }),
    new Redis({ host: '127.0.0.1', port, retryStrategy: () => null }),
    new Redis({ host: '127.0.0.1', port, lazyConnect: true, retryStrategy: () => null })
  ]
  for (const client of clients) {
    client.on('error', () => {})
    t.teardown(() => { client.disconnect() })
    const browser = await soon(loggedIn(await appOfUsers(t, { store: secureSession.redisRevocation(client), recheck: 0, timeout: 0.5 })))
    for (let turn = 0; turn < 5; turn++) t.match((await soon(browser.get('/user'))).json(), AWAY)
    client.disconnect()
    t.match((await soon(browser.get('/user'))).json(), AWAY)
  }
})
