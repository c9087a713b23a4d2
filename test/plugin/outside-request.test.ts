import t from 'tap'
import secureSession from '../../index'
import { addRoutes, appWith, DEBUG, KEY, OTHER_KEY } from '../helpers/app'
import { Browser } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'
import { appOfUsers, loggedIn } from '../revocation/users'

t.test('a session that is created, encoded and decoded outside a request is unchanged', async t => {
  const app = await appWith(t)
  const session = app.createSecureSession({ user: 'ada', cart: { items: [1] } })
  session.set('more', true)
  const token = app.encodeSecureSession(session)
  const decoded = app.decodeSecureSession(token)
  t.strictSame(decoded?.data(), { user: 'ada', cart: { items: [1] }, more: true })
  t.equal(decoded?.info.id, session.info.id)
})

t.test('createSecureSession needs no data, and copies given data', async t => {
  const app = await appWith(t)
  t.strictSame(app.createSecureSession().data(), {})
  const data = Object.freeze({ user: 'ada' })
  const session = app.createSecureSession(data)
  session.set('user', 'grace')
  t.strictSame(data, { user: 'ada' })
  t.match(session.info, { isNew: true })
  t.equal(session.changed, true)
})

t.test('a token from outside opens in a request, and one of a request opens outside', async t => {
  const app = await appWith(t)
  addRoutes(app)
  const token = app.encodeSecureSession(app.createSecureSession({ user: 'ada' }))
  t.strictSame((await app.inject({ url: '/get', headers: { cookie: `session=${token}` } })).json(), { user: 'ada' })
  const browser = new Browser(app)
  await browser.get('/set/user/grace')
  t.strictSame(app.decodeSecureSession(browser.cookies.get('session'))?.data(), { user: 'grace' })
})

t.test('a session of a request can be encoded, and is not changed by that', async t => {
  const app = await appWith(t)
  app.get('/', async ({ session }) => ({ token: app.encodeSecureSession(session), changed: session.changed }))
  t.match((await app.inject('/')).json(), { token: /^AQ/, changed: false })
})

t.test('decodeSecureSession returns null for a bad token, and logs the reason to the given logger', async t => {
  const clock = fakeClock(t)
  const app = await appWith(t)
  const token = app.encodeSecureSession(app.createSecureSession({ user: 'ada' }))
  const told: unknown[] = []
  const log = Object.assign(app.log.child({}), { debug: (details: unknown) => { told.push(details) } })
  for (const bad of ['', 'x', `${token}A`]) t.equal(app.decodeSecureSession(bad, log), null)
  t.equal(told.length, 3)
  t.equal(app.decodeSecureSession(undefined), null)
  t.equal(app.decodeSecureSession(42 as unknown as string), null)
  clock.advance(2 * 86400_000)
  t.equal(app.decodeSecureSession(token), null)
  t.match(app.lines.find(({ level }) => level === DEBUG), { reason: 'expired' })
})

t.test('functions outside a request take a session name, and throw for an unknown one', async t => {
  const app = await appWith(t, [{ key: KEY }, { key: OTHER_KEY, sessionName: 'flash' }])
  const session = app.createSecureSession({ a: 1 })
  const token = app.encodeSecureSession(session, 'flash')
  t.strictSame(app.decodeSecureSession(token, undefined, 'flash')?.data(), { a: 1 })
  t.equal(app.decodeSecureSession(token), null)
  t.throws(() => app.encodeSecureSession(session, 'nope'), { code: 'FST_SESSION_UNKNOWN_NAME', message: /"nope".*"session", "flash"/ })
  t.throws(() => app.decodeSecureSession(token, undefined, 'nope'), { code: 'FST_SESSION_UNKNOWN_NAME' })
})

t.test('encoding a value that is not a session throws', async t => {
  const app = await appWith(t)
  for (const thing of [undefined, null, {}, 'text', { data: () => ({}) }]) {
    t.throws(() => app.encodeSecureSession(thing as never), { code: 'FST_SESSION_INVALID_OPTION' })
  }
  const heir = Object.create(app.createSecureSession({ user: 'ada' }) as object)
  t.throws(() => app.encodeSecureSession(heir), { code: 'FST_SESSION_INVALID_OPTION' }, 'what inherits from one is none')
})

t.test('encoding a session that is too large or cannot be written throws', async t => {
  const app = await appWith(t)
  t.throws(() => app.encodeSecureSession(app.createSecureSession({ a: 'x'.repeat(5000) })), { code: 'FST_SESSION_TOO_LARGE' })
  t.throws(() => app.encodeSecureSession(app.createSecureSession({ a: [1n] })), { code: 'FST_SESSION_NOT_SERIALIZABLE' })
})

t.test('a decoded session can be changed and encoded again', async t => {
  const app = await appWith(t)
  const first = app.createSecureSession({ user: 'ada' })
  const decoded = app.decodeSecureSession(app.encodeSecureSession(first))
  decoded?.set('more', 1)
  const again = app.decodeSecureSession(app.encodeSecureSession(decoded as NonNullable<typeof decoded>))
  t.strictSame(again?.data(), { user: 'ada', more: 1 })
  t.equal(again?.info.id, first.info.id)
})

t.test('a session that is encoded by an app without `subject` keeps the subject that another app sealed', async t => {
  const revocation = { store: secureSession.memoryRevocation(), recheck: 0 }
  const options = { key: KEY, subject: ({ user }: any) => user, revocation }
  const app = await appWith(t, options)
  const another = await appWith(t)
  const unknown = await appWith(t, { ...options, subject: () => undefined })
  const sealed = app.secureSession.cookiesFor({ user: 'ada' })['session']
  const token = another.encodeSecureSession(another.decodeSecureSession(sealed) as any)
  t.not(await unknown.secureSession.decode(token), null)
  await app.secureSession.revokeSubject('ada')
  t.equal(await unknown.secureSession.decode(token), null)
})

t.test('a session that is encoded in the millisecond of a revocation is revoked by a later one only', async t => {
  const clock = fakeClock(t)
  const app = await appOfUsers(t, { recheck: 0 })
  const encoded = (): string => app.encodeSecureSession(app.createSecureSession({ user: 'ada' }))
  await (await loggedIn(app)).get('/revoke-others')
  const token = encoded()
  t.not(await app.secureSession.decode(token), null)
  const revoking = app.secureSession.revokeSubject('ada')
  clock.advance(2)
  await revoking
  t.equal(await app.secureSession.decode(token), null)
})
