import { request } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import secureSession from '../../index'
import { addRoutes, appWith, bareApp, DEBUG, KEY, OTHER_KEY, WARN, type TestApp } from '../helpers/app'
import { Browser } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'
import { keyNumber, MemoryStore, rotate } from '../helpers/keyrings'
import { addLogins, Client, COOKIE, COOKIE_FOR_TOKEN, ENDED_TOKEN, given, loggedIn, NEW_TOKEN, NOTHING, site, subject } from './client'

const HOUR_MS = 3_600_000
const JWT = 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'

function refusals (app: TestApp): unknown[] {
  return app.lines.filter(({ msg }) => /refused/.test(msg)).map(({ level, msg, reason }) => [level, msg, reason])
}

async function userOf (app: TestApp, headers: Record<string, string | string[]>): Promise<unknown> {
  return (await app.inject({ url: '/get', headers: headers as Record<string, string> })).json().user ?? null
}

t.test('a token is read from Authorization by the syntax of RFC 6750, and from nothing else', async t => {
  const app = await site(t)
  const { token } = await loggedIn(app)
  const values: Record<string, readonly string[]> = {
    ada: [`Bearer ${token}`, `bearer ${token}`, `BEARER ${token}`, `Bearer   ${token}`],
    null: [
      token, `Bearer${token}`, `Bearer\t${token}`, ` Bearer ${token}`, `Bearer ${token} `, `Bearer "${token}"`, `Bearer ${token}=`,
      `Bearer ${token},`, `Bearer ${token}, Bearer ${token}`, `Bearer ${token} ${token}`, `Bearer ${token}\u00e9`, 'Bearer', 'Bearer ', '',
      `Basic ${token}`, `Token ${token}`, `Bearer: ${token}`, `session=${token}`, `Bearer session=${token}`, `Bearer ${token.slice(0, -1)}`,
      `Bearer ${token}A`, `Bearer ${token.slice(0, 20)}${token[20] === 'A' ? 'B' : 'A'}${token.slice(21)}`, 'Bearer %41', `Bearer ${'A'.repeat(5000)}`
    ]
  }
  for (const [user, all] of Object.entries(values)) {
    for (const authorization of all) t.equal(String(await userOf(app, { authorization })), user, authorization.slice(0, 30))
  }
  for (const name of ['session-token', 'x-authorization', 'proxy-authorization', 'cookie']) {
    t.equal(await userOf(app, { [name]: `Bearer ${token}` }), null, name)
  }
  t.equal(await userOf(app, { authorization: [`Bearer ${token}`, `Bearer ${token}`] }), null)
  t.equal((await app.inject(`/get?access_token=${token}`)).json().user, undefined)
})

t.test('two Authorization headers are no session, also where the server drops the second', async t => {
  const app = await site(t)
  const { token } = await loggedIn(app)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const ask = async (...values: string[]): Promise<string> => {
    const headers = ['Host', 'a', 'Connection', 'close', ...values.flatMap(value => ['authorization', value])]
    const sent = request({ port: (app.server.address() as AddressInfo).port, host: '127.0.0.1', path: '/get', headers }).end()
    const [response] = await once(sent, 'response')
    let body = ''
    for await (const chunk of response) body += String(chunk)
    return body
  }
  t.equal(await ask(`Bearer ${token}`), '{"user":"ada"}')
  t.equal(await ask(`Bearer ${token}`, `Bearer ${JWT}`), '{}')
  t.equal(await ask(`Bearer ${JWT}`, `Bearer ${token}`), '{}')
  t.equal(await ask(`Bearer ${token}`, `Bearer ${token}`), '{}')
})

