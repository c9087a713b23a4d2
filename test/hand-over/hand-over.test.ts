import t from 'tap'
import secureSession from '../../index'
import { appWith, bareApp, KEY } from '../helpers/app'
import { fakeClock } from '../helpers/clock'
import { accountsSite, formIn, inject, postForm, reasons, RECEIVER, SENDER, shopSite, User } from './sites'

t.test('a user who is logged in at one site begins a session of another site', async t => {
  const clock = fakeClock(t)
  const [accounts, shop] = [await accountsSite(t), await shopSite(t)]
  const user = new User(accounts, shop)
  const login = await user.logIn()
  await user.accounts.get('/set/secret/of-accounts')
  clock.advance(60_000)

  const begun = await user.shop.get('/login')
  t.equal(begun.statusCode, 303)
  t.equal(begun.headers['cache-control'], 'no-store')
  t.match(begun.headers['set-cookie'], /^__Host-session\.h=[\w-]+; Max-Age=900; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
  const location = new URL(String(begun.headers.location))
  t.equal(location.origin + location.pathname, SENDER)
  t.strictSame([...location.searchParams.keys()], ['to', 'flow'])
  t.equal(location.searchParams.get('to'), RECEIVER)

  const page = await user.accounts.get(location.pathname + location.search)
  t.equal(page.statusCode, 200)
  t.match(page.headers, { 'cache-control': 'no-store', 'referrer-policy': 'no-referrer', 'content-type': 'text/html; charset=utf-8' })
  t.match(page.headers['content-security-policy'], /^default-src 'none'; script-src 'sha256-[\w+/]{43}='; base-uri 'none'; frame-ancestors 'none'$/)
  t.equal(page.headers['set-cookie'], undefined)
  const form = formIn(page)
  t.equal(form.action, RECEIVER)
  t.strictSame(Object.keys(form.fields), ['ticket', 'flow'])

  const own = await inject(user.shop, form)
  t.match(own, { statusCode: 200, headers: { 'set-cookie': undefined, 'content-security-policy': page.headers['content-security-policy'] } })
  t.strictSame(formIn(own), { action: RECEIVER, fields: { ...form.fields, repeated: '1' } })
  const end = await postForm(user.shop, formIn(own))
  t.match(end, { statusCode: 303, headers: { location: '/', 'cache-control': 'no-store' } })
  t.strictSame([...user.shop.cookies.keys()], ['session'], 'the cookie of the flow is cleared')

  const { data, info } = await user.shop.json('/session')
  t.strictSame(data, { user: { id: 'ada' } })
  t.match(info, { authenticatedAt: login.authenticatedAt, createdAt: login.createdAt, isNew: false })
  t.not(info.id, login.id)
  t.strictSame(reasons(shop), [])
})

t.test('the nonce is in no URL and in no form, and the ticket is in no log', async t => {
  const [accounts, shop] = [await accountsSite(t), await shopSite(t)]
  const user = new User(accounts, shop)
  await user.logIn()
  const location = await user.begin()
  const form = await user.form(location)
  await user.post(form)
  const logs = JSON.stringify([accounts.lines, shop.lines])
  t.notMatch(logs, form.fields['ticket'] as string)
  t.equal((form.fields['flow'] as string).length, 22)
})

t.test('the user logs in at the sender first, and the query of the flow survives it', async t => {
  const [accounts, shop] = [await accountsSite(t), await shopSite(t)]
  accounts.get('/guarded', async (request, reply) => {
    if (!request.session.has('user')) return await reply.redirect(`/log-in?then=${encodeURIComponent(request.url)}`)
    return await reply.handOver({ keep: ['user'] })
  })
  accounts.get('/log-in', async ({ session, query }, reply) => {
    session.regenerate()
    session.set('user', { id: 'ada' })
    return await reply.redirect((query as { then: string }).then)
  })
  const user = new User(accounts, shop)
  const { search } = new URL(await user.begin())
  const login = await user.accounts.get(`/guarded${search}`)
  const back = await user.accounts.get(String(login.headers.location))
  t.equal(back.headers.location, `/guarded${search}`)
  await user.post(formIn(await user.accounts.get(String(back.headers.location))))
  t.strictSame((await user.shop.json('/session')).data, { user: { id: 'ada' } })
})

t.test('the session that the browser had at the receiver is replaced, and nothing of it stays', async t => {
  const [accounts, shop] = [await accountsSite(t), await shopSite(t)]
  const user = new User(accounts, shop)
  await user.logIn()
  await user.shop.get('/set/cart/book')
  const before = (await user.shop.json('/session')).info.id
  await user.handOver()
  const { data, info } = await user.shop.json('/session')
  t.strictSame(data, { user: { id: 'ada' } })
  t.not(info.id, before)
})

t.test('`accept` maps the values, and may read the session that is replaced', async t => {
  const accept = async (values: Record<string, any>, request: any): Promise<object> => ({ user: { id: `shop-${values['user'].id}` }, cart: request.session.get('cart') })
  const [accounts, shop] = [await accountsSite(t), await shopSite(t, { accept })]
  const user = new User(accounts, shop)
  await user.logIn()
  await user.shop.get('/set/cart/book')
  t.equal((await user.handOver()).statusCode, 303)
  t.strictSame((await user.shop.json('/session')).data, { user: { id: 'shop-ada' }, cart: 'book' })
})

t.test('the browser goes to the path that it came for, if it is a path of this site', async t => {
  const [accounts, shop] = [await accountsSite(t), await shopSite(t, { then: '/home' })]
  const user = new User(accounts, shop)
  await user.logIn()
  const long = `/${'x'.repeat(255)}`
  for (const [path, location] of [['/'], ['/cart?a=1&b=%2F#c'], [long], ['/a b"?é', '/a%20b%22?%C3%A9']] as [string, string?][]) {
    t.equal((await user.handOver(`/login?then=${encodeURIComponent(path)}`)).headers.location, location ?? path)
  }
  const others = ['', 'cart', '//evil.example', '/\\evil.example', '/\t/evil.example', '/.//evil.example', 'https://evil.example', `${long}x`, `/${'é'.repeat(50)}`, '/a\r\nx: y']
  for (const path of others) {
    t.equal((await user.handOver(`/login?then=${encodeURIComponent(path)}`)).headers.location, '/home', path)
  }
  t.equal((await user.handOver('/login?then=/a&then=/b')).headers.location, '/home')
})

t.test('flows in parallel tabs all end well, the four newest of them', async t => {
  const [accounts, shop] = [await accountsSite(t), await shopSite(t)]
  const user = new User(accounts, shop)
  await user.logIn()
  const locations: string[] = []
  const path = `/${'x'.repeat(250)}`
  for (let tab = 0; tab < 5; tab++) locations.push(await user.begin(`/login?then=${path}${tab}`))
  t.ok((user.shop.cookies.get('__Host-session.h') as string).length <= 2048)
  const ends: unknown[] = []
  for (const location of locations.reverse()) ends.push((await user.post(await user.form(location))).headers.location)
  t.strictSame(ends, [4, 3, 2, 1].map(tab => path + tab).concat([undefined as never]))
  t.strictSame(reasons(shop), ['unknown-flow'])
})

t.test('a receiver takes sessions of several senders, and a sender serves several receivers', async t => {
  const other = 'https://other.example/hand-over'
  const books = 'https://books.example/in'
  const shop = await shopSite(t, { from: [SENDER, other] })
  shop.get('/login/other', (_request, reply) => reply.beginHandOver({ from: 'HTTPS://other.example:443/hand-over' }))
  shop.get('/login/none', (_request, reply) => reply.beginHandOver())
  const senders = { [SENDER]: await accountsSite(t, { to: [RECEIVER, books] }), [other]: await accountsSite(t, { at: other }) }
  t.match(new URL((await new User(senders[other] as never, shop).begin('/login/other'))).host, 'other.example')
  const ofOther = new User(senders[other] as never, shop)
  await ofOther.logIn('grace')
  await ofOther.handOver('/login/other')
  t.strictSame((await ofOther.shop.json('/session')).data, { user: { id: 'grace' } })
  t.match((await ofOther.shop.get('/login/none')).json(), { code: 'FST_SESSION_INVALID_OPTION', message: /"from" must be a URL of .*, which has 2; found undefined/ })

  const reader = new User(senders[SENDER] as never, await shopSite(t, { at: books }))
  await reader.logIn()
  const form = await reader.form(await reader.begin())
  t.equal(form.action, books)
  await reader.post(form)
  t.strictSame((await reader.shop.json('/session')).data, { user: { id: 'ada' } })
})

t.test('only the named values go, and those that are missing are left out', async t => {
  const [accounts, shop] = [await accountsSite(t, {}, {}, ['user', 'theme', 'none', '__proto__']), await shopSite(t)]
  accounts.get('/fill', async ({ session }) => { session.set('theme', { dark: [true, null, 1.5, 'é'] }); session.set('__proto__', 'p'); session.set('other', 1); return {} })
  const user = new User(accounts, shop)
  await user.logIn()
  await user.accounts.get('/fill')
  await user.handOver()
  const { body } = await user.shop.get('/session')
  t.match(body, '"theme":{"dark":[true,null,1.5,"é"]}')
  t.match(body, '"__proto__":"p"')
  t.notMatch(body, 'other')
})

t.test('a session with a serializer hands over what JSON can write, and nothing else', async t => {
  const serializer = { serialize: (data: object) => JSON.stringify(Object.entries(data).map(([key, value]) => [key, value instanceof Map ? [...value] : value])), deserialize: (bytes: Buffer) => Object.fromEntries(JSON.parse(bytes.toString()) as never) }
  const accounts = await accountsSite(t, {}, { serializer }, ['user', 'map'])
  accounts.get('/map', async ({ session }) => { session.set('map', new Map([[1, 2]])); return {} })
  accounts.get('/both', async ({ session }, reply) => { session.set('map', new Map([[1, 2]])); return await reply.handOver({ keep: ['map'] }) })
  const shop = await shopSite(t, {}, { serializer })
  const user = new User(accounts, shop)
  await user.logIn()
  await user.handOver()
  t.strictSame((await user.shop.json('/session')).data, { user: { id: 'ada' } })
  const { search } = new URL(await user.begin())
  t.match((await user.accounts.get(`/both${search}`)).json(), { statusCode: 500, code: 'FST_SESSION_NOT_SERIALIZABLE' })
})

t.test('a ticket has 2,048 characters at most', async t => {
  const [accounts, shop] = [await accountsSite(t, {}, {}, ['text']), await shopSite(t)]
  accounts.get('/text/:length', async ({ session, params }) => { session.set('text', 'x'.repeat(Number((params as { length: string }).length))); return {} })
  const user = new User(accounts, shop)
  await user.logIn()
  await user.accounts.get('/text/1300')
  t.equal((await user.handOver()).statusCode, 303)
  await user.accounts.get('/text/1500')
  const { pathname, search } = new URL(await user.begin())
  t.match((await user.accounts.get(pathname + search)).json(), { statusCode: 500, code: 'FST_SESSION_TOO_LARGE', message: 'the token cannot be written' })
})

t.test('a key for this alone is enough, and the sites share nothing else', async t => {
  const handOver = { key: ['c3'.repeat(32), 'd4'.repeat(32)] }
  const accounts = await accountsSite(t, {}, { key: Buffer.alloc(32, 1), cookieName: '__Host-a', handOver })
  const shop = await shopSite(t, {}, { key: Buffer.alloc(32, 2), cookieName: 'b', handOver: { key: handOver.key.toReversed() } })
  const user = new User(accounts, shop)
  await user.logIn()
  t.equal((await user.handOver()).headers.location, '/')
  t.strictSame((await user.shop.json('/session')).data, { user: { id: 'ada' } })
})

t.test('the cookie of a flow has a name of its own, and stripCookies removes it', async t => {
  const names = [['session', '__Host-session.h'], ['__Host-id', '__Host-id.h'], ['__Secure-id', '__Host-id.h'], ['__Http-id', '__Host-id.h'], ['__Host-Http-id', '__Host-id.h']]
  for (const [cookieName, name] of names as [string, string][]) {
    const shop = await shopSite(t, {}, { cookieName, cookie: { secure: true } })
    const user = new User(shop, shop)
    await user.begin()
    t.strictSame([...user.shop.cookies.keys()], [name])
    t.equal(shop.secureSession.stripCookies(`a=1; ${user.shop.header}`), 'a=1')
  }
  const local = await shopSite(t, { at: 'http://localhost:3001/welcome', from: ['http://localhost:3000/hand-over'] })
  const begun = await local.inject('/login')
  t.match(begun.headers['set-cookie'], /^session\.h=[\w-]+; Max-Age=900; Path=\/; HttpOnly; SameSite=Lax$/)
  t.match(begun.headers.location, /^http:\/\/localhost:3000\/hand-over\?to=/)
})

t.test('several sessions of an app: each call means the first with the option, or the one that it names', async t => {
  const first = { key: KEY, sessionName: 'first' }
  const send = (name: string): object => ({ key: KEY, sessionName: name, handOver: { send: { at: SENDER, to: [RECEIVER] } } })
  const accounts = await appWith(t, [first, send('user'), send('admin')])
  accounts.get('/log-in/:user', async (request: any) => { request.user.set('id', 1); request.admin.set('id', 2); return {} })
  accounts.get('/hand-over', (_request, reply) => reply.handOver({ keep: ['id'] }))
  accounts.get('/admin', (_request, reply) => reply.handOver({ keep: ['id'], sessionName: 'admin' }))
  accounts.get('/first', (_request, reply) => reply.handOver({ keep: ['id'], sessionName: 'first' }))
  accounts.get('/begin', (_request, reply) => reply.beginHandOver())
  const shop = await shopSite(t)
  const user = new User(accounts, shop)
  await user.logIn()
  await user.handOver()
  t.strictSame((await user.shop.json('/session')).data, { id: 1 })
  const { search } = new URL(await user.begin())
  await user.post(formIn(await user.accounts.get(`/admin${search}`)))
  t.strictSame((await user.shop.json('/session')).data, { id: 2 })
  t.match((await user.accounts.get('/first')).json().message, /needs the option "handOver.send" of session "first"/)
  t.match((await user.accounts.get('/begin')).json().message, /needs the option "handOver.receive"; no session of this scope has it/)
})

t.test('in a scope with a prefix, and in an inner scope, the route and the calls are those of the scope', async t => {
  const accounts = await accountsSite(t, { to: ['https://shop.example/books/in'] })
  const shop = bareApp(t)
  await shop.register(secureSession, { key: KEY, sessionName: 'outer', handOver: { receive: { at: RECEIVER, from: [SENDER] } } })
  await shop.register(async scope => {
    await scope.register(secureSession, { key: KEY, handOver: { receive: { at: 'https://shop.example/books/in', from: [SENDER], then: '/books' } } })
    scope.get('/login', (_request, reply) => reply.beginHandOver())
    scope.get('/session', async ({ session }) => session.data())
  }, { prefix: '/books' })
  const user = new User(accounts, shop)
  await user.logIn()
  t.equal((await user.handOver('/books/login')).headers.location, '/books')
  t.strictSame(await user.shop.json('/books/session'), { user: { id: 'ada' } })
})

t.test('two scopes with the same session share the route', async t => {
  const options = { key: KEY, handOver: { receive: { at: RECEIVER, from: [SENDER] } } }
  const shop = bareApp(t)
  for (const prefix of ['a', 'b']) {
    await shop.register(async scope => {
      await scope.register(secureSession, options)
      scope.get(`/${prefix}/login`, (_request, reply) => reply.beginHandOver())
      scope.get(`/${prefix}/session`, async ({ session }) => session.data())
    })
  }
  const user = new User(await accountsSite(t), shop)
  await user.logIn()
  t.equal((await user.handOver('/b/login')).statusCode, 303)
  t.strictSame(await user.shop.json('/b/session'), { user: { id: 'ada' } })
  const other = bareApp(t)
  await t.rejects(async () => {
    await other.register(async scope => { await scope.register(secureSession, options) })
    await other.register(async scope => { await scope.register(secureSession, { ...options, cookieName: 'other', cookie: { path: '/c' } }) })
  }, { code: 'FST_SESSION_INVALID_OPTION', message: /session "session" also uses the path "\/welcome"/ })
})

t.test('two scopes with the same session must have the same options for what one route does', async t => {
  const accept = (): null => null
  const receive = { at: RECEIVER, from: [SENDER], accept }
  const others: Record<string, [handOver: object, options?: object]> = {
    'another "receive.at"': [{ receive: { ...receive, at: 'https://shop.example:8443/in' } }],
    'another "receive.accept"': [{ receive: { ...receive, accept: () => null } }],
    'another "receive.refused"': [{ receive: { ...receive, refused: '/no' } }],
    'another "receive.query"': [{ receive: { ...receive, query: true } }],
    'another "receive.from"': [{ receive: { ...receive, from: [SENDER, RECEIVER] } }],
    'another "key"': [{ receive, key: 'c3'.repeat(32) }],
    'also uses the path "/welcome" or the cookie "__Host-session.h"': [{ receive: { ...receive, at: 'https://shop.example/b/in' } }, { cookie: { path: '/b' } }]
  }
  const boot = async (one: object, two: object, [a, b]: object[] = []): Promise<void> => {
    const app = bareApp(t)
    for (const [handOver, options] of [[one, a], [two, b]]) await app.register(async scope => { await scope.register(secureSession, { key: KEY, handOver, ...options }) })
    await app.ready()
  }
  for (const [message, [handOver, options]] of Object.entries(others)) {
    const first = options === undefined ? {} : { cookie: { path: '/a' } }
    await t.rejects(async () => { await boot({ receive }, handOver, [first, options ?? {}]) }, { code: 'FST_SESSION_INVALID_OPTION', message: new RegExp(message) }, message)
  }
  await t.rejects(async () => { await boot({ receive, key: 'd4'.repeat(32) }, { receive, key: ['c3'.repeat(32), 'd4'.repeat(32)] }) }, { message: /another "key"/ })
  const send = { at: SENDER, to: [RECEIVER] }
  await t.resolves(boot({ receive, key: 'c3'.repeat(32) }, { receive: { ...receive, then: '/b' }, key: 'c3'.repeat(32), send }), 'each may begin with a path of its own')
  await t.resolves(boot({ receive }, { send }), 'a sender needs no route')
  await t.resolves(boot({ receive }, { receive: { ...receive, at: 'https://books.example/in' } }, [{ cookie: { path: '/', domain: 'shop.example' } }, { cookie: { path: '/', domain: 'books.example' } }]), 'on another host')
})

t.test('hooks and guards that the app adds do not refuse the form', async t => {
  const [accounts, shop] = [await accountsSite(t), await shopSite(t)]
  shop.addHook('onRequest', async ({ method }, reply) => { if (method === 'POST') await reply.code(403).send({ csrf: true }) })
  shop.addHook('preHandler', async ({ method }, reply) => { if (method === 'POST') await reply.code(403).send({ csrf: true }) })
  const user = new User(accounts, shop)
  await user.logIn()
  t.equal((await user.handOver()).headers.location, '/')
  t.strictSame((await user.shop.json('/session')).data, { user: { id: 'ada' } })
})

t.test('with `query` on both sides, the ticket may be in a URL', async t => {
  const [accounts, shop] = [await accountsSite(t, { query: true }), await shopSite(t, { query: true })]
  accounts.get('/url', async ({ session }) => ({ url: await session.handOver({ to: RECEIVER, keep: ['user'] }) }))
  const user = new User(accounts, shop)
  await user.logIn()
  const { search } = new URL(await user.begin())
  const { url } = await user.accounts.json(`/url${search}`)
  const { origin, pathname, search: query } = new URL(url)
  t.equal(origin + pathname, RECEIVER)
  const page = await user.shop.get(pathname + query)
  t.equal(page.statusCode, 200)
  t.match((await postForm(user.shop, formIn(page))).headers, { location: '/' })
  t.strictSame((await user.shop.json('/session')).data, { user: { id: 'ada' } })
  t.strictSame(await user.accounts.json('/url'), { url: null })
  t.equal((await shop.inject({ method: 'HEAD', url: pathname + query })).statusCode, 404)
  t.equal((await user.shop.get(`${pathname}?ticket=x&flow=y&repeated=1`)).statusCode, 403)
  t.strictSame(reasons(accounts), ['no-flow'])
})

t.test('with `deviceBound` at the receiver, a hand-over is a login: the browser is asked to register a key', async t => {
  const handOver = { receive: { at: RECEIVER, from: [SENDER] } }
  const shop = bareApp(t, { trustProxy: true })
  await shop.register(secureSession, { key: KEY, subject: session => session.get('user')?.id, deviceBound: true, handOver })
  shop.get('/login', (_request, reply) => reply.beginHandOver())
  const user = new User(await accountsSite(t), shop)
  await user.logIn()
  const form = await user.form(await user.begin())
  const headers = { 'content-type': 'application/x-www-form-urlencoded', 'x-forwarded-proto': 'https' }
  const end = await postForm(user.shop, { ...form, fields: { ...form.fields, repeated: '1' } }, { headers })
  t.match(end, { statusCode: 303, headers: { 'secure-session-registration': /path="\/dbsc\/session/ } })
  t.strictSame([...user.shop.cookies.keys()].sort(), ['session', 'session.u'])
})
