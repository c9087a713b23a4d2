import { once } from 'node:events'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import WebSocket from 'ws'
import secureSession from '../../index'
import { KEY, OTHER_KEY, PACKAGES, PEER, SALT, SECRET, withEach, type Plugin } from './packages'
import { addressOf, linesOf, Visitor } from './visitor'
import { quickPassphrases } from '../helpers/quick-passphrases'

t.teardown(quickPassphrases())

/** A site as somebody wrote it for the peer, with one import changed: the same journeys through it, and the same answers. */

const { buildServer } = require(join(__dirname, 'app/server.js')) as { buildServer: (options: object) => any }

const SID = 'sid; HttpOnly; Path=/; SameSite=Lax'
const SID_REMEMBERED = 'sid; HttpOnly; Max-Age=2592000; Path=/; SameSite=Lax'
const SID_CLEARED = 'sid; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Max-Age=0; Path=/; SameSite=Lax'
const PREFS = 'prefs; Max-Age=7776000; Path=/; SameSite=Lax'
const PREFS_CLEARED = 'prefs; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/; SameSite=Lax'

function siteWith (t: Test, secureSession: Plugin, keys: Buffer[] = [KEY], legacy?: object): any {
  const app = buildServer({ secureSession, keys, secret: SECRET, salt: SALT, legacy })
  t.teardown(() => app.close())
  return app
}

async function tokenFrom (visitor: Visitor): Promise<string> {
  return (await visitor.get('/csrf')).body.token
}

async function logIn (visitor: Visitor, name: string, password: string, more: Record<string, string> = {}): Promise<any> {
  return await visitor.post('/login', { form: { name, password, _csrf: await tokenFrom(visitor), ...more } })
}

