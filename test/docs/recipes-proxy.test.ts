import fastify from 'fastify'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { WebSocket, WebSocketServer } from 'ws'
import { appWith, KEY, type TestApp } from '../helpers/app'
import { runSnippet } from '../helpers/snippet'
import { listen, Visitor } from '../neighbours/helpers'
import { pageOf } from './page'

const { block } = pageOf('recipes/proxying.md')

/** What the upstream was sent. */
interface Sent {
  readonly url: string
  readonly cookie: string | null
  readonly user: string | null
}

/** Answers with what it was sent, over HTTP and over WebSockets, and tries to set the session's cookie. */
async function upstream (t: Test): Promise<string> {
  const app = fastify()
  const sentBy = (url: string, headers: Record<string, unknown>): Sent => {
    const { cookie = null, 'x-user': user = null } = headers as { cookie?: string, 'x-user'?: string }
    return { url, cookie, user }
  }
  app.all('/*', async ({ url, headers }, reply) => {
    return reply.header('set-cookie', 'session=theirs; Path=/').send(sentBy(url, headers))
  })
  const sockets = new WebSocketServer({ server: app.server })
  sockets.on('connection', (socket, { url, headers }) => {
    socket.send(JSON.stringify(sentBy(url as string, headers)))
  })
  t.teardown(async () => { await app.close() })
  return await listen(app)
}

async function site (t: Test, text: string): Promise<TestApp> {
  const app = await appWith(t, { key: KEY, subject: session => session.get('user')?.id })
  app.get('/login', async ({ session }) => { session.regenerate(); session.set('user', { id: 17 }); return {} })
  app.get('/me', async ({ session }) => session.data())
  const program = block(t, 'js', 'function headersFor')
  const [, helpers] = /(function headersFor[^]*?)(?=\napp\.register)/.exec(program) as unknown as [string, string]
  const [, code = ''] = /(app\.register\((?:require|async orders)[^]*?)(?=\napp\.post|$)/.exec(block(t, 'js', text)) ?? []
  const env = { ORDERS_API: await upstream(t) }
  runSnippet(helpers + code, { app, require, process: { env } })
  return app
}

async function loggedIn (address: string): Promise<Visitor> {
  const ada = new Visitor(address)
  await ada.send('/login')
  ada.keep('theme=dark; Path=/')
  return ada
}

for (const [name, text, url, upstreamUrl] of [
  ['@fastify/http-proxy', 'http-proxy', '/orders/list?page=2', '/list?page=2'],
  ['@fastify/reply-from', 'reply-from', '/orders', '/list']
] as const) {
  t.test(`${name}: the upstream receives the user id and no session cookie`, async t => {
    const address = await listen(await site(t, text))
    const ada = await loggedIn(address)
    t.strictSame(await ada.json(url), { url: upstreamUrl, cookie: 'theme=dark', user: '17' })
    t.match(ada.cookie(), /session=.*theme=dark|theme=dark.*session=/)

    const withoutTheme = new Visitor(address)
    await withoutTheme.send('/login')
    t.strictSame(await withoutTheme.json(url), { url: upstreamUrl, cookie: null, user: '17' })
    const sent = await withoutTheme.send(url, { headers: { 'x-user': '1' } })
    t.match(await sent.json(), { user: '17' }, 'what a client says of itself is written over')
    t.equal((await new Visitor(address).send(url, { headers: { 'x-user': '17' } })).status, 401)
  })
}

t.test('the Set-Cookie of an upstream does not reach the browser', async t => {
  const ada = await loggedIn(await listen(await site(t, 'http-proxy')))
  const response = await ada.send('/orders/list')
  t.strictSame(response.headers.getSetCookie(), [])
  t.strictSame(await ada.json('/me'), { user: { id: 17 } })
})

t.test('over WebSockets the upstream receives no session cookie, either', async t => {
  const address = await listen(await site(t, 'http-proxy'))
  const ada = await loggedIn(address)
  const headers = { cookie: ada.cookie() as string }
  const socket = new WebSocket(`${address.replace('http:', 'ws:')}/orders/live`, { headers })
  t.teardown(() => { socket.terminate() })
  const [message] = await once(socket, 'message')
  t.strictSame(JSON.parse(String(message)), { url: '/live', cookie: 'theme=dark', user: '17' })
})
