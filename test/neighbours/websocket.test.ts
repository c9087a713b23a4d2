import websocket from '@fastify/websocket'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import t, { type Test } from 'tap'
import { WebSocket, WebSocketServer } from 'ws'
import secureSession from '../../index'
import { addRoutes, appWith, bareApp, KEY, WARN, type TestApp } from '../helpers/app'
import { listen, Visitor } from './helpers'

/** A site with sockets. A stranger is turned away before the upgrade. */
async function site (t: Test): Promise<TestApp> {
  const app = bareApp(t)
  await app.register(websocket)
  await app.register(secureSession, { key: KEY })
  addRoutes(app)
  app.register(async members => {
    members.addHook('onRequest', async ({ session }, reply) => {
      if (session.has('user')) return
      session.set('returnTo', '/chat')
      return await reply.code(401).send({ code: 'LOGIN_FIRST' })
    })
    members.get('/chat', { websocket: true }, (socket, request) => {
      socket.on('message', text => { socket.send(answer(request.session, String(text))) })
    })
  })
  return app
}

/** What a member is told: what they ask for, or what became of an attempt to change the session. */
function answer (session: secureSession.Session, text: string): string {
  if (text !== 'write') return `${session.get('user')}: ${text}`
  try {
    session.set('late', true)
    return 'written'
  } catch (error) {
    return (error as { code: string }).code
  }
}

interface Connection {
  readonly socket: WebSocket
  readonly setCookies: string[]
  ask (text: string): Promise<string>
}

async function connect (t: Test, url: string, visitor: Visitor): Promise<Connection> {
  const socket = open(url, visitor)
  t.teardown(() => { socket.terminate() })
  const [[response]] = await Promise.all([once(socket, 'upgrade'), once(socket, 'open')]) as [[IncomingMessage], unknown]
  return {
    socket,
    setCookies: response.headers['set-cookie'] ?? [],
    async ask (text) {
      socket.send(text)
      return String((await once(socket, 'message'))[0])
    }
  }
}

/** How a server that does not upgrade answers. */
async function refusal (url: string, visitor: Visitor): Promise<{ status: number | undefined, setCookies: string[] }> {
  const socket = open(url, visitor)
  socket.on('error', () => {})
  const [, response] = await once(socket, 'unexpected-response') as [unknown, IncomingMessage]
  response.resume()
  await once(response, 'end')
  socket.terminate()
  return { status: response.statusCode, setCookies: response.headers['set-cookie'] ?? [] }
}

function open (url: string, visitor: Visitor): WebSocket {
  const cookie = visitor.cookie(new URL(url).pathname)
  return new WebSocket(url.replace('http:', 'ws:'), cookie === undefined ? {} : { headers: { cookie } })
}

t.test('a logged-in user reads the session of the upgrade for as long as the socket is open', async t => {
  const address = await listen(await site(t))
  const ada = new Visitor(address)
  const bob = new Visitor(address)
  await ada.send('/set/user/ada')
  await bob.send('/set/user/bob')
  const [hers, his] = [await connect(t, `${address}/chat`, ada), await connect(t, `${address}/chat`, bob)]
  t.strictSame(hers.setCookies, [])
  t.strictSame(await Promise.all([hers.ask('hello'), his.ask('hi')]), ['ada: hello', 'bob: hi'])

  await ada.send('/delete')
  t.strictSame(await ada.json('/get'), {})
  t.equal(await hers.ask('still here'), 'ada: still here', 'a logout elsewhere is not told to an open socket')
  t.match(await refusal(`${address}/chat`, ada), { status: 401 }, 'but the next one is refused')
})

t.test('a WebSocket without a user is refused with 401 before the upgrade; changes of the hook stay', async t => {
  const app = await site(t)
  const address = await listen(app)
  const stranger = new Visitor(address)
  const { status, setCookies } = await refusal(`${address}/chat`, stranger)
  t.equal(status, 401)
  t.match(setCookies, [/^session=[\w-]+; Path=\/; HttpOnly; SameSite=Lax$/])
  t.equal(app.websocketServer.clients.size, 0)
  stranger.keep(setCookies[0] as string)
  t.strictSame(await stranger.json('/get'), { returnTo: '/chat' })
  await stranger.send('/set/user/ada')
  t.equal(await (await connect(t, `${address}/chat`, stranger)).ask('now'), 'ada: now')
})