t.test('the tokens of other libraries are left alone, and a refused token of this one is a debug line', async t => {
  const app = await site(t)
  const client = await loggedIn(app)
  const browser = new Browser(app)
  await browser.get('/login/ada')
  app.lines.length = 0
  for (const text of [JWT, 'gho_16C7e42F292c6912E7710c838347Ae178B4a', 'x'.repeat(200), '0']) {
    const response = await browser.get(`/set/page/${text.slice(0, 3)}`, { headers: { authorization: `Bearer ${text}` } })
    t.strictSame([response.statusCode, given(response)], [200, COOKIE])
  }
  t.strictSame(app.lines.filter(({ level }) => level > DEBUG && level >= WARN), [])
  t.strictSame(refusals(app), [])
  await new Client(app, `${client.token.slice(0, -2)}AA`).get('/get')
  t.strictSame(refusals(app), [[DEBUG, 'bearer token refused', 'forged']])
})

t.test('by default no header but Cookie is looked at, and with bearer no cookie is', async t => {
  const both = await site(t)
  const { token } = await loggedIn(both)
  const cookies = await site(t, { transport: 'cookie' })
  t.equal(await userOf(cookies, { authorization: `Bearer ${token}` }), null)
  t.equal(await userOf(cookies, { cookie: `session=${token}` }), 'ada')
  t.equal(await userOf(cookies, { cookie: `session=${token}`, authorization: `Bearer ${token}` }), 'ada')
  t.strictSame(refusals(cookies), [])

  const bearer = await site(t, { transport: 'bearer' })
  t.equal(await userOf(bearer, { cookie: `session=${token}` }), null)
  t.equal(await userOf(bearer, { authorization: `Bearer ${token}` }), 'ada')
  t.equal(await userOf(bearer, { cookie: `session=${token}`, authorization: `Bearer ${token}` }), 'ada')
  t.strictSame(refusals(bearer), [])
})

t.test('a session in a cookie and as a bearer token is no session, and a debug line says so', async t => {
  const app = await site(t)
  const client = await loggedIn(app)
  const browser = new Browser(app)
  await browser.get('/login/bob')
  app.lines.length = 0
  const authorization = `Bearer ${client.token}`
  for (const cookie of [browser.header, 'session=junk', `a=b; ${browser.header}; session=`]) {
    t.equal(await userOf(app, { cookie, authorization }), null, cookie.slice(0, 20))
    t.strictSame(refusals(app), [[DEBUG, 'bearer token refused', 'ambiguous']])
    app.lines.length = 0
  }
  for (const cookie of ['session=', 'session.t=a; session.1=b; session.u=c', 'other=1; sessions=2']) t.equal(await userOf(app, { cookie, authorization }), 'ada', cookie)
  const legacy = await site(t, { legacy: [secureSession.sealedOpener({ cookieName: 'former' })] })
  t.equal(await userOf(legacy, { cookie: 'former=a', authorization }), null, 'a legacy cookie is a cookie of the session')
})

t.test('with both in one request, a login replaces the cookie, a logout clears it, and any other write is refused', async t => {
  const app = await site(t)
  const client = await loggedIn(app)
  const browser = new Browser(app)
  await browser.get('/login/bob')
  const both = { authorization: `Bearer ${client.token}`, cookie: browser.header }
  const get = async (url: string): Promise<any> => await app.inject({ url, headers: both })
  t.strictSame(given(await get('/get')), NOTHING)
  for (const url of ['/set/page/a', '/touch']) {
    const refused = await get(url)
    t.strictSame([refused.statusCode, refused.json().code, given(refused)], [400, 'FST_SESSION_TRANSPORT', NOTHING])
  }
  const login = await get('/login/eve')
  t.strictSame([given(login), login.headers['cache-control']], [COOKIE_FOR_TOKEN, 'no-store'])
  t.strictSame(given(await get('/set/user/eve')), COOKIE_FOR_TOKEN, 'a user, by the option subject')
  t.match((await get('/login/eve?transport=bearer')).json(), { statusCode: 400, code: 'FST_SESSION_TRANSPORT' })
  const logout = await get('/delete')
  t.strictSame([given(logout), logout.headers['cache-control']], [COOKIE_FOR_TOKEN, 'no-store'])
  t.equal((await get('/info')).json().transport, 'cookie')
  t.strictSame([await client.json('/get'), await browser.json('/get')], [{ user: 'ada' }, { user: 'bob' }], 'each alone is a session')
})

