import http2 from 'node:http2'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import t, { type Test } from 'tap'
import secureSession from '../../index'
import { addRoutes, appWith, KEY, WARN, type TestApp } from '../helpers/app'
import { Browser } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'
import { loggedInBefore } from '../legacy/old-app'
import { hear } from '../events/subscribed'
import { addLogins, Client, COOKIE, ENDED_TOKEN, given, loggedIn, NEW_TOKEN, NOTHING, site, subject } from './client'

const HOUR_MS = 3_600_000

t.test('a session that came as a token is answered in the header, and never by a cookie', async t => {
  for (const transport of ['bearer', 'both'] as const) {
    const app = await site(t, { transport })
    const client = await loggedIn(app)
    const first = client.token
    for (const url of ['/set/page/a', '/touch', '/regenerate?keep=user', '/login/ada', '/login/bob', '/set/user/eve', '/get']) {
      const response = await client.get(url)
      t.strictSame(given(response), url === '/get' ? NOTHING : NEW_TOKEN, `${transport}: ${url}`)
      if (url !== '/get') t.equal(response.headers['cache-control'], 'no-store', url)
    }
    t.not(client.token, first)
    t.strictSame(await client.json('/get'), { user: 'eve' })
    t.match(await client.json('/info'), { transport: 'bearer', isNew: false })
    const failed = await client.get('/fail')
    t.strictSame([failed.statusCode, given(failed), failed.headers['cache-control']], [500, NEW_TOKEN, 'no-store'])
    t.strictSame(await client.json('/get'), { user: 'eve', tried: true })
    const logout = await client.copy().get('/delete')
    t.strictSame([given(logout), logout.headers['cache-control']], [ENDED_TOKEN, 'no-store'])
    t.strictSame(given(await client.get('/again')), NEW_TOKEN)
    t.strictSame(await client.json('/get'), { page: 'b' })
  }
})

t.test('with bearer, a new session is a token, and nothing about cookies is written', async t => {
  const clock = fakeClock(t)
  const app = await site(t, { transport: 'bearer', subject: undefined })
  const cookie = 'session=a; session.t=b; session.u=c; session.d=d; session.1=e'
  const client = new Client(app)
  t.strictSame(given(await client.get('/get', { headers: { cookie } })), NOTHING)
  t.strictSame(given(await client.get('/set/page/a', { headers: { cookie } })), NEW_TOKEN)
  clock.advance(7 * HOUR_MS)
  t.strictSame(given(await client.get('/get', { headers: { cookie } })), NEW_TOKEN)
  t.strictSame(given(await client.get('/regenerate', { headers: { cookie } })), NEW_TOKEN)
  t.strictSame(given(await client.get('/delete', { headers: { cookie } })), ENDED_TOKEN)
  t.strictSame(given(await new Client(app).get('/delete', { headers: { cookie } })), ENDED_TOKEN)
})

t.test('a session that came in a cookie never leaves in the header', async t => {
  const clock = fakeClock(t, Date.now())
  const revocation = { store: secureSession.memoryRevocation() }
  const app = await site(t, { revocation, deviceBound: true, maxCookies: 2 })
  const browser = new Browser(app)
  t.strictSame(given(await browser.get('/login/ada')), COOKIE)
  const urls = [
    '/set/page/a', '/touch', '/fail', '/regenerate?keep=user', '/login/bob', '/set/user/eve', '/get', '/login/eve?transport=cookie', '/delete', '/set/page/b',
    '/login/ada'
  ]
  for (const url of urls) t.equal(given(await browser.get(url)).token, 'none', url)
  for (const url of ['/login/ada?transport=bearer', '/delete-and-begin', '/regenerate-and-keep']) {
    await browser.get('/login/ada')
    const refused = await browser.get(url)
    t.match([refused.statusCode, refused.json().code], [400, 'FST_SESSION_TRANSPORT'], url)
    t.equal(given(refused).token, 'none', url)
  }
  await browser.get('/login/ada')
  for (let visit = 0; visit < 4; visit++) {
    clock.advance(6 * HOUR_MS)
    const all = await Promise.all(['/get', '/set/page/d', '/get', '/untouched'].map(async url => await browser.copy().get(url)))
    for (const response of all) t.equal(given(response).token, 'none')
    t.equal(given(await browser.get('/get')).token, 'none')
  }
  await app.secureSession.revokeSubject('ada')
  t.strictSame(given(await browser.get('/get')).token, 'none')
})

