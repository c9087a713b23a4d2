import { once } from 'node:events'
import { connect, type ClientHttp2Session } from 'node:http2'
import t, { type Test } from 'tap'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import secureSession from '../../index'
import { appWith, ERROR, KEY, WARN } from '../helpers/app'

/** The Set-Cookie lines of a response whose head the app writes by itself, and the log lines of a warning or worse. */
async function byHand (t: Test, write: (request: FastifyRequest, reply: FastifyReply) => void, cookie = ''): Promise<{ lines: string[], body: string, log: unknown[], response: Response }> {
  const app = await appWith(t)
  app.get('/fill', async ({ session }) => { session.set('cart', []); return {} })
  app.get('/', (request, reply) => { reply.hijack(); write(request, reply) })
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  const filled = (await fetch(`${address}/fill`)).headers.getSetCookie()[0]?.split(';')[0] as string
  const response = await fetch(address, { headers: { cookie: cookie === 'filled' ? filled : cookie } })
  const body = await response.text()
  await app.close()
  return { response, lines: response.headers.getSetCookie(), body, log: app.lines.filter(({ level }) => level >= WARN) }
}

t.test('a change is sent with a head that the app writes, without commitSession', async t => {
  const heads: Array<(raw: FastifyReply['raw']) => void> = [
    raw => { raw.writeHead(200) },
    raw => { raw.writeHead(200, 'fine') },
    raw => { raw.writeHead(200, undefined) },
    raw => { raw.writeHead(200, null as never) },
    raw => { raw.writeHead(200, { 'content-type': 'text/plain' }) },
    raw => { raw.writeHead(200, 'fine', ['content-type', 'text/plain']) },
    raw => { raw.flushHeaders() },
    raw => { raw.write('first ') },
    () => {}
  ]
  for (const [index, head] of heads.entries()) {
    const { lines, body, log } = await byHand(t, ({ session }, { raw }) => { session.set('user', 'ada'); head(raw); raw.end('by hand') })
    t.match(lines, [/^session=[\w-]+; Path=\//], String(index))
    t.match(body, /by hand$/)
    t.strictSame(log, [])
  }
})

t.test('Set-Cookie lines of the app stay, in every form in which it passes them to writeHead', async t => {
  const heads: Array<(raw: FastifyReply['raw']) => void> = [
    raw => { raw.setHeader('set-cookie', 'a=1') },
    raw => { raw.writeHead(200, { 'Set-Cookie': 'a=1', 'x-name': 'y' }) },
    raw => { raw.writeHead(200, { 'set-cookie': ['a=1'] }) },
    raw => { raw.writeHead(200, ['Set-Cookie', 'a=1', 'x-name', 'y']) },
    raw => { raw.writeHead(200, ['x-name', 'y', 'Set-Cookie', 'a=1']) },
    raw => { raw.writeHead(200, [['Set-Cookie', 'a=1'], ['x-name', 'y']] as never) },
    raw => { raw.writeHead(200, 'fine', { 'set-cookie': 'a=1', 'x-name': 'y' }) }
  ]
  for (const [index, head] of heads.entries()) {
    const { lines, response } = await byHand(t, ({ session }, { raw }) => { session.set('user', 'ada'); head(raw); raw.end() })
    t.match(lines.sort(), [/^a=1/, /^session=/], String(index))
    t.equal(lines.length, 2)
    if (String(head).includes('x-name')) t.equal(response.headers.get('x-name'), 'y', String(index))
    if (String(head).includes('fine')) t.equal(response.statusText, 'fine')
  }
})

t.test('Set-Cookie lines that the app set before stay beside those that it passes to writeHead', async t => {
  const { lines } = await byHand(t, ({ session }, { raw }) => {
    session.set('user', 'ada')
    raw.setHeader('set-cookie', 'b=1')
    raw.writeHead(200, { 'set-cookie': 'a=1' })
    raw.end()
  })
  t.match(lines.sort(), [/^a=1/, /^b=1/, /^session=/])
})

t.test('a head that the app writes has the cookie for a change inside an object, and not for a read', async t => {
  const changed = await byHand(t, ({ session }, { raw }) => { session.get('cart').push(1); raw.end() }, 'filled')
  t.match(changed.lines, [/^session=/])
  const read = await byHand(t, ({ session }, { raw }) => { session.get('cart'); raw.end() }, 'filled')
  t.strictSame(read.lines, [])
})

t.test('with a head that the app writes, a session that cannot be written is logged and omitted', async t => {
  const { lines, body, log } = await byHand(t, ({ session }, { raw }) => { session.set('user', 'x'.repeat(5000)); raw.end('by hand') })
  t.strictSame(lines, [])
  t.equal(body, 'by hand')
  t.match(log, [{ level: ERROR, err: { code: 'FST_SESSION_TOO_LARGE' } }])
})

t.test('commitSession returns nothing for a session that could not be written with the head before', async t => {
  const { lines, log } = await byHand(t, ({ session }, reply) => {
    session.set('user', 'x'.repeat(5000))
    reply.raw.writeHead(200)
    t.strictSame(reply.commitSession(), [])
    reply.raw.end()
  })
  t.strictSame(lines, [])
  t.match(log, [{ level: ERROR, err: { code: 'FST_SESSION_TOO_LARGE' } }])
  t.equal(log.length, 1)
})

t.test('a committed cookie is not sent twice with a head that the app writes', async t => {
  const { lines } = await byHand(t, ({ session }, reply) => { session.set('user', 'ada'); reply.commitSession(); reply.raw.end() })
  t.match(lines, [/^session=/])
  t.equal(lines.length, 1)
})

t.test('a change in a hook before the plugin is sent with a head that the app writes', async t => {
  const app = fastify()
  t.teardown(() => app.close())
  app.addHook('onRequest', async ({ session }) => { session.set('user', 'ada') })
  await app.register(secureSession, { key: KEY })
  app.get('/', (request, reply) => { reply.hijack(); reply.raw.end('by hand') })
  const response = await fetch(await app.listen({ port: 0, host: '127.0.0.1' }))
  t.match(response.headers.getSetCookie(), [/^session=/])
})

async function overHttp2 (client: ClientHttp2Session): Promise<unknown> {
  const stream = client.request({ ':path': '/' })
  const [headers] = await once(stream, 'response')
  stream.resume()
  await once(stream, 'close')
  return headers['set-cookie']
}

t.test('over HTTP/2 a change is sent with a head that the app writes', async t => {
  const app = fastify({ http2: true }) as unknown as FastifyInstance
  await app.register(secureSession, { key: KEY })
  app.get('/', (request, reply) => { request.session.set('user', 'ada'); reply.hijack(); reply.raw.end('by hand') })
  const client = connect(await app.listen({ port: 0, host: '127.0.0.1' }))
  t.teardown(async () => { client.close(); await app.close() })
  t.match(await overHttp2(client), [/^session=/])
})
