import t, { type Test } from 'tap'
import { addRoutes, appWith, bareApp, KEY, WARN } from '../helpers/app'
import { Browser, setCookies } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'

async function lineOf (t: Test, options: object = {}, serverOptions: object = {}, headers: Record<string, string> = {}): Promise<string> {
  const app = await appWith(t, { key: KEY, ...options }, serverOptions)
  addRoutes(app)
  return setCookies(await app.inject({ url: '/set/user/ada', headers }))[0] as string
}

t.test('by default the cookie has Path=/, HttpOnly and SameSite=Lax, at every path of the login', async t => {
  const app = await appWith(t)
  app.get('/auth/deep/login', async ({ session }) => { session.set('user', 'ada'); return {} })
  t.match(setCookies(await app.inject('/auth/deep/login')), [/^session=[\w-]+; Path=\/; HttpOnly; SameSite=Lax$/])
})

t.test('given attributes override single defaults', async t => {
  t.match(await lineOf(t, { cookie: { path: '/app', httpOnly: false, sameSite: 'strict' } }), /; Path=\/app; SameSite=Strict$/)
  t.match(await lineOf(t, { cookieOptions: { domain: 'example.org', sameSite: true, priority: 'low' } }), /; Domain=example\.org; Path=\/; HttpOnly; SameSite=Strict; Priority=Low$/)
  t.match(await lineOf(t, { cookie: { sameSite: false } }), /; Path=\/; HttpOnly$/)
  t.match(await lineOf(t, { cookie: { secure: true, sameSite: 'none', partitioned: true } }), /; HttpOnly; Secure; SameSite=None; Partitioned$/)
})