t.test('with a split cookie and a token in one request, a login clears the parts that are left over, and ends the token', async t => {
  const app = await site(t, { maxCookies: 2 })
  app.get('/fill', async ({ session }) => { session.set('page', 'x'.repeat(4000)); return {} })
  const client = await loggedIn(app)
  const browser = new Browser(app)
  await browser.get('/fill')
  t.strictSame([...browser.cookies.keys()], ['session', 'session.1'])
  const login = await browser.get('/login/eve', { headers: { authorization: `Bearer ${client.token}` } })
  t.equal(login.headers['session-token'], '')
  t.strictSame([...browser.cookies.keys()], ['session'])
})

t.test('settings alone write nothing in a request with both, as in a request without a session', async t => {
  const app = await site(t)
  app.get('/settings', async ({ session }) => { session.options({ idle: '1h' }); return { changed: session.changed } })
  const { token } = await loggedIn(app)
  for (const headers of [{}, { authorization: `Bearer ${token}`, cookie: 'session=a' }]) {
    const response = await app.inject({ url: '/settings', headers })
    t.strictSame([response.json(), given(response)], [{ changed: false }, NOTHING])
  }
})

t.test('with revocation and both in one request, a login and a logout revoke both sessions', async t => {
  const revocation = { store: secureSession.memoryRevocation(), recheck: 0 as const }
  const app = await appWith(t, { key: KEY, subject, transport: 'both', revocation, deviceBound: true }, { trustProxy: true })
  addRoutes(app)
  addLogins(app)
  app.get('/revoke', async ({ session }) => { await session.revoke(); return {} })
  const http = { 'x-forwarded-proto': 'http' }
  const answers: Record<string, object> = { '/login/eve': COOKIE_FOR_TOKEN, '/set/user/eve': COOKIE_FOR_TOKEN, '/delete': COOKIE_FOR_TOKEN, '/revoke': COOKIE_FOR_TOKEN, '/get': NOTHING, '/set/page/a': NOTHING }
  for (const [url, answer] of Object.entries(answers)) {
    const client = await loggedIn(app)
    const browser = new Browser(app)
    await browser.get('/login/bob', { headers: http })
    const both = { authorization: `Bearer ${client.token}`, cookie: browser.header }
    t.strictSame(given(await app.inject({ url, headers: both })), answer, url)
    const isRevoked = answer !== NOTHING
    t.strictSame([await client.copy().json('/get'), await browser.copy().json('/get')], isRevoked ? [{}, {}] : [{ user: 'ada' }, { user: 'bob' }], url)
  }
  const client = await loggedIn(app)
  t.strictSame(given(await app.inject({ url: '/delete', headers: { authorization: `Bearer ${client.token}`, cookie: 'session=a' } })), COOKIE_FOR_TOKEN)
  t.strictSame(await client.json('/get'), {}, 'also where the cookie does not open')

  const https = { 'x-forwarded-proto': 'https' }
  const browser = new Browser(app)
  await browser.get('/login/bob', { headers: https })
  t.ok(browser.cookies.has('session.u'), 'the session has a mark')
  const stolen = `session=${String(browser.cookies.get('session'))}`
  const thief = await loggedIn(app, 'eve')
  await app.inject({ url: '/delete', headers: { authorization: `Bearer ${thief.token}`, cookie: stolen, ...https } })
  t.strictSame(await browser.json('/get', { headers: https }), { user: 'bob' }, 'a copy that nothing proves revokes nothing')
  t.strictSame(await thief.json('/get'), {})
})

