import t, { type Test } from 'tap'
import { RedisServer } from '../helpers/redis-server'
import { TcpProxy } from '../helpers/tcp-proxy'
import { survives } from './outage'

const TOO_SLOW_MS = 2000

let server: RedisServer

t.before(async () => {
  server = await RedisServer.start()
  t.teardown(async () => { await server.remove() })
})

/** What befalls the way to Redis, and how it ends. */
async function survivesOn (t: Test, begin: (proxy: TcpProxy) => void, end: (proxy: TcpProxy) => void): Promise<void> {
  const proxy = await TcpProxy.to(server.port)
  t.teardown(async () => { await proxy.close() })
  await survives(t, { url: proxy.url, directUrl: server.url }, { begin: () => { begin(proxy) }, end: () => { end(proxy) } })
}

t.test('Redis answers more slowly than the timeout', async t => {
  await survivesOn(t, proxy => { proxy.slowDown(TOO_SLOW_MS) }, proxy => { proxy.open() })
})

t.test('the network holds back what is sent, and delivers it late', async t => {
  await survivesOn(t, proxy => { proxy.stick() }, proxy => { proxy.open() })
})

t.test('the network drops what is sent and the connections', async t => {
  await survivesOn(t, proxy => { proxy.stick() }, proxy => {
    proxy.cut()
    proxy.open()
  })
})

t.test('Redis loads its data and answers nothing else', async t => {
  await survivesOn(t, proxy => { proxy.answer('LOADING Redis is loading the dataset in memory') }, proxy => { proxy.open() })
})

t.test('the server at the address is not a Redis', async t => {
  await survivesOn(t, proxy => { proxy.answer('ERR unknown command') }, proxy => { proxy.open() })
})
