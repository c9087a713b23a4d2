import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import t from 'tap'
import secureSession from '../../index'
import { NO_TENANT_KEYS } from '../../lib/keyring/tenant-keys'
import { boundBrowser, LINK, loggedIn as loggedInToDevice, shopOf } from '../bound/site'
import { appWith, bareApp, KEY } from '../helpers/app'
import { Browser, setCookies } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'
import { keyNumber, MemoryStore } from '../helpers/keyrings'
import { byHost, HostBrowser, loggedIn, reasons, siteWith, subject } from './site'

t.test('a session opens at its tenant, and at no other under the same key and name', async t => {
  const app = await siteWith(t)
  const { a, b } = await loggedIn(app)
  reasons(app)
  t.strictSame(await a.json('/get'), { user: 'ada' })
  t.strictSame(await b.json('/get'), { user: 'ada' })
  t.strictSame(reasons(app), [])
  t.strictSame(await b.with(a).json('/get'), {})
  t.strictSame(reasons(app), ['forged'])
})

t.test('a token in the cache of its tenant is refused at another, before and after it was kept', async t => {
  const app = await siteWith(t)
  const { a } = await loggedIn(app)
  const b = new HostBrowser(app, 'b.example').with(a)
  for (let round = 0; round < 4; round++) {
    t.strictSame(await a.json('/get'), { user: 'ada' }, `round ${round}`)
    t.strictSame(await b.json('/get'), {}, `round ${round}`)
  }
})

t.test('with and without a cache of tokens, random requests of two tenants are answered alike', async t => {
  fakeClock(t)
  const [cached, uncached] = [await siteWith(t, { tokenCache: 3 }), await siteWith(t, { tokenCache: 0 })]
  const tokens = []
  for (const id of ['a', 'b', 'c']) {
    const control = await cached.secureSession.forTenant(id)
    for (const user of ['x', 'y']) tokens.push({ id, user, value: control.cookiesFor({ user })['session'] as string })
  }
  let seed = 1
  const below = (limit: number): number => (seed = (seed * 48271) % 2147483647) % limit
  const found: string[] = []
  for (let round = 0; round < 120; round++) {
    const [{ id, user, value }, host] = [tokens[below(6)] as typeof tokens[0], 'abc'[below(3)] as string]
    const request = { url: '/get', headers: { host: `${host}.example`, cookie: `session=${value}` } }
    const [one, two] = [(await cached.inject(request)).body, (await uncached.inject(request)).body]
    if (one !== two || one !== JSON.stringify(id === host ? { user } : {})) found.push(`${id} ${host} ${one} ${two}`)
  }
  t.strictSame(found, [])
})

t.test('a session of an app without tenants opens at no tenant, and the other way round', async t => {
  const [plain, app] = [await appWith(t), await siteWith(t)]
  plain.get('/get', async ({ session }) => session.data())
  const { a } = await loggedIn(app)
  t.strictSame(await a.copy(plain).json('/get'), {})
  const cookies = plain.secureSession.cookiesFor({ user: 'ada' })
  t.strictSame((await app.inject({ url: '/get', headers: { host: 'a.example' }, cookies })).json(), {})
})

t.test('a stamp of one tenant does not renew a session of another', async t => {
  const clock = fakeClock(t)
  const app = await siteWith(t, { idle: '1h' })
  const { a } = await loggedIn(app)
  const cookie = a.cookies.get('session') as string
  clock.advance(45 * 60_000)
  await a.get('/get')
  const stamp = a.cookies.get('session.t') as string
  clock.advance(30 * 60_000)
  t.strictSame((await app.inject({ url: '/get', headers: { host: 'a.example' }, cookies: { session: cookie } })).json(), {})
  t.strictSame(await a.json('/get'), { user: 'ada' })
  // The same session cannot exist at two tenants, so its stamp is tried for another session of this tenant, too.
  const other = new HostBrowser(app, 'b.example')
  other.cookies.set('session', cookie)
  other.cookies.set('session.t', stamp)
  t.strictSame(await other.json('/get'), {})
})

t.test('a token for a purpose opens at its tenant alone', async t => {
  const app = await siteWith(t)
  const [a, b] = [await app.secureSession.forTenant('a'), await app.secureSession.forTenant('b')]
  const token = a.sealToken('login', { user: 1 }, { ttl: '1h' })
  t.strictSame(await a.openToken('login', token), { user: 1 })
  reasons(app)
  t.equal(await b.openToken('login', token), null)
  t.strictSame(reasons(app), ['forged'])
  const plain = await appWith(t)
  for (const [purpose, audience] of [['login', undefined], ['a', 'login\0'], ['a', '\0login\0']] as const) {
    t.equal(await plain.secureSession.openToken(purpose, token, { audience }), null)
  }
})