t.test('Secure is automatic: where the name or SameSite=None needs it, and over TLS', async t => {
  t.notMatch(await lineOf(t), /Secure/)
  t.notMatch(await lineOf(t, { cookie: { secure: 'auto' } }), /Secure/)
  t.match(await lineOf(t, { cookieName: '__Host-session' }), /^__Host-session=[\w-]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
  t.match(await lineOf(t, { cookieName: '__Secure-session' }), /; Secure;/)
  t.match(await lineOf(t, { cookieName: '__Http-session' }), /; Secure;/)
  t.match(await lineOf(t, { cookie: { sameSite: 'none' } }), /; Secure; SameSite=None$/)
  t.match(await lineOf(t, { cookie: { partitioned: true } }), /; Secure;/)
  t.match(await lineOf(t, {}, { trustProxy: true }, { 'x-forwarded-proto': 'https' }), /; Secure;/)
  t.notMatch(await lineOf(t, {}, { trustProxy: true }, { 'x-forwarded-proto': 'http' }), /Secure/)
  t.notMatch(await lineOf(t, { cookie: { secure: false } }, { trustProxy: true }, { 'x-forwarded-proto': 'https' }), /Secure/)
  t.match(await lineOf(t, { cookie: { secure: true } }), /; Secure;/)
})

t.test('if TLS ends at a proxy that is not trusted, the cookie is still sent, and one warning explains it', async t => {
  const app = await appWith(t)
  addRoutes(app)
  for (const protocol of ['HTTPS', 'https, http', 'https']) {
    const headers = { 'x-forwarded-proto': protocol }
    t.equal(setCookies(await app.inject({ url: '/set/user/ada', headers })).length, 1)
  }
  t.match(app.lines.filter(({ level }) => level === WARN), [{ cookie: 'session', msg: /trustProxy/ }])
  t.equal(app.lines.filter(({ level }) => level === WARN).length, 1)
})

t.test('the warning about TLS is not logged if Secure is configured, or if the proxy uses http', async t => {
  for (const [options, header] of [[{ cookie: { secure: true } }, 'https'], [{ cookie: { secure: false } }, 'https'], [{}, 'http'], [{}, 'http, https']] as const) {
    const app = await appWith(t, { key: KEY, ...options })
    addRoutes(app)
    await app.inject({ url: '/set/user/ada', headers: { 'x-forwarded-proto': header } })
    t.strictSame(app.lines.filter(({ level }) => level === WARN), [])
  }
})

t.test('a cookie that ends with the browser has no lifetime', async t => {
  t.notMatch(await lineOf(t), /Max-Age|Expires/)
})

t.test('a persistent cookie lives as long as its session: Max-Age follows the absolute limit', async t => {
  const clock = fakeClock(t)
  const app = await appWith(t, { key: KEY, persistent: true, idle: '2d', absolute: '10d' })
  addRoutes(app)
  const browser = new Browser(app)
  t.match(setCookies(await browser.get('/set/user/ada')), [/; Max-Age=864000;/])
  clock.advance(86400_000)
  t.match(setCookies(await browser.get('/set/user/ada')), [/; Max-Age=777600;/])
  clock.advance(86400_000)
  t.match(setCookies(await browser.get('/get')), [/^session\.t=.*; Max-Age=691200;/], 'the stamp too')
})

t.test('a configured maxAge or expires is sent as given', async t => {
  t.match(await lineOf(t, { cookie: { maxAge: 3600.9 } }), /; Max-Age=3600;/)
  const expires = new Date(Math.floor(Date.now() / 1000) * 1000 + 3600_000)
  t.match(await lineOf(t, { cookie: { expires } }), new RegExp(`; Expires=${expires.toUTCString()};`))
  t.match(await lineOf(t, { cookie: { expires: expires.getTime() as unknown as Date } }), new RegExp(`; Expires=${expires.toUTCString()};`))
})

t.test('the token needs no percent-encoding, and a session of 416 bytes takes 658 characters', async t => {
  const app = await appWith(t)
  app.get('/', async ({ session }) => { session.set('x', 'y'.repeat(408)); return JSON.stringify(session).length })
  const response = await app.inject('/')
  t.equal(response.body, '416')
  const [, value] = /^session=([^;]*);/.exec(setCookies(response)[0] as string) as unknown as [string, string]
  t.equal(value.length, 658)
  t.equal(encodeURIComponent(value), value)
})

t.test('a response that sets the cookie has no-store, unless the route or the options prevent it', async t => {
  const app = await appWith(t)
  addRoutes(app)
  app.get('/own', async ({ session }, reply) => { session.set('a', 1); reply.header('cache-control', 'private, max-age=60'); return {} })
  app.get('/raw', async ({ session }, reply) => { session.set('a', 1); reply.raw.setHeader('cache-control', 'private'); return {} })
  t.equal((await app.inject('/set/a/b')).headers['cache-control'], 'no-store')
  t.equal((await app.inject('/delete')).headers['cache-control'], 'no-store')
  t.equal((await app.inject('/get')).headers['cache-control'], undefined)
  t.equal((await app.inject('/own')).headers['cache-control'], 'private, max-age=60')
  t.equal((await app.inject('/raw')).headers['cache-control'], 'private')
  const silent = await appWith(t, { key: KEY, cacheControl: false })
  addRoutes(silent)
  t.equal((await silent.inject('/set/a/b')).headers['cache-control'], undefined)
})

t.test('Set-Cookie lines of other plugins stay, however they were set', async t => {
  const app = await appWith(t)
  app.get('/', async ({ session }, reply) => {
    session.set('a', 1)
    reply.setCookie('one', '1')
    reply.header('set-cookie', 'two=2')
    reply.header('set-cookie', ['three=3'])
    return {}
  })
  app.get('/raw', async ({ session }, reply) => {
    session.set('a', 1)
    reply.raw.setHeader('set-cookie', 'raw=1')
    return {}
  })
  t.strictSame(setCookies(await app.inject('/')).map(line => line.split('=')[0]).sort(), ['one', 'session', 'three', 'two'])
  t.strictSame(setCookies(await app.inject('/raw')).map(line => line.split('=')[0]).sort(), ['raw', 'session'])
})

t.test('a single cookie is one header value, as a string', async t => {
  const app = await appWith(t)
  addRoutes(app)
  t.type((await app.inject('/set/a/b')).headers['set-cookie'], 'string')
})

t.test('a route of an app without a session gets no Set-Cookie line', async t => {
  const app = bareApp(t)
  app.get('/', async () => ({}))
  t.strictSame(setCookies(await app.inject('/')), [])
})
