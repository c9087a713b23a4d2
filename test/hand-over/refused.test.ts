import t, { type Test } from 'tap'
import secureSession from '../../index'
import { openToken, plaintext } from '../../lib/core/token'
import { fixedTerms, Keyring } from '../../lib/keyring/keyring'
import { sealPurposeToken } from '../../lib/session/purpose-token'
import { ticketContext } from '../../lib/session/hand-over'
import { appWith, bareApp, DEBUG, KEY, OTHER_KEY, WARN, type TestApp } from '../helpers/app'
import { fakeClock, fakeTime, passUntil } from '../helpers/clock'
import { keyNumber, MemoryStore, rotate } from '../helpers/keyrings'
import { accountsSite, formIn, inject, postForm, reasons, RECEIVER, SENDER, shopSite, User, type Form, type Receiver, type Sender } from './sites'

interface Sites { accounts: TestApp, shop: TestApp, user: User }

async function sites (t: Test, send: Sender = {}, receive: Receiver = {}, options: Partial<secureSession.SessionOptions> = {}, addRoutes: (accounts: TestApp, shop: TestApp) => void = () => {}): Promise<Sites> {
  const [accounts, shop] = [await accountsSite(t, send, options), await shopSite(t, receive, options)]
  addRoutes(accounts, shop)
  const user = new User(accounts, shop)
  await user.logIn()
  return { accounts, shop, user }
}

/** Nobody is logged in by this form, and the log says why. */
async function refused (t: Test, { shop, user }: Sites, form: Form, reason: string, message = reason): Promise<void> {
  reasons(shop)
  const before = user.shop.cookies.get('session')
  const response = await postForm(user.shop, { ...form, fields: { ...form.fields, repeated: '1' } })
  t.equal(response.statusCode, 403, message)
  t.equal(user.shop.cookies.get('session'), before)
  t.strictSame(reasons(shop), [reason])
}

t.test('a ticket of an attacker does not log a victim in', async t => {
  const { accounts, shop, user } = await sites(t)
  const attacker = new User(accounts, shop)
  await attacker.logIn('mallory')
  const form = await attacker.form(await attacker.begin())
  await refused(t, { accounts, shop, user }, form, 'unknown-flow', 'the victim has begun nothing')
  const own = await user.form(await user.begin())
  await refused(t, { accounts, shop, user }, form, 'unknown-flow', 'the victim has begun a flow')
  await refused(t, { accounts, shop, user }, { ...form, fields: { ...form.fields, flow: own.fields['flow'] as string } }, 'forged')
  t.equal((await attacker.post(form)).statusCode, 303)
  t.equal((await user.post(own)).statusCode, 303, 'and the own flow of the victim is not disturbed')
  t.strictSame((await user.shop.json('/session')).data, { user: { id: 'ada' } })
})

t.test('a stolen ticket is worth nothing in another browser', async t => {
  const site = await sites(t)
  const form = await site.user.form(await site.user.begin())
  const thief = new User(site.accounts, site.shop)
  await thief.begin()
  await refused(t, { ...site, user: thief }, form, 'unknown-flow')
})

t.test('a ticket opens once, also without a store', async t => {
  const site = await sites(t)
  const form = await site.user.form(await site.user.begin())
  const jar = site.user.shop.copy()
  t.equal((await site.user.post(form)).statusCode, 303)
  await refused(t, site, form, 'unknown-flow')
  await jar.get('/session')
  t.equal((await postForm(jar, { ...form, fields: { ...form.fields, repeated: '1' } })).statusCode, 303, 'a copy of the cookie, within its time, opens it again')
})

