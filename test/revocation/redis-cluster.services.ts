import { Cluster, Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { revocationStoreContract } from '../../lib/revocation-contract'
import { redisRevocation } from '../../lib/stores/revocation-redis'
import { RedisCluster } from '../helpers/redis-cluster'
import { RedisMonitor } from '../helpers/redis-monitor'

const PREFIX = 'fastify-sealed-session:cut-off:'
const NOON = Date.UTC(2026, 0, 1, 12)
const HOUR_MS = 3_600_000

/** With the default prefix, each is in another node. */
const KEYS = ['a', 'd', 'b']

t.test('with a real cluster', async t => {
  const cluster = await RedisCluster.start()
  t.teardown(async () => { await cluster.remove() })
  const clientOf = (t: Test, options = {}): Cluster => {
    const client = new Cluster(cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port })), options)
    t.teardown(() => { client.disconnect() })
    return client
  }

  t.test('a check of keys on different nodes works, and no command has two keys', async t => {
    const monitors = await Promise.all(cluster.nodes.map(async node => await RedisMonitor.of(node)))
    t.teardown(() => { for (const monitor of monitors) monitor.stop() })
    const store = redisRevocation(clientOf(t))
    await Promise.all(monitors.map(async monitor => await monitor.take()))

    for (const [index, key] of KEYS.entries()) t.equal(await store.raise(key, NOON + index, HOUR_MS), 0)
    t.strictSame(await store.cutOffs(KEYS), [NOON, NOON + 1, NOON + 2])
    t.strictSame(await store.cutOffs([...KEYS].reverse()), [NOON + 2, NOON + 1, NOON])

    for (const [index, monitor] of monitors.entries()) {
      const key = `${PREFIX}${KEYS[index] as string}`
      const [[command, , ...args] = [], ...reads] = await monitor.take()
      t.strictSame([command, ...args], ['eval', '1', key, String(NOON + index), String(HOUR_MS)])
      t.strictSame(reads, [['get', key], ['get', key]])
    }
  })

  t.test('each node has its own key, and each key expires', async t => {
    for (const [index, { url }] of cluster.nodes.entries()) {
      const node = new Redis(url)
      t.teardown(() => { node.disconnect() })
      const key = `${PREFIX}${KEYS[index] as string}`
      t.strictSame(await node.keys('*'), [key])
      t.ok(await node.pttl(key) > 0)
    }
  })

  for (const enableAutoPipelining of [false, true]) {
    t.test(`the contract holds ${enableAutoPipelining ? 'with' : 'without'} automatic pipelines on a cluster`, async t => {
      const store = redisRevocation(clientOf(t, { enableAutoPipelining }))
      for (const { name, run } of revocationStoreContract) {
        t.test(name, async t => { await t.resolves(run(store)) })
      }
    })
  }

  t.test('an unreachable node is an error for its keys', async t => {
    const client = clientOf(t, { clusterRetryStrategy: () => null, redisOptions: { maxRetriesPerRequest: 0 }, retryDelayOnFailover: 10, retryDelayOnClusterDown: 10, maxRedirections: 2 })
    const store = redisRevocation(client)
    t.strictSame(await store.cutOffs(KEYS), [NOON, NOON + 1, NOON + 2])
    await cluster.nodes[1]?.stop('SIGKILL')
    await t.rejects(store.cutOffs(KEYS), { code: 'FST_SESSION_STORE_UNAVAILABLE' })
  })
})
