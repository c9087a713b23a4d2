import csrfProtection from '@fastify/csrf-protection'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import secureSession from '../../index'
import { addRoutes, appWith, bareApp, KEY, OTHER_KEY, type TestApp } from '../helpers/app'
import { Browser } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'
import { documentOf, operation, shop, SUBJECT } from '../neighbours/openapi-shop'
import { addLogins, Client, loggedIn, site, subject } from './client'

const COOKIE = 'Cookie realm="session", cookie-name=session'
const BEARER = 'Bearer realm="session"'
const INVALID = { code: 'FST_SESSION_INVALID_OPTION' }

function addGuarded (app: FastifyInstance): void {
  const routes = {
    any: {}, cookie: { transport: 'cookie' }, bearer: { transport: 'bearer' }, fresh: { freshWithin: '5m' }, bound: { bound: true }, admin: { when: () => false }
  } as const
  for (const [name, options] of Object.entries(routes)) app.get(`/${name}`, { onRequest: app.requireSession(options) }, async () => ({ ok: true }))
}

async function answer (visitor: Client | Browser, url: string, headers = {}): Promise<unknown> {
  const response = await visitor.get(url, { headers })
  return [response.json().code ?? response.statusCode, response.headers['www-authenticate'] ?? null]
}

t.test('a guard accepts both, or only what it says, and its challenge names what it accepts', async t => {
  const app = await site(t)
  addGuarded(app)
  const browser = new Browser(app)
  await browser.get('/login/ada')
  const client = await loggedIn(app)
  const PASSED = [200, null]
  const REQUIRED = 'FST_SESSION_REQUIRED'
  t.strictSame([await answer(browser, '/any'), await answer(client, '/any')], [PASSED, PASSED])
  t.strictSame([await answer(browser, '/cookie'), await answer(client, '/cookie')], [PASSED, [REQUIRED, COOKIE]])
  t.strictSame([await answer(browser, '/bearer'), await answer(client, '/bearer')], [[REQUIRED, BEARER], PASSED])
  t.strictSame([await answer(browser, '/bound'), await answer(client, '/bound')], [['FST_SESSION_UNBOUND', COOKIE], [REQUIRED, COOKIE]])
  t.strictSame(await answer(client, '/admin'), [REQUIRED, [COOKIE, BEARER]], 'the token is valid')

  const nobody = new Client(app)
  t.strictSame(await answer(nobody, '/any'), [REQUIRED, [COOKIE, BEARER]], 'no error without a token')
  t.strictSame(await answer(nobody, '/any', { authorization: 'Basic YTpi' }), [REQUIRED, [COOKIE, BEARER]])
  for (const authorization of ['Bearer eyJhbGciOiJIUzI1NiJ9.e30.abc', `Bearer ${client.token.slice(0, -4)}AAAA`, 'bearer', 'Bearer ']) {
    t.strictSame(await answer(nobody, '/bearer', { authorization }), [REQUIRED, `${BEARER}, error="invalid_token"`], authorization.slice(0, 20))
    t.strictSame(await answer(nobody, '/cookie', { authorization }), [REQUIRED, COOKIE])
  }
  t.strictSame(await answer(client, '/any', { cookie: browser.header }), [REQUIRED, [COOKIE, `${BEARER}, error="invalid_request"`]])
  t.strictSame(await answer(client, '/cookie', { cookie: browser.header }), [REQUIRED, COOKIE])
})

t.test('the challenge for a stale login is in the scheme of the session, and a revoked token is invalid', async t => {
  const clock = fakeClock(t, Date.now())
  const revocation = { store: secureSession.memoryRevocation() }
  const app = await site(t, { revocation, transport: 'bearer' })
  app.get('/fresh', { onRequest: app.requireSession({ freshWithin: '5m' }) }, async () => ({ ok: true }))
  const client = await loggedIn(app)
  t.strictSame(await answer(client, '/fresh'), [200, null])
  clock.advance(300_000)
  t.strictSame(await answer(client, '/fresh'), ['FST_SESSION_STALE', `${BEARER}, error="insufficient_user_authentication", max_age="300"`])
  t.strictSame(await answer(new Client(app), '/fresh'), ['FST_SESSION_REQUIRED', BEARER])
  const copy = client.copy()
  await client.get('/delete')
  t.strictSame(await answer(copy, '/fresh'), ['FST_SESSION_REQUIRED', `${BEARER}, error="invalid_token"`])
  t.equal(copy.token, '', 'and the client forgets it')
})

