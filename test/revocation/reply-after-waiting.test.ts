import t, { type Test } from 'tap'
import { PassThrough } from 'node:stream'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest, type FastifyServerOptions } from 'fastify'
import secureSession from '../../index'
import { KEY } from '../helpers/app'
import { turns } from '../helpers/clock'
import { CountingStore } from './stores'

type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown
type Build = (app: FastifyInstance, act: (request: FastifyRequest) => void) => void

interface Case {
  readonly what: string
  readonly build: Build
  readonly url?: string
}

const NOT_A_HEADER = '/welcome/€'

/** Replies that fail when Fastify writes them, each behind a route that changes the session. */
const cases: readonly Case[] = [
  handler('a redirect to text of the request', (_request, reply) => reply.redirect(NOT_A_HEADER)),
  handler('an invalid header', (_request, reply) => { reply.header('x-name', NOT_A_HEADER); return 'hi' }),
  handler('an invalid header beside a stream', (_request, reply) => {
    const stream = new PassThrough()
    stream.end('hi')
    return reply.header('x-name', NOT_A_HEADER).send(stream)
  }),
  handler('an invalid Set-Cookie line', (_request, reply) => { reply.header('set-cookie', 'a=€'); return 'hi' }),
  handler('a bad status', (_request, reply) => { reply.raw.statusCode = 7; return 'hi' }),
  handler('a payload of a wrong type', (_request, reply) => { reply.type('text/plain'); return { a: 1 } }),
  handler('a Response whose body was used', async () => { const response = new Response('hi'); await response.text(); return response }),
  {
    what: 'an invalid header in an error handler',
    build (app, act) {
      app.setErrorHandler((_error, _request, reply) => { reply.header('x-name', NOT_A_HEADER).send({}) })
      app.get('/', async request => { act(request); throw new Error('of the app') })
    }
  },
  {
    what: 'an error handler that changes the session and throws',
    build (app, act) {
      app.setErrorHandler(async request => { act(request as never); throw new Error('of the error handler') })
      app.get('/', async request => { act(request); throw new Error('of the app') })
    }
  },
  {
    what: 'an invalid header in a 404 handler',
    url: '/nowhere',
    build (app, act) {
      app.setNotFoundHandler((request, reply) => { act(request); reply.header('x-name', NOT_A_HEADER).send({}) })
    }
  }
]

function handler (what: string, handle: Handler): Case {
  return { what, build (app, act) { app.get('/', (request, reply) => { act(request); return handle(request, reply) as never }) } }
}

const acts: Readonly<Record<string, (request: FastifyRequest) => void>> = {
  login: ({ session }) => { session.regenerate(); session.set('user', 'grace') },
  logout: ({ session }) => { session.delete() }
}

async function site (t: Test, build: (app: FastifyInstance) => void, store: secureSession.RevocationStore | null, options: FastifyServerOptions = {}): Promise<{ address: string, cookie: string }> {
  const app = fastify(options) as unknown as FastifyInstance
  t.teardown(() => app.close())
  const revocation = store === null ? undefined : { store }
  await app.register(secureSession, { key: KEY, subject: session => session.get('user'), revocation } as secureSession.Options)
  app.get('/begin', async ({ session }) => { session.set('user', 'ada'); return {} })
  app.get('/health', async () => ({}))
  build(app)
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  const cookie = (await fetch(`${address}/begin`)).headers.getSetCookie()[0]?.split(';')[0] as string
  return { address, cookie }
}

async function answer (address: string, cookie: string): Promise<unknown> {
  try {
    const response = await fetch(address, { headers: { cookie }, redirect: 'manual' })
    return { status: response.status, body: await response.text(), names: response.headers.getSetCookie().map(line => line.split('=')[0]) }
  } catch (error) {
    return { failed: String((error as { cause?: { code?: string } }).cause?.code) }
  }
}

for (const { what, build, url = '/' } of cases) {
  t.test(`${what} is answered with revocation as without it, and the server continues`, async t => {
    for (const [name, act] of Object.entries(acts)) {
      const stores = [null, secureSession.memoryRevocation()]
      const answers: unknown[] = []
      for (const store of stores) {
        const { address, cookie } = await site(t, app => { build(app, act) }, store)
        answers.push(await answer(address + url, cookie))
        t.match(await answer(`${address}/health`, ''), { status: 200 })
      }
      t.strictSame(answers[1], answers[0], name)
    }
  })
}

/** A store that answers when it is told to. */
class HeldStore extends CountingStore {
  readonly #waiting: Array<() => void> = []
  holds = false

