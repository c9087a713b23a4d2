import { inspect } from 'node:util'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import secureSession from '../../index'
import { addRoutes, appWith, bareApp, KEY } from '../helpers/app'
import { Browser, setCookies } from '../helpers/browser'
import { loggedInBefore } from '../legacy/old-app'
import { byHost, HostBrowser, siteWith, subject, type Options } from './site'
import { HttpBrowser } from './jar'

/** A browser at a server with these options, and routes below `/:shop` as well. */
async function serve (t: Test, options: Options): Promise<HttpBrowser> {
  const app = await appWith(t, { key: KEY, ...options }, { trustProxy: true })
  addRoutes(app)
  await app.register(async scope => { addRoutes(scope) }, { prefix: '/:shop' })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return new HttpBrowser((app.server.address() as AddressInfo).port)
}

t.test('the domain by request: each tenant has its subdomains, and the cookie of none goes to another', async t => {
  const domains = ['shop.example', 'store.example']
  const browser = await serve(t, {
    tenant: ({ hostname }) => domains.find(domain => hostname.endsWith(domain))?.split('.')[0],
    cookies: domains.map(domain => ({ domain })),
    cookie: ({ hostname }) => ({ domain: domains.find(domain => hostname.endsWith(domain)) })
  })
  await browser.get('www.shop.example', '/set/user/ada')
  t.strictSame(browser.names, ['session shop.example /'])
  t.strictSame((await browser.get('pay.shop.example', '/get')).body, { user: 'ada' })
  t.strictSame((await browser.get('www.store.example', '/get')).body, {})
  await browser.get('store.example', '/set/user/eve')
  t.strictSame((await browser.get('pay.shop.example', '/get')).body, { user: 'ada' })
  t.match((await browser.get('www.shop.example', '/delete')).lines, [/Max-Age=0.*Domain=shop.example/])
  t.strictSame(browser.names, ['session store.example /'])
  t.strictSame((await browser.get('other.example', '/set/user/x')).lines, [])
})

t.test('the path by tenant: a browser has a session at each, side by side', async t => {
  const browser = await serve(t, {
    tenant: ({ params }) => ['a', 'b', 'a.b'].find(id => id === (params as { shop?: string }).shop),
    cookie: { path: '/:tenant' }
  })
  for (const id of ['a', 'b', 'a.b']) await browser.get('shops.example', `/${id}/set/user/of-${id}`)
  t.strictSame(browser.names, ['session shops.example /a', 'session shops.example /b', 'session shops.example /a.b'])
  for (const id of ['a', 'b', 'a.b']) t.strictSame((await browser.get('shops.example', `/${id}/get`)).body, { user: `of-${id}` })
  t.strictSame((await browser.get('shops.example', '/x/get')).body, {})
  await browser.get('shops.example', '/a/delete')
  t.strictSame((await browser.get('shops.example', '/a/get')).body, {})
  t.strictSame((await browser.get('shops.example', '/b/get')).body, { user: 'of-b' })
})

t.test('the domain by tenant, and an id that makes no host name', async t => {
  const browser = await serve(t, { tenant: ({ hostname }) => hostname.replace('.example', ''), cookie: { domain: ':tenant.example' } })
  t.match((await browser.get('acme.example', '/set/user/ada')).lines, [/; Domain=acme.example;/])
  t.match((await browser.get('a_b.example', '/get')).body, { statusCode: 500, code: 'FST_SESSION_INVALID_OPTION' })
})

