import websocket from '@fastify/websocket'
import { once } from 'node:events'
import t from 'tap'
import { WebSocket } from 'ws'
import secureSession from '../../index'
import { appWith, ERROR, KEY, OTHER_KEY } from '../helpers/app'
import { Browser, setCookies } from '../helpers/browser'
import { fakeClock, turns } from '../helpers/clock'
import { loggedInBefore } from '../legacy/old-app'
import { away, CountingStore } from './stores'
import { appOfUsers, loggedIn, subject, userIn } from './users'

t.test('secureSession.decode asks the store, and decodeSecureSession does not', async t => {
  const clock = fakeClock(t)
  const store = new CountingStore()
  const app = await appOfUsers(t, { store })
  const browser = await loggedIn(app)
  const token = browser.cookies.get('session') as string
  t.same((await app.secureSession.decode(token))?.data(), { user: 'ada', secret: 'of the session' })
  const asked = store.asked
  t.ok(app.decodeSecureSession(token))
  t.equal(store.asked, asked)
  t.ok(await app.secureSession.decode(token))
  t.equal(store.asked, asked + 1, 'also about one that is trusted still')
  clock.advance(1)
  await app.secureSession.revokeSubject('ada')
  t.ok(app.decodeSecureSession(token))
  t.equal(await app.secureSession.decode(token), null)
  for (const nothing of [undefined, '', 'junk']) t.equal(await app.secureSession.decode(nothing), null)
  await t.rejects(app.secureSession.decode(token, app.log, 'none'), { code: 'FST_SESSION_UNKNOWN_NAME' })
})

t.test('while the store is unavailable, secureSession.decode rejects, or trusts if `onError` is allow', async t => {
  const clock = fakeClock(t)
  for (const onError of ['refuse', 'allow'] as const) {
    const store = new CountingStore()
    const app = await appOfUsers(t, { store, onError })
    const token = (await loggedIn(app)).cookies.get('session') as string
    clock.advance(300_000)
    store.instead = away
    if (onError === 'refuse') await t.rejects(app.secureSession.decode(token), { code: 'FST_SESSION_STORE_UNAVAILABLE' })
    else t.equal((await app.secureSession.decode(token, app.log, 'session'))?.get('user'), 'ada')
  }
})

t.test('a session outside a request can be revoked', async t => {
  const app = await appOfUsers(t, { recheck: 0 })
  const browser = await loggedIn(app)
  const session = await app.secureSession.decode(browser.cookies.get('session'))
  await session?.revoke()
  t.equal(session?.deleted, true)
  t.equal(await userIn(browser), null)
})

t.test('secureSession.decode awaits openers of legacy cookies that return promises', async t => {
  const app = await appWith(t, { key: KEY, legacy: [{ open: async value => value === 'old' ? { data: { user: 'ada' } } : null }] })
  t.same((await app.secureSession.decode('old'))?.data(), { user: 'ada' })
  t.equal(await app.secureSession.decode('other'), null)
})

t.test('a WebSocket upgrade does not see a revoked session', async t => {
  const app = await appOfUsers(t, {}, {}, {})
  await app.register(websocket)
  app.register(async scope => {
    scope.get('/socket', { websocket: true }, (socket, { session }) => { socket.send(String(session.get('user'))) })
  })
  const address = (await app.listen({ port: 0, host: '127.0.0.1' })).replace('http', 'ws')
  const browser = await loggedIn(app)
  const greeting = async (): Promise<string> => {
    const socket = new WebSocket(`${address}/socket`, { headers: { cookie: browser.header } })
    const [text] = await once(socket, 'message')
    socket.terminate()
    return String(text)
  }
  t.equal(await greeting(), 'ada')
  await app.secureSession.revoke((await browser.json('/info')).id)
  t.equal(await greeting(), 'undefined')
})

t.test('commitSession does not wait for the store, and the reply does', async t => {
  const store = new CountingStore()
  const app = await appOfUsers(t, { store, recheck: 0 })
  app.get('/by-hand', async ({ session }, reply) => { session.delete(); return reply.commitSession().length })
  for (const isAway of [false, true]) {
    const browser = await loggedIn(app)
    const copy = browser.copy()
    if (isAway) store.instead = async () => store.raised > 1 ? await away() : [0, 0]
    const response = await browser.get('/by-hand')
    t.match(setCookies(response), [/^session=; Max-Age=0/])
    t.equal(response.statusCode, isAway ? 503 : 200)
    t.equal(app.lines.filter(({ level }) => level === ERROR).length, isAway ? 1 : 0, 'an error is logged once')
    store.instead = null
    t.equal(await userIn(copy), isAway ? 'ada' : null)
  }
})