withEach(t, 'a visitor registers and uses every kind of route', async (t, secureSession) => {
  const address = await addressOf(siteWith(t, secureSession))

  await t.test('a request that does not access the session sets no cookie, and touch sets one', async t => {
    const visitor = new Visitor(address)
    t.match(await visitor.get('/health'), { status: 200, body: { ok: true }, setsCookie: false })
    t.match(await visitor.get('/books'), { status: 200, setsCookie: false })
    t.match(await visitor.get('/session'), { body: { data: {}, changed: false, deleted: false }, setsCookie: false })
    const ping = await visitor.get('/ping')
    t.match(ping, { status: 200, body: 'pong' })
    t.strictSame(linesOf(ping), [SID])
    const head = await visitor.ask('/ping', { method: 'HEAD' })
    t.equal(head.status, 200)
    t.strictSame(linesOf(head), [SID])
  })

  await t.test('login with a form, CSRF and flash returns to the requested page, and logout works', async t => {
    const visitor = new Visitor(address)
    const stopped = await visitor.get('/orders', { headers: { accept: 'text/html' } })
    t.match(stopped, { status: 302, location: '/login' })
    t.strictSame(linesOf(stopped), [SID])

    t.match(await visitor.post('/login', { form: { name: 'ada', password: 'engine' } }), { status: 403, body: { error: 'Missing csrf secret' } })
    const page = await visitor.get('/login')
    t.match(page.body, '<p>Hello stranger</p>')
    t.ok(page.headers.has('x-frame-options'), 'helmet')
    const [, token] = /value="([^"]+)"/.exec(page.body) as unknown as [string, string]
    t.match(await visitor.post('/login', { form: { name: 'ada', password: 'engine', _csrf: 'forged' } }), { status: 403, body: { error: 'Invalid csrf token' } })
    t.match(await visitor.post('/login', { form: { name: 'ada', _csrf: token } }), { status: 400, setsCookie: false })

    const wrong = await visitor.post('/login', { form: { name: 'ada', password: 'guess', _csrf: token } })
    t.match(wrong, { status: 302, location: '/login-failed' })
    t.strictSame((await visitor.get('/login-failed')).body, { errors: ["That is not ada's password"], others: {} })
    t.strictSame((await visitor.get('/login-failed')).body, { errors: [], others: {} })

    const right = await visitor.post('/login', { form: { name: 'ada', password: 'engine', _csrf: token } })
    t.match(right, { status: 302, location: '/orders' })
    t.strictSame(linesOf(right), [SID])
    const orders = await visitor.get('/orders')
    t.strictSame(orders.body, { orders: [], info: [] })
    const { body } = await visitor.get('/session')
    t.strictSame(Object.keys(body.data).sort(), ['_csrf', 'flash', 'loggedInAt', 'user'])
    t.strictSame((await visitor.get('/me')).body, { user: { id: 1, name: 'ada' }, loggedIn: 'string', lost: 0 })
    t.match((await visitor.get('/login')).body, '<p>Hello ada</p>')

    const changed = await visitor.post('/me/password', { headers: { 'x-csrf-token': token } })
    t.match(changed, { status: 200, body: { changed: true, kept: ['user'] } })
    t.match(await visitor.post('/me/password', { headers: { 'x-csrf-token': token } }), { status: 403 }, 'the CSRF secret is gone')

    const out = await visitor.post('/logout')
    t.strictSame(out.body, { loggedOut: true })
    t.strictSame(linesOf(out), [SID_CLEARED])
    t.match(await visitor.get('/me'), { status: 401, body: { error: 'log in first' } })
  })

  await t.test('the cart stays through the login, and an order empties it', async t => {
    const visitor = new Visitor(address)
    t.match(await visitor.post('/cart', { json: { id: 'b1' } }), { status: 201, body: { cart: [{ id: 'b1', count: 1 }] } })
    t.match(await visitor.post('/cart', { json: { id: 'b1', count: 2 } }), { body: { cart: [{ id: 'b1', count: 3 }] } })
    t.match(await visitor.post('/cart', { json: { id: 'b2' } }), { status: 201 })
    t.match(await visitor.post('/cart', { json: { id: 'b9' } }), { status: 400, body: { error: 'no such book' }, setsCookie: false })
    t.match(await visitor.ask('/cart/b2', { method: 'DELETE' }), { status: 200, body: { cart: [{ id: 'b1', count: 3 }] } })
    t.match(await visitor.post('/checkout'), { status: 401 })
    t.match(await logIn(visitor, 'grace', 'compiler'), { status: 302, location: '/me' })
    t.strictSame((await visitor.get('/cart')).body, { cart: [{ id: 'b1', count: 3 }] })
    t.match(await visitor.post('/checkout'), { status: 303, location: '/orders' })
    t.strictSame((await visitor.get('/orders')).body, { orders: [{ id: 1, cents: 3750 }], info: ['order 1 is on its way', 'thank you'] })
    t.match(await visitor.post('/checkout'), { status: 409, body: { error: 'the cart is empty' } })
    const stream = await visitor.get('/orders.csv')
    t.equal(stream.body, '1,3750\n')
    t.strictSame(linesOf(stream), [SID])
  })

  await t.test('"remember me" is a Max-Age of this session alone', async t => {
    const visitor = new Visitor(address)
    t.strictSame(linesOf(await logIn(visitor, 'ada', 'engine', { remember: 'on' })), [SID_REMEMBERED])
    t.match(await visitor.get('/me'), { status: 200, setsCookie: false })
  })

  await t.test('a form over three pages keeps its values', async t => {
    const visitor = new Visitor(address)
    t.match(await visitor.get('/apply'), { status: 302, location: '/apply/person' })
    t.match(await visitor.post('/apply/consent', { form: { yes: '1' } }), { status: 409, body: { error: 'one step after the other' } })
    t.match(await visitor.post('/apply/person', { form: { name: 'Ada' } }), { status: 302 })
    t.match(await visitor.post('/apply/reasons', { form: { why: 'ü & "é"' } }), { status: 302 })
    t.match(await visitor.get('/apply'), { location: '/apply/consent' })
    t.match(await visitor.post('/apply/consent', { form: { yes: '1' } }), { status: 302 })
    t.match(await visitor.get('/apply'), { location: '/apply/summary' })
    t.strictSame((await visitor.get('/apply/summary')).body, { step: 3, person: { name: 'Ada' }, reasons: { why: 'ü & "é"' }, consent: { yes: '1' } })
    t.strictSame((await visitor.post('/apply/summary/send')).body, { sent: 1, rest: { application: null } })
  })

  await t.test('scopes with their own hooks, an error handler and a 404 page can use the session', async t => {
    const visitor = new Visitor(address)
    t.match(await visitor.get('/admin/users'), { status: 401 })
    await logIn(visitor, 'grace', 'compiler')
    t.match(await visitor.get('/admin/users'), { status: 403, body: { error: 'only for admins' } })
    await logIn(visitor, 'ada', 'engine')
    t.match(await visitor.get('/admin/users'), { status: 200, body: { by: 'ada', users: [{}, {}, {}] } })
    t.strictSame((await visitor.post('/admin/impersonate/3')).body, { now: 'linus', by: 'linus' })
    t.match(await visitor.get('/admin/users'), { status: 403 })
    t.strictSame((await visitor.post('/admin/stop')).body, { now: 'ada' })
    t.strictSame((await visitor.get('/session')).body.data, { user: { id: 1, name: 'ada' } })

    const crash = await visitor.get('/admin/crash')
    t.match(crash, { status: 500, body: { error: 'something broke', message: 'the database is away' } })
    t.strictSame(linesOf(crash), [SID])
    t.strictSame((await visitor.get('/session')).body.data, { user: { id: 1, name: 'ada' }, seen: true, lastError: { message: 'the database is away', url: '/admin/crash' } })
    t.strictSame((await visitor.get('/nowhere')).body, { error: 'no such page', lost: 1 })
    t.strictSame((await visitor.get('/nowhere/else')).body, { error: 'no such page', lost: 2 })
  })

  await t.test('the second session is separate from the first', async t => {
    const visitor = new Visitor(address)
    const put = await visitor.ask('/prefs/language', { method: 'PUT', json: { value: 'de' } })
    t.match(put, { body: { changed: true, session: false } })
    t.strictSame(linesOf(put), [PREFS])
    t.strictSame((await visitor.ask('/prefs', { method: 'PATCH', json: { theme: 'dark', size: 12 } })).body, { language: 'de', theme: 'dark', size: 12 })
    t.match((await visitor.get('/prefs/page')).body, '<p>Hallo stranger</p>')
    await logIn(visitor, 'ada', 'engine')
    t.strictSame([...visitor.cookies.keys()].sort(), ['prefs', 'sid'])
    await visitor.post('/logout')
    t.strictSame((await visitor.get('/prefs')).body, { language: 'de', theme: 'dark', size: 12 })
    const gone = await visitor.ask('/prefs', { method: 'DELETE' })
    t.match(gone, { body: { deleted: true, changed: true } })
    t.strictSame(linesOf(gone), [PREFS_CLEARED])
    t.strictSame((await visitor.get('/prefs')).body, {})
  })

  await t.test('WebSockets read the session of their upgrade, or a ticket', async t => {
    const visitor = new Visitor(address)
    await logIn(visitor, 'ada', 'engine')
    await visitor.ask('/prefs/language', { method: 'PUT', json: { value: 'de' } })
    const me = await talk(t, `${address}/live/me`, visitor.header)
    t.strictSame(JSON.parse(await me.hear()), { user: { id: 1, name: 'ada' }, language: 'de' })
    t.equal(await me.say('hello'), 'ada: hello')
    const stranger = await talk(t, `${address}/live/me`, '')
    t.strictSame(JSON.parse(await stranger.hear()), { user: null, language: null })

    const { ticket } = (await visitor.get('/live/ticket')).body
    const feed = await talk(t, `${address}/live/feed?ticket=${ticket}`, '')
    t.strictSame(JSON.parse(await feed.hear()), { userId: 1, for: 'live' })
    for (const bad of ['', 'x', `${ticket.slice(0, -12)}AAAAAAAAAAAA`, visitor.cookies.get('prefs')]) {
      const refused = await talk(t, `${address}/live/feed?ticket=${bad}`, '')
      t.equal(await refused.code, 4401)
    }
    t.match(await new Visitor(address).get('/live/ticket'), { status: 401 })
  })
})