t.test('an id that a browser would resolve in a path counts as no tenant', async t => {
  const app = await siteWith(t, { tenant: ({ headers }) => headers['x-id'] as string, cookie: { path: '/:tenant' } })
  const linesOf = async (id: string): Promise<string[]> => setCookies(await app.inject({ url: '/set/user/ada', headers: { 'x-id': id } }))
  for (const id of ['.', '..']) t.strictSame(await linesOf(id), [])
  t.match(await linesOf('...'), [/Path=\/\.\.\./])
  t.equal(app.lines.filter(({ msg }) => msg.includes('browsers resolve')).length, 1, 'the log has the reason once')
  await t.rejects(app.secureSession.forTenant('..'), { code: 'FST_SESSION_INVALID_OPTION', message: /cannot be in the path/ })

  const inside = await siteWith(t, { tenant: () => '..', cookie: { path: '/shop-:tenant' } })
  t.match(setCookies(await inside.inject('/set/user/ada')), [/Path=\/shop-\.\./])
})

t.test('the domain by tenant is in lower case', async t => {
  const app = await siteWith(t, { tenant: () => 'Acme', cookie: { domain: ':tenant.example' } })
  t.match(setCookies(await app.inject('/set/user/ada')), [/Domain=acme\.example;/])
})

t.test('messages name no made-up id', async t => {
  const app = bareApp(t)
  for (const path of ['/:tenant', '/a']) {
    app.register(async scope => { await scope.register(secureSession, { key: KEY, tenant: () => 'a', cookie: { path } }) })
  }
  await t.rejects(async () => await app.ready(), { code: 'FST_SESSION_INVALID_OPTION', message: /"\/a" and "\/:tenant"/ })
})

t.test('the name prefix by request', async t => {
  const cookies = [{ namePrefix: '__Host-' }, { namePrefix: '__Secure-', domain: 'b.example' }]
  const browser = await serve(t, {
    tenant: ({ hostname }) => hostname.includes('b.example') ? 'b' : 'a',
    maxCookies: 2,
    cookies,
    cookie: ({ hostname }) => hostname.includes('b.example') ? { namePrefix: '__Secure-', domain: 'b.example' } : { namePrefix: '__Host-' }
  })
  await browser.get('a.example', '/set/user/ada')
  await browser.get('www.b.example', '/set/user/eve')
  t.strictSame(browser.names, ['__Host-session a.example /', '__Secure-session b.example /'])
  t.strictSame((await browser.get('a.example', '/get')).body, { user: 'ada' })
  t.strictSame((await browser.get('b.example', '/get')).body, { user: 'eve' })
})

t.test('what `cookie` returns must be declared', async t => {
  let found: unknown
  const app = await siteWith(t, {
    cookies: [{ path: '/a', sameSite: 'strict' }, { domain: '.A.example.', namePrefix: 'x-' }, { path: '/t/:tenant' }],
    cookie: () => found as object
  })
  const get = async (): Promise<any> => (await app.inject({ url: '/touch', headers: { host: 'a.example' } }))
  const wrong = [undefined, null, 'a', [], {}, { path: '/b' }, { domain: 'b.example' }, { path: '/a', domain: 'a.example' }, { domain: 'a.example' }, { namePrefix: 'x' },
    { path: '/t/b' }, { path: 17 }, { path: '/a', secure: true }, Promise.resolve({}), Promise.reject(new Error('it rejects')), new Date(), new Map(), { namePrefix: 10n }, { path: `/${'x'.repeat(500)}` }]
  for (found of wrong) {
    const response = await get()
    t.match(response.json(), { statusCode: 500, code: 'FST_SESSION_INVALID_OPTION' }, inspect(found))
    t.ok(response.body.length < 1000)
  }
  found = { path: '/b' }
  t.match((await get()).json().message, /must return one of "cookies"; found \{"path":"\/b"\}$/, 'the domains of other tenants are not for the client')
  t.match(JSON.stringify(app.lines), /declared are.*\/t\/:tenant/, 'the log has them')
  for (const [choice, line] of [[{ path: '/a' }, /Path=\/a;.*Strict/], [{ domain: 'a.example', namePrefix: 'x-' }, /Domain=a.example; Path=\/;/], [{ domain: 'A.Example.', namePrefix: 'x-' }, /Domain=a.example; Path=\/;/], [{ path: '/t/a' }, /Path=\/t\/a;/], [{ path: '/t/:tenant' }, /Path=\/t\/a;/]] as const) {
    found = choice
    t.match(setCookies(await get()), [line])
  }
})