t.test('a split session opens at its tenant alone', async t => {
  const app = await siteWith(t, { maxCookies: 3 })
  app.get('/fill', async ({ session }) => { session.set('text', 'x'.repeat(6000)); return {} })
  const a = new HostBrowser(app, 'a.example')
  await a.get('/fill')
  t.ok(a.cookies.has('session.2'))
  t.match(await a.json('/get'), { text: /^x{6000}$/ })
  t.strictSame(await new HostBrowser(app, 'b.example').with(a).json('/get'), {})
})

t.test('equal subjects of two tenants are two users', async t => {
  const clock = fakeClock(t)
  const store = secureSession.memoryRevocation()
  const app = await siteWith(t, { subject, revocation: { store, recheck: 0 } })
  app.get('/others', async ({ session }) => { await session.revokeOthers(); return session.data() })
  const { a, b } = await loggedIn(app)
  const elsewhere = await loggedIn(app)
  clock.advance(10)
  await a.get('/others')
  t.strictSame(await elsewhere.a.json('/get'), {})
  t.strictSame(await elsewhere.b.json('/get'), { user: 'ada' })
  clock.advance(10)
  await (await app.secureSession.forTenant('a')).revokeSubject('ada')
  t.strictSame(await a.json('/get'), {})
  t.strictSame(await b.json('/get'), { user: 'ada' })
  await (await app.secureSession.forTenant('b')).revokeSubject('ada')
  t.strictSame(await b.json('/get'), {})
})

t.test('a session is revoked by its id, whatever its tenant, also without naming one', async t => {
  const app = await siteWith(t, { subject, revocation: { store: secureSession.memoryRevocation() } })
  const { a, b } = await loggedIn(app)
  await app.secureSession.revoke((await a.json('/info')).id)
  t.strictSame(await a.json('/get'), {})
  t.equal(a.cookies.size, 0)
  await (await app.secureSession.forTenant('b')).revoke((await b.json('/info')).id)
  t.strictSame(await b.json('/get'), {})
})

t.test('a request of no tenant has an empty session, and gets no cookie', async t => {
  const app = await siteWith(t, { subject, idle: '1h', deviceBound: true, revocation: { store: secureSession.memoryRevocation() } })
  app.get('/same', async request => {
    const [one, two] = [request.session, request.session]
    return { same: one === two }
  })
  app.get('/others', async ({ session }) => { await session.revokeOthers(); return {} })
  app.get('/revoke', async ({ session }) => { session.set('a', 1); await session.revoke(); return session.data() })
  app.get('/options', async ({ session }) => { session.options({ persistent: true }); return session.data() })
  app.get('/guarded', { onRequest: app.requireSession() }, async () => ({}))
  app.get('/when', { onRequest: app.requireSession({ when: () => true }) }, async () => ({}))
  app.get('/set-and-read', async ({ session }) => { session.set('user', { name: 'x' }); return { ...session.data(), changed: session.changed } })
  const { a } = await loggedIn(app)
  const stranger = new HostBrowser(app, 'x.example').with(a)
  const { header } = stranger
  app.lines.length = 0
  t.strictSame(await stranger.json('/get'), {})
  t.strictSame(await stranger.json('/same'), { same: true })
  t.match(await stranger.json('/info'), { isNew: true, bound: false })
  t.notOk(app.lines.some(({ msg }) => msg.includes('no tenant')), 'nothing was set')
  for (const url of ['/set/user/ada', '/set-and-read', '/touch', '/regenerate', '/delete', '/revoke', '/options']) {
    const response = await stranger.get(url)
    t.equal(response.statusCode, 200, url)
    t.strictSame(setCookies(response), [], url)
  }
  t.strictSame(await stranger.json('/set-and-read'), { user: { name: 'x' }, changed: true })
  t.strictSame(await stranger.json('/revoke'), {})
  for (const url of ['/guarded', '/when']) {
    const response = await stranger.get(url)
    t.match(response.json(), { statusCode: 401, code: 'FST_SESSION_REQUIRED' }, url)
    t.equal(response.headers['www-authenticate'], 'Cookie realm="session", cookie-name=session')
  }
  t.match((await stranger.json('/others')), { code: 'FST_SESSION_REQUIRED' })
  t.equal(stranger.header, header)
  const lines = app.lines.filter(({ msg }) => msg.includes('no tenant'))
  t.match(lines, [{ level: 30, session: 'session' }])
  t.equal(lines.length, 1, 'of all these requests')
  t.notMatch(lines[0], { host: String })
  for (const route of ['register', 'refresh']) {
    t.equal((await stranger.get(`/dbsc/session/${route}`, { method: 'POST' })).statusCode, 400)
  }
  t.equal((await new HostBrowser(app, 'a.example').with(a).get('/guarded')).statusCode, 200)
})