t.test('a logout with an expired token has the empty header, and with another token it has none', async t => {
  const clock = fakeClock(t, Date.now())
  for (const transport of ['both', 'bearer'] as const) {
    const app = await site(t, { transport, idle: '4h' })
    const client = await loggedIn(app)
    clock.advance(4 * HOUR_MS)
    const logout = await client.get('/delete')
    t.strictSame(given(logout), transport === 'both' ? COOKIE_FOR_TOKEN : ENDED_TOKEN, transport)
    t.strictSame([client.token, logout.headers['cache-control']], ['', 'no-store'])
  }
  const app = await site(t, { idle: '4h' })
  const expired = await loggedIn(app)
  clock.advance(4 * HOUR_MS)
  const browser = new Browser(app)
  await browser.get('/login/bob')
  const authorization = `Bearer ${expired.token}`
  t.strictSame(given(await browser.get('/set/page/a', { headers: { authorization } })), COOKIE)
  const foreign = await loggedIn(await site(t, { key: OTHER_KEY }))
  for (const token of [JWT, foreign.token, `${expired.token.slice(0, -2)}AA`]) {
    t.strictSame(given(await browser.copy().get('/delete', { headers: { authorization: `Bearer ${token}` } })), COOKIE)
  }
  t.strictSame(given(await browser.copy().get('/delete')), COOKIE)
  t.strictSame(given(await browser.get('/delete', { headers: { authorization } })), COOKIE_FOR_TOKEN)
})

t.test('of two named sessions, each takes the token that was sealed for it', async t => {
  const options = (['session', 'staff'] as const).map(sessionName => ({ key: KEY, subject, sessionName, transport: 'both' as const, bearerHeader: `${sessionName}-token` }))
  const app = await appWith(t, options)
  const sessionsOf = (request: any): Record<string, secureSession.Session> => ({ session: request.session, staff: request.staff })
  app.get('/login/:name/:transport', async request => {
    const { name, transport } = request.params as { name: string, transport: 'bearer' | 'cookie' }
    sessionsOf(request)[name]?.set('user', name)
    sessionsOf(request)[name]?.options({ transport })
    return {}
  })
  app.get('/users', async request => Object.values(sessionsOf(request)).map(session => session.get('user') ?? null))
  app.get('/write', async request => { for (const session of Object.values(sessionsOf(request))) session.set('page', 'a'); return {} })
  const login = async (name: string, transport: string): Promise<any> => await app.inject(`/login/${name}/${transport}`)
  const staffToken = String((await login('staff', 'bearer')).headers['staff-token'])
  const sessionCookie = String((await login('session', 'cookie')).headers['set-cookie']).split(';')[0] as string
  const staffCookie = String((await login('staff', 'cookie')).headers['set-cookie']).split(';')[0] as string

  const authorization = `Bearer ${staffToken}`
  t.strictSame((await app.inject({ url: '/users', headers: { authorization } })).json(), [null, 'staff'])
  const headers = { authorization, cookie: sessionCookie }
  t.strictSame((await app.inject({ url: '/users', headers })).json(), ['session', 'staff'])
  const written = await app.inject({ url: '/write', headers })
  t.match(written.headers, { 'set-cookie': /^session=/, 'staff-token': /^[\w-]+$/, 'session-token': undefined })
  t.strictSame((await app.inject({ url: '/users', headers: { authorization, cookie: `${sessionCookie}; ${staffCookie}` } })).json(), ['session', null])
})

t.test('a token for another name or key, and one that was split over cookies, does not open', async t => {
  const app = await site(t, { maxCookies: 2 })
  const browser = new Browser(app)
  app.get('/fill', async ({ session }) => { session.set('user', 'ada'); session.set('text', 'x'.repeat(4000)); return {} })
  await browser.get('/fill')
  t.strictSame([...browser.cookies.keys()], ['session', 'session.1'])
  const split = [...browser.cookies.values()].join('')
  t.equal((await app.secureSession.decode(split))?.get('user'), 'ada')
  for (let visit = 0; visit < 3; visit++) {
    // From the second visit on, the token is in the cache.
    t.equal((await browser.json('/get')).user, 'ada')
    t.equal(await userOf(app, { authorization: `Bearer ${split}` }), null)
  }
  t.match((await browser.get('/login/ada?transport=bearer')).json(), { code: 'FST_SESSION_TRANSPORT' })
  const client = await loggedIn(app)
  const tooLarge = await client.get('/fill')
  t.strictSame([tooLarge.statusCode, tooLarge.json().code, given(tooLarge)], [500, 'FST_SESSION_TOO_LARGE', NOTHING])
  t.match(app.lines.find(({ err }) => (err as any)?.code === 'FST_SESSION_TOO_LARGE'), { err: { limit: 4085 } })
  for (const options of [{ key: OTHER_KEY }, { cookieName: 'other' }]) {
    t.equal(await userOf(await site(t, options as object), { authorization: `Bearer ${client.token}` }), null)
  }
})

