import t from 'tap'
import secureSession from '../../index'
import { createSealer } from '../../lib/sealer'
import { KEY } from '../helpers/app'
import { fakeClock } from '../helpers/clock'
import { boundBrowser, loggedIn, MINUTE_MS, shopOf } from './site'

/** Sessions with a mark where there is no request. */

t.test('a token alone of a session with a mark is refused: by the app, and by the sealer', async t => {
  const app = await shopOf(t)
  for (const browser of [await loggedIn(app), await boundBrowser(app)]) {
    const token = browser.cookies.get('session') as string
    t.equal(app.decodeSecureSession(token), null)
    t.equal(await app.secureSession.decode(token), null)
    t.strictSame(createSealer({ key: KEY }).open(token), { ok: false, reason: 'unsupported' })
  }
  t.match(app.lines.filter(({ reason }) => reason !== undefined), Array(4).fill({ reason: 'unsupported' }))
})

t.test('open() opens the session of a Cookie header, and refuses one that is unproven', async t => {
  const clock = fakeClock(t)
  const app = await shopOf(t, { maxCookies: 2 })
  const [unbound, bound] = [await loggedIn(app), await boundBrowser(app)]
  t.match(await app.secureSession.open(unbound.header), { info: { bound: false } })
  const session = await app.secureSession.open(bound.header)
  t.match(session, { info: { bound: true, provenAt: clock.nowMs } })
  t.equal(session?.get('user'), 'ada')
  t.equal((await app.secureSession.open(['a=b', bound.header]))?.get('user'), 'ada')
  t.equal(await app.secureSession.open(`session=${bound.cookies.get('session')}`), null)
  clock.advance(11 * MINUTE_MS)
  t.equal(await app.secureSession.open(bound.header), null)
  for (const nothing of [undefined, null, '', 'a=b', 'session=x']) t.equal(await app.secureSession.open(nothing), null)
  for (const wrong of [7, {}, ['a', 7]]) {
    await t.rejects(app.secureSession.open(wrong as never), { code: 'FST_SESSION_INVALID_OPTION', message: /secureSession\.open\(\) takes a Cookie header/ })
  }
  await t.rejects(app.secureSession.open('', undefined, 'other'), { code: 'FST_SESSION_UNKNOWN_NAME' })
})

t.test('open() asks the store, and opens sessions without a mark and legacy cookies', async t => {
  const app = await shopOf(t, { revocation: { store: secureSession.memoryRevocation() } })
  const browser = await loggedIn(app)
  t.equal((await app.secureSession.open(browser.header))?.get('user'), 'ada')
  await app.secureSession.revokeSubject('ada')
  t.equal(await app.secureSession.open(browser.header), null)
  const plain = await loggedIn(await shopOf(t, { deviceBound: undefined }))
  const renamed = await shopOf(t, { cookieName: 'new', legacy: [secureSession.sealedOpener({ cookieName: 'session' })] })
  t.equal((await renamed.secureSession.open(plain.header, renamed.log, 'session'))?.get('user'), 'ada')
})

t.test('a bound session that the app encodes keeps its mark', async t => {
  const app = await shopOf(t)
  app.get('/token', async ({ session }) => app.encodeSecureSession(session))
  const browser = await boundBrowser(app)
  const { body: token } = await browser.get('/token')
  t.equal(app.decodeSecureSession(token), null)
  browser.cookies.set('session', token)
  t.match(await browser.ask('/me'), { user: 'ada', bound: true })
})

t.test('sessions for tests and new sessions of the app have no mark', async t => {
  const app = await shopOf(t)
  const cookies = app.secureSession.cookiesFor({ user: 'ada' })
  t.strictSame(Object.keys(cookies), ['session'])
  t.match((await app.inject({ url: '/me', cookies })).json(), { user: 'ada', bound: false })
})
