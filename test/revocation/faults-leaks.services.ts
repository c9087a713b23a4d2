import type { Redis } from 'ioredis'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'
import secureSession from '../../index'
import type { Browser } from '../helpers/browser'
import { plainEnv, TYPESCRIPT } from '../helpers/process'
import { RedisServer } from '../helpers/redis-server'
import { TcpProxy } from '../helpers/tcp-proxy'
import { clientOf, soon, until } from './outage'
import { appOfUsers, loggedIn } from './users'

const SESSIONS = 50
const WAVES = 15
const KEYS = 2

/** What a client keeps in its memory until it is answered. */
function pending (client: Redis): number {
  const { commandQueue, offlineQueue } = client as unknown as Record<'commandQueue' | 'offlineQueue', { length: number }>
  return commandQueue.length + offlineQueue.length
}

t.test('the memory of a client does not grow with the requests during an outage', async t => {
  const server = await RedisServer.start()
  t.teardown(async () => { await server.remove() })
  const clients = [await clientOf(t, server.url), await clientOf(t, server.url, { maxRetriesPerRequest: null })]
  const crowds = await Promise.all(clients.map(async client => {
    const app = await appOfUsers(t, { store: secureSession.redisRevocation(client), recheck: 0, timeout: 0.3 })
    return await Promise.all(Array.from({ length: SESSIONS }, async () => await loggedIn(app)))
  }))
  const wave = async (url: string): Promise<number[]> => await soon(Promise.all(crowds.flat().map(async (browser: Browser) => (await browser.get(url)).statusCode)))
  for (const fault of ['frozen', 'killed'] as const) {
    if (fault === 'frozen') server.freeze()
    else await server.stop('SIGKILL')
    for (let turn = 0; turn < WAVES; turn++) t.strictSame(new Set(await wave('/user')), new Set([503]))
    for (const client of clients) t.ok(pending(client) <= KEYS * (SESSIONS + WAVES), `${pending(client)} of ${KEYS * SESSIONS * WAVES}`)
    if (fault === 'frozen') server.thaw()
    else await server.start()
    await until(async () => (await wave('/user')).every(status => status === 200), 'all are served')
    for (const client of clients) t.equal(pending(client), 0)
  }
})

t.test('an app that closes during an outage leaves nothing that keeps the process alive', async t => {
  const server = await RedisServer.start()
  t.teardown(async () => { await server.remove() })
  await Promise.all(['disconnect', 'quit'].map(async end => {
    const proxy = await TcpProxy.to(server.port)
    t.teardown(async () => { await proxy.close() })
    const child = fork(join(__dirname, 'leaving-process.ts'), [proxy.url, end], { env: plainEnv(), execArgv: TYPESCRIPT })
    t.teardown(() => { child.kill('SIGKILL') })
    const exit = once(child, 'exit')
    await once(child, 'message')
    proxy.stick()
    child.send('go on')
    const [statuses] = await once(child, 'message')
    t.strictSame(statuses, Array(10).fill(503))
    // An orderly end of a client waits for Redis.
    if (end === 'quit') proxy.open()
    child.send('leave')
    t.strictSame(await exit, [0, null], end)
  }))
})
