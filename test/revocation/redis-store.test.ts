import t from 'tap'
import { inspect } from 'node:util'
import { redisRevocation } from '../../lib/stores/revocation-redis'
import { turns } from '../helpers/clock'
import { RedisMonitor } from '../helpers/redis-monitor'
import { startRedis } from '../helpers/redis'
import { clientOf } from '../helpers/redis-server'

const PREFIX = 'fastify-sealed-session:cut-off:'
const NOON = Date.UTC(2026, 0, 1, 12)
const HOUR_MS = 3_600_000
const AWAY = { code: 'FST_SESSION_STORE_UNAVAILABLE', statusCode: 503 }

t.test('with a Redis', async t => {
  const server = await startRedis()
  t.teardown(async () => { await server.remove() })
  const redis = clientOf(t, server)
  t.beforeEach(async () => { await redis.flushall() })

  t.test('a key in Redis has the prefix, its value is digits, and it expires', async t => {
    await redisRevocation(redis).raise('ada', NOON, HOUR_MS)
    await redisRevocation(redis, { prefix: 'shop:' }).raise('ada', NOON + 1, HOUR_MS)
    t.strictSame((await redis.keys('*')).sort(), [`${PREFIX}ada`, 'shop:ada'])
    t.equal(await redis.get(`${PREFIX}ada`), String(NOON))
    t.equal(await redis.get('shop:ada'), String(NOON + 1))
    for (const key of await redis.keys('*')) {
      const leftMs = await redis.pttl(key)
      t.ok(leftMs > 0 && leftMs <= HOUR_MS)
    }
  })

  t.test('a check is one GET per key, and a raise is one EVAL', async t => {
    const monitor = await RedisMonitor.of(server)
    t.teardown(() => { monitor.stop() })
    const store = redisRevocation(redis)
    await monitor.take()
    await store.cutOffs(['ada', 'eve', 'bob'])
    t.strictSame(await monitor.take(), [['get', `${PREFIX}ada`], ['get', `${PREFIX}eve`], ['get', `${PREFIX}bob`]])
    await store.raise('ada', NOON, HOUR_MS)
    const [[command, script, ...args] = [], ...others] = await monitor.take()
    t.strictSame([command, typeof script, args, others], ['eval', 'string', ['1', `${PREFIX}ada`, String(NOON), String(HOUR_MS)], []])
    await store.cutOffs([])
    t.strictSame(await monitor.take(), [])
  })

  t.test('a key in Redis without an expiry stays without one', async t => {
    const store = redisRevocation(redis)
    await redis.set(`${PREFIX}eternal`, NOON)
    for (const [cutOffMs, before] of [[NOON - 1, NOON], [NOON, NOON], [NOON + 1, NOON], [NOON, NOON + 1]] as const) {
      t.equal(await store.raise('eternal', cutOffMs, HOUR_MS), before)
      t.equal(await redis.get(`${PREFIX}eternal`), String(Math.max(cutOffMs, before)))
      t.equal(await redis.pttl(`${PREFIX}eternal`), -1)
    }
  })

  t.test('the expiry of a key is never shortened', async t => {
    const store = redisRevocation(redis)
    await store.raise('long', NOON, 2 * HOUR_MS)
    await store.raise('long', NOON + 1, HOUR_MS)
    t.ok(await redis.pttl(`${PREFIX}long`) > HOUR_MS)
    const century = 100 * 365 * 24 * HOUR_MS
    await store.raise('century', NOON, century)
    await store.raise('century', NOON + 1, HOUR_MS)
    t.ok(await redis.pttl(`${PREFIX}century`) > century - HOUR_MS, 'to its last digit')
  })

  t.test('a value that is not a cut-off is an error, and is left unchanged', async t => {
    const store = redisRevocation(redis)
    for (const text of ['yesterday', '', '-5', '1e3', '0x10', ' 7', '7.5', 'inf', '7\n']) {
      await redis.set(`${PREFIX}text`, text)
      await t.rejects(store.cutOffs(['ada', 'text']), AWAY, inspect(text))
      await t.rejects(store.raise('text', NOON, HOUR_MS), AWAY, inspect(text))
      t.equal(await redis.get(`${PREFIX}text`), text)
    }
  })

  t.test('an error reply of Redis is the cause, without the command', async t => {
    await redis.lpush(`${PREFIX}hidden-key`, 'x')
    const store = redisRevocation(redis)
    for (const failing of [store.cutOffs(['hidden-key']), store.raise('hidden-key', NOON, HOUR_MS)]) {
      const error = await failing.then(() => null, error => error)
      t.match(error, { ...AWAY, message: 'the revocation store is unavailable' })
      t.match(error.cause.message, /^revocations in Redis \(prefix "fastify-sealed-session:cut-off:"\) cannot be (read|raised): .*WRONGTYPE/)
      t.notOk(inspect(error, { depth: 9, showHidden: true }).includes('hidden-key'))
    }
  })

  t.test('an unreachable Redis is an error, and works again when it is reachable', async t => {
    const client = clientOf(t, server, { maxRetriesPerRequest: 0, retryStrategy: () => 10 })
    const store = redisRevocation(client)
    await store.raise('ada', NOON, HOUR_MS)
    await server.stop('SIGKILL')
    await t.rejects(store.cutOffs(['ada', 'eve', 'bob']), AWAY)
    await t.rejects(store.raise('ada', NOON + 1, HOUR_MS), AWAY)
    await server.start()
    while (client.status !== 'ready') await turns()
    t.strictSame(await store.cutOffs(['ada', 'eve']), [NOON, 0])
  })
})

t.test('all keys are requested before the first result arrives', async t => {
  const asked: string[] = []
  const answers: Array<(cutOff: string | null) => void> = []
  const get = async (key: string): Promise<string | null> => {
    asked.push(key)
    return await new Promise(resolve => { answers.push(resolve) })
  }
  const cutOffs = redisRevocation({ get, eval: async () => '0' }, { prefix: ':' }).cutOffs(['a', 'b', 'c'])
  t.strictSame(asked, [':a', ':b', ':c'])
  for (const [index, answer] of answers.entries()) answer(index === 1 ? null : String(index + 1))
  t.strictSame(await cutOffs, [1, 0, 3])
})

t.test('a client that throws, rejects without a reason or returns no text is an error', async t => {
  const failing: unknown[] = [
    () => { throw new Error('closed') },
    () => ({ then (_resolve: unknown, reject: () => void) { reject() } }),
    async () => 7,
    async () => Buffer.from('7'),
    async () => undefined
  ]
  for (const method of failing) {
    const store = redisRevocation({ get: method, eval: method } as never)
    await t.rejects(store.cutOffs(['ada', 'eve']), AWAY)
    await t.rejects(store.raise('ada', NOON, HOUR_MS), AWAY)
  }
})

t.test('an invalid client or option is refused', async t => {
  const client = { get: async () => null, eval: async () => '0' }
  t.equal(redisRevocation(client, { prefix: 'a:' }).name, 'revocations in Redis (prefix "a:")')
  const wrongs = [
    [null], ['redis://localhost'], [{ get () {} }], [{ eval () {} }],
    [client, null], [client, 'prefix:'], [client, { prefix: '' }], [client, { prefix: 7 }], [client, { key: 'a' }]
  ]
  for (const wrong of wrongs) {
    t.throws(() => redisRevocation(...wrong as [never, never]), { code: 'FST_SESSION_INVALID_OPTION' })
  }
})