t.test('without the option `subject`, a session of no tenant has none either', async t => {
  const app = await siteWith(t, { revocation: { store: secureSession.memoryRevocation() } })
  app.get('/others', async ({ session }) => { await session.revokeOthers(); return {} })
  t.match(await new HostBrowser(app, 'x.example').json('/others'), { code: 'FST_SESSION_INVALID_OPTION' })
})

t.test('what the option `tenant` returns wrongly fails the requests that use the session, and no others', async t => {
  const wrong: unknown[] = ['', 'a b', 'x'.repeat(65), 'ä', 'a/b', 17, true, {}, Promise.resolve('a')]
  let found: unknown
  for (const options of [{}, { revocation: { store: secureSession.memoryRevocation() } }]) {
    const app = await siteWith(t, { tenant: () => found as string, ...options })
    app.get('/again', async request => {
      try { request.session.data() } catch {}
      return { session: request.session as object | null }
    })
    for (found of wrong) {
      const response = await app.inject('/get')
      t.match(response.json(), { statusCode: 500, code: 'FST_SESSION_INVALID_OPTION' }, String(found))
      t.equal((await app.inject('/untouched')).statusCode, 200)
      t.strictSame((await app.inject('/again')).json(), { session: null })
    }
    for (found of ['a', 'A', '_', 'acme.example:8080', '0b9d-x', 'x'.repeat(64), null, undefined]) {
      t.equal((await app.inject('/get')).statusCode, 200, String(found))
    }
  }
})

t.test('an error of the option `tenant` is the answer, and its function may use the session', async t => {
  let calls = 0
  const app = await siteWith(t, {
    tenant: request => {
      calls++
      if (request.hostname === 'b.example') throw Object.assign(new Error('no list'), { statusCode: 503 })
      return (request.session as unknown) === null ? 'a' : 'b'
    }
  })
  app.get('/twice', async request => [request.session.data(), request.session.data()])
  const a = new HostBrowser(app, 'a.example')
  await a.get('/set/user/ada')
  calls = 0
  t.strictSame(await a.json('/twice'), [{ user: 'ada' }, { user: 'ada' }])
  t.equal(calls, 1, 'it is called once for a request')
  t.match(await new HostBrowser(app, 'b.example').json('/get'), { statusCode: 503, message: 'no list' })
})

t.test('events name the tenant', async t => {
  const clock = fakeClock(t)
  const seen: Array<Record<string, unknown>> = []
  for (const name of ['opened', 'refused', 'sealed', 'renewed', 'revoked', 'bound']) {
    const note = (message: unknown): void => { seen.push({ name, ...message as object }) }
    subscribe(`fastify-sealed-session:${name}`, note)
    t.teardown(() => unsubscribe(`fastify-sealed-session:${name}`, note))
  }
  const app = await siteWith(t, { subject, deviceBound: true, revocation: { store: secureSession.memoryRevocation() } })
  const a = new HostBrowser(app, 'a.example')
  await a.get('/set/user/ada', { headers: { 'x-forwarded-proto': 'https' } })
  clock.advance(8 * 3600_000)
  await a.get('/get')
  await (await app.secureSession.forTenant('a')).revokeSubject('ada')
  await a.get('/get')
  await app.secureSession.revoke('0'.repeat(32))
  t.strictSame(seen.map(({ name, session, tenant }) => [name, session, tenant]), [
    ['sealed', 'session', 'a'], ['opened', 'session', 'a'], ['renewed', 'session', 'a'], ['revoked', 'session', 'a'],
    ['refused', 'session', 'a'], ['revoked', 'session', undefined]
  ])
})