t.test('a session with a mark opens as no bearer token, a bearer login gets no mark, and a cookie login does', async t => {
  const app = await site(t, { deviceBound: true })
  const https = { 'x-forwarded-proto': 'https' }
  const trusting = await appWith(t, { key: KEY, subject, transport: 'both', deviceBound: true }, { trustProxy: true })
  addRoutes(trusting)
  addLogins(trusting)
  const login = await trusting.inject({ url: '/login/ada', headers: https })
  t.strictSame(given(login), { cookies: ['session.d', 'session', 'session.u'], token: 'none' })
  const marked = (login.cookies as Array<{ name: string, value: string }>).find(({ name }) => name === 'session')
  t.equal(await userOf(trusting, { authorization: `Bearer ${marked?.value}` }), null)
  t.strictSame(refusals(trusting), [[DEBUG, 'bearer token refused', 'unsupported']])
  const bearer = await trusting.inject({ url: '/login/ada?transport=bearer', headers: https })
  t.strictSame(given(bearer), NEW_TOKEN)
  t.equal(bearer.headers['secure-session-registration'], undefined)
  const client = new Client(app, String(bearer.headers['session-token']))
  t.strictSame(await client.json('/get'), { user: 'ada' })
})

t.test('a token expires by the limits of the server, is renewed in the header, and an older one opens meanwhile', async t => {
  const clock = fakeClock(t)
  const app = await site(t, { idle: '4h', absolute: '10h' })
  const client = await loggedIn(app)
  const first = client.copy()
  t.strictSame(given(await client.get('/get')), NOTHING)
  clock.advance(HOUR_MS)
  t.strictSame(given(await client.get('/untouched')), NOTHING)
  t.strictSame(given(await client.get('/get')), NEW_TOKEN)
  t.strictSame(given(await client.get('/get')), NOTHING)
  t.not(client.token, first.token)
  t.strictSame(await first.copy().json('/get'), { user: 'ada' })
  const { id } = await client.json('/info')
  t.match(await first.copy().json('/info'), { id, isNew: false, transport: 'bearer' })
  clock.advance(3 * HOUR_MS)
  t.strictSame(await first.json('/get'), {}, 'the older token was not renewed')
  t.strictSame(given(await client.get('/get')), NEW_TOKEN)
  for (let hour = 0; hour < 5; hour++) { clock.advance(HOUR_MS); t.strictSame(await client.json('/get'), { user: 'ada' }) }
  clock.advance(HOUR_MS)
  t.strictSame(await client.json('/get'), {})
  t.strictSame(given(await client.get('/get')), NOTHING, 'an expired token is left alone')
})

t.test('no cache stores a renewed token, whatever a later hook says', async t => {
  const clock = fakeClock(t)
  const app = await site(t, { idle: '4h' })
  const cached = { 'cache-control': 'public, max-age=60', 'cdn-cache-control': 'public, max-age=60' }
  app.get('/cached', { onSend: async (_request: unknown, reply: any, payload: unknown) => { reply.headers(cached); return payload } }, async ({ session }) => session.get('user'))
  const client = await loggedIn(app)
  t.match((await client.get('/cached')).headers, cached, 'without a token the route decides')
  clock.advance(HOUR_MS)
  const renewed = await client.get('/cached')
  t.strictSame(given(renewed), NEW_TOKEN)
  t.match(renewed.headers, { 'cache-control': 'no-store', 'cdn-cache-control': 'no-store' })
})