t.test('with `revocation`, exactly one of several posts begins a session, on all servers', async t => {
  const revocation = { store: secureSession.memoryRevocation() }
  const site = await sites(t, {}, {}, { revocation })
  const other = await shopSite(t, {}, { revocation })
  const form = await site.user.form(await site.user.begin())
  const again = { ...form, fields: { ...form.fields, repeated: '1' } }
  const jars = [site.user.shop.copy(), site.user.shop.copy(), site.user.shop.copy(other), site.user.shop.copy(other)]
  const statuses = await Promise.all(jars.map(async jar => (await postForm(jar, again)).statusCode))
  t.strictSame(statuses.sort(), [303, 403, 403, 403])
  t.strictSame([...reasons(site.shop), ...reasons(other)], ['used', 'used', 'used'])
})

t.test('while the store is unavailable, the answer is 503, and the browser can try again', async t => {
  const store = secureSession.memoryRevocation()
  let isAway = false
  const raise: typeof store.raise = async (...args) => {
    if (isAway) throw new Error('away')
    return await store.raise(...args)
  }
  const revocation = { store: { cutOffs: async (keys: readonly string[]) => await store.cutOffs(keys), raise } }
  const site = await sites(t, {}, {}, { revocation })
  const form = await site.user.form(await site.user.begin())
  isAway = true
  t.match((await site.user.post(form)).json(), { statusCode: 503, code: 'FST_SESSION_STORE_UNAVAILABLE' })
  isAway = false
  t.equal((await site.user.post(form)).statusCode, 303)
})

t.test('a ticket expires, and so does a flow', async t => {
  const clock = fakeClock(t)
  const site = await sites(t, { ttl: 10 })
  const form = await site.user.form(await site.user.begin())
  clock.advance(9_999)
  const late = await site.user.form(await site.user.begin())
  t.equal((await site.user.post(form)).statusCode, 303)
  clock.advance(10_000)
  await refused(t, site, late, 'expired')
  const location = await site.user.begin()
  clock.advance(15 * 60_000 - 1)
  t.equal((await site.user.post(await site.user.form(location))).statusCode, 303)
  const slow = await site.user.begin()
  clock.advance(15 * 60_000)
  await refused(t, site, await site.user.form(slow), 'unknown-flow')
})

t.test('by default, a ticket opens for 30 seconds', async t => {
  const clock = fakeClock(t)
  const site = await sites(t)
  const [first, second] = [await site.user.form(await site.user.begin()), await site.user.form(await site.user.begin())]
  clock.advance(29_999)
  t.equal((await site.user.post(first)).statusCode, 303)
  clock.advance(1)
  await refused(t, site, second, 'expired')
})

t.test('of several flows, the old ones expire one by one', async t => {
  const clock = fakeClock(t)
  const site = await sites(t)
  const first = await site.user.begin()
  clock.advance(8 * 60_000)
  const second = await site.user.begin()
  clock.advance(8 * 60_000)
  await refused(t, site, await site.user.form(first), 'unknown-flow')
  t.equal((await site.user.post(await site.user.form(second))).statusCode, 303)
})

t.test('a ticket from more than a minute ahead is refused, and the log warns of the clocks once', async t => {
  const clock = fakeClock(t)
  const site = await sites(t)
  const location = await site.user.begin()
  clock.advance(60_001)
  const form = await site.user.form(location)
  clock.advance(-60_001)
  await refused(t, site, form, 'from-the-future')
  site.shop.lines.splice(0)
  await postForm(site.user.shop, { ...form, fields: { ...form.fields, repeated: '1' } })
  t.match(site.shop.lines.find(({ reason }) => reason !== undefined), { level: DEBUG, session: 'session', reason: 'from-the-future' })
  const fresh = await sites(t)
  const ahead = await fresh.user.begin()
  clock.advance(60_001)
  const early = await fresh.user.form(ahead)
  clock.advance(-60_001)
  await postForm(fresh.user.shop, { ...early, fields: { ...early.fields, repeated: '1' } })
  t.match(fresh.shop.lines.find(({ reason }) => reason !== undefined), { level: WARN, reason: 'from-the-future', msg: /the session of another site was refused/ })
})