t.test('the end of all sessions of a user of a tenant leaves the same id in a session without tenants', async t => {
  const revocation = { store: secureSession.memoryRevocation(), recheck: 0 }
  const app = await appWith(t, [{ key: KEY, tenant: () => 'a', subject, revocation }, { key: KEY, sessionName: 'admin', subject, revocation }])
  const a = await app.secureSession.forTenant('a')
  const [own, admin] = [a.cookiesFor({ user: 'x' })['session'], a.cookiesFor({ user: 'x' }, 'admin')['admin']]
  await new Promise(resolve => { setImmediate(resolve) })
  await a.revokeSubject('x')
  t.equal(await a.decode(own), null)
  t.equal((await a.decode(admin, app.log, 'admin'))?.get('user'), 'x')
  await a.revokeSubject('x', 'admin')
  t.equal(await a.decode(admin, app.log, 'admin'), null, 'by its name')
})

t.test('forTenant takes a cookie of the session that has a choice, beside one that has none', async t => {
  const cookies = [{ namePrefix: '' }, { namePrefix: 'x-' }]
  const app = await appWith(t, [
    { key: KEY, tenant: () => 'a', cookies, cookie: () => ({}) }, { key: KEY, sessionName: 'other', tenant: () => 'a' }
  ])
  const a = await app.secureSession.forTenant('a', { namePrefix: 'x-' })
  t.strictSame(Object.keys({ ...a.cookiesFor({ user: 'x' }), ...a.cookiesFor({ user: 'x' }, 'other') }), ['x-session', 'other'])
  await t.rejects(app.secureSession.forTenant('a', { namePrefix: 'y-' }), { code: 'FST_SESSION_INVALID_OPTION' })
})

t.test('calls without a request need a tenant, unless it makes no difference', async t => {
  const revocation = { store: secureSession.memoryRevocation() }
  const app = await appWith(t, [{ key: KEY, tenant: byHost, subject, revocation }, { key: KEY, sessionName: 'plain', subject, revocation }])
  const { secureSession: control } = app
  const calls: Array<() => unknown> = [
    () => app.createSecureSession(), () => app.encodeSecureSession(app.createSecureSession({}, 'plain')),
    () => app.decodeSecureSession('x'), () => control.cookiesFor({}), () => control.sealToken('x', {}, { ttl: 1 }),
    async () => await control.openToken('x', 'x'), async () => await control.decode('x'), async () => await control.open(''),
    async () => await control.revokeSubject('x')
  ]
  for (const call of calls) {
    await t.rejects(async () => await call(), { code: 'FST_SESSION_INVALID_OPTION', message: /"session" has the option "tenant".*forTenant/ })
  }
  await control.revoke('0'.repeat(32))
  await control.revokeSubject('x', 'plain')
  t.equal(control.stripCookies('session=1; session.t=1; x=1; plain=2'), 'x=1')
  t.strictSame(Object.keys(control.securitySchemes), ['session', 'plain'])
  const a = await control.forTenant('a')
  const cookies = a.cookiesFor({ user: 'ada' })
  t.equal((await a.decode(cookies['session']))?.get('user'), 'ada')
  t.equal((await a.open(`session=${cookies['session']}`))?.get('user'), 'ada')
  t.equal(await (await control.forTenant('b')).decode(cookies['session']), null)
  t.equal((await a.decode(a.cookiesFor({ user: 'x' }, 'plain')['plain'], app.log, 'plain'))?.get('user'), 'x')
  t.equal(a.stripCookies('session=1; x=1'), 'x=1')
  t.strictSame(Object.keys(a.securitySchemes), ['session', 'plain'])
  t.notOk('forTenant' in a)
  for (const id of ['', 'a b', 17, null]) await t.rejects(control.forTenant(id as string), { code: 'FST_SESSION_INVALID_OPTION' })
  await t.rejects(control.forTenant('a', { path: '/x' }), { code: 'FST_SESSION_INVALID_OPTION' })
  await t.rejects((await appWith(t)).secureSession.forTenant('a'), { code: 'FST_SESSION_INVALID_OPTION' })
})

t.test('sessions with and without tenants live beside each other, also in inner scopes', async t => {
  const app = await appWith(t, [{ key: KEY, tenant: byHost }, { key: KEY, sessionName: 'shared' }])
  await app.register(async scope => {
    await scope.register(secureSession, { key: KEY, sessionName: 'inner', tenant: () => 'one' })
    scope.get('/set', async request => {
      const all = request as unknown as Record<string, secureSession.Session>
      for (const name of ['session', 'shared', 'inner']) all[name]?.set('at', name)
      return {}
    })
    scope.get('/get', async request => {
      const all = request as unknown as Record<string, secureSession.Session>
      return ['session', 'shared', 'inner'].map(name => all[name]?.get('at') ?? null)
    })
  })
  const a = new HostBrowser(app, 'a.example')
  await a.get('/set')
  t.strictSame([...a.cookies.keys()], ['session', 'shared', 'inner'])
  t.strictSame(await a.json('/get'), ['session', 'shared', 'inner'])
  t.strictSame(await new HostBrowser(app, 'b.example').with(a).json('/get'), [null, 'shared', 'inner'])
  t.strictSame(await new HostBrowser(app, 'x.example').with(a).json('/get'), [null, 'shared', 'inner'])
})