t.test('a guard that could let nobody pass is refused at boot', async t => {
  const [both, cookie, bearer] = [await site(t), await site(t, { transport: 'cookie' }), await site(t, { transport: 'bearer' })]
  for (const transport of ['both', 'header', true, null]) t.throws(() => both.requireSession({ transport } as object), INVALID)
  t.throws(() => cookie.requireSession({ transport: 'bearer' }), INVALID)
  t.throws(() => bearer.requireSession({ transport: 'cookie' }), INVALID)
  t.throws(() => bearer.requireSession({ bound: true }), INVALID)
  t.throws(() => both.requireSession({ transport: 'bearer', provenWithin: '5m' }), INVALID)
  t.doesNotThrow(() => [cookie.requireSession({ transport: 'cookie' }), bearer.requireSession({ transport: 'bearer' }), both.requireSession({ transport: undefined })])
})

t.test('a route with a guard for cookies alone and one for bearer tokens alone is refused at boot', async t => {
  const bootWith = async (...guards: secureSession.GuardOptions[]): Promise<unknown> => {
    const app = bareApp(t)
    await app.register(secureSession, [{ key: KEY, subject, transport: 'both', deviceBound: true }, { key: OTHER_KEY, subject, sessionName: 'staff' }])
    app.get('/', { onRequest: guards.map(options => app.requireSession(options)) }, async () => ({}))
    return await app.ready().then(() => 'ready', error => error.code)
  }
  t.equal(await bootWith({ transport: 'cookie' }, { transport: 'bearer' }), INVALID.code)
  t.equal(await bootWith({ transport: 'bearer' }, { bound: true }), INVALID.code)
  t.equal(await bootWith({ transport: 'bearer' }, {}, { provenWithin: '5m' }), INVALID.code)
  t.equal(await bootWith({ transport: 'bearer' }, {}, { sessionName: 'staff' }), 'ready')
  t.equal(await bootWith({ transport: 'cookie' }, { bound: true }), 'ready')
})

t.test('a page can neither choose nor change what info.transport says', async t => {
  const app = await site(t)
  app.get('/forge', async ({ session }: any) => {
    session.set('transport', 'bearer')
    try { session.info.transport = 'bearer' } catch {}
    try { session.info = { transport: 'bearer' } } catch {}
    return session.info.transport
  })
  app.get('/transport', async ({ session }) => session.info.transport)
  const browser = new Browser(app)
  await browser.get('/login/ada')
  const { token } = await loggedIn(app, 'eve')
  t.equal((await browser.get('/forge')).body, 'cookie')
  const names = ['authorization', 'x-authorization', 'session-token', 'transport']
  for (const name of names) t.equal((await browser.get('/transport', { headers: { [name]: `Bearer ${token}` } })).body, 'cookie', name)
  for (const cookie of ['session=a', 'session="a"', 'session="', 'a=b;session=%', 'session=; session=a']) {
    t.equal((await app.inject({ url: '/transport', headers: { cookie, authorization: `Bearer ${token}` } })).body, 'cookie', cookie)
  }
})

async function withForms (t: Test): Promise<TestApp> {
  const app = await appWith(t, { key: KEY, subject, transport: 'both' })
  addRoutes(app)
  addLogins(app)
  await app.register(csrfProtection, { sessionPlugin: '@fastify/secure-session' })
  app.get('/form', async (_request, reply) => ({ token: reply.generateCsrf({ sameSite: 'strict' }) }))
  app.post('/any', { preHandler: app.csrfProtection }, async () => ({ ok: true }))
  app.post('/cookie', { onRequest: app.requireSession({ transport: 'cookie' }), preHandler: app.csrfProtection }, async () => ({ ok: true }))
  app.post('/either', {
    onRequest: app.requireSession(),
    preHandler (request, reply, done) {
      if (request.session.info.transport === 'bearer') done()
      else app.csrfProtection(request, reply, done)
    }
  }, async () => ({ ok: true }))
  return app
}

