import cookie from '@fastify/cookie'
import t from 'tap'
import secureSession from '../../index'
import { addRoutes, appWith, bareApp, KEY, OTHER_KEY } from '../helpers/app'
import { Browser, setCookies } from '../helpers/browser'

t.test('an app without @fastify/cookie gets it, with a secret derived from the key', async t => {
  const [one, other, foreign] = [await appWith(t), await appWith(t, { key: [OTHER_KEY, KEY] }), await appWith(t, { key: OTHER_KEY })]
  const signed = one.signCookie('value')
  t.match(other.unsignCookie(signed), { valid: true, value: 'value' }, 'all keys verify')
  t.match(foreign.unsignCookie(signed), { valid: false })
  t.match(other.unsignCookie(foreign.signCookie('value')), { valid: true }, 'the first signs')
})

t.test('an app with @fastify/cookie keeps its own registration', async t => {
  const app = bareApp(t)
  await app.register(cookie, { secret: 'the secret of the app, thirty-two bytes' })
  await app.register(secureSession, { key: KEY })
  addRoutes(app)
  app.get('/both', async (request, reply) => {
    request.session.set('user', 'ada')
    reply.setCookie('mine', 'yes', { signed: true })
    return { mine: request.cookies['mine'] ?? null }
  })
  const browser = new Browser(app)
  t.equal(setCookies(await browser.get('/both')).length, 2)
  t.match((await browser.get('/both')).json().mine, /^yes/)
  t.match(await browser.json('/get'), { user: 'ada' })
})

for (const [name, options] of Object.entries({
  'parse options with a domain, a path and a Max-Age': { parseOptions: { domain: 'evil.example', path: '/elsewhere', maxAge: 1, secure: true, sameSite: 'none', httpOnly: false, partitioned: true } },
  'a decoder that returns empty text': { parseOptions: { decode: () => '' } },
  'a decoder that throws': { parseOptions: { decode: () => { throw new Error('no') } } },
  'hook: false': { hook: false },
  'a late hook': { hook: 'preHandler' },
  'its own algorithm': { secret: ['x'.repeat(32)], algorithm: 'sha512' }
} as Record<string, object>)) {
  t.test(`an app whose @fastify/cookie has ${name} has the same sessions`, async t => {
    const app = bareApp(t)
    await app.register(cookie, options)
    await app.register(secureSession, { key: KEY })
    app.get('/throws-not', async ({ session }) => { session.set('user', 'ada'); return {} })
    app.get('/get', async ({ session }) => session.data())
    app.get('/delete', async ({ session }) => { session.delete(); return {} })
    const first = await app.inject('/throws-not')
    t.match(setCookies(first), [/^session=[\w-]+; Path=\/; HttpOnly; SameSite=Lax$/])
    if (name === 'a decoder that throws') return
    const headers = { cookie: (setCookies(first)[0] as string).split(';')[0] as string }
    t.strictSame((await app.inject({ url: '/get', headers })).json(), { user: 'ada' })
    t.match(setCookies(await app.inject({ url: '/delete', headers })), [/^session=; .*; Path=\/; HttpOnly; SameSite=Lax$/])
  })
}

t.test('the session is available before the hook of @fastify/cookie runs', async t => {
  const app = bareApp(t)
  await app.register(cookie, { hook: 'preHandler' })
  await app.register(secureSession, { key: KEY })
  addRoutes(app)
  app.addHook('onRequest', async request => { (request as any).seen = request.session.get('user') })
  app.get('/seen', async request => ({ seen: (request as any).seen ?? null }))
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  t.strictSame(await browser.json('/seen'), { seen: 'ada' })
})

t.test('a signed cookie of the app is no session, and a session cookie with a signature is refused', async t => {
  const app = bareApp(t)
  await app.register(cookie, { secret: 'x'.repeat(32) })
  await app.register(secureSession, { key: KEY, cookie: { signed: true } })
  addRoutes(app)
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  const token = browser.cookies.get('session') as string
  for (const value of [app.signCookie(token), `${token}.AAAA`, app.signCookie('{"user":"ada"}'), '{"user":"ada"}']) {
    t.strictSame((await app.inject({ url: '/get', headers: { cookie: `session=${value}` } })).json(), {})
  }
  t.strictSame(await browser.json('/get'), { user: 'ada' })
})