t.test('a route that does not renew sends no token, and a token without room for a renewal stays as it is', async t => {
  const clock = fakeClock(t)
  const app = await site(t)
  app.get('/poll', { config: { session: { renew: false } } }, async ({ session }) => session.data())
  const client = await loggedIn(app)
  clock.advance(7 * HOUR_MS)
  t.strictSame(given(await client.get('/poll')), NOTHING)
  t.strictSame(given(await client.get('/get')), NEW_TOKEN)

  const anonymous = await site(t, { subject: undefined, transport: 'bearer' })
  let length = 2900
  while ((await anonymous.inject(`/fill/${length + 1}`)).statusCode === 200) length++
  const full = new Client(app)
  full.token = String((await anonymous.inject(`/fill/${length}`)).headers['session-token'])
  clock.advance(7 * HOUR_MS)
  const response = await full.get('/get')
  t.strictSame([response.statusCode, given(response)], [200, NOTHING])
  t.equal((await full.get('/set/page/a')).json().code, 'FST_SESSION_TOO_LARGE')
  t.strictSame(given(await full.copy(anonymous).get('/get')), NEW_TOKEN, 'where nothing is added, it is renewed')
  const broken = await site(t)
  broken.get('/break', async ({ session }) => { (session.get('list') as any).push(1n); return {} })
  broken.get('/list', async ({ session }) => { session.set('user', 'ada'); session.options({ transport: 'bearer' }); session.set('list', []); return {} })
  const list = new Client(broken)
  await list.get('/list')
  clock.advance(7 * HOUR_MS)
  t.equal((await list.get('/break')).json().code, 'FST_SESSION_NOT_SERIALIZABLE')
})

t.test('with revocation, a revoked session is forgotten by its client, and one that was checked keeps its token', async t => {
  const clock = fakeClock(t, Date.now())
  const revocation = { store: secureSession.memoryRevocation(), recheck: '5m' as const }
  const app = await site(t, { revocation })
  const other = await site(t, { revocation })
  const client = await loggedIn(app)
  clock.advance(6 * 60_000)
  t.strictSame(given(await client.get('/get')), NOTHING, 'a check is no change')
  t.strictSame(given(await client.get('/untouched')), NOTHING)
  const copy = client.copy(other)
  await app.secureSession.revoke((await client.json('/info')).id)
  for (const url of ['/untouched', '/get']) {
    const response = await client.copy().get(url)
    t.strictSame(given(response), ENDED_TOKEN, url)
    t.equal(response.headers['cache-control'], 'no-store')
  }
  t.strictSame(await copy.json('/get'), {})
  t.match(refusals(other).at(-1), [DEBUG, 'bearer token refused', 'revoked'])
  t.strictSame(given(await client.copy().get('/set/page/a')), NEW_TOKEN, 'a session that begins then is a token, too')

  const again = await loggedIn(app)
  const before = again.copy()
  t.strictSame(given(await again.get('/login/ada')), NEW_TOKEN)
  t.strictSame(given(await before.copy().get('/get')), NOTHING, 'the client has another one')
  t.strictSame(await before.json('/get'), {})
  t.strictSame(given(await again.get('/delete')), ENDED_TOKEN)
  t.equal(again.token, '')

  const browser = new Browser(app)
  await browser.get('/login/bob')
  const bob = await loggedIn(app, 'bob')
  await app.secureSession.revokeSubject('bob')
  app.lines.length = 0
  t.equal(await userOf(app, { cookie: browser.header, authorization: `Bearer ${bob.token}` }), null)
  t.match(refusals(app), [[DEBUG, 'bearer token refused', 'ambiguous']])
})

