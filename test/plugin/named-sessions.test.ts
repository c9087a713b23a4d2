import t from 'tap'
import secureSession from '../../index'
import { readEnvelope, writeEnvelope, type OpenedEnvelope } from '../../lib/core/envelope'
import { openToken, plaintext, sealToken, type OpenedToken } from '../../lib/core/token'
import { addRoutes, appWith, bareApp, KEY, OTHER_KEY } from '../helpers/app'
import { Browser, setCookies } from '../helpers/browser'
import { keysFor } from '../helpers/ring'

t.test('several named sessions work side by side, each with its own cookie, key and options', async t => {
  const app = await appWith(t, [{ key: KEY }, { key: OTHER_KEY, sessionName: 'flash', cookieName: 'f', idle: 60, cookie: { path: '/f' } }])
  app.get('/f/set', async (request: any) => { request.session.set('user', 'ada'); request.flash.set('note', 'hi'); return {} })
  app.get('/get', async (request: any) => ({ session: request.session.data(), flash: request.flash.data() }))
  app.get('/one', async (request: any) => { request.flash.set('note', 'other'); return {} })
  const browser = new Browser(app)
  t.match(setCookies(await browser.get('/f/set')), [/^session=.*Path=\/;/, /^f=.*Path=\/f;/])
  t.strictSame(await browser.json('/get'), { session: { user: 'ada' }, flash: { note: 'hi' } })
  t.match(setCookies(await browser.get('/one')), [/^f=/], 'only what changed is written')
  t.strictSame(await browser.json('/get'), { session: { user: 'ada' }, flash: { note: 'other' } })
})

t.test('Set-Cookie lines are sent in the order of registration, in every order of access', async t => {
  const app = await appWith(t, ['a', 'b', 'c'].map(sessionName => ({ key: KEY, sessionName })))
  app.get('/', async (request: any) => { for (const name of ['c', 'a', 'b']) request[name].set('x', 1); return {} })
  t.match(setCookies(await app.inject('/')), [/^a=/, /^b=/, /^c=/])
})

t.test('the default cookie name of a session is its session name', async t => {
  const app = await appWith(t, { key: KEY, sessionName: 'login' })
  app.get('/', async (request: any) => { request.login.set('a', 1); return { session: request.session ?? null } })
  const response = await app.inject('/')
  t.strictSame(response.json(), { session: null })
  t.match(setCookies(response), [/^login=/])
})

t.test('a registration in an inner scope adds a session there, and keeps the outer one', async t => {
  const app = await appWith(t)
  addRoutes(app)
  await app.register(async scope => {
    await scope.register(secureSession, { key: OTHER_KEY, sessionName: 'inner' })
    scope.get('/inner', async (request: any) => { request.session.set('a', 1); request.inner.set('b', 2); return {} })
    scope.get('/inner/commit', async (request: any, reply) => {
      request.session.set('a', 1)
      request.inner.set('b', 2)
      return reply.commitSession().map(line => line.split('=')[0])
    })
    scope.get('/inner/outside', async () => {
      const session = scope.createSecureSession({ a: 1 })
      return [scope.decodeSecureSession(scope.encodeSecureSession(session, 'session'), undefined, 'session') !== null, scope.decodeSecureSession(scope.encodeSecureSession(session)) !== null]
    })
  })
  app.get('/outer', async (request: any) => ({ inner: request.inner ?? null }))
  t.match(setCookies(await app.inject('/inner')).map(line => line.split('=')[0]), ['session', 'inner'])
  t.strictSame((await app.inject('/inner/commit')).json(), ['session', 'inner'])
  t.strictSame((await app.inject('/inner/outside')).json(), [true, true])
  t.strictSame((await app.inject('/outer')).json(), { inner: null })
})

