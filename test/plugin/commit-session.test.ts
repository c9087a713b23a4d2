import websocket from '@fastify/websocket'
import { once } from 'node:events'
import { get } from 'node:http'
import { connect as connectTo, type AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import type { FastifyRequest } from 'fastify'
import secureSession from '../../index'
import { addRoutes, appWith, bareApp, KEY, WARN, type TestApp } from '../helpers/app'
import { Browser, setCookies } from '../helpers/browser'
import { CountingStore } from '../revocation/stores'
import { appOfUsers, loggedIn } from '../revocation/users'

async function listen (app: TestApp): Promise<string> {
  return await app.listen({ port: 0, host: '127.0.0.1' })
}

t.test('a hijacked reply has the cookie, if it is committed before or after the hijacking', async t => {
  const app = await appWith(t)
  addRoutes(app)
  app.get('/before', (request, reply) => {
    request.session.set('user', 'ada')
    reply.commitSession()
    reply.hijack()
    reply.raw.end('by hand')
  })
  app.get('/after', (request, reply) => {
    reply.hijack()
    request.session.set('user', 'ada')
    reply.commitSession()
    reply.raw.end('by hand')
  })
  app.get('/lines', (request, reply) => {
    reply.hijack()
    request.session.set('user', 'ada')
    reply.raw.writeHead(200, { 'set-cookie': reply.commitSession() })
    reply.raw.end('by hand')
  })
  app.get('/headers', (request, reply) => {
    request.session.set('user', 'ada')
    reply.header('set-cookie', 'other=1')
    reply.commitSession()
    reply.hijack()
    reply.raw.writeHead(200, reply.getHeaders() as Record<string, string>)
    reply.raw.end('by hand')
  })
  const address = await listen(app)
  for (const [url, cookies] of [['/before', 1], ['/after', 1], ['/lines', 1], ['/headers', 2]] as const) {
    const response = await fetch(address + url)
    t.equal(await response.text(), 'by hand')
    t.equal(response.headers.getSetCookie().length, cookies, url)
    const cookie = response.headers.getSetCookie().at(-1)?.split(';')[0] as string
    t.strictSame((await app.inject({ url: '/get', headers: { cookie } })).json(), { user: 'ada' })
    t.equal(response.headers.get('cache-control'), 'no-store')
  }
})

t.test('commitSession returns the lines, and onSend does not add them again', async t => {
  const app = await appWith(t)
  app.get('/', async (request, reply) => {
    request.session.set('user', 'ada')
    return [reply.commitSession(), reply.commitSession()]
  })
  const response = await app.inject('/')
  const [first, second] = response.json()
  t.strictSame(first, setCookies(response))
  t.strictSame(second, first)
})

t.test('commitSession without a change returns nothing, except for a renewal', async t => {
  const app = await appWith(t)
  app.get('/', async (request, reply) => { request.session.get('a'); return reply.commitSession() })
  const response = await app.inject('/')
  t.strictSame(response.json(), [])
  t.equal(response.headers['cache-control'], undefined)
})

t.test('commitSession returns the same lines again, whatever was changed in place since it was called', async t => {
  for (const revocation of [undefined, { store: secureSession.memoryRevocation() }]) {
    const app = await appWith(t, { key: KEY, revocation })
    app.get('/', async ({ session }, reply) => {
      session.set('cart', [])
      const lines = reply.commitSession()
      session.get('cart').push(1n)
      t.strictSame(reply.commitSession(), lines)
      return {}
    })
    t.equal((await app.inject('/')).statusCode, 200)
  }
})

t.test('a hook that runs after the plugin can remove the cookie from a reply', async t => {
  const app = await appWith(t)
  app.addHook('onSend', async (_request, reply) => { reply.removeHeader('set-cookie') })
  addRoutes(app)
  const response = await app.inject('/set/user/ada')
  t.strictSame([response.statusCode, setCookies(response)], [200, []])
})

t.test('the array that commitSession returns is a copy', async t => {
  const app = await appWith(t)
  app.get('/', async (request, reply) => { request.session.set('a', 1); reply.commitSession().length = 0; return {} })
  t.equal(setCookies(await app.inject('/')).length, 1)
})

t.test('commitSession throws for a session that cannot be written', async t => {
  const app = await appWith(t)
  app.get('/', async (request, reply) => { request.session.set('a', [1n]); reply.commitSession(); return {} })
  t.match((await app.inject('/')).json(), { code: 'FST_SESSION_NOT_SERIALIZABLE' })
})

t.test('commitSession after the head was sent returns the lines that were sent', async t => {
  const app = await appWith(t)
  const counts: number[] = []
  for (const url of ['/', '/nothing']) {
    app.get(url, ({ session }, reply) => {
      if (url === '/') session.set('user', 'ada')
      reply.hijack()
      reply.raw.writeHead(200)
      counts.push(reply.commitSession().length)
      reply.raw.end()
    })
  }
  const address = await listen(app)
  for (const url of ['/', '/nothing']) await (await fetch(address + url)).text()
  t.strictSame(counts, [1, 0])
})

async function socketApp (t: Test): Promise<TestApp> {
  const app = bareApp(t)
  await app.register(websocket)
  await app.register(secureSession, { key: KEY })
  addRoutes(app)
  return app
}

/** The Set-Cookie lines of the answer to an upgrade, and the first message. */
async function connect (address: string, cookie?: string): Promise<{ lines: string[], message: any }> {
  const socket = new WebSocket(address.replace('http', 'ws'), cookie === undefined ? {} : { headers: { cookie } })
  const upgraded = once(socket, 'upgrade')
  const [message] = await once(socket, 'message')
  const [response] = await upgraded
  socket.close()
  await once(socket, 'close')
  return { lines: response.headers['set-cookie'] ?? [], message: JSON.parse(String(message)) }
}

t.test('a WebSocket upgrade has the cookie if the lines are added in its headers event', async t => {
  const app = await socketApp(t)
  const lines = new WeakMap<object, string[]>()
  app.websocketServer.on('headers', (headers: string[], request: object) => {
    for (const line of lines.get(request) ?? []) headers.push(`Set-Cookie: ${line}`)
  })
  app.get('/socket', {
    websocket: true,
    preHandler: async (request, reply) => {
      request.session.set('connected', true)
      lines.set(request.raw, reply.commitSession())
    }
  }, (socket, request) => { socket.send(JSON.stringify(request.session.data())) })
  const address = await listen(app)
  const first = await connect(`${address}/socket`)
  t.match(first, { message: { connected: true }, lines: [/^session=/] })
  const browser = new Browser(app)
  browser.keep(first.lines[0] as string)
  t.strictSame(await browser.json('/get'), { connected: true })
  t.strictSame(warnings(app), [])
})

t.test('a WebSocket handler can read the session of its upgrade, and a change there throws', async t => {
  const app = await socketApp(t)
  app.get('/socket', { websocket: true }, (socket, request) => {
    let code = 'no error'
    try { request.session.set('late', 1) } catch (error) { code = (error as { code: string }).code }
    socket.send(JSON.stringify({ data: request.session.data(), code }))
  })
  const address = await listen(app)
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  t.match(await connect(`${address}/socket`, browser.header), { message: { data: { user: 'ada' }, code: 'FST_SESSION_COMMITTED' }, lines: [] })
})

const warnings = ({ lines }: TestApp): unknown[] => lines.filter(({ level, msg }) => level === WARN && /never written/.test(msg))

t.test('two changes that an upgrade loses cause one warning', async t => {
  const app = await socketApp(t)
  const preHandler = async ({ session }: FastifyRequest): Promise<void> => { session.set('lost', 1); session.set('also', 2) }
  app.get('/socket', { websocket: true, preHandler }, socket => { socket.send('{}') })
  await connect(`${await listen(app)}/socket`)
  await app.close()
  t.match(warnings(app), [{ cookie: 'session', msg: /commitSession/ }])
  t.equal(warnings(app).length, 1)
})

t.test('an object of the session that is changed after the head was sent causes a warning', async t => {
  const app = await appWith(t)
  const codes: string[] = []
  app.get('/fill', async ({ session }) => { session.set('cart', []); return {} })
  app.get('/:what', (request, reply) => {
    reply.hijack()
    reply.raw.write('x')
    request.session.get('cart').push((request.params as { what: string }).what === 'late' ? 1 : 1n)
    try { reply.commitSession() } catch (error) { codes.push((error as { code: string }).code) }
    reply.raw.end()
  })
  const address = await listen(app)
  const cookie = (await fetch(`${address}/fill`)).headers.getSetCookie()[0]?.split(';')[0] as string
  for (const url of ['/late', '/unwritable']) await (await fetch(address + url, { headers: { cookie } })).text()
  await app.close()
  t.equal(warnings(app).length, 2)
  t.strictSame(codes, ['FST_SESSION_COMMITTED', 'FST_SESSION_COMMITTED'])
})

t.test('a client that disconnects before the reply causes no warning', async t => {
  const app = await appWith(t)
  let left: () => void
  const gone = new Promise<void>(resolve => { left = resolve })
  app.get('/', async (request, reply) => {
    request.session.set('a', 1)
    reply.raw.once('close', () => { left() })
    client.destroy()
    await gone
    return {}
  })
  const address = await listen(app)
  const client = get(address)
  client.on('error', () => {})
  await gone
  await app.close()
  t.strictSame(app.lines.filter(({ level }) => level === WARN), [])
})

t.test('commitSession throws where a session cannot be written, with `revocation` too, and calls no store', async t => {
  const store = new CountingStore()
  const app = await appOfUsers(t, { store })
  const codes: string[] = []
  app.get('/fill/:bytes', (request, reply) => {
    request.session.set('user', 'grace')
    request.session.set('big', 'x'.repeat(Number((request.params as { bytes: string }).bytes)))
    try {
      reply.commitSession()
    } catch (error) {
      codes.push((error as { code: string }).code)
    }
    reply.hijack()
    reply.raw.end()
  })
  const browser = await loggedIn(app)
  const { asked, raised } = store
  t.strictSame(setCookies(await browser.get('/fill/5000')), [])
  t.strictSame(codes, ['FST_SESSION_TOO_LARGE'])
  t.strictSame([store.asked, store.raised], [asked, raised])
  t.match(setCookies(await browser.get('/fill/50')), [/^session=A/])
  t.equal(codes.length, 1)
  t.equal(store.raised, raised + 1, 'the session of the other user has ended')
})

t.test('a reply with a trailer that Node.js refuses, after commitSession(), is a 500', async t => {
  const app = await appWith(t)
  app.get('/:act', async ({ session, params }, reply) => {
    if ((params as { act: string }).act === 'write') session.set('user', 'ada')
    else session.get('user')
    reply.commitSession()
    reply.trailer('x-end', async () => 'the end')
    return 'text'
  })
  await listen(app)
  for (const act of ['read', 'write']) {
    const socket = connectTo((app.server.address() as AddressInfo).port, '127.0.0.1')
    // A request line can claim any version. For 2.0 Fastify sets no transfer encoding, which a trailer needs here.
    socket.end(`GET /${act} HTTP/2.0\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
    t.match(await text(socket), /^HTTP\/1.1 500 /, act)
  }
})
