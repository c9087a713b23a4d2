import type { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { RedisServer } from '../helpers/redis-server'
import { clientOf, survives, until, type Fault } from './outage'

/** A Redis, and an operator of it. */
async function serverFor (t: Test, args: readonly string[] = []): Promise<{ server: RedisServer, operator: Redis }> {
  const server = await RedisServer.start({ args })
  t.teardown(async () => { await server.remove() })
  return { server, operator: await clientOf(t, server.url) }
}

async function survivesAt (t: Test, { url }: RedisServer, fault: Fault): Promise<void> {
  await survives(t, { url, directUrl: url }, fault)
}

t.test('Redis denies commands that it allowed before', async t => {
  const { server, operator } = await serverFor(t)
  await survivesAt(t, server, {
    begin: async () => { await operator.call('ACL', 'SETUSER', 'default', '-get', '-eval') },
    end: async () => { await operator.call('ACL', 'SETUSER', 'default', '+get', '+eval') }
  })
})

t.test('Redis starts to require a password', async t => {
  const { server, operator } = await serverFor(t)
  await survivesAt(t, server, {
    begin: async () => {
      await operator.config('SET', 'requirepass', 'secret')
      await operator.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    },
    end: async () => { await operator.config('SET', 'requirepass', '') }
  })
})

t.test('Redis is blocked by a script', async t => {
  const { server, operator } = await serverFor(t, ['--lua-time-limit', '20'])
  const other = await clientOf(t, server.url)
  let script: Promise<unknown>
  await survivesAt(t, server, {
    begin: async () => {
      script = other.eval('while true do end', 0).catch(() => {})
      await until(async () => await operator.get('x').then(() => false, () => true), 'Redis is busy')
    },
    end: async () => {
      await operator.script('KILL')
      await script
    }
  })
})
