import { AsyncLocalStorage } from 'node:async_hooks'
import { channel } from 'node:diagnostics_channel'
import t, { type Test } from 'tap'
import fastify, { type FastifyInstance, type FastifyRequest, type FastifyServerOptions } from 'fastify'
import secureSession from '../../index'
import { KEY } from '../helpers/app'

const requests = new AsyncLocalStorage<FastifyRequest>()

interface Site {
  readonly address: string
  readonly lines: any[]
}

/** A server whose log asks every line's request for its session, as `read` says. */
async function site (t: Test, read: (request: FastifyRequest) => unknown, options: object = {}): Promise<Site> {
  const lines: any[] = []
  const logger = {
    level: 'debug',
    stream: { write: (line: string) => { lines.push(JSON.parse(line)) } },
    mixin () {
      const request = requests.getStore()
      return request === undefined ? {} : { user: read(request) ?? null }
    }
  }
  const app = fastify({ logger } as FastifyServerOptions) as unknown as FastifyInstance
  t.teardown(() => app.close())
  app.addHook('onRequest', (request, _reply, done) => { requests.run(request, done) })
  await app.register(secureSession, { key: KEY, ...options })
  app.get('/login', async ({ session }) => { session.set('user', 'ada'); return {} })
  app.get('/', async ({ session }) => ({ user: session?.get('user') ?? null }))
  return { address: await app.listen({ port: 0, host: '127.0.0.1' }), lines }
}

async function get (address: string, cookie: string): Promise<unknown> {
  const response = await fetch(address, { headers: { cookie } })
  return await response.json()
}

t.test('a mixin may read the session in a log line that is written while the session is opened', async t => {
  const { address, lines } = await site(t, ({ session }) => session.get('user'))
  const cookie = (await fetch(`${address}/login`)).headers.getSetCookie()[0]?.split(';')[0] as string
  for (const sent of ['', 'session=junk', 'session=junk; session=junk']) t.same(await get(address, sent), { user: null }, sent)
  t.same(await get(address, `session=junk; ${cookie}`), { user: 'ada' })
  t.equal(lines.filter(({ msg }) => msg === 'session cookie refused').length, 4)
  t.equal(lines.find(({ msg, user }) => msg === 'session cookie refused' && user === 'ada')?.reason, 'unknown-version')
})

t.test('with revocation or an async opener, a mixin reads null until the session is ready', async t => {
  for (const options of [
    { subject: (session: secureSession.Session) => session.get('user'), revocation: { store: secureSession.memoryRevocation() } },
    { legacy: [{ cookieName: 'old', open: async () => null }] }
  ]) {
    const { address, lines } = await site(t, ({ session }) => session?.get('user'), options)
    for (const sent of ['', 'session=junk', 'old=x', 'session=junk; old=x']) t.same(await get(address, sent), { user: null }, sent)
    t.equal(lines.filter(({ code }) => code === 'FST_SESSION_NOT_READY').length <= 1, true)
  }
})

t.test('a subscriber may read the session that the event is about', async t => {
  let events = 0
  for (const name of ['opened', 'refused']) {
    const listen = (): void => { events++; requests.getStore()?.session?.get('user') }
    channel(`fastify-sealed-session:${name}`).subscribe(listen)
    t.teardown(() => { channel(`fastify-sealed-session:${name}`).unsubscribe(listen) })
  }
  const { address } = await site(t, () => null)
  const cookie = (await fetch(`${address}/login`)).headers.getSetCookie()[0]?.split(';')[0] as string
  t.same(await get(address, `session=junk; ${cookie}`), { user: 'ada' })
  t.equal(events, 2)
})

t.test('a serializer that reads the session while it is opened finds null, and the session opens', async t => {
  const seen: unknown[] = []
  const look = (): void => { seen.push(requests.getStore()?.session) }
  const serializer = {
    serialize: (data: object) => JSON.stringify(data),
    deserialize: (bytes: Buffer) => { look(); return JSON.parse(bytes.toString()) }
  }
  const { address } = await site(t, () => null, { serializer })
  const cookie = (await fetch(`${address}/login`)).headers.getSetCookie()[0]?.split(';')[0] as string
  t.same(await get(address, cookie), { user: 'ada' })
  t.strictSame(seen, [null])
})
