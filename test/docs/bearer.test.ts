import csrfProtection from '@fastify/csrf-protection'
import fastify from 'fastify'
import t, { type Test } from 'tap'
import secureSession from '../../index'
import { bareApp, KEY, type TestApp } from '../helpers/app'
import { Browser } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'
import { runSnippet } from '../helpers/snippet'
import { pageOf } from './page'

const { PAGE, block, blocks } = pageOf('bearer.md')

async function site (t: Test): Promise<TestApp> {
  const app = bareApp(t)
  runSnippet(block(t, 'js', 'app.register'), { app, secureSession, process: { env: { SESSION_KEY: KEY.toString('base64') } } })
  await app.after()
  await app.register(csrfProtection, { sessionPlugin: '@fastify/secure-session' })
  const users = { check: async (name: string, password: string) => password === 'a good one' ? { id: name } : null }
  runSnippet(block(t, 'js', '/app/login'), { app, users })
  runSnippet(block(t, 'js', '/transfer'), { app })
  app.get('/form', async (_request, reply) => ({ token: reply.generateCsrf() }))
  app.get('/login', async ({ session }) => { session.set('user', { id: 'bob' }); return {} })
  app.post('/page/:page', async ({ session, params }) => { session.set((params as { page: string }).page, true); return {} })
  app.get('/data', async ({ session }) => session.data())
  app.get('/moved', async ({ session }, reply) => { session.set('moved', true); return await reply.redirect('/data') })
  return app
}

type Fetch = (url: string, options?: RequestInit) => Promise<Response>

t.test('docs/bearer.md: the client logs in, sends one request after the other, follows renewals and logs out', async t => {
  const clock = fakeClock(t, Date.now())
  const app = await site(t)
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  const client = runSnippet(block(t, 'js', 'class Client'), { fetch }, `new Client('${address}/')`)
  const send: Fetch = async (path, options) => await client.fetch(path, options)
  const login = async (password: string): Promise<number> => (await send('/app/login', { method: 'POST', body: JSON.stringify({ name: 'ada', password }), headers: new Headers({ 'content-type': 'application/json' }) })).status
  t.strictSame([await login('a bad one'), (await send('/account')).status, await login('a good one')], [401, 401, 200])
  t.strictSame(await (await send('/account')).json(), { id: 'ada' })
  await Promise.all(['a', 'b', 'c', 'd'].map(async page => await send(`/page/${page}`, { method: 'POST' })))
  t.equal((await send('/moved')).status, 302)
  t.strictSame(await (await send('/data')).json(), { user: { id: 'ada' }, a: true, b: true, c: true, d: true, moved: true })
  for (let visit = 0; visit < 6; visit++) {
    clock.advance(23 * 3_600_000)
    t.equal((await send('/account')).status, 200)
  }
  t.equal((await send('/transfer', { method: 'POST' })).status, 200)
  for (const url of ['http://example.invalid/', '//example.invalid/', address.replace('http', 'https')]) await t.rejects(client.fetch(url), /for http:.* alone/)
  t.equal((await send(`${address}/account`)).status, 200, 'a whole URL of the server')
  const logout = await send('/logout', { method: 'POST' })
  t.strictSame([logout.headers.get('session-token'), logout.headers.getSetCookie()], ['', []])
  t.equal((await send('/account')).status, 401)
})

t.test('docs/bearer.md: a form of a browser needs its CSRF token, and a login of an app takes no cookie', async t => {
  const app = await site(t)
  const browser = new Browser(app)
  await browser.get('/login')
  t.equal((await browser.get('/transfer', { method: 'POST' })).statusCode, 403)
  const { token } = await browser.json('/form')
  t.equal((await browser.get('/transfer', { method: 'POST', headers: { 'csrf-token': token } })).statusCode, 200)
  const refused = await browser.get('/app/login', { method: 'POST', payload: { name: 'ada', password: 'a good one' } })
  t.strictSame([refused.statusCode, refused.json().code, refused.headers['set-cookie']], [400, 'FST_SESSION_TRANSPORT', undefined])
})

t.test('docs/bearer.md: a gateway opens a token, and nothing else', async t => {
  const app = await site(t)
  const login = await app.inject({ method: 'POST', url: '/app/login', payload: { name: 'ada', password: 'a good one' } })
  const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor as new (...args: string[]) => (...args: unknown[]) => Promise<any>
  const open = new AsyncFunction('app', 'request', `${block(t, 'js', 'const token')}\nreturn session`)
  const token = String(login.headers['session-token'])
  for (const authorization of [`Bearer ${token}`, `bearer  ${token}`]) t.strictSame((await open(app, { headers: { authorization } })).get('user'), { id: 'ada' })
  for (const authorization of [undefined, 'Bearer', token, `Basic ${token}`]) t.equal(await open(app, { headers: { authorization } }), null)
})

t.test('docs/bearer.md: both headers stay out of a log of headers', async t => {
  const lines: string[] = []
  const serializers = { req: ({ headers }: any) => ({ headers }), res: (reply: any) => ({ headers: reply.getHeaders() }) }
  const app = runSnippet(block(t, 'js', 'redact'), {
    fastify: ({ logger }: any) => fastify({ logger: { ...logger, serializers, stream: { write: (line: string) => { lines.push(line) } } } })
  }, 'app')
  t.teardown(() => app.close())
  await app.register(secureSession, { key: KEY, transport: 'bearer' })
  app.get('/', async ({ session }: any) => { session.set('page', 'a'); return {} })
  const { headers } = await app.inject({ url: '/', headers: { authorization: 'Bearer abc', 'x-other': 'shown' } })
  t.match(lines.join(), 'shown')
  t.match(lines.join(), /"session-token":"\[Redacted\]"/)
  for (const secret of ['Bearer abc', String(headers['session-token'])]) t.notMatch(lines.join(), secret)
})

t.test('docs/bearer.md: every block of code is run by a test of this page, and the client has 20 lines', async t => {
  t.equal(blocks('js').length, 6)
  t.equal(block(t, 'js', 'class Client').split('\n').filter(line => line.trim() !== '').length, 20)
  for (const [, anchor] of PAGE.matchAll(/\]\(#([\w-]+)\)/g)) t.ok(PAGE.toLowerCase().includes(`\n## ${String(anchor).replaceAll('-', ' ')}\n`), String(anchor))
})