t.test('a login that is too old for the receiver is refused', async t => {
  const clock = fakeClock(t)
  const accounts = await accountsSite(t, {}, { idle: '10d' })
  const shop = await shopSite(t, {}, { absolute: '1d' })
  const user = new User(accounts, shop)
  await user.logIn()
  clock.advance(86_399_999)
  t.equal((await user.handOver()).statusCode, 303)
  clock.advance(1)
  await refused(t, { accounts, shop, user }, await user.form(await user.begin()), 'expired')
})

t.test('a ticket for one receiver does not open at another, nor one of another sender', async t => {
  const [other, elsewhere] = ['https://books.example/welcome', 'https://else.example/hand-over']
  const site = await sites(t, { to: [RECEIVER, other] }, { from: [SENDER, elsewhere] }, {}, (_accounts, shop) => {
    shop.get('/else', (_request, reply) => reply.beginHandOver({ from: elsewhere }))
  })
  const location = new URL(await site.user.begin())
  location.searchParams.set('to', other)
  const form = await site.user.form(location.href)
  t.equal(form.action, other)
  await refused(t, site, { ...form, action: RECEIVER }, 'forged')
  const begun = new URL(await site.user.begin('/else'))
  t.equal(begun.host, 'else.example')
  await refused(t, site, await site.user.form(SENDER + begun.search), 'forged')
})

t.test('a sender hands over to no other URL', async t => {
  const site = await sites(t, {}, {}, {}, accounts => {
    accounts.get('/to', (_request, reply) => reply.handOver({ to: RECEIVER, keep: ['user'] }))
  })
  const good = new URL(await site.user.begin())
  const other = ['', 'https://evil.example/welcome', 'https://shop.example/', `${RECEIVER}/`, `${RECEIVER}?`, `${RECEIVER}#`, `${RECEIVER}?a`, 'https://shop.example.evil.example/welcome',
    'http://shop.example/welcome', 'https://shop.example:8443/welcome', 'https://a@shop.example/welcome', '//shop.example/welcome', 'javascript:alert(1)', RECEIVER.repeat(30)]
  for (const path of ['/hand-over', '/to']) {
    for (const to of other) {
      const response = await site.user.accounts.get(`${path}?${new URLSearchParams({ to, flow: good.searchParams.get('flow') as string }).toString()}`)
      t.equal(response.statusCode, 403, to)
      t.match(response.headers, { 'cache-control': 'no-store', 'content-type': 'text/html; charset=utf-8' })
      t.notMatch(response.body, 'form')
    }
  }
  t.ok(reasons(site.accounts).every(reason => reason === 'unknown-receiver'))
  t.equal((await site.user.accounts.get(`/to${good.search}`)).statusCode, 200)
})

t.test('a sender needs a flow, of one spelling', async t => {
  const site = await sites(t)
  const flow = new URL(await site.user.begin()).searchParams.get('flow') as string
  for (const other of [undefined, '', flow.slice(1), `${flow}A`, `${flow.slice(0, -1)}B`, `${flow.slice(0, -1)}+`, '"><script>', ' '.repeat(22)]) {
    const query = new URLSearchParams({ to: RECEIVER, ...(other === undefined ? {} : { flow: other }) }).toString()
    t.equal((await site.user.accounts.get(`/hand-over?${query}`)).statusCode, 403)
  }
  t.equal((await site.user.accounts.get('/hand-over')).statusCode, 403)
  t.strictSame([...new Set(reasons(site.accounts))], ['no-flow'])
})