t.test('a legacy session migrates to a cookie, a planted cookie cannot become a token, and a bearer session no cookie', async t => {
  const old = Buffer.alloc(32, 7)
  const legacy = [secureSession.secureSessionOpener({ key: old })]
  const app = await site(t, { legacy })
  const browser = (await loggedInBefore(t, { key: old })).copy(app)
  t.match((await browser.get('/login/ada?transport=bearer')).json(), { code: 'FST_SESSION_TRANSPORT' })
  t.strictSame(given(await browser.get('/set/page/a')), COOKIE)
  const junk = await app.inject({ url: '/login/ada?transport=bearer', headers: { cookie: 'session=junk' } })
  t.strictSame([junk.statusCode, given(junk)], [400, NOTHING])
  const client = await loggedIn(app)
  const refused = await client.get('/login/ada?transport=cookie')
  t.strictSame([refused.statusCode, refused.json().code, given(refused)], [400, 'FST_SESSION_TRANSPORT', NOTHING])
  t.strictSame(given(await app.inject('/change-mind')), COOKIE)
})

/** Replies of all kinds that write the session. */
function addReplies (app: TestApp): void {
  app.get('/redirect', async ({ session }, reply) => { session.set('page', 'r'); return await reply.redirect('/get', 303) })
  app.get('/not-modified', async ({ session }, reply) => { session.set('page', 'n'); return await reply.code(304).send() })
  app.get('/empty', async ({ session }, reply) => { session.set('page', 'e'); return await reply.code(204).send() })
  app.get('/stream', async ({ session }, reply) => { session.set('page', 's'); return await reply.send(Readable.from(['a', 'b'])) })
  app.get('/response', async ({ session }) => { session.set('page', 'w'); return new Response('web', { headers: { 'session-token': 'foreign', 'cache-control': 'public, max-age=60', 'cdn-cache-control': 'max-age=60' } }) })
  app.get('/plain-response', async ({ session }) => { session.set('page', 'p'); return new Response('web') })
  app.get('/public', async ({ session }, reply) => { session.set('page', 'c'); return await reply.headers({ 'cache-control': 'public, max-age=60', 'surrogate-control': 'max-age=60' }).send('c') })
  app.get('/hijacked', async ({ session }, reply) => { session.set('page', 'h'); reply.hijack(); reply.raw.setHeader('cache-control', 'public'); reply.raw.end('h') })
  app.get('/head/:form', async ({ session, params }, reply) => {
    session.set('page', 'f')
    reply.hijack()
    const headers = { 'Cache-Control': 'public', 'Session-Token': 'foreign', 'x-own': 'o' }
    const form = (params as { form: string }).form
    const given: any = form === 'object' ? headers : Object.entries(headers).flat()
    if (form === 'none') reply.raw.writeHead(200)
    else if (form === 'text') reply.raw.writeHead(200, 'Fine')
    else reply.raw.writeHead(200, given)
    reply.raw.end('f')
  })
  app.get('/committed', async ({ session }, reply) => {
    session.set('page', 'k')
    const lines = reply.commitSession()
    reply.hijack()
    reply.raw.writeHead(200, { 'cache-control': 'public', 'x-lines': String(lines.length), 'x-token': String(reply.getHeader('session-token')) })
    reply.raw.end('k')
  })
  app.get('/early', async ({ session }, reply) => { session.set('page', 'y'); await new Promise<void>(resolve => { reply.writeEarlyHints({ link: '</a.css>; rel=preload' }, resolve) }); return 'y' })
}

const REPLIES = [
  '/redirect', '/not-modified', '/empty', '/stream', '/response', '/plain-response', '/public', '/hijacked', '/head/object', '/head/list', '/head/none', '/head/text', '/committed',
  '/early'
]