withEach(t, 'a user stays logged in while keys rotate in an array over two restarts', async (t, secureSession) => {
  const first = new Visitor(await addressOf(siteWith(t, secureSession, [OTHER_KEY])))
  await logIn(first, 'ada', 'engine')
  const second = first.at(await addressOf(siteWith(t, secureSession, [KEY, OTHER_KEY])))
  t.match(await second.get('/me'), { status: 200, body: { user: { name: 'ada' } } })
  await second.get('/ping')
  const third = second.at(await addressOf(siteWith(t, secureSession, [KEY])))
  t.match(await third.get('/me'), { status: 200, body: { user: { name: 'ada' } } })
  t.match(await first.at(await addressOf(siteWith(t, secureSession, [Buffer.alloc(32, 9)]))).get('/me'), { status: 401 })
})

t.test('users stay logged in after the change of the package, and log in again after going back', async t => {
  const before = new Visitor(await addressOf(siteWith(t, PACKAGES[PEER], [KEY, OTHER_KEY])))
  await before.post('/cart', { json: { id: 'b2', count: 2 } })
  await before.ask('/prefs', { method: 'PATCH', json: { language: 'de' } })
  await logIn(before, 'ada', 'engine')
  const old = new Map(before.cookies)

  const legacy = {
    session: { legacy: [secureSession.secureSessionOpener({ key: [KEY, OTHER_KEY], expiry: 3600 })] },
    prefs: { legacy: [secureSession.secureSessionOpener({ secret: SECRET, salt: SALT, expiry: 60 * 60 * 24 * 90 })] }
  }
  const here = before.at(await addressOf(siteWith(t, secureSession, [KEY, OTHER_KEY], legacy)))
  const me = await here.get('/me')
  t.match(me, { status: 200, body: { user: { id: 1, name: 'ada' }, loggedIn: 'string' } })
  t.strictSame(linesOf(me), [], 'a request that only reads migrates nothing')
  t.match((await here.get('/prefs/page')).body, '<p>Hallo ada</p>')
  t.strictSame((await here.get('/cart')).body, { cart: [{ id: 'b2', count: 2 }] })
  t.match(await here.post('/checkout'), { status: 303 })
  t.match(await here.post('/me/password', { headers: { 'x-csrf-token': await tokenFrom(here) } }), { status: 200 })
  t.not(here.cookies.get('sid'), old.get('sid'), 'the session has migrated')
  t.match(await here.get('/me'), { status: 200 })

  const back = here.at(before.address)
  t.match(await back.get('/me'), { status: 401 })
  t.match(await logIn(back, 'ada', 'engine'), { status: 302 })
})

interface Talk {
  hear (): Promise<string>
  say (message: string): Promise<string>
  readonly code: Promise<number>
}

async function talk (t: Test, url: string, cookie: string): Promise<Talk> {
  const socket = new WebSocket(url.replace('http', 'ws'), { headers: cookie === '' ? {} : { cookie } })
  t.teardown(() => { socket.terminate() })
  const code = once(socket, 'close').then(([code]) => code as number)
  const heard: string[] = []
  const waiting: Array<(message: string) => void> = []
  socket.on('message', message => {
    const next = waiting.shift()
    if (next === undefined) heard.push(String(message))
    else next(String(message))
  })
  const hear = async (): Promise<string> => heard.shift() ?? await new Promise(resolve => { waiting.push(resolve) })
  await once(socket, 'open')
  return { code, hear, async say (message) { socket.send(message); return await hear() } }
}