t.test('a ticket with a flipped bit does not open, and no other token of the ring does', async t => {
  const site = await sites(t, {}, {}, { tokens: { login: { ttl: '1h' } } })
  const form = await site.user.form(await site.user.begin())
  const sent = form.fields['ticket'] as string
  const bytes = Buffer.from(sent, 'base64url')
  const found: string[] = []
  for (let at = 0; at < bytes.length; at++) {
    const bent = Buffer.from(bytes)
    bent.writeUInt8(bent.readUInt8(at) ^ (1 << at % 8), at)
    const response = await postForm(site.user.shop, { ...form, fields: { ...form.fields, ticket: bent.toString('base64url'), repeated: '1' } })
    if (response.statusCode !== 403) found.push(`byte ${at}`)
  }
  t.strictSame(found, [])
  const others = [sent.slice(0, -1), `${sent}A`, site.accounts.secureSession.sealToken('login', { values: {}, authenticatedAt: 1 }), site.accounts.secureSession.cookiesFor({ user: { id: 'ada' } })['session'] as string, site.user.shop.cookies.get('__Host-session.h') as string]
  for (const ticket of others) {
    const response = await postForm(site.user.shop, { ...form, fields: { ...form.fields, ticket, repeated: '1' } })
    t.equal(response.statusCode, 403)
  }
  t.equal(await site.accounts.secureSession.openToken('login', sent), null)
  t.equal(await site.accounts.secureSession.decode(sent), null)
  t.equal((await site.user.post(form)).statusCode, 303)
})

t.test('a server with another key does not open it', async t => {
  const { accounts } = await sites(t)
  const shop = await shopSite(t, {}, { key: OTHER_KEY })
  const user = new User(accounts, shop)
  await user.logIn()
  await refused(t, { accounts, shop, user }, await user.form(await user.begin()), 'unknown-key')
})

t.test('a key that is new to the receiver is looked up first, of the ticket and of the flow', async t => {
  const time = fakeTime(t)
  const store = new MemoryStore([keyNumber(1, time.nowMs - 1000)])
  const options = { keyring: store, reloadEvery: '1d', key: undefined } as const
  const behind = await shopSite(t, {}, options)
  rotate(store, time.nowMs)
  const [accounts, shop] = [await accountsSite(t, {}, options), await shopSite(t, {}, options)]
  const user = new User(accounts, shop)
  await user.logIn()
  const form = await user.form(await user.begin())
  const jar = user.shop.copy(behind)
  t.equal((await passUntil(time, postForm(jar, { ...form, fields: { ...form.fields, repeated: '1' } }))).statusCode, 303)
})

const GOOD = { authenticatedAt: 1, createdAt: 1, values: {} }

t.test('a genuine ticket with other content is refused', async t => {
  const site = await sites(t)
  const form = await site.user.form(await site.user.begin())
  const flowId = form.fields['flow'] as string
  const keys = new Keyring(fixedTerms([KEY])).tokenKeys('hand-over', '')
  const context = ticketContext({ from: SENDER, to: RECEIVER, flowId })
  t.ok('key' in openToken(form.fields['ticket'] as string, keys, 1, Date.now(), context))
  t.match(plaintext.toString('latin1', 29), /^\{"authenticatedAt":\d{13},"createdAt":\d{13},"values":\{"user":\{"id":"ada"\}\}\}/)
  const sealed = (json: string, once = false): string => sealPurposeToken({ id: Buffer.alloc(16), madeAtMs: Date.now(), expiresAtMs: Date.now() + 1000, once, json }, keys, context)
  const others = [{}, { ...GOOD, values: undefined }, { ...GOOD, authenticatedAt: 1.5 }, { ...GOOD, authenticatedAt: '1' }, { ...GOOD, createdAt: undefined }, { ...GOOD, createdAt: '1' }, { ...GOOD, createdAt: -1 }, { ...GOOD, values: [] }, { ...GOOD, values: null }]
  for (const json of others) await refused(t, site, { ...form, fields: { ...form.fields, ticket: sealed(JSON.stringify(json)) } }, 'malformed')
  await refused(t, site, { ...form, fields: { ...form.fields, ticket: sealed(JSON.stringify(GOOD), true) } }, 'malformed')
})

