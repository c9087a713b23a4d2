import fastify from 'fastify'
import { Redis } from 'ioredis'
import { once } from 'node:events'
import secureSession from '../../index'

/** An app that meets an outage of its store and closes. Nobody ends its process: it ends when nothing keeps it alive. */
async function main (): Promise<void> {
  const [url, end] = process.argv.slice(2) as [string, 'disconnect' | 'quit']
  const client = new Redis(url)
  const app = fastify()
  await app.register(secureSession, { key: Buffer.alloc(32, 7), revocation: { store: secureSession.redisRevocation(client), recheck: 0, timeout: 0.2 } })
  app.get('/login', async ({ session }) => { session.set('user', 'ada'); return {} })
  app.get('/user', async ({ session }) => ({ user: session.get('user') }))
  const cookie = (await app.inject('/login')).headers['set-cookie'] as string
  const user = async (): Promise<number> => (await app.inject({ url: '/user', headers: { cookie: cookie.split(';')[0] as string } })).statusCode
  if (await user() !== 200) throw new Error('Redis is not there')
  await told('ready')
  const statuses: number[] = []
  for (let turn = 0; turn < 10; turn++) statuses.push(await user())
  await told(statuses)
  await app.close()
  if (end === 'quit') await client.quit()
  else client.disconnect()
  process.disconnect()
}

/** Tells the parent, and waits until it says to go on. */
async function told (what: unknown): Promise<void> {
  process.send?.(what)
  await once(process, 'message')
}

main()
