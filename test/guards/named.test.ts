import t from 'tap'
import secureSession from '../../index'
import { appWith, KEY, OTHER_KEY } from '../helpers/app'
import { Browser } from '../helpers/browser'
import { outcome, PASSED, REQUIRED, subject, WITH_SUBJECT } from './site'

const answer = async (): Promise<object> => ({})

t.test('each of two sessions has its own guards, and a route can use both', async t => {
  const app = await appWith(t, [WITH_SUBJECT, { key: OTHER_KEY, sessionName: 'staff', subject: session => session.get('badge') }])
  const [ofSession, ofStaff] = [app.requireSession(), app.requireSession({ sessionName: 'staff' })]
  app.get('/login/:session/:key', async (request: any) => { request[request.params.session].set(request.params.key, 'x'); return {} })
  app.get('/shop', { onRequest: ofSession }, answer)
  app.get('/desk', { onRequest: ofStaff }, answer)
  app.get('/both', { onRequest: [ofSession, ofStaff] }, answer)
  const urls = ['/shop', '/desk', '/both']
  const outcomes = async (browser: Browser): Promise<unknown[]> => await Promise.all(urls.map(async url => outcome(await browser.get(url))))

  const customer = new Browser(app)
  await customer.get('/login/session/user')
  t.strictSame(await outcomes(customer), [PASSED, REQUIRED, REQUIRED])
  const clerk = new Browser(app)
  await clerk.get('/login/staff/badge')
  t.strictSame(await outcomes(clerk), [REQUIRED, PASSED, REQUIRED])
  t.match((await clerk.get('/both')).headers['www-authenticate'], /realm="session"/)
  await clerk.get('/login/session/user')
  t.strictSame(await outcomes(clerk), [PASSED, PASSED, PASSED])
})

t.test('a session without a subject does not use that of another, and `when` receives its own session', async t => {
  const app = await appWith(t, [WITH_SUBJECT, { key: OTHER_KEY, sessionName: 'staff' }])
  app.get('/login', async (request: any) => { request.staff.set('user', 'x'); return {} })
  app.get('/desk', { onRequest: app.requireSession({ sessionName: 'staff', when: session => session.has('user') }) }, answer)
  const clerk = new Browser(app)
  t.strictSame(outcome(await clerk.get('/desk')), REQUIRED)
  await clerk.get('/login')
  t.strictSame(outcome(await clerk.get('/desk')), PASSED)
})

t.test('a guard in an inner scope uses that scope\'s session by default, and the outer one by its name', async t => {
  const app = await appWith(t, WITH_SUBJECT)
  app.get('/login/:session', async (request: any) => { request[request.params.session].set('user', 'x'); return {} })
  await app.register(async scope => {
    await scope.register(secureSession, { key: OTHER_KEY, sessionName: 'staff', subject })
    scope.get('/staff-login', async (request: any) => { request.staff.set('user', 'x'); return {} })
    scope.get('/by-default', { onRequest: scope.requireSession() }, answer)
    scope.get('/by-name', { onRequest: scope.requireSession({ sessionName: 'session' }) }, answer)
    scope.register(async inner => { await inner.register(inner.sessionGuard); inner.get('/inner', answer) })
  })
  t.throws(() => app.requireSession({ sessionName: 'staff' }), { code: 'FST_SESSION_UNKNOWN_NAME' })
  const outcomes = async (browser: Browser): Promise<unknown[]> => await Promise.all(['/by-default', '/by-name', '/inner'].map(async url => outcome(await browser.get(url))))
  const customer = new Browser(app)
  await customer.get('/login/session')
  t.strictSame(await outcomes(customer), [REQUIRED, PASSED, REQUIRED])
  const clerk = new Browser(app)
  await clerk.get('/staff-login')
  t.strictSame(await outcomes(clerk), [PASSED, REQUIRED, PASSED])
})

t.test('guards of two scopes with equal session names are independent', async t => {
  const app = await appWith(t, { key: KEY, sessionName: 'outer' })
  for (const [prefix, key] of [['/a', KEY], ['/b', OTHER_KEY]] as const) {
    await app.register(async scope => {
      await scope.register(secureSession, { key, subject, cookie: { path: prefix } })
      scope.register(scope.sessionGuard, { when: session => session.get('user') === prefix })
      scope.get('/page', answer)
    }, { prefix })
    await app.register(async scope => {
      await scope.register(secureSession, { key, subject, cookie: { path: prefix } })
      scope.get('/login', async ({ session }) => { session.set('user', prefix); return {} })
    }, { prefix })
  }
  const ada = new Browser(app)
  await ada.get('/a/login')
  t.strictSame(outcome(await ada.get('/a/page')), PASSED)
  t.strictSame(outcome(await ada.get('/b/page')), REQUIRED)
})