t.test('a request without a ticket is refused, whatever it is', async t => {
  const site = await sites(t)
  const { shop } = site
  const form = await site.user.form(await site.user.begin())
  const body = new URLSearchParams(form.fields).toString()
  const bodies = ['', 'x', '\0', 'ticket=a', 'flow=a', `ticket=%22%3E&flow=${form.fields['flow']}`, `${'x'.repeat(4097 - body.length)}&${body}`, `flow=${form.fields['flow']}&ticket=${'A'.repeat(2049)}`, body.repeat(100)]
  for (const payload of bodies) {
    reasons(shop)
    const response = await shop.inject({ method: 'POST', url: '/welcome', payload, headers: { 'content-type': 'application/json' } })
    t.equal(response.statusCode, 403)
    t.notMatch(response.body, '<form')
    t.strictSame(reasons(shop), ['no-ticket'])
  }
  const fits = await shop.inject({ method: 'POST', url: '/welcome', payload: `${'x'.repeat(4095 - body.length)}&${body}` })
  t.strictSame([fits.statusCode, formIn(fits).fields['ticket']], [200, form.fields['ticket']])
  const cut = await shop.inject({ method: 'POST', url: '/welcome', payload: body, simulate: { error: true, end: false, split: false, close: false } })
  t.equal(cut.statusCode, 200, 'of a request that breaks off, what has come counts')
  t.equal((await shop.inject(`/welcome?${body}`)).statusCode, 404, 'nor does it take one from a URL')
  t.equal((await inject(site.user.shop, form)).statusCode, 200)
})

t.test('the page of a refusal can be one of the app', async t => {
  const site = await sites(t, {}, { refused: '/login-failed' })
  const response = await site.shop.inject({ method: 'POST', url: '/welcome' })
  t.match(response, { statusCode: 303, headers: { location: '/login-failed', 'cache-control': 'no-store', 'set-cookie': undefined } })
  const otherwise = await (await shopSite(t)).inject({ method: 'POST', url: '/welcome' })
  t.match(otherwise, { statusCode: 403, body: /hand-over-refused/, headers: { 'content-security-policy': "default-src 'none'; base-uri 'none'; frame-ancestors 'none'" } })
})

t.test('`accept` may refuse, must return an object, and may throw', async t => {
  let accepted: unknown = null
  const accept = (): any => { if (accepted instanceof Error) throw accepted; return accepted }
  const site = await sites(t, {}, { accept })
  await refused(t, site, await site.user.form(await site.user.begin()), 'not-accepted')
  for (const wrong of [undefined, true, 'ada', []]) {
    accepted = wrong
    t.match((await site.user.handOver()).json(), { statusCode: 500, code: 'FST_SESSION_INVALID_OPTION', message: /"handOver.receive.accept" must return the values of the session/ })
  }
  accepted = new Error('no such user')
  t.match((await site.user.handOver()).json(), { statusCode: 500, message: 'no such user' })
  accepted = {}
  t.equal((await site.user.handOver()).statusCode, 303)
  t.strictSame((await site.user.shop.json('/session')).data, {})
})

t.test('an app that has answered meanwhile keeps its answer', async t => {
  const shop = bareApp(t)
  shop.addHook('onRequest', async (request, reply) => { Object.assign(request, { answer: () => reply.code(202).send('answered') }) })
  const accept = async (values: object, request: object): Promise<object> => { await (request as { answer: () => unknown }).answer(); return values }
  await shop.register(secureSession, { key: KEY, handOver: { receive: { at: RECEIVER, from: [SENDER], accept } } })
  shop.get('/login', (_request, reply) => reply.beginHandOver())
  const user = new User(await accountsSite(t), shop)
  await user.logIn()
  t.match(await user.handOver(), { statusCode: 202, body: 'answered' })
  t.strictSame([...user.shop.cookies.keys()], ['__Host-session.h'])
})