t.test('a hijacked reply does not wait for the store, and the log says what failed', async t => {
  const store = new CountingStore()
  const app = await appOfUsers(t, { store, recheck: 0 })
  app.get('/by-hand', ({ session }, reply) => {
    session.delete()
    reply.commitSession()
    reply.hijack()
    reply.raw.end('by hand')
  })
  const browser = await loggedIn(app)
  store.instead = async () => store.raised > 0 ? await away() : [0, 0]
  t.equal((await browser.get('/by-hand')).payload, 'by hand')
  t.equal(browser.cookies.size, 0)
  while (!app.lines.some(({ level }) => level === ERROR)) await turns()
  t.match(app.lines.filter(({ level }) => level === ERROR), [{ err: { code: 'FST_SESSION_STORE_UNAVAILABLE' } }])
})

t.test('a revoked cookie does not prevent a valid cookie of the same name from being used', async t => {
  const clock = fakeClock(t)
  const app = await appOfUsers(t)
  const good = await loggedIn(app)
  clock.advance(1000)
  const tossed = await loggedIn(app, 'mallory')
  const cookie = `${tossed.header}; ${good.header}`
  t.same((await app.inject({ url: '/user', headers: { cookie } })).json(), { user: 'mallory' }, 'the newest is taken')
  await tossed.copy().get('/logout')
  const response = await app.inject({ url: '/user', headers: { cookie } })
  t.same(response.json(), { user: 'ada' })
  t.strictSame(setCookies(response), [], 'and nothing is cleared')
  await good.copy().get('/logout')
  t.match(setCookies(await app.inject({ url: '/user', headers: { cookie } })), [/^session=; Max-Age=0/])
})

t.test('a copy of a legacy cookie ends with the session that was migrated from it', async t => {
  const old = { key: OTHER_KEY }
  const app = await appOfUsers(t, { recheck: 0 }, { legacy: [secureSession.secureSessionOpener(old)] })
  const browser = (await loggedInBefore(t, old)).copy(app)
  const copy = browser.copy()
  t.equal(await userIn(browser), 'ada')
  await browser.get('/logout')
  t.equal(await userIn(copy), null)
  t.equal(copy.cookies.size, 0)
})

t.test('a legacy cookie without a date ends with its subject, whenever it is sent', async t => {
  const clock = fakeClock(t)
  const app = await appOfUsers(t, {}, { legacy: [{ cookieName: 'old', immediate: true, open: value => ({ data: { user: value } }) }] })
  const [before, after] = [new Browser(app), new Browser(app)]
  for (const browser of [before, after]) browser.cookies.set('old', 'ada')
  t.equal(await userIn(before), 'ada')
  clock.advance(1000)
  await app.secureSession.revokeSubject('ada')
  clock.advance(1000)
  t.equal(await userIn(before), null)
  t.equal(await userIn(after), null)
  t.equal(await userIn(await loggedIn(app)), 'ada')
})

t.test('a legacy cookie with either date stays valid where that is later than the revocation of its subject', async t => {
  const clock = fakeClock(t)
  for (const name of ['createdAt', 'renewedAt'] as const) {
    const atMs = clock.nowMs + 2000
    const app = await appOfUsers(t, {}, { legacy: [{ cookieName: 'old', immediate: true, open: value => ({ data: { user: value }, [name]: atMs }) }] })
    await app.secureSession.revokeSubject('ada')
    clock.set(atMs)
    const browser = new Browser(app)
    browser.cookies.set('old', 'ada')
    t.equal(await userIn(browser), 'ada', name)
  }
})

t.test('one of two named sessions can be revoked without the other', async t => {
  const app = await appWith(t, [
    { key: KEY, subject, revocation: { store: secureSession.memoryRevocation() } },
    { sessionName: 'cart', key: KEY }
  ])
  interface Both { session: secureSession.Session, cart: secureSession.Session }
  app.get('/fill', async request => { const { session, cart } = request as unknown as Both; session.set('user', 'ada'); cart.set('items', 1); return session.info })
  app.get('/both', async request => { const { session, cart } = request as unknown as Both; return { user: session.get('user') ?? null, items: cart.get('items') } })
  const browser = new Browser(app)
  const { id } = await browser.json('/fill')
  await app.secureSession.revoke(id)
  t.same(await browser.json('/both'), { user: null, items: 1 })
})

t.test('an error before the store could be asked is thrown only to code that accesses the session', async t => {
  const opener: secureSession.LegacyOpener = { cookieName: 'old', immediate: true, open () { throw Object.assign(new Error('away'), { statusCode: 503 }) } }
  const legacy = await appOfUsers(t, {}, { legacy: [opener] })
  const old = await appOfUsers(t, {}, { subject: undefined } as never)
  const subjects = await appOfUsers(t, {}, { subject: () => { throw new Error('no user') } })
  const browsers = [new Browser(legacy), (await loggedIn(old)).copy(subjects)] as const
  browsers[0].cookies.set('old', 'ada')
  for (const [index, status] of [503, 500].entries()) {
    t.equal((await browsers[index]?.get('/user'))?.statusCode, status)
    t.equal((await browsers[index]?.get('/untouched'))?.statusCode, 200)
  }
})