  override async raise (...args: [string, number, number]): Promise<number> {
    if (this.holds) await new Promise<void>(resolve => { this.#waiting.push(resolve) })
    return await super.raise(...args)
  }

  get waiting (): number { return this.#waiting.length }

  release (): void {
    this.holds = false
    for (const go of this.#waiting.splice(0)) go()
  }
}

t.test('a handler timeout while the store is awaited is answered with its error, once', async t => {
  const store = new HeldStore()
  let log = ''
  const logger = { level: 'warn', stream: { write: (line: string) => { log += line } } }
  const { address, cookie } = await site(t, app => {
    app.get('/login', async request => { acts['login']?.(request); return 'hi' })
  }, store, { handlerTimeout: 50, logger } as FastifyServerOptions)
  store.holds = true
  const answered = answer(`${address}/login`, cookie)
  while (!log.includes('FST_ERR_HANDLER_TIMEOUT')) await turns(1)
  t.equal(store.waiting, 1, 'the old session is ended once')
  store.release()
  t.match(await answered, { status: 503, body: /FST_ERR_HANDLER_TIMEOUT/, names: ['session'] })
  t.equal(store.raised, 1)
  t.match(await answer(`${address}/health`, ''), { status: 200 })
})

t.test('a reply that the app sends while the store is awaited is the only one', async t => {
  const store = new HeldStore()
  const { address, cookie } = await site(t, app => {
    app.get('/login', async (request, reply) => {
      acts['login']?.(request)
      setImmediate(() => { reply.hijack(); reply.raw.end('by hand'); store.release() })
      return 'hi'
    })
  }, store)
  store.holds = true
  t.match(await answer(`${address}/login`, cookie), { status: 200, body: 'by hand' })
})

t.test('a stream that is no longer sent is destroyed', async t => {
  const store = new HeldStore()
  const stream = new PassThrough()
  const { address, cookie } = await site(t, app => {
    app.get('/login', async (request, reply) => {
      acts['login']?.(request)
      setImmediate(() => { reply.hijack(); reply.raw.end('by hand'); store.release() })
      return await reply.send(stream)
    })
  }, store)
  store.holds = true
  await answer(`${address}/login`, cookie)
  t.equal(stream.destroyed, true)
})

t.test('a stream that fails while the store is awaited is answered as without revocation', async t => {
  const answers: unknown[] = []
  for (const store of [null, new HeldStore()]) {
    const { address, cookie } = await site(t, app => {
      app.get('/login', async request => {
        acts['login']?.(request)
        const stream = new PassThrough()
        setImmediate(() => { stream.destroy(new Error('of the stream')) })
        stream.once('close', () => { store?.release() })
        return stream
      })
    }, store)
    if (store !== null) store.holds = true
    answers.push(await answer(`${address}/login`, cookie))
    t.match(await answer(`${address}/health`, ''), { status: 200 })
  }
  t.match(answers[0], { status: 500, body: /of the stream/, names: ['session'] })
  t.strictSame(answers[1], answers[0])
})

t.test('a stream that fails when it is destroyed does not end the process', async t => {
  const { address, cookie } = await site(t, app => {
    app.get('/', async ({ session }) => {
      session.set('big', 'x'.repeat(10_000))
      return new PassThrough({ destroy (_error, done) { done(new Error('of its end')) } })
    })
  }, null)
  t.match(await answer(address, cookie), { status: 500, body: /FST_SESSION_TOO_LARGE/ })
  t.match(await answer(`${address}/health`, ''), { status: 200 })
})

t.test('a payload that throws when it is dropped does not end the process', async t => {
  const payloads: readonly object[] = [
    Object.assign(new PassThrough(), { destroy () { throw new Error('of its end') } }),
    { pipe () {}, cancel () { throw new Error('of its end') } },
    { pipe () {}, cancel () {} }
  ]
  for (const payload of payloads) {
    const store = new HeldStore()
    const { address, cookie } = await site(t, app => {
      app.get('/login', async (request, reply) => {
        acts['login']?.(request)
        setImmediate(() => { reply.hijack(); reply.raw.end('by hand'); store.release() })
        return await reply.send(payload)
      })
    }, store)
    store.holds = true
    t.match(await answer(`${address}/login`, cookie), { status: 200, body: 'by hand' })
    t.match(await answer(`${address}/health`, ''), { status: 200 })
  }
})

t.test('if not even the error can be sent, the connection ends, and the server continues', async t => {
  let isBroken = false
  const logger = {
    level: 'info',
    stream: { write () {} },
    serializers: { req () { if (isBroken) throw new Error('of a serializer'); return {} } }
  }
  const { address, cookie } = await site(t, app => {
    app.get('/login', (request, reply) => { acts['login']?.(request); isBroken = true; return reply.redirect(NOT_A_HEADER) })
  }, secureSession.memoryRevocation(), { logger } as FastifyServerOptions)
  t.match(await answer(`${address}/login`, cookie), { failed: 'UND_ERR_SOCKET' })
  isBroken = false
  t.match(await answer(`${address}/health`, ''), { status: 200 })
})