t.test('a logout everywhere ends the tickets that were made before', async t => {
  const clock = fakeClock(t)
  const revocation = { store: secureSession.memoryRevocation() }
  const site = await sites(t, {}, {}, { revocation })
  clock.advance(1000)
  const form = await site.user.form(await site.user.begin())
  clock.advance(1)
  await site.accounts.secureSession.revokeSubject('ada')
  await refused(t, site, form, 'revoked')
  await site.user.logIn()
  t.equal((await site.user.handOver()).statusCode, 303)
})

t.test('calls with wrong arguments fail', async t => {
  const app = await appWith(t, { key: KEY, handOver: { send: { at: SENDER, to: [RECEIVER], query: true }, receive: { at: RECEIVER, from: [SENDER] } } })
  const calls: Record<string, (request: any, reply: any) => unknown> = {
    '"keep" must be an array of keys of the session, strings; found undefined': (_request, reply) => reply.handOver({}),
    'handOver.. takes an object such as .*; found null': async ({ session }) => await session.handOver(null),
    '"keep" must be .*; found undefined': (_request, reply) => reply.handOver(),
    'found an array with something else': (_request, reply) => reply.handOver({ keep: ['user', 1] }),
    'option "keeps" is unknown; known are to, keep': (_request, reply) => reply.handOver({ keeps: [] }),
    '"to" must be a URL of the option "handOver.send.to"; found a string of 30 characters': (_request, reply) => reply.handOver({ keep: [], to: 'https://evil.example/welcome/x' }),
    '"to" must be a URL of the option "handOver.send.to"; found 1': (_request, reply) => reply.handOver({ keep: [], to: 1 }),
    'beginHandOver.. takes an object such as .*; found 1': (_request, reply) => reply.beginHandOver(1),
    'option "to" is unknown; known are from, then, sessionName': (_request, reply) => reply.beginHandOver({ to: RECEIVER }),
    '"from" must be a URL of the option "handOver.receive.from", which has 1; found a string': (_request, reply) => reply.beginHandOver({ from: RECEIVER }),
    'needs the request of a browser': async () => await app.createSecureSession().handOver({ keep: [] })
  }
  const messages = Object.keys(calls)
  app.get('/:call', async (request, reply) => await calls[messages[Number((request.params as { call: string }).call)] as string]?.(request, reply))
  for (const [index, message] of messages.entries()) {
    t.match((await app.inject(`/${index}`)).json(), { statusCode: 500, code: 'FST_SESSION_INVALID_OPTION', message: new RegExp(message) }, message)
  }
  const bare = await appWith(t)
  bare.get('/', async ({ session }) => await session.handOver({ keep: [] }))
  bare.get('/send', (_request, reply) => reply.handOver({ keep: [] }))
  bare.get('/begin', (_request, reply) => reply.beginHandOver())
  t.match((await bare.inject('/')).json(), { code: 'FST_SESSION_INVALID_OPTION', message: /puts a ticket into a URL, which the option "handOver.send.query" .* must allow/ })
  for (const [path, end] of [['/send', 'send'], ['/begin', 'receive']] as const) {
    t.match((await bare.inject(path)).json(), { statusCode: 500, code: 'FST_SESSION_INVALID_OPTION', message: new RegExp(`needs the option "handOver.${end}"`) })
  }
})

