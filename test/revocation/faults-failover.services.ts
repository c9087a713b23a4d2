import t, { type Test } from 'tap'
import secureSession from '../../index'
import { WARN, type TestApp } from '../helpers/app'
import { fakeClock } from '../helpers/clock'
import { RedisServer } from '../helpers/redis-server'
import { TcpProxy } from '../helpers/tcp-proxy'
import { AWAY, clientOf, soon, tellings, until } from './outage'
import { appOfUsers, loggedIn, userIn, type Revocation } from './users'

const WINDOW_MS = 300_000

async function serverFor (t: Test): Promise<RedisServer> {
  const server = await RedisServer.start()
  t.teardown(async () => { await server.remove() })
  return server
}

async function appAt (t: Test, { url }: { url: string }, revocation: Revocation = {}): Promise<TestApp> {
  return await appOfUsers(t, { store: secureSession.redisRevocation(await clientOf(t, url)), timeout: '5s', ...revocation })
}

t.test('a Redis master becomes a replica of another, and the address points to the new one', async t => {
  const clock = fakeClock(t)
  const [old, next] = [await serverFor(t), await serverFor(t)]
  const [oldOperator, nextOperator] = [await clientOf(t, old.url), await clientOf(t, next.url)]
  await nextOperator.replicaof('127.0.0.1', old.port)
  await until(async () => /master_link_status:up/.test(await nextOperator.info('replication')), 'the replica follows')
  const proxy = await TcpProxy.to(old.port)
  t.teardown(async () => { await proxy.close() })
  const [refusing, allowing] = [await appAt(t, proxy), await appAt(t, proxy, { onError: 'allow' })]

  const [ada, bob, carol] = [await loggedIn(refusing), await loggedIn(refusing, 'bob'), await loggedIn(refusing, 'carol')]
  const copies = { ada: ada.copy(), carol: carol.copy() }
  clock.advance(WINDOW_MS)
  await ada.get('/logout')
  const dave = await loggedIn(allowing, 'dave')
  await until(async () => await nextOperator.dbsize() === 1, 'the cut-off is on the replica')
  await nextOperator.replicaof('NO', 'ONE')
  await oldOperator.replicaof('127.0.0.1', next.port)
  await until(async () => /master_link_status:up/.test(await oldOperator.info('replication')), 'the old master follows')

  t.equal(await userIn(bob), 'bob', 'what is left of the old master can be read')
  t.match((await soon(carol.get('/logout'))).json(), AWAY)
  t.equal(await userIn(carol), 'carol', 'who could not log out is told so, and still logged in')
  t.strictSame((await soon(dave.get('/logout'))).json(), {})
  for (const app of [refusing, allowing]) await t.rejects(soon(app.secureSession.revokeSubject('bob')), AWAY)

  proxy.target = next.port
  proxy.cut()
  await until(async () => (await carol.get('/logout')).statusCode === 200, 'the new master is found')
  clock.advance(WINDOW_MS)
  const elsewhere = await appAt(t, next)
  for (const copy of Object.values(copies)) t.equal(await userIn(copy.copy(elsewhere)), null, 'whoever was told to be logged out is')
  t.equal(await userIn(bob.copy(elsewhere)), 'bob')
  await refusing.secureSession.revokeSubject('bob')
  t.equal(await userIn(bob), null)
})

t.test('a Redis without free memory keeps its entries, and a logout that it cannot store fails', async t => {
  const clock = fakeClock(t)
  const server = await serverFor(t)
  const operator = await clientOf(t, server.url)
  const app = await appAt(t, server)
  const [ada, bob] = [await loggedIn(app), await loggedIn(app, 'bob')]
  const copies = [ada.copy(), bob.copy()]
  await ada.get('/logout')
  await operator.config('SET', 'maxmemory', '1')
  clock.advance(WINDOW_MS)
  t.equal(await userIn(bob), 'bob')
  t.match((await soon(bob.get('/logout'))).json(), AWAY)
  t.equal(bob.cookies.has('session'), true)
  t.equal(tellings(app, WARN), 1)
  await operator.config('SET', 'maxmemory', '0')
  t.equal((await bob.get('/logout')).statusCode, 200)
  const elsewhere = await appAt(t, server)
  clock.advance(WINDOW_MS)
  for (const copy of copies) t.equal(await userIn(copy.copy(elsewhere)), null)
})
