import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { connect, type AddressInfo } from 'node:net'
import fastify from 'fastify'
import t from 'tap'
import secureSession from '../../index'
import { KEY } from '../helpers/app'
import { fakeClock } from '../helpers/clock'
import { accountsSite, reasons, RECEIVER, SENDER, shopSite, User } from './sites'

const MINUTE_MS = 60_000

t.test('a session that was revoked elsewhere is not handed over, also while its site still trusts it', async t => {
  const clock = fakeClock(t)
  const revocation = { store: secureSession.memoryRevocation(), recheck: '5m' }
  const accounts = await accountsSite(t, { query: true }, { revocation })
  const shop = await shopSite(t, { query: true }, { revocation })
  accounts.get('/url', async ({ session }) => ({ url: await session.handOver({ keep: ['user'] }) }))
  const user = new User(accounts, shop)
  await user.logIn()
  clock.advance(10_000)
  const flow = new URL(await user.begin()).search
  t.match((await user.accounts.json(`/url${flow}`)).url, /ticket=/, 'before')
  await shop.secureSession.revokeSubject('ada')
  clock.advance(MINUTE_MS)
  t.equal((await user.accounts.json('/session')).data.user.id, 'ada', 'its own site trusts it for five minutes')
  reasons(accounts)
  t.equal((await user.accounts.get(`/hand-over${flow}`)).statusCode, 403)
  t.equal((await user.accounts.json(`/url${flow}`)).url, null)
  t.strictSame(reasons(accounts), ['revoked', 'revoked', 'no-user'])
})

t.test('while the store of the sender is unavailable, no ticket is made, and the answer is 503', async t => {
  const store = secureSession.memoryRevocation()
  let fails = false
  const failing = {
    raise: store.raise.bind(store),
    async cutOffs (keys: readonly string[]) { if (fails) throw new Error('away'); return await store.cutOffs(keys) }
  }
  for (const [onError, status] of [['refuse', 503], ['allow', 200]] as const) {
    const accounts = await accountsSite(t, {}, { revocation: { store: failing, onError } })
    const shop = await shopSite(t, {}, { revocation: { store } })
    const user = new User(accounts, shop)
    await user.logIn()
    const flow = new URL(await user.begin()).search
    fails = true
    t.equal((await user.accounts.get(`/hand-over${flow}`)).statusCode, status, onError)
    fails = false
  }
})

t.test('where the receiver cannot read what was revoked, the answer is 503, and the ticket is not used up', async t => {
  const clock = fakeClock(t)
  const store = secureSession.memoryRevocation()
  let fails = false
  const failing = {
    raise: store.raise.bind(store),
    async cutOffs (keys: readonly string[]) { if (fails) throw new Error('away'); return await store.cutOffs(keys) }
  }
  const accounts = await accountsSite(t, {}, { revocation: { store } })
  for (const [onError, status] of [['refuse', 503], ['allow', 303]] as const) {
    const shop = await shopSite(t, {}, { revocation: { store: failing, onError } })
    const user = new User(accounts, shop)
    await user.logIn()
    clock.advance(1000)
    const form = await user.form(await user.begin())
    fails = true
    t.equal((await user.post(form)).statusCode, status, onError)
    fails = false
    clock.advance(6000)
    if (status === 503) t.equal((await user.post(form)).statusCode, 303, 'the browser tries again')
  }
})

t.test('values that cannot be written leave the session of the receiver as it was', async t => {
  const clock = fakeClock(t)
  const accounts = await accountsSite(t)
  const shop = await shopSite(t, { accept: ({ user }: any) => ({ user, count: 10n }) })
  const user = new User(accounts, shop)
  await user.logIn()
  clock.advance(MINUTE_MS)
  const form = await user.form(await user.begin())
  const failed = await user.post(form)
  t.match(failed.json(), { statusCode: 500, code: 'FST_SESSION_NOT_SERIALIZABLE' })
  t.strictSame((await user.shop.json('/session')).data, {})
})

t.test('a session that began before all sessions of its user were revoked is refused, also in a ticket that was made after', async t => {
  const clock = fakeClock(t)
  const [accounts, shop] = [await accountsSite(t), await shopSite(t, {}, { revocation: { store: secureSession.memoryRevocation() } })]
  const user = new User(accounts, shop)
  await user.logIn()
  clock.advance(MINUTE_MS)
  await shop.secureSession.revokeSubject('ada')
  clock.advance(MINUTE_MS)
  t.equal((await user.handOver()).statusCode, 403, 'this sender asks no store')
  t.strictSame(reasons(shop), ['revoked'])
  await user.logIn()
  t.equal((await user.handOver()).statusCode, 303, 'after another login')
})

t.test('sessions of a user that are revoked while a ticket is used up end with the one that the ticket begins', async t => {
  const clock = fakeClock(t)
  const store = secureSession.memoryRevocation()
  let whileUsedUp: (() => Promise<void>) | null = null
  const slow = {
    cutOffs: store.cutOffs.bind(store),
    async raise (...call: Parameters<typeof store.raise>) {
      const revoke = whileUsedUp
      whileUsedUp = null
      await revoke?.()
      return await store.raise(...call)
    }
  }
  const accounts = await accountsSite(t, {}, { revocation: { store, recheck: 0 } })
  const shop = await shopSite(t, {}, { revocation: { store: slow, recheck: 0 } })
  for (const revoker of [accounts, shop]) {
    const user = new User(accounts, shop)
    await user.logIn()
    clock.advance(1000)
    const form = await user.form(await user.begin())
    whileUsedUp = async () => { await revoker.secureSession.revokeSubject('ada') }
    t.equal((await user.post(form)).statusCode, 303)
    t.strictSame((await user.shop.json('/session')).data, {}, 'the session has ended')
    clock.advance(1000)
    await user.logIn()
    t.equal((await user.handOver()).statusCode, 303)
    t.strictSame((await user.shop.json('/session')).data, { user: { id: 'ada' } }, 'after another login')
  }
})