t.test('what is wrong in the option is found at boot', async t => {
  const send = { at: SENDER, to: [RECEIVER] }
  const receive = { at: RECEIVER, from: [SENDER] }
  const wrong: Array<[handOver: any, message: RegExp, prefix?: string]> = [
    [true, /"handOver" must be an object such as/],
    [{}, /must have "send", .* or "receive"/],
    [{ key: KEY }, /must have "send"/],
    [{ sends: send }, /"sends" is unknown; known are send, receive, key/],
    [{ send: [] }, /"handOver.send" must be an object; found an array/],
    [{ send: { ...send, from: [] } }, /"from" is unknown/],
    [{ send: { to: [RECEIVER] } }, /"handOver.send.at" must be a whole URL .*; found undefined/],
    [{ send: { ...send, to: RECEIVER } }, /"handOver.send.to" must be an array of one or more URLs; found a string/],
    [{ send: { ...send, to: [] } }, /found an empty array/],
    [{ send: { ...send, to: [RECEIVER, '/welcome'] } }, /"handOver.send.to\[1\]" must be a whole URL/],
    [{ send: { ...send, to: ['http://shop.example/welcome'] } }, /"https:", or with "http:" on this machine/],
    [{ send: { ...send, to: ['http://localhost.evil.example/'] } }, /"https:", or with "http:" on this machine/],
    [{ send: { ...send, to: ['ftp://localhost/'] } }, /"https:", or with "http:" on this machine/],
    [{ send: { ...send, to: ['https://ada:geheim@shop.example/'] } }, /without a user or a password; found a string of 32 characters/],
    [{ send: { ...send, to: [`${RECEIVER}?a`] } }, /without a query/],
    [{ send: { ...send, to: [`${RECEIVER}?`] } }, /without a query/],
    [{ send: { ...send, to: [`${RECEIVER}#`] } }, /without a query/],
    [{ send: { ...send, to: [`${RECEIVER}/${'x'.repeat(512)}`] } }, /of at most 512 characters/],
    [{ send: { ...send, ttl: 4 } }, /"handOver.send.ttl" must be from 5 seconds to 2 minutes; found 4 seconds/],
    [{ send: { ...send, ttl: '121s' } }, /found 121 seconds/],
    [{ send: { ...send, ttl: 'soon' } }, /"handOver.send.ttl"/],
    [{ send: { ...send, query: 1 } }, /"handOver.send.query" must be true or false/],
    [{ receive: { ...receive, query: 'yes' } }, /"handOver.receive.query" must be true or false/],
    [{ receive: { ...receive, at: 'https://shop.example/' } }, /must have a path such as "\/welcome".*; found "\/"/],
    [{ receive: { ...receive, at: 'https://shop.example/a/:b' } }, /must have a path such as/],
    [{ receive: { ...receive, then: 'https://shop.example/' } }, /"handOver.receive.then" must be a path of this site/],
    [{ receive: { ...receive, then: null } }, /"handOver.receive.then" must be a path of this site .*; found null/],
    [{ receive: { ...receive, refused: '//evil.example' } }, /"handOver.receive.refused" must be a path/],
    [{ receive: { ...receive, accept: {} } }, /"handOver.receive.accept" must be a function/],
    [{ receive, key: 'short' }, /option "handOver.key": key must be 32 bytes/],
    [{ receive, key: [] }, /option "handOver.key" must hold one key at least/],
    [{ receive, key: [KEY, 1] }, /option "handOver.key"\[1\]/],
    [{ receive }, /must have a path that begins with "\/books\/", the prefix/, '/books'],
    [{ receive }, /must have a path that begins with "\/books\/", the prefix/, '/books/']
  ]
  for (const [handOver, message, prefix = ''] of wrong) {
    const app = bareApp(t)
    const registering = async (): Promise<unknown> => await app.register(async scope => { await scope.register(secureSession, { key: KEY, handOver }) }, { prefix })
    await t.rejects(registering, { message }, String(message))
  }
  const app = bareApp(t)
  await t.rejects(async () => await app.register(secureSession, [
    { key: KEY, handOver: { receive } }, { key: KEY, sessionName: '__Secure-session', cookie: { secure: true }, handOver: { receive } }
  ]), { message: /two sessions would share "__Host-session.h"/ })
  for (const at of ['http://localhost:3000/in', 'http://a.localhost/in', 'http://127.0.0.1/in', 'http://127.8.8.8:80/in', 'http://[::1]:3000/in']) {
    await appWith(t, { key: KEY, handOver: { receive: { at, from: [at] } } })
  }
})