t.test('a renewed token goes out with no-store, whatever a later onSend hook sets', async t => {
  const clock = fakeClock(t)
  const app = await site(t)
  app.get('/later', {
    async onSend (_request, reply, payload) {
      reply.headers({ 'cache-control': 'public, max-age=60', 'cdn-cache-control': 'max-age=60' })
      return payload
    }
  }, async ({ session }) => session.get('user'))
  const client = await loggedIn(app)
  clock.advance(7 * HOUR_MS)
  const response = await client.get('/later')
  t.strictSame([given(response), response.headers['cache-control']], [NEW_TOKEN, 'no-store'])
  t.match(response.headers['cdn-cache-control'] ?? 'no-store', 'no-store')
})

t.test('beside a cookie of the session, a value that is set after delete() is refused', async t => {
  const app = await site(t)
  app.get('/delete-and-set', async ({ session }) => { session.delete(); session.set('page', 'a'); return '' })
  const { token } = await loggedIn(app)
  const headers = { authorization: `Bearer ${token}`, cookie: 'session=a' }
  const refused = await app.inject({ url: '/delete-and-set', headers })
  t.strictSame([refused.statusCode, refused.json().code, given(refused)], [400, 'FST_SESSION_TRANSPORT', NOTHING])
  t.equal((await app.inject({ url: '/login/bob', headers })).statusCode, 200)
})

t.test('the header goes out with every kind of reply, with no-store and without cookies, over HTTP/1.1', async t => {
  const app = await site(t)
  addReplies(app)
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  const { token } = await loggedIn(app)
  const headers = { authorization: `Bearer ${token}` }
  for (const url of REPLIES) {
    const response = await fetch(address + url, { headers, redirect: 'manual' })
    const fresh = String(response.headers.get('session-token'))
    t.equal((await app.secureSession.decode(fresh))?.get('user'), 'ada', url)
    t.strictSame([response.headers.get('cache-control'), response.headers.getSetCookie()], ['no-store', []], url)
    for (const name of ['cdn-cache-control', 'surrogate-control']) t.match(response.headers.get(name) ?? 'no-store', 'no-store')
    await response.text()
    if (url.startsWith('/head/') && !/none|text/.test(url)) t.equal(response.headers.get('x-own'), 'o')
    if (url === '/committed') t.strictSame([response.headers.get('x-lines'), response.headers.get('x-token')], ['0', fresh])
  }
  const head = await fetch(`${address}/set/page/x`, { method: 'HEAD', headers })
  t.equal((await app.secureSession.decode(String(head.headers.get('session-token'))))?.get('page'), 'x')
  t.equal((await fetch(`${address}/head/object`)).headers.get('cache-control'), 'public', 'a cookie leaves the head as it is')
})

t.test('over HTTP/2 the header goes out, too', async t => {
  const app = await appWith(t, { key: KEY, subject, transport: 'both', bearerHeader: 'X-Session-Token' }, { http2: true } as object)
  addRoutes(app)
  addLogins(app)
  addReplies(app)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const connection = http2.connect(`http://127.0.0.1:${(app.server.address() as AddressInfo).port}`)
  t.teardown(() => { connection.close() })
  const ask = async (path: string, authorization: string[]): Promise<{ headers: any, body: string }> => {
    const stream = connection.request({ ':path': path, ...(authorization.length === 0 ? {} : { authorization: authorization[0] as string }) })
    const [headers] = await once(stream, 'response')
    let body = ''
    for await (const chunk of stream) body += String(chunk)
    return { headers, body }
  }
  const login = await ask('/login/ada?transport=bearer', [])
  const authorization = `Bearer ${login.headers['x-session-token']}`
  t.equal((await ask('/get', [authorization])).body, '{"user":"ada"}')
  for (const url of ['/redirect', '/stream', '/head/object', '/committed', '/hijacked']) {
    const { headers } = await ask(url, [authorization])
    t.match(headers, { 'x-session-token': /^[\w-]{60,}$/, 'cache-control': 'no-store', 'set-cookie': undefined }, url)
  }
})

