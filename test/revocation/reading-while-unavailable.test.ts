import { EventEmitter, once } from 'node:events'
import { connect as connectHttp2, constants } from 'node:http2'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest, type FastifyServerOptions } from 'fastify'
import secureSession from '../../index'
import { KEY } from '../helpers/app'
import { CountingStore } from './stores'

type Read = (place: string, request: FastifyRequest) => void

interface Site {
  readonly app: FastifyInstance
  readonly address: string
  /** What each place read, in order. */
  readonly seen: string[]
  /** The Cookie header of a session that is due to be checked. */
  readonly cookie: string
}

/** A server whose revocation store fails once `cookie` is there. */
async function site (t: Test, options: FastifyServerOptions, build: (app: FastifyInstance, read: Read) => void): Promise<Site> {
  const seen: string[] = []
  const read: Read = (place, request) => {
    try {
      seen.push(`${place}: ${request.session === null ? 'null' : request.session.get('user')}`)
    } catch (error) {
      seen.push(`${place}: ${(error as { code: string }).code}`)
    }
  }
  const store = new CountingStore()
  const app = fastify(options) as unknown as FastifyInstance
  t.teardown(() => app.close())
  const revocation = { store, recheck: 0 }
  await app.register(secureSession, { key: KEY, subject: session => session.get('user'), revocation })
  app.get('/login', async ({ session }) => { session.set('user', 'ada'); return {} })
  build(app, read)
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  const cookie = (await fetch(`${address}/login`)).headers.getSetCookie()[0]?.split(';')[0] as string
  store.instead = async () => { throw new Error('connection refused') }
  seen.length = 0
  return { app, address, seen, cookie }
}

async function statusOf (url: string, cookie: string): Promise<number> {
  const response = await fetch(url, { headers: { cookie } })
  await response.text()
  return response.status
}

t.test('request.session throws once per request while the store is unavailable, and is null after that', async t => {
  const { address, seen, cookie } = await site(t, {}, (app, read) => {
    app.get('/', async request => { read('first', request); read('second', request); return {} })
  })
  t.equal(await statusOf(address, cookie), 200)
  t.strictSame(seen, ['first: FST_SESSION_STORE_UNAVAILABLE', 'second: null'])
})

t.test('request.session is null in an error handler, an onError hook and the log line of another error', async t => {
  const { address, seen, cookie } = await site(t, {}, (app, read) => {
    app.addHook('onError', async request => { read('onError', request) })
    app.setErrorHandler(async (_error, request, reply) => {
      read('error handler', request)
      return await reply.code(500).send({})
    })
    app.get('/', async () => { throw new Error('something else') })
  })
  t.equal(await statusOf(address, cookie), 500)
  t.strictSame(seen, ['onError: null', 'error handler: null'])
})

t.test('request.session is null in serializers of req, res and err, where an error would not be caught', async t => {
  let read: Read = () => {}
  const request = (value: { server?: unknown, raw?: unknown }): FastifyRequest => value as FastifyRequest
  const logger = {
    level: 'info',
    stream: { write () {} },
    serializers: {
      req (value: object) { read('req', request(value)); return {} },
      res (reply: { request: FastifyRequest }) { if (reply.request !== undefined) read('res', reply.request); return {} }
    }
  }
  const { address, seen, cookie } = await site(t, { logger } as FastifyServerOptions, (app, reads) => {
    read = reads
    app.get('/', async () => { throw new Error('something else') })
  })
  t.equal(await statusOf(address, cookie), 500)
  t.strictSame(seen, ['req: null', 'req: null', 'res: null', 'res: null'])
})

t.test('request.session is null after the reply was sent', async t => {
  let read: Read = () => {}
  let responded: () => void
  const isOver = new Promise<void>(resolve => { responded = resolve })
  const { address, seen, cookie } = await site(t, {}, (app, reads) => {
    read = reads
    app.get('/', { onResponse: async request => { read('onResponse', request); responded() } }, async () => ({}))
  })
  t.equal(await statusOf(address, cookie), 200)
  await isOver
  t.strictSame(seen, ['onResponse: null'])
})