t.test('a WebSocket with a changed cookie is refused like one without a user', async t => {
  const address = await listen(await site(t))
  const eve = new Visitor(address)
  await eve.send('/set/user/eve')
  eve.keep(`${eve.cookie()?.replace(/.{3}$/, 'AAA')}; Path=/`)
  t.match(await refusal(`${address}/chat`, eve), { status: 401 })
})

t.test('a change after the upgrade throws, and the socket and its session stay usable', async t => {
  const app = await site(t)
  const address = await listen(app)
  const ada = new Visitor(address)
  await ada.send('/set/user/ada')
  const chat = await connect(t, `${address}/chat`, ada)
  t.equal(await chat.ask('write'), 'FST_SESSION_COMMITTED')
  t.equal(await chat.ask('go on'), 'ada: go on')
  t.strictSame(await ada.json('/get'), { user: 'ada' })
  await app.close()
  t.strictSame(app.lines.filter(({ level }) => level >= WARN), [])
})

t.test('a session that is written during the upgrade reaches the client by the headers event', async t => {
  const app = await site(t)
  const lines = new WeakMap<IncomingMessage, string[]>()
  app.websocketServer.on('headers', (headers: string[], request: IncomingMessage) => {
    for (const line of lines.get(request) ?? []) headers.push(`Set-Cookie: ${line}`)
  })
  app.get('/lobby', {
    websocket: true,
    preHandler: async (request, reply) => {
      request.session.set('visits', (request.session.get('visits') ?? 0) + 1)
      lines.set(request.raw, reply.commitSession())
    }
  }, (socket, { session }) => { socket.on('message', () => { socket.send(String(session.get('visits'))) }) })
  const address = await listen(app)
  const guest = new Visitor(address)
  for (const visits of [1, 2]) {
    const lobby = await connect(t, `${address}/lobby`, guest)
    t.equal(lobby.setCookies.length, 1)
    t.equal(await lobby.ask('how often?'), String(visits))
    guest.keep(lobby.setCookies[0] as string)
    t.strictSame(await guest.json('/get'), { visits })
  }
  await app.close()
  t.strictSame(app.lines.filter(({ level }) => level >= WARN), [])
})

t.test('a session that is written during the upgrade and not committed is logged', async t => {
  const app = await site(t)
  const closed: Array<Promise<unknown>> = []
  app.get('/lobby', { websocket: true, preHandler: async ({ session }) => { session.set('visits', 1) } }, (socket, { raw }) => {
    closed.push(once(raw.socket, 'close'))
    socket.close()
  })
  const address = await listen(app)
  t.strictSame((await connect(t, `${address}/lobby`, new Visitor(address))).setCookies, [])
  await Promise.all(closed)
  t.match(app.lines.filter(({ level }) => level >= WARN), [{ level: WARN, msg: /commitSession/ }])
})

t.test('another WebSocket server can open the cookie of an upgrade with decodeSecureSession', async t => {
  const app = await appWith(t, { key: KEY })
  addRoutes(app)
  const sockets = new WebSocketServer({ noServer: true })
  app.server.on('upgrade', (request, stream, head) => {
    const { session: token } = app.parseCookie(request.headers.cookie ?? '')
    const user = app.decodeSecureSession(token)?.get('user')
    if (user === undefined) return stream.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n')
    sockets.handleUpgrade(request, stream, head, socket => {
      socket.on('message', text => { socket.send(`${user}: ${String(text)}`) })
    })
  })
  const address = await listen(app)
  const ada = new Visitor(address)
  t.match(await refusal(`${address}/news`, ada), { status: 401 })
  await ada.send('/set/user/ada')
  const news = await connect(t, `${address}/news`, ada)
  t.equal(await news.ask('anything?'), 'ada: anything?')
  news.socket.close()
  await once(news.socket, 'close')
})

t.test('verifyClient of @fastify/websocket can read the session as well', async t => {
  const app = bareApp(t)
  await app.register(websocket, {
    options: { verifyClient: ({ req }: { req: IncomingMessage }) => app.decodeSecureSession(app.parseCookie(req.headers.cookie ?? '')['session'])?.has('user') === true }
  })
  await app.register(secureSession, { key: KEY })
  addRoutes(app)
  app.get('/chat', { websocket: true }, (socket, { session }) => { socket.on('message', () => { socket.send(session.get('user')) }) })
  const address = await listen(app)
  const ada = new Visitor(address)
  t.match(await refusal(`${address}/chat`, ada), { status: 401 })
  await ada.send('/set/user/ada')
  t.equal(await (await connect(t, `${address}/chat`, ada)).ask('who am I?'), 'ada')
})
