import t from 'tap'
import { inspect } from 'node:util'
import { parseKeyring } from '../../lib/keyring/document'
import { rotated } from '../../lib/keyring/lifecycle'
import { changeKeyring } from '../../lib/keyring/stored-keyring'
import { redisKeyring } from '../../lib/stores/keyring-redis'
import { keyNumber, MemoryStore } from '../helpers/keyrings'
import { startRedis } from '../helpers/redis'
import { clientOf } from '../helpers/redis-server'

const RING = new MemoryStore([keyNumber(1, 0)]).text as string
const NEXT = new MemoryStore([keyNumber(1, 0), keyNumber(2, 0)]).text as string

t.test('with a Redis', async t => {
  const server = await startRedis()
  t.teardown(async () => { await server.remove() })

  t.test('a missing key in Redis reads as null, and an update that expects null creates it', async t => {
    const store = redisKeyring(clientOf(t, server))
    t.equal(await store.read(), null)
    t.equal(await store.update(RING, NEXT), false)
    t.equal(await store.update(null, RING), true)
    t.equal(await store.update(null, NEXT), false)
    t.equal(await store.read(), RING)
    t.equal(await clientOf(t, server).get('fastify-sealed-session:keyring'), RING, 'under its documented key')
  })

  t.test('an update in Redis writes only if the value is still the expected text', async t => {
    const store = redisKeyring(clientOf(t, server), { key: 'other' })
    await store.update(null, RING)
    t.equal(await store.update(NEXT, NEXT), false)
    t.equal(await store.update(RING, NEXT), true)
    t.equal(await store.read(), NEXT)
  })

  t.test('a client with its own prefix works', async t => {
    const store = redisKeyring(clientOf(t, server, { keyPrefix: 'app:' }))
    t.equal(await store.update(null, RING), true)
    t.equal(await store.read(), RING)
    t.equal(await clientOf(t, server).get('app:fastify-sealed-session:keyring'), RING)
  })

  t.test('parallel writers in Redis each add their key', async t => {
    const client = clientOf(t, server)
    const store = redisKeyring(client, { key: 'busy' })
    await store.update(null, RING)
    const others = Array.from({ length: 24 }, (_, index) => index % 2 === 0 ? store : redisKeyring(clientOf(t, server), { key: 'busy' }))
    await Promise.all(others.map(async other => await changeKeyring(other, keys => rotated(keys, Date.now(), { activateInMs: 1000, keepForMs: 1000 }))))
    t.equal(parseKeyring(await store.read() as string).length, 25)
  })

  t.test('an error reply of Redis does not contain the keyring', async t => {
    const client = clientOf(t, server)
    await client.lpush('list', 'x')
    const store = redisKeyring(client, { key: 'list' })
    for (const failing of [store.read(), store.update(RING, NEXT)]) {
      const error = await failing.then(() => null, error => error)
      t.match(error, { code: 'FST_SESSION_KEYRING_UNAVAILABLE', message: /^keyring in Redis \(key "list"\) cannot be (read|written): .*WRONGTYPE/ })
      t.notOk(inspect(error, { depth: 9, showHidden: true }).includes(JSON.parse(RING).keys[0].key.slice(0, 20)))
    }
  })

  t.test('an unreachable Redis is an error', async t => {
    const client = clientOf(t, server, { maxRetriesPerRequest: 0, retryStrategy: () => null })
    const store = redisKeyring(client, { key: 'gone' })
    await store.update(null, RING)
    await server.stop('SIGKILL')
    await t.rejects(store.read(), { code: 'FST_SESSION_KEYRING_UNAVAILABLE' })
    await t.rejects(store.update(RING, NEXT), { code: 'FST_SESSION_KEYRING_UNAVAILABLE' })
    await server.start()
    t.equal(await redisKeyring(clientOf(t, server), { key: 'gone' }).read(), RING, 'and it is all there when it is back')
  })
})

t.test('an invalid client or key is refused', async t => {
  const client = { get: async () => null, eval: async () => 1 }
  for (const [wrong, options] of [[null, {}], ['redis://localhost', {}], [{ get () {} }, {}], [client, { key: '' }], [client, { key: 7 }]] as const) {
    t.throws(() => redisKeyring(wrong as never, options as never), { code: 'FST_SESSION_INVALID_OPTION' })
  }
})
