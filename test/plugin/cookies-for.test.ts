import t from 'tap'
import secureSession from '../../index'
import { appWith, KEY, OTHER_KEY } from '../helpers/app'
import { fakeClock } from '../helpers/clock'

const revocation = { store: secureSession.memoryRevocation() }
const subject = (session: secureSession.Session): number | undefined => session.get('user')?.id

t.test('cookiesFor makes the cookies of a logged-in user', async t => {
  const app = await appWith(t, { key: KEY, cookieName: '__Host-session', subject, revocation })
  app.get('/me', { onRequest: app.requireSession({ freshWithin: '5m' }) }, async ({ session }) => session.get('user'))
  const cookies = app.secureSession.cookiesFor({ user: { id: 17 } })
  t.strictSame(Object.keys(cookies), ['__Host-session'])
  t.strictSame((await app.inject({ url: '/me', cookies })).json(), { id: 17 })
  t.equal((await app.inject({ url: '/me', cookies: app.secureSession.cookiesFor({}) })).statusCode, 401)
})

t.test('encode makes the token of a session, whole also where cookies would be split', async t => {
  const app = await appWith(t, { key: KEY, maxCookies: 3 })
  const token = app.secureSession.encode({ text: 'x'.repeat(5000) })
  t.equal((await app.secureSession.decode(token))?.get('text').length, 5000)
  t.not(app.secureSession.encode({}), app.secureSession.encode({}))
  for (const values of [undefined, null, 'x', []]) {
    t.throws(() => app.secureSession.encode(values as never), { code: 'FST_SESSION_INVALID_OPTION', message: /encode\(\) takes/ })
  }
})

t.test('each call of cookiesFor makes a new session, which is valid after an earlier revokeSubject', async t => {
  const clock = fakeClock(t)
  const app = await appWith(t, { key: KEY, subject, revocation: { ...revocation, recheck: 0 } })
  app.get('/me', { onRequest: app.requireSession() }, async ({ session }) => session.info)
  const before = app.secureSession.cookiesFor({ user: { id: 17 } })
  clock.advance(1)
  await app.secureSession.revokeSubject(17)
  const after = app.secureSession.cookiesFor({ user: { id: 17 } })
  const other = app.secureSession.cookiesFor({ user: { id: 17 } })
  const answers = await Promise.all([before, after, other].map(async cookies => {
    return await app.inject({ url: '/me', cookies })
  }))
  t.strictSame(answers.map(({ statusCode }) => statusCode), [401, 200, 200])
  t.not(answers[1]?.json().id, answers[2]?.json().id)
})

t.test('cookiesFor returns a cookie for each part of a split session', async t => {
  const app = await appWith(t, { key: KEY, maxCookies: 3 })
  app.get('/length', async ({ session }) => ({ length: session.get('text').length }))
  const cookies = app.secureSession.cookiesFor({ text: 'x'.repeat(7000) })
  t.strictSame(Object.keys(cookies), ['session', 'session.1', 'session.2'])
  t.strictSame((await app.inject({ url: '/length', cookies })).json(), { length: 7000 })
})

t.test('cookiesFor makes a session by its name, with its own subject', async t => {
  const app = await appWith(t, [
    { key: KEY, subject, revocation },
    { key: OTHER_KEY, sessionName: 'admin', cookieName: 'boss', subject: session => session.get('role'), revocation }
  ])
  app.get('/admin', { onRequest: app.requireSession({ sessionName: 'admin' }) }, async request => {
    const { admin } = request as unknown as { admin: secureSession.Session }
    admin.set('seen', true)
    return { role: admin.get('role'), isNew: admin.info.isNew, id: admin.info.id }
  })
  const { cookiesFor } = app.secureSession
  const cookies = { ...cookiesFor({ user: { id: 17 } }), ...cookiesFor({ role: 'boss' }, 'admin') }
  t.strictSame(Object.keys(cookies), ['session', 'boss'])
  t.match((await app.inject({ url: '/admin', cookies })).json(), { role: 'boss', isNew: false })
  // Made for the session of that name, it is sealed with that session's subject: a write keeps the id.
  const made = app.createSecureSession({ role: 'boss' }, 'admin')
  const boss = app.encodeSecureSession(made, 'admin')
  const response = await app.inject({ url: '/admin', cookies: { boss } })
  t.match(response.json(), { role: 'boss', isNew: false, id: made.info.id })
})

t.test('cookiesFor throws for values of which no session can be made', async t => {
  const app = await appWith(t)
  const { cookiesFor } = app.secureSession
  for (const wrong of [undefined, null, 'ada', ['ada'], 1]) {
    t.throws(() => cookiesFor(wrong as never), { code: 'FST_SESSION_INVALID_OPTION' })
  }
  t.throws(() => cookiesFor({}, 'nobody'), { code: 'FST_SESSION_UNKNOWN_NAME' })
  t.throws(() => app.createSecureSession({}, 'nobody'), { code: 'FST_SESSION_UNKNOWN_NAME' })
  t.throws(() => cookiesFor({ big: 1n }), { code: 'FST_SESSION_NOT_SERIALIZABLE' })
  t.throws(() => cookiesFor({ text: 'x'.repeat(5000) }), { code: 'FST_SESSION_TOO_LARGE' })
})
