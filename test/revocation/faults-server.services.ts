import t, { type Test } from 'tap'
import { RedisServer } from '../helpers/redis-server'
import { survives, type Fault } from './outage'

async function serverFor (t: Test): Promise<RedisServer> {
  const server = await RedisServer.start()
  t.teardown(async () => { await server.remove() })
  return server
}

async function survivesAt (t: Test, { url }: RedisServer, fault: Fault): Promise<void> {
  await survives(t, { url, directUrl: url }, fault)
}

t.test('Redis is killed and restarted', async t => {
  const server = await serverFor(t)
  await survivesAt(t, server, {
    begin: async () => { await server.stop('SIGKILL') },
    end: async () => { await server.start() }
  })
})

t.test('Redis is paused and continued', async t => {
  const server = await serverFor(t)
  await survivesAt(t, server, { begin: () => { server.freeze() }, end: () => { server.thaw() } })
})

t.test('Redis is paused and then killed', async t => {
  const server = await serverFor(t)
  await survivesAt(t, server, {
    begin: () => { server.freeze() },
    end: async () => {
      await server.stop('SIGKILL')
      await server.start()
    }
  })
})