t.test('a check of CSRF tokens never counts a bearer session for a cookie, and a route can leave it to cookies', async t => {
  const app = await withForms(t)
  const browser = new Browser(app)
  await browser.get('/login/ada')
  const client = await loggedIn(app, 'eve')
  const post = async (visitor: Client | Browser, url: string, headers = {}): Promise<unknown> => {
    const response = await visitor.get(url, { method: 'POST', headers })
    return response.json().code ?? response.statusCode
  }
  const { token } = await browser.json('/form')
  const { token: own } = await client.json('/form')
  t.not(client.token, '', 'the secret is in the token of the client')
  const headers = { 'csrf-token': token }
  t.strictSame([await post(browser, '/any', headers), await post(browser, '/cookie', headers), await post(browser, '/either', headers)], [200, 200, 200])
  t.strictSame([await post(browser, '/any'), await post(browser, '/cookie'), await post(browser, '/either')], Array(3).fill('FST_CSRF_INVALID_TOKEN'))
  t.equal(await post(client, '/either'), 200, 'no browser sends this header by itself')
  t.equal(await post(client, '/cookie', { 'csrf-token': own }), 'FST_SESSION_REQUIRED')
  t.equal(await post(await loggedIn(app), '/any', headers), 'FST_CSRF_MISSING_SECRET')

  // A page that could add the header of its own account to a request of the user's browser.
  const before = browser.header
  const attack = { authorization: `Bearer ${client.token}`, 'csrf-token': own }
  t.equal(await post(browser, '/any', attack), 'FST_CSRF_MISSING_SECRET')
  t.strictSame([await post(browser, '/cookie', attack), await post(browser, '/either', attack)], ['FST_SESSION_REQUIRED', 'FST_SESSION_REQUIRED'])
  const form = await browser.get('/form', { headers: attack })
  t.strictSame([form.json().code, browser.header], ['FST_SESSION_TRANSPORT', before], 'and the session of the user stays')
})

t.test('bearer tokens are a security scheme of their own, and a route lists those that its guards accept', async t => {
  const sessions: secureSession.SessionOptions[] = [
    { key: KEY, subject: SUBJECT, openapi: true, transport: 'both', bearerHeader: 'X-Token', cookieName: '__Host-session' },
    { key: OTHER_KEY, subject: SUBJECT, openapi: true, sessionName: 'machine', transport: 'bearer' },
    { key: OTHER_KEY, subject: SUBJECT, openapi: true, sessionName: 'staff' }
  ]
  const schemes = { key: { type: 'apiKey', in: 'header', name: 'x-key' } }
  const document = await documentOf(await shop(t, async app => {
    const guard = (options: secureSession.GuardOptions): object => ({ onRequest: app.requireSession(options) })
    app.get('/any', guard({}), async () => ({}))
    app.get('/cookie', guard({ transport: 'cookie' }), async () => ({}))
    app.get('/bearer', guard({ transport: 'bearer' }), async () => ({}))
    app.get('/bound', guard({ bound: true }), async () => ({}))
    app.get('/machine', guard({ sessionName: 'machine' }), async () => ({}))
    app.get('/staff', { onRequest: [app.requireSession(), app.requireSession({ sessionName: 'staff' })], preHandler: app.requireSession({ transport: 'bearer' }) }, async () => ({}))
    app.get('/keyed', { ...guard({}), schema: { security: [{ key: [] }, {}] } as object }, async () => ({}))
    app.get('/own', { ...guard({}), schema: { security: [{ 'session-bearer': [] }] } as object }, async () => ({}))
  }, { sessions, schemes }))
  t.match(document.components.securitySchemes, {
    session: { type: 'apiKey', in: 'cookie', name: '__Host-session' },
    'session-bearer': { type: 'http', scheme: 'bearer', description: /"x-token"/ },
    'machine-bearer': { type: 'http', scheme: 'bearer', description: /"session-token"/ },
    staff: { type: 'apiKey' }
  })
  t.strictSame(Object.keys(document.components.securitySchemes).sort(), ['key', 'machine-bearer', 'session', 'session-bearer', 'staff'])
  const [cookie, bearer] = [{ session: [] }, { 'session-bearer': [] }]
  const security = {
    '/any': [cookie, bearer],
    '/cookie': [cookie],
    '/bearer': [bearer],
    '/bound': [cookie],
    '/machine': [{ 'machine-bearer': [] }],
    '/staff': [{ ...bearer, staff: [] }],
    '/keyed': [{ key: [], ...cookie }, { key: [], ...bearer }, cookie, bearer],
    '/own': [bearer]
  }
  for (const [path, alternatives] of Object.entries(security)) t.strictSame(operation(document, path).security, alternatives, path)
  const challengeOf = (path: string): string => operation(document, path).responses[401].headers['WWW-Authenticate'].schema?.description ?? operation(document, path).responses[401].headers['WWW-Authenticate'].description
  const challenges = { '/any': 'the cookie of the session, or the scheme Bearer', '/cookie': 'the cookie of the session', '/bound': 'the cookie of the session', '/bearer': 'the scheme Bearer' }
  for (const [path, names] of Object.entries(challenges)) t.equal(challengeOf(path), `Names ${names}.`, path)

  const twice = [{ key: KEY, transport: 'both', openapi: true }, { key: OTHER_KEY, sessionName: 'session-bearer', openapi: true }] as const
  await t.rejects(async () => await bareApp(t).register(secureSession, [...twice]), INVALID)
  await t.resolves(async () => await bareApp(t).register(secureSession, [twice[0], { ...twice[1], openapi: false }]))
})