t.test('the token is opened as in a cookie: custom serializer, token cache, events, tokens of a key that is new here', async t => {
  const serializer = { serialize: (data: object) => Buffer.from(JSON.stringify(data)).reverse(), deserialize: (text: Buffer) => JSON.parse(String(text.reverse())) }
  const custom = await site(t, { serializer, transport: 'bearer', cacheControl: false })
  const client = await loggedIn(custom)
  for (let visit = 0; visit < 3; visit++) t.strictSame(await client.json('/get'), { user: 'ada' })
  t.equal((await client.get('/set/page/a')).headers['cache-control'], 'no-store', 'also without the option cacheControl')
  t.equal((await client.get('/get')).headers['vary'], undefined)

  const cached = await site(t)
  const reader = await loggedIn(cached)
  for (let visit = 0; visit < 3; visit++) t.strictSame(await reader.json('/get'), { user: 'ada' })

  const store = new MemoryStore([keyNumber(1, Date.now() - 1000)])
  const keyring = { key: undefined, keyring: store, reloadEvery: '1d' as const }
  const [one, two, three] = [await site(t, keyring), await site(t, { ...keyring, transport: 'bearer' }), await site(t, { ...keyring, transport: 'cookie' })]
  rotate(store, Date.now())
  const fresh = await loggedIn(await site(t, keyring))
  const { reads } = store
  for (const authorization of [`Bearer ${fresh.token}`, `Bearer ${JWT}`]) await three.inject({ url: '/get', headers: { authorization } })
  await two.inject({ url: '/get', headers: { authorization: `Bearer ${JWT}`, cookie: `session=${fresh.token}` } })
  t.equal(store.reads, reads)
  t.strictSame(await fresh.copy(two).json('/get'), { user: 'ada' })
  t.equal((await one.secureSession.decode(fresh.token))?.get('user'), 'ada')
})

t.test('outside a request, a token alone opens by decode, and open reads cookies alone', async t => {
  const both = await site(t)
  const bearer = await site(t, { transport: 'bearer' })
  const { token } = await loggedIn(both)
  for (const app of [both, bearer]) {
    t.equal((await app.secureSession.decode(token))?.get('user'), 'ada')
    t.equal(app.decodeSecureSession(token)?.get('user'), 'ada')
    t.equal(app.decodeSecureSession(token)?.info.transport, null)
    t.equal(await app.secureSession.open(`Bearer ${token}`), null)
  }
  t.equal((await both.secureSession.open(`session=${token}`))?.get('user'), 'ada')
  t.equal(await bearer.secureSession.open(`session=${token}`), null)
  const made = bearer.createSecureSession({ user: 'eve' })
  made.options({ transport: 'bearer' })
  t.strictSame(await new Client(bearer, bearer.encodeSecureSession(made)).json('/get'), { user: 'eve' })
  await t.rejects(async () => bearer.secureSession.cookiesFor({}), { code: 'FST_SESSION_INVALID_OPTION' })
  t.strictSame(await new Client(bearer, bearer.secureSession.encode({ user: 'eve' })).json('/get'), { user: 'eve' })
  t.equal(bareApp(t).hasDecorator('secureSession'), false)
})

t.test('a token of one tenant opens at no other, and a host that is no tenant has no session', async t => {
  const app = await site(t, { tenant: ({ headers }: any) => /^(\w+)\.example$/.exec(headers.host)?.[1] } as object)
  const ask = async (host: string, url: string, token = ''): Promise<any> => {
    return await app.inject({ url, headers: { host, ...(token === '' ? {} : { authorization: `Bearer ${token}` }) } })
  }
  const login = await ask('one.example', '/login/ada?transport=bearer')
  t.strictSame(given(login), NEW_TOKEN)
  const token = String(login.headers['session-token'])
  t.strictSame((await ask('one.example', '/get', token)).json(), { user: 'ada' })
  t.strictSame((await ask('two.example', '/get', token)).json(), {})
  t.strictSame(refusals(app), [[DEBUG, 'bearer token refused', 'forged']])
  t.strictSame((await ask('localhost', '/get', token)).json(), {})
  t.strictSame(given(await ask('two.example', '/set/page/a', token)), COOKIE, 'and a session that begins there is a cookie')

  const one = await app.secureSession.forTenant('one')
  const made = one.encode({ user: 'eve' })
  t.equal((await one.decode(made))?.get('user'), 'eve')
  t.strictSame((await ask('one.example', '/get', made)).json(), { user: 'eve' })
  t.strictSame((await ask('two.example', '/get', made)).json(), {})
  for (const instead of [() => app.createSecureSession(), () => app.encodeSecureSession({} as never), () => app.decodeSecureSession('x')]) {
    t.throws(instead, { code: 'FST_SESSION_INVALID_OPTION', message: /call (encode|decode).* on what app.secureSession.forTenant/ })
  }
})