t.test('two scopes may have different sessions of one name, at different paths', async t => {
  const app = bareApp(t)
  for (const [prefix, key] of [['/a', KEY], ['/b', OTHER_KEY]] as const) {
    await app.register(async scope => {
      await scope.register(secureSession, { key, cookie: { path: prefix } })
      addRoutes(scope)
    }, { prefix })
  }
  const browser = new Browser(app)
  await browser.get('/a/set/user/ada')
  t.strictSame(await browser.json('/a/get'), { user: 'ada' })
  t.strictSame(await browser.json('/b/get'), {})
})

t.test('an inner scope cannot use a session name or cookie name of the outer scope', async t => {
  const app = await appWith(t)
  app.register(async scope => { await scope.register(secureSession, { key: KEY, sessionName: 'other', cookieName: 'session' }) })
  await t.rejects(async () => { await app.ready() }, { code: 'FST_SESSION_INVALID_OPTION' })
})

t.test('a scope from before the plugin has the session, like one from after it', async t => {
  const app = bareApp(t)
  app.register(async scope => {
    scope.addHook('onRequest', async request => { request.session.set('early', true); request.session.touch() })
    addRoutes(scope)
    scope.get('/commit', async (request, reply) => reply.commitSession().length)
  }, { prefix: '/early' })
  app.register(secureSession, { key: KEY })
  app.register(async scope => { addRoutes(scope) }, { prefix: '/late' })
  const browser = new Browser(app)
  await browser.get('/early/set/user/ada')
  t.strictSame(await browser.json('/late/get'), { early: true, user: 'ada' })
  await browser.get('/late/set/user/grace')
  t.strictSame(await browser.json('/early/get'), { early: true, user: 'grace' })
  t.equal((await browser.get('/early/commit')).body, '1')
})

t.test('routes from before the plugin have sessions, if the scope is the same', async t => {
  const app = bareApp(t)
  app.register(secureSession, { key: KEY })
  addRoutes(app)
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  t.strictSame(await browser.json('/get'), { user: 'ada' })
})

t.test('a hook before the plugin\'s own hook can use the session', async t => {
  const app = bareApp(t)
  app.addHook('onRequest', async request => { request.session.set('visited', true) })
  app.register(secureSession, { key: KEY })
  addRoutes(app)
  app.get('/more', async request => { request.session.set('more', 1); return {} })
  t.match(setCookies(await app.inject('/untouched')), [/^session=/])
  const browser = new Browser(app)
  await browser.get('/more')
  t.strictSame(await browser.json('/get'), { visited: true, more: 1 })
})

t.test('opening one session does not change what another has opened: serializer bytes, unknown extensions', async t => {
  const serializer = { serialize: (data: object) => JSON.stringify(data), deserialize: (bytes: Buffer) => JSON.parse(bytes.toString()) }
  const app = await appWith(t, [{ key: KEY, serializer }, { key: KEY, sessionName: 'other' }])
  app.get('/fill', async (request: any) => { request.session.set('cart', { items: [1, 2, 3] }); request.other.set('big', 'z'.repeat(300)); return {} })
  app.get('/read', async (request: any) => ({ cart: request.session.get('cart'), big: request.other.get('big').length }))
  app.get('/change', async (request: any) => { request.other.set('a', 1); request.session.get('cart'); return {} })
  const browser = new Browser(app)
  await browser.get('/fill')
  const read = await browser.get('/read')
  t.strictSame(read.json(), { cart: { items: [1, 2, 3] }, big: 300 })
  t.strictSame(setCookies(read), [], 'nothing has changed')

  const extension = Buffer.from('of a later version')
  const now = Date.now()
  const envelope = { id: Buffer.alloc(16), createdAtMs: now, renewedAtMs: now, extensions: new Map([[99, extension]]), customSerializer: false, data: '{}' }
  browser.cookies.set('other', sealToken(writeEnvelope(envelope, 0, plaintext), keysFor('other').sealing(0), 1))
  await browser.get('/change')
  const { plaintextBytes } = openToken(browser.cookies.get('other') as string, keysFor('other'), 1, 0) as OpenedToken
  t.strictSame((readEnvelope(plaintext, plaintextBytes) as OpenedEnvelope).extensions.get(99), extension)
})