t.test('the session that a ticket begins has the age and the login of the one that it came from, also where `accept` ends the session before it', async t => {
  const clock = fakeClock(t)
  for (const call of ['delete', 'revoke', 'regenerate'] as const) {
    const accept = async (values: object, { session }: { session: secureSession.Session }): Promise<object> => { await session[call](); return values }
    const [accounts, shop] = [await accountsSite(t), await shopSite(t, { accept }, { revocation: { store: secureSession.memoryRevocation() } })]
    const user = new User(accounts, shop)
    await user.shop.get('/log-in/eve')
    const { authenticatedAt, createdAt } = await user.logIn()
    clock.advance(MINUTE_MS)
    t.equal((await user.handOver()).statusCode, 303, call)
    t.match(await user.shop.json('/session'), { data: { user: { id: 'ada' } }, info: { authenticatedAt, createdAt } }, call)
  }
})

t.test('`accept` must return a plain object, or the session of the receiver stays as it was', async t => {
  const clock = fakeClock(t)
  let accepted: object = {}
  const [accounts, shop] = [await accountsSite(t), await shopSite(t, { accept: () => accepted })]
  const user = new User(accounts, shop)
  await user.logIn()
  await user.shop.get('/log-in/eve')
  const before = await user.shop.json('/session')
  clock.advance(1)
  for (const instance of [new Map([['user', 1]]), new Date(0), new (class { user = 1 })()]) {
    accepted = instance
    t.match((await user.handOver()).json(), { statusCode: 500, code: 'FST_SESSION_INVALID_OPTION', message: /"handOver.receive.accept" must return .* a plain object, .*; found an instance of a class/ })
    t.strictSame(await user.shop.json('/session'), before)
  }
  accepted = Object.assign(Object.create(null) as object, { user: 2 })
  t.equal((await user.handOver()).statusCode, 303)
  t.strictSame((await user.shop.json('/session')).data, { user: 2 })
})

t.test('a ticket is given to navigations alone, and to no script', async t => {
  const [accounts, shop] = [await accountsSite(t, { query: true }), await shopSite(t)]
  accounts.get('/url', async ({ session }) => ({ url: await session.handOver({ keep: ['user'] }) }))
  const user = new User(accounts, shop)
  await user.logIn()
  const flow = new URL(await user.begin()).search
  for (const mode of ['cors', 'no-cors', 'same-origin', 'websocket', '', 'navigate, cors', 'Navigate']) {
    const headers = { 'sec-fetch-mode': mode }
    t.match(await user.accounts.get(`/hand-over${flow}`, { headers }), { statusCode: 403, body: /hand-over-refused/ }, mode)
    t.equal((await user.accounts.json(`/url${flow}`, { headers })).url, null, mode)
  }
  t.strictSame([...new Set(reasons(accounts))], ['no-navigation'])
  const headers = { 'sec-fetch-mode': 'navigate' }
  t.equal((await user.accounts.get(`/hand-over${flow}`, { headers })).statusCode, 200)
  t.match((await user.accounts.json(`/url${flow}`, { headers })).url, /ticket=/)
})

t.test('a form that is too long is answered before it has come, and the connection is closed', async t => {
  const shop = await shopSite(t)
  await shop.listen({ port: 0, host: '127.0.0.1' })
  const { port } = shop.server.address() as AddressInfo
  const bodies = { 'content-length: 4097': 'ticket=x', 'transfer-encoding: chunked': `1001\r\n${'x'.repeat(4097)}\r\n` }
  for (const [header, body] of Object.entries(bodies)) {
    const socket = connect(port, '127.0.0.1')
    let answer = ''
    socket.setEncoding('latin1').on('data', text => { answer += text })
    socket.write(`POST /welcome HTTP/1.1\r\nhost: shop.example\r\n${header}\r\n\r\n${body}`)
    await once(socket, 'close')
    t.match(answer, /^HTTP\/1\.1 403 /, header)
    t.match(answer, /^connection: close\r$/mi, header)
  }
  t.strictSame(reasons(shop), ['no-ticket', 'no-ticket'])
})

t.test('over HTTP/2, too, without the header that it does not have', async t => {
  const warnings: Error[] = []
  const note = (warning: Error): void => { warnings.push(warning) }
  process.on('warning', note)
  t.teardown(() => { process.off('warning', note) })
  const shop = fastify({ http2: true })
  t.teardown(async () => { await shop.close() })
  await shop.register(secureSession as never, { key: KEY, handOver: { receive: { at: RECEIVER, from: [SENDER] } } })
  await shop.listen({ port: 0, host: '127.0.0.1' })
  const client = connectHttp2(`http://127.0.0.1:${(shop.server.address() as AddressInfo).port}`)
  for (const bytes of [4097, 300_000]) {
    const stream = client.request({ ':method': 'POST', ':path': '/welcome' }, { endStream: false })
    stream.write('x'.repeat(bytes))
    const [headers] = await once(stream, 'response')
    t.equal(headers[':status'], 403, String(bytes))
    stream.destroy()
  }
  client.destroy()
  t.strictSame(warnings.filter(({ message }) => message.includes('connection header')), [])
})