t.test('request.session is null after the client has disconnected', async t => {
  let handled: () => void
  const isHandled = new Promise<void>(resolve => { handled = resolve })
  let aborted: () => void
  const isAborted = new Promise<void>(resolve => { aborted = resolve })
  const { address, seen, cookie } = await site(t, {}, (app, read) => {
    const onRequestAbort = async (request: FastifyRequest): Promise<void> => { read('aborted', request); aborted() }
    app.get('/', { onRequestAbort }, async () => { handled(); await isAborted; return {} })
  })
  const socket = connect(Number(new URL(address).port))
  await once(socket, 'connect')
  socket.write(`GET / HTTP/1.1\r\nHost: x\r\nCookie: ${cookie}\r\n\r\n`)
  await isHandled
  socket.destroy()
  await isAborted
  t.strictSame(seen, ['aborted: null'])
})

t.test('request.session is null after the reply was hijacked, also before a head was written', async t => {
  const { address, seen, cookie } = await site(t, {}, (app, read) => {
    app.get('/', async (request, reply) => {
      reply.hijack()
      read('hijacked', request)
      reply.raw.end('by hand')
    })
  })
  t.equal(await statusOf(address, cookie), 200)
  t.strictSame(seen, ['hijacked: null'])
})

t.test('request.session is null after the client has reset its HTTP/2 stream', async t => {
  const store = new CountingStore()
  store.instead = async () => { throw new Error('connection refused') }
  const app = fastify({ http2: true }) as unknown as FastifyInstance
  t.teardown(() => app.close())
  await app.register(secureSession, { key: KEY, revocation: { store, recheck: 0 } })
  const requests = new EventEmitter()
  const onResponse = async ({ session }: FastifyRequest): Promise<void> => { requests.emit('responded', session) }
  app.get('/', { onResponse }, async (_request, reply) => { requests.emit('handled'); return await reply })
  const client = connectHttp2(await app.listen({ port: 0, host: '127.0.0.1' }))
  t.teardown(() => { client.close() })
  const [isHandled, isOver] = [once(requests, 'handled'), once(requests, 'responded')]
  const cookie = `session=${app.encodeSecureSession(app.createSecureSession({ user: 'ada' }))}`
  const stream = client.request({ ':path': '/', cookie })
  await isHandled
  stream.close(constants.NGHTTP2_CANCEL)
  t.strictSame(await isOver, [null])
})

t.test('an opened session stays readable after the reply was sent', async t => {
  const seen: unknown[] = []
  let responded: () => void
  const isOver = new Promise<void>(resolve => { responded = resolve })
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(secureSession, { key: KEY })
  const onResponse = async ({ session }: FastifyRequest): Promise<void> => { seen.push(session.get('user')); responded() }
  app.get('/', { onResponse }, async ({ session }) => { session.set('user', 'ada'); return {} })
  await statusOf(await app.listen({ port: 0, host: '127.0.0.1' }), '')
  await isOver
  t.strictSame(seen, ['ada'])
})

t.test('a request in frameworkErrors has no session, because Fastify does not decorate it', async t => {
  const seen: unknown[] = []
  const app = fastify({
    frameworkErrors (_error, request, reply) { seen.push(request.session); (reply as FastifyReply).code(400).send({}) }
  })
  t.teardown(() => app.close())
  await app.register(secureSession, { key: KEY })
  t.equal(await statusOf(`${await app.listen({ port: 0, host: '127.0.0.1' })}/%world`, ''), 400)
  t.strictSame(seen, [undefined])
})

t.test('a guard answers 503 also if a log line has met the error before', async t => {
  const { address, seen, cookie } = await site(t, {}, (app, read) => {
    app.addHook('onRequest', async request => { read('hook', request) })
    app.get('/', { preHandler: app.requireSession() }, async () => ({}))
  })
  t.equal(await statusOf(address, cookie), 503)
  t.strictSame(seen, ['hook: FST_SESSION_STORE_UNAVAILABLE'])
})