t.test('a route with `session: false` reads the session of its tenant, and none where a store must be asked', async t => {
  const app = await siteWith(t)
  app.get('/off', { config: { session: false } }, async ({ session }) => session.data())
  app.get('/poll', { config: { session: { renew: false } } }, async ({ session }) => session.data())
  const { a, b } = await loggedIn(app)
  for (const url of ['/off', '/poll']) {
    t.strictSame(await a.json(url), { user: 'ada' })
    t.strictSame(await b.with(a).json(url), {})
  }
  const revocable = await siteWith(t, { revocation: { store: secureSession.memoryRevocation() } })
  revocable.get('/off', { config: { session: false } }, async request => ({ session: request.session as object | null }))
  t.strictSame((await revocable.inject({ url: '/off', headers: { host: 'a.example' } })).json(), { session: null })
})

t.test('scopes side by side may share a session of tenants, with the same options', async t => {
  const cookies = [{ path: '/' }, { path: '/x', namePrefix: 'x-' }]
  const cookie = (): object => ({})
  const same = { key: KEY, tenant: byHost }
  const cases: Array<[object, object, boolean]> = [
    [same, same, true],
    [same, { key: [Buffer.alloc(32, 9), KEY], tenant: byHost }, false],
    [same, { key: KEY }, false],
    [{ key: KEY }, same, false],
    [same, { key: KEY, tenant: () => 'a' }, false],
    [same, { ...same, cookie, cookies }, false],
    [{ ...same, cookie, cookies }, { ...same, cookie, cookies }, true],
    [{ ...same, cookie, cookies }, { ...same, cookie, cookies: cookies.slice(1) }, false],
    [{ ...same, cookie: { path: '/a/:tenant' } }, { ...same, cookie: { path: '/b' } }, false],
    [{ ...same, cookie: { path: '/a' } }, { ...same, tenant: () => 'a', cookie: { path: '/b' } }, true],
    [{ ...same, cookie, cookies }, { ...same, cookie: { path: '/b' }, tenant: () => 'a' }, false],
    [{ ...same, cookie: { path: '/b' }, tenant: () => 'a' },
      { ...same, cookie, cookies: [{ path: '/x' }, { path: '/b' }] }, false],
    [same, { ...same, serializer: { serialize: JSON.stringify, deserialize: JSON.parse } }, false]
  ]
  for (const [index, [one, two, isGood]] of cases.entries()) {
    const app = bareApp(t)
    for (const options of [one, two]) app.register(async scope => { await scope.register(secureSession, options) })
    if (isGood) await t.resolves(async () => await app.ready(), `case ${index}`)
    else await t.rejects(async () => await app.ready(), { code: 'FST_SESSION_INVALID_OPTION' }, `case ${index}`)
  }
})

t.test('without its tenant, a session seals and opens nothing', async t => {
  const keys = NO_TENANT_KEYS.tokenKeys('cookie', 'session')
  t.equal(keys.find(0, 0), undefined)
  t.throws(() => keys.sealing(0), { code: 'FST_SESSION_INVALID_OPTION' })
})

t.test('`@fastify/cookie` signs with the keys of all tenants', async t => {
  const app = await siteWith(t)
  app.get('/sign', async (_request, reply) => reply.setCookie('x', 'y', { signed: true }).send({}))
  const browser = new Browser(app)
  await browser.get('/sign')
  t.match(browser.cookies.get('x'), /^y\./)
})