t.test('calls without a request take one of `cookies`, the first by default', async t => {
  const app = await siteWith(t, { cookies: [{ namePrefix: 'one-' }, { namePrefix: 'two-' }], cookie: () => ({ namePrefix: 'one-' }) })
  const [one, two] = [await app.secureSession.forTenant('a'), await app.secureSession.forTenant('a', { namePrefix: 'two-' })]
  const cookies = one.cookiesFor({ user: 'ada' })
  t.strictSame(Object.keys(cookies), ['one-session'])
  t.strictSame(Object.keys(two.cookiesFor({})), ['two-session'])
  t.equal((await one.decode(cookies['one-session']))?.get('user'), 'ada')
  t.equal(await two.decode(cookies['one-session']), null)
  t.strictSame(await two.openToken('x', one.sealToken('x', { a: 1 }, { ttl: 9 })), { a: 1 }, 'a token for a link has no prefix')
  t.equal(app.secureSession.stripCookies('one-session=1; two-session=2; two-session.t=3; session=4'), 'session=4')
  await t.rejects(app.secureSession.forTenant('a', { namePrefix: 'three-' }), { code: 'FST_SESSION_INVALID_OPTION' })
})

t.test('the options are checked at boot, each cookie with the longest id', async t => {
  const cookie = (): object => ({})
  const tenant = (): string => 'a'
  const deviceBound = { when: () => true }
  const cases: Array<[options: object, message: RegExp]> = [
    [{ cookie }, /Missing: "cookies"$/],
    [{ cookies: [{}] }, /Missing: "cookie" as a function$/],
    [{ cookies: [{}], cookie: {} }, /Missing: "cookie" as a function$/],
    [{ tenant: undefined, cookie }, /Missing: "tenant" and "cookies"$/],
    [{ tenant: undefined, cookies: [{}] }, /Missing: "tenant" and "cookie" as a function$/],
    [{ tenant: undefined, cookieOptions: cookie, cookies: [{}] }, /Missing: "tenant"$/],
    [{ cookie, cookies: [] }, /empty array/],
    [{ cookie, cookies: {} }, /"cookies" must be an array/],
    [{ cookie, cookies: [17] }, /"cookies\[0\]" must be an object/],
    [{ cookie: 17 }, /"cookie" must be an object/],
    [{ cookieOptions: 17 }, /"cookieOptions" must be an object/],
    [{ cookie, cookieOptions: cookie, cookies: [{}] }, /"cookieOptions"/],
    [{ cookie: { namePrefix: 'a' } }, /"namePrefix" is unknown/],
    [{ cookie, cookies: [{ namePrefix: 17 }] }, /namePrefix" must be a string/],
    [{ cookie, cookies: [{ namePrefix: 'a b' }] }, /cookie name/],
    [{ cookie, cookies: [{}, { path: '/' }] }, /"cookies\[1\]" has the name of "cookies\[0\]"/],
    [{ cookie, cookies: [{ domain: 'a.example' }, { namePrefix: 'x-' }, { domain: 'A.example.' }] }, /"cookies\[2\]" has the name of "cookies\[0\]"/],
    [{ cookie, cookies: [{}, { path: '/admin' }] }, /"cookies\[1\]" has the name/],
    [{ cookie, cookies: [{}, { path: '/:tenant' }] }, /"cookies\[1\]" has the name/],
    [{ cookie, cookies: [{}, { domain: 'a.example' }] }, /"cookies\[1\]" has the name/],
    [{ cookie, cookies: [{ path: '/:tenant' }, { path: '/admin/x' }] }, /"cookies\[1\]" has the name/],
    [{ cookie, cookies: [{ domain: ':tenant.example' }, { domain: 'pay.acme.example' }] }, /"cookies\[1\]" has the name/],
    [{ cookie: { path: '/:tenant' }, tenant: undefined }, /":tenant" in the path or domain of a cookie needs the option "tenant"/],
    [{ cookie, cookies: [{ domain: '.a.example' }, { domain: 'Pay.A.example' }] }, /"cookies\[1\]" has the name/],
    [{ cookie, cookies: [{}, { namePrefix: '__Host-', path: '/a' }] }, /cookies\[1\]: .*path/],
    [{ cookie, cookies: [{}, { sameSites: 'lax' }] }, /"cookies\[1\]", "sameSites" is unknown/],
    [{ cookie, cookies: [{}, { path: 'x' }] }, /cookies\[1\]\.path/],
    [{ cookie: { path: '/:tenant' }, cookieName: '__Host-x' }, /path/],
    [{ cookie: { path: `/${'x'.repeat(960)}/:tenant` } }, /path/],
    [{ cookie, cookies: [{ path: '/a' }, { path: '/b' }], deviceBound }, /deviceBound.path/],
    [{ cookie: { path: '/:tenant' }, deviceBound }, /"deviceBound" does not work with ":tenant"/],
    [{ cookie: { domain: ':tenant.example' }, deviceBound }, /"deviceBound" does not work with ":tenant"/],
    [{ cookie, cookies: [{}, { path: '/:tenant', namePrefix: 'x-' }], deviceBound: { ...deviceBound, path: '/x' } }, /"deviceBound" does not work with ":tenant"/],
    [{ cookieName: 17 }, /"cookieName"/],
    [{ handOver: {} }, /"handOver" does not work.*another session/],
    [{ sessionName: 17 }, /"sessionName"/],
    [{ legacy: [secureSession.secureSessionOpener({ key: KEY })] }, /legacy"\[0\]\.tenant must name/],
    [{ legacy: [secureSession.sealedOpener({ cookieName: 'old', tenant: 'a b' })] }, /tenant/],
    [{ tenant: undefined, legacy: [secureSession.sealedOpener({ cookieName: 'old', tenant: 'a' })] }, /tenant needs the option/]
  ]
  for (const [options, message] of cases) {
    await t.rejects(async () => await bareApp(t).register(secureSession, { key: KEY, tenant, ...options } as secureSession.Options),
      { code: 'FST_SESSION_INVALID_OPTION', message }, JSON.stringify(options))
  }
  const good = [{ cookieOptions: { path: '/:tenant' } }, { cookieOptions: cookie, cookies: [{}] }, { cookie, cookies: [{}, { path: '/a', namePrefix: 'x-' }], deviceBound: { ...deviceBound, path: '/a/dbsc' } }, { cookie: { path: '/:tenant' }, deviceBound: false },
    { cookie, cookies: [{ domain: 'a.example' }, { domain: 'b.a-example' }] }, { cookie, cookies: [{ path: '/t/:tenant' }, { path: '/a' }] },
    { cookie, cookies: [{ domain: ':tenant.example' }, { domain: 'acme.test' }] }]
  for (const options of good) await t.resolves(async () => await bareApp(t).register(secureSession, { key: KEY, tenant, ...options } as never))
})

t.test('two sessions never share a cookie name, with whatever prefix', async t => {
  const cookies = [{ namePrefix: '' }, { namePrefix: 'x-' }]
  const options = [{ key: KEY, tenant: byHost, cookie: () => ({}), cookies }, { key: KEY, sessionName: 'other', cookieName: 'x-session' }]
  await t.rejects(async () => await bareApp(t).register(secureSession, options), { code: 'FST_SESSION_INVALID_OPTION', message: /x-session/ })
})

t.test('guards name the cookie of the tenant', async t => {
  const app = await siteWith(t, {
    subject, cookies: [{}, { namePrefix: 'b-' }], cookie: ({ hostname }) => hostname.startsWith('b') ? { namePrefix: 'b-' } : {}
  })
  app.get('/guarded', { onRequest: app.requireSession({ freshWithin: '1h' }) }, async () => ({}))
  const b = new HostBrowser(app, 'b.example')
  const response = await b.get('/guarded')
  t.match(response.headers['www-authenticate'], 'cookie-name=b-session')
  await b.get('/set/user/ada')
  t.equal((await b.get('/guarded')).statusCode, 200)
  t.match((await new HostBrowser(app, 'a.example').with(b).get('/guarded')).headers['www-authenticate'], 'cookie-name=session')
})

t.test('cookies from before there were tenants open at the tenant that they belonged to', async t => {
  const before = await appWith(t)
  addRoutes(before)
  const user = new Browser(before)
  await user.get('/set/user/ada')
  const old = await loggedInBefore(t, { key: Buffer.alloc(32, 7), cookieName: 'peer' })
  const app = await siteWith(t, {
    legacy: [
      secureSession.sealedOpener({ cookieName: 'session', tenant: 'a' }),
      secureSession.secureSessionOpener({ key: Buffer.alloc(32, 7), cookieName: 'peer', tenant: 'b' })
    ]
  })
  const at = (host: string, other: Browser): HostBrowser => new HostBrowser(app, host).with(other)
  t.strictSame(await at('a.example', user).json('/get'), { user: 'ada' })
  t.strictSame(await at('b.example', user).json('/get'), {})
  t.strictSame(await at('a.example', old).json('/get'), {})
  t.strictSame(await at('b.example', old).json('/get'), { user: 'ada' })
  t.strictSame(await at('x.example', old).json('/get'), {})
  const moved = at('a.example', user)
  const { id } = await moved.json('/info')
  await moved.get('/set/page/1')
  t.strictSame(await moved.json('/get'), { user: 'ada', page: '1' })
  t.equal((await moved.json('/info')).id, id)
  t.not(moved.cookies.get('session'), user.cookies.get('session'))
  t.strictSame(await at('b.example', moved).json('/get'), {})
  t.equal(app.secureSession.stripCookies('peer=1; session=2; x=3'), 'x=3')
})

t.test('cookies of tenants under an earlier name or key open at the tenant of each', async t => {
  const [before, key] = [await siteWith(t, { cookieName: 'old' }), Buffer.alloc(32, 3)]
  const a = new HostBrowser(before, 'a.example')
  await a.get('/set/user/ada')
  for (const options of [{ legacy: [secureSession.sealedOpener({ cookieName: 'old' })] }, { key, legacy: [secureSession.sealedOpener({ cookieName: 'old', key: KEY })] }]) {
    const app = await siteWith(t, options)
    t.strictSame(await new HostBrowser(app, 'a.example').with(a).json('/get'), { user: 'ada' })
    t.strictSame(await new HostBrowser(app, 'b.example').with(a).json('/get'), {})
  }
})

t.test('`:tenant` in the path or the domain of a legacy cookie stands for the id', async t => {
  const old = { cookieName: 'old', cookie: { path: '/shop/:tenant', domain: ':tenant.example' } }
  const app = await siteWith(t, { legacy: [secureSession.sealedOpener(old)] })
  const lines = setCookies(await app.inject({ url: '/delete', headers: { host: 'a.example' }, cookies: { old: 'x' } }))
  t.match(lines.find(line => line.startsWith('old=')), /Domain=a.example; Path=\/shop\/a;/)
  await t.rejects(siteWith(t, { tenant: undefined, legacy: [secureSession.sealedOpener(old)] }), { message: /cookie\.domain/ })
})

t.test('legacy cookies get the path of the tenant where none is given', async t => {
  const app = await siteWith(t, {
    cookie: { path: '/:tenant' }, legacy: [secureSession.sealedOpener({ cookieName: 'old' })]
  })
  const lines = setCookies(await app.inject({ url: '/delete', headers: { host: 'a.example' }, cookies: { old: 'x' } }))
  t.match(lines.find(line => line.startsWith('old=')), /Path=\/a;/)
})
