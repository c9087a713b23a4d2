import t, { type Test } from 'tap'
import type { FastifyServerOptions } from 'fastify'
import secureSession from '../../index'
import { addRoutes, appWith, KEY, WARN, type LogLine, type TestApp } from '../helpers/app'
import { setCookies } from '../helpers/browser'

type Headers = Record<string, string>

async function site (
  t: Test, options: Partial<secureSession.SessionOptions> = {}, serverOptions: FastifyServerOptions = {}
): Promise<TestApp> {
  const app = await appWith(t, { key: KEY, ...options }, serverOptions)
  addRoutes(app)
  app.get('/own', async ({ session }) => { session.set('user', 'ada'); session.options({ secure: true }); return {} })
  return app
}

async function warningsAfter (
  app: TestApp, headers: Headers, urls = ['/set/user/ada', '/set/user/ada', '/set/user/ada']
): Promise<LogLine[]> {
  for (const url of urls) await app.inject({ url, headers })
  return app.lines.filter(({ level }) => level === WARN)
}

const SECURE = [
  { cookie: { secure: true } }, { cookieName: '__Host-session' }, { cookieName: '__Secure-session' },
  { cookie: { sameSite: 'none' } }
] as const

for (const options of SECURE) {
  t.test(`a cookie with ${JSON.stringify(options)} over plain http causes one warning`, async t => {
    const app = await site(t, options)
    const warnings = await warningsAfter(app, { host: 'shop.example.com' })
    t.match(warnings,
      [{ session: 'session', host: 'shop.example.com', msg: /Secure was set over plain http.*TLS.*trustProxy/ }])
    t.equal(warnings.length, 1)
  })
}

t.test('a Secure cookie by session.options() over plain http causes the warning, too', async t => {
  t.equal((await warningsAfter(await site(t), { host: 'shop.example.com' }, ['/set/a/b'])).length, 0)
  t.equal((await warningsAfter(await site(t), { host: 'shop.example.com' }, ['/own', '/own'])).length, 1)
})

t.test('a response that sets the session and clears an old part of it over plain http causes the warning', async t => {
  const app = await site(t, { cookie: { secure: true }, maxCookies: 2 })
  const headers = { host: 'shop.example.com', cookie: 'session.1=old' }
  t.equal(setCookies(await app.inject({ url: '/set/user/ada', headers })).length, 2)
  t.equal((await warningsAfter(app, headers, [])).length, 1)
})

t.test('a Secure cookie for localhost causes no warning, because browsers accept it', async t => {
  for (const host of [
    'localhost', 'localhost:3000', 'LOCALHOST', 'localhost.', 'shop.localhost:3000', '127.0.0.1', '127.0.0.1:3000',
    '127.9.8.7', '127.100.20.3', '[::1]', '[::1]:3000'
  ]) {
    t.strictSame(await warningsAfter(await site(t, { cookieName: '__Host-session' }), { host }), [], host)
  }
})

t.test('a Secure cookie for a host name that only resembles localhost causes the warning', async t => {
  for (const host of [
    'localhost.example.com', 'notlocalhost', '127.0.0.1.example.com', '1270.0.0.1', 'a127.0.0.1', '127.0.0', '[::2]:80',
    '10.0.0.1:3000'
  ]) {
    t.equal((await warningsAfter(await site(t, { cookieName: '__Host-session' }), { host })).length, 1, host)
  }
})

t.test('a Secure cookie causes no warning if the proxy or the browser indicates TLS', async t => {
  for (const headers of [
    { 'x-forwarded-proto': 'https' }, { 'x-forwarded-proto': 'HTTPS' }, { 'x-forwarded-proto': 'https, http' },
    { forwarded: 'for=192.0.2.1;proto=https' }, { forwarded: 'for=192.0.2.1;Proto="https"' },
    { forwarded: 'proto=https;for=192.0.2.1' }, { 'sec-fetch-site': 'none' }
  ] as Headers[]) {
    const app = await site(t, { cookie: { secure: true } })
    t.strictSame(await warningsAfter(app, { host: 'shop.example.com', ...headers }), [])
  }
  const trusting = await site(t, { cookie: { secure: true } }, { trustProxy: true })
  t.strictSame(await warningsAfter(trusting, { host: 'shop.example.com', 'x-forwarded-proto': 'https' }), [])
})

t.test('a Secure cookie causes the warning if the proxy says that the browser came over http', async t => {
  for (const headers of [
    { 'x-forwarded-proto': 'http' }, { 'x-forwarded-proto': 'http, https' }, { forwarded: 'for=https;proto=http' },
    { forwarded: 'xproto=https' }
  ] as Headers[]) {
    const app = await site(t, { cookie: { secure: true } })
    t.equal((await warningsAfter(app, { host: 'shop.example.com', ...headers })).length, 1, JSON.stringify(headers))
  }
})

t.test('the http protocol and the host that a trusted proxy reports are used for the warning', async t => {
  const app = await site(t, { cookie: { secure: true } }, { trustProxy: true })
  const headers = { host: 'localhost', 'x-forwarded-proto': 'http', 'x-forwarded-host': 'shop.example.com' }
  t.match(await warningsAfter(app, headers),
    [{ host: 'shop.example.com' }])
})

t.test('a cookie without Secure, or a response that clears or sets nothing, causes no warning', async t => {
  const host = 'shop.example.com'
  t.strictSame(await warningsAfter(await site(t), { host }), [])
  const app = await site(t, { cookie: { secure: true } })
  t.match(setCookies(await app.inject({ url: '/delete', headers: { host } })), [/^session=;/])
  t.strictSame(await warningsAfter(app, { host }, ['/delete', '/get', '/untouched']), [])
})

t.test('a host of thousands of characters is shortened in the warning', async t => {
  const app = await site(t, { cookie: { secure: true } })
  const [line] = await warningsAfter(app, { host: `${'a'.repeat(5000)}.example` })
  t.equal(line?.['host'], 'a'.repeat(253))
})