async function varies (t: Test, transport: 'cookie' | 'bearer' | 'both'): Promise<TestApp> {
  const app = await site(t, { transport })
  app.get('/varied/:vary', async ({ session, params }, reply) => {
    session.get('user')
    return await reply.header('vary', (params as { vary: string }).vary).send('v')
  })
  return app
}

t.test('a response whose session was read varies by the headers that it can come in', async t => {
  const rows = { cookie: 'Cookie', bearer: 'Authorization', both: 'Cookie, Authorization' } as const
  for (const [transport, vary] of Object.entries(rows)) {
    const app = await varies(t, transport as keyof typeof rows)
    t.equal((await app.inject('/get')).headers['vary'], vary)
    t.equal((await app.inject('/untouched')).headers['vary'], undefined)
    t.equal((await app.inject('/varied/*')).headers['vary'], '*')
    t.equal((await app.inject('/varied/origin')).headers['vary'], `origin, ${vary}`)
  }
  const both = await varies(t, 'both')
  t.equal((await both.inject('/varied/Cookie')).headers['vary'], 'Cookie, Authorization')
  t.equal((await both.inject('/varied/AUTHORIZATION,%20cookie')).headers['vary'], 'AUTHORIZATION, cookie')
})

t.test('of parallel requests each reply has a token of its own, and the last write of the client counts', async t => {
  const app = await site(t)
  const client = await loggedIn(app)
  const replies = await Promise.all(['a', 'b', 'c'].map(async page => await client.copy().get(`/set/page/${page}`)))
  const tokens = replies.map(({ headers }) => String(headers['session-token']))
  t.equal(new Set(tokens).size, 3)
  for (const [index, token] of tokens.entries()) t.strictSame(await new Client(app, token).json('/get'), { user: 'ada', page: 'abc'[index] })
})

t.test('settings of a session stay in its token, and say nothing of cookies', async t => {
  const clock = fakeClock(t)
  const app = await site(t)
  app.get('/remember', async ({ session }) => {
    session.set('user', 'ada')
    session.options({ transport: 'bearer', idle: '10d', persistent: true, sameSite: 'strict' })
    return {}
  })
  const client = new Client(app)
  t.strictSame(given(await client.get('/remember')), NEW_TOKEN)
  clock.advance(9 * 24 * HOUR_MS)
  t.strictSame(given(await client.get('/get')), NEW_TOKEN)
  clock.advance(9 * 24 * HOUR_MS)
  t.strictSame(await client.json('/get'), { user: 'ada' })
})

t.test('a token over plain http warns of nothing, a nearly full one warns once, and no line has a token', async t => {
  const app = await site(t, { cookie: { secure: true } })
  const client = await loggedIn(app)
  const headers = { 'x-forwarded-proto': 'https', host: 'shop.example' }
  await client.get('/set/page/a', { headers })
  t.strictSame(app.lines.filter(({ level }) => level >= WARN), [])
  await client.get('/fill/2500')
  await client.get('/touch')
  t.match(app.lines.filter(({ level }) => level >= WARN), [{ msg: /80 % of its cookie or token/, limit: 4085 }])
  t.notMatch(JSON.stringify(app.lines), client.token.slice(0, 40))
})

t.test('the events of a bearer session are those of a cookie, without a stamp', async t => {
  const clock = fakeClock(t)
  const app = await site(t)
  const heard: unknown[] = []
  for (const name of ['opened', 'refused', 'sealed', 'renewed'] as const) hear(t, `fastify-sealed-session:${name}`, event => { heard.push([name, event]) })
  const client = await loggedIn(app)
  t.match(heard.splice(0), [['sealed', { session: 'session', isNew: true, length: client.token.length }]])
  clock.advance(7 * HOUR_MS)
  await client.get('/get')
  t.match(heard.splice(0), [['opened', { cookie: 'session', check: null }], ['sealed', { isNew: false }]])
  await client.get('/get', { headers: { cookie: 'session=a' } })
  t.match(heard.splice(0), [['refused', { cookie: 'session', reason: 'ambiguous', id: /^[\w-]{22}$/ }]])
})