t.test('a session that is bound to a device is proved at its tenant alone', async t => {
  const clock = fakeClock(t)
  const here: { tenant: string | null } = { tenant: 'a' }
  const app = await shopOf(t, { tenant: () => here.tenant, revocation: { store: secureSession.memoryRevocation() } })
  app.get('/bound', { onRequest: app.requireSession({ provenWithin: '2m' }) }, async () => ({}))
  const browser = await boundBrowser(app)
  t.match(await browser.ask('/me'), { user: 'ada', bound: true })
  t.strictSame(await browser.ask('/bound'), {})

  const stolen = browser.copy()
  here.tenant = 'b'
  const { header } = stolen
  t.match(await stolen.ask('/me'), { user: null, isNew: true })
  t.match((await stolen.refresh()).json(), { continue: false }, 'the identifier is of no device of this tenant')
  t.equal((await browser.copy().register()).statusCode, 400)
  const login = await loggedInToDevice(app, 'eve')
  const [own, proof] = [login.cookies.get('session') as string, browser.cookies.get('session.d') as string]
  t.match((await app.inject({ url: '/me', cookies: { session: own, 'session.d': proof } })).json(), { user: null })
  t.equal(stolen.header, header)

  here.tenant = null
  for (const step of ['register', 'refresh'] as const) t.equal((await browser.copy()[step]()).statusCode, 400)
  clock.advance(20 * 60_000)
  browser.dropProof()
  t.notOk((await browser.copy().get('/me', { headers: LINK })).headers['refresh'], 'no reload page for no tenant')
  here.tenant = 'a'
  t.equal((await browser.copy().get('/me', { headers: LINK })).headers['refresh'], '0')
  t.equal((await browser.prove()).statusCode, 204)
  t.match(await browser.ask('/me'), { user: 'ada', bound: true })
  clock.advance(3 * 60_000)
  t.equal((await browser.get('/bound')).statusCode, 307)
  t.notOk(browser.cookies.has('session.d'), 'the browser is to sign again')
  here.tenant = 'b'
  t.match(await login.ask('/me'), { user: 'eve' })
})

t.test('the routes of devices answer 503 while the keyring of a tenant cannot be read', async t => {
  const store = new MemoryStore([keyNumber(1, Date.now())])
  const options = { key: undefined, keyring: () => store, tenant: () => 'a' }
  const browser = await boundBrowser(await shopOf(t, options))
  store.insteadOfReading = async () => { throw new Error('down') }
  const elsewhere = browser.copy(await shopOf(t, options))
  t.equal((await elsewhere.refresh()).statusCode, 503)
  t.equal(elsewhere.header, browser.header)
})

t.test('a bearer token opens at its tenant alone, and none is sent for no tenant', async t => {
  const app = await siteWith(t, { transport: 'bearer', subject })
  app.get('/guarded', { onRequest: app.requireSession() }, async ({ session }) => session.data())
  const ask = async (tenant: string, url: string, token?: string): Promise<{ status: number, body: object, token: unknown }> => {
    const headers = { host: `${tenant}.example`, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) }
    const response = await app.inject({ url, headers })
    return { status: response.statusCode, body: response.json(), token: response.headers['session-token'] }
  }
  const token = (await ask('a', '/set/user/ada')).token as string
  t.strictSame((await ask('a', '/guarded', token)).body, { user: 'ada' })
  t.strictSame((await ask('b', '/get', token)).body, {})
  for (const tenant of ['b', 'x']) t.equal((await ask(tenant, '/guarded', token)).status, 401)
  t.match(await ask('x', '/set/user/ada', token), { status: 200, token: undefined })
})

t.test('the options of tenants are typed', async t => {
  const options: secureSession.SessionOptions = {
    tenant: ({ hostname }) => hostname === 'x' ? undefined : 'a',
    keyring: tenant => new MemoryStore([keyNumber(tenant.length, Date.now())]),
    cookies: [{ namePrefix: '__Host-', domain: undefined, sameSite: 'strict' }, { path: '/a', namePrefix: undefined }],
    cookie: ({ url }) => url === '/a' ? { path: '/a', domain: undefined } : { namePrefix: '__Host-' }
  }
  const app = await appWith(t, options)
  const control: secureSession.TenantControl = await app.secureSession.forTenant('a', { path: '/a' })
  const cookies: Record<string, string> = control.cookiesFor({ user: 'ada' })
  t.strictSame(Object.keys(cookies), ['session'])
  const wrong: secureSession.SessionOptions[] = [
    // @ts-expect-error: it must be synchronous
    { key: KEY, tenant: async () => 'a' },
    // @ts-expect-error: only domain, path and namePrefix
    { key: KEY, tenant: () => 'a', cookies: [{}], cookie: () => ({ sameSite: 'lax' }) },
    // @ts-expect-error: a prefix is declared in `cookies`
    { key: KEY, tenant: () => 'a', cookie: { namePrefix: '__Host-' } }
  ]
  t.equal(wrong.length, 3)
  // @ts-expect-error: only `app.secureSession` has it
  t.equal(control.forTenant, undefined)
})
