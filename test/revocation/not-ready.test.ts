import t from 'tap'
import secureSession from '../../index'
import { addRoutes, bareApp, KEY, WARN, type TestApp } from '../helpers/app'
import { Browser } from '../helpers/browser'
import { appOfUsers, loggedIn } from './users'

const notReady = ({ lines }: TestApp): unknown[] => lines.filter(({ level, code }) => level === WARN && code === 'FST_SESSION_NOT_READY')

t.test('request.session is null in a hook before the plugin\'s own hook, and one warning says so', async t => {
  const app = bareApp(t)
  const seen: unknown[] = []
  app.addHook('onRequest', async request => { seen.push(request.session) })
  await app.register(secureSession, { key: KEY, revocation: { store: secureSession.memoryRevocation() } })
  addRoutes(app)
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  t.same(await browser.json('/get'), { user: 'ada' })
  await browser.get('/get')
  t.strictSame(seen, [null, null, null])
  t.match(notReady(app), [{ session: 'session', msg: /request\.session is null/ }])
  t.equal(notReady(app).length, 1)
})

t.test('with revocation, request.session is null on a route with `session: false`', async t => {
  const app = await appOfUsers(t)
  app.get('/contradiction', { config: { session: false } }, async ({ session }) => ({ session }))
  const browser = await loggedIn(app)
  for (let count = 0; count < 3; count++) t.same(await browser.json('/contradiction'), { session: null })
  t.equal(notReady(app).length, 1)
  t.equal((await browser.get('/health')).statusCode, 200)
})

t.test('a guard before the plugin\'s own hook fails the request with FST_SESSION_NOT_READY', async t => {
  const app = await appOfUsers(t)
  app.get('/guarded', { config: { session: false } }, async () => ({}))
  // By hand: at boot the plugin refuses a guard on such a route.
  const guard = app.requireSession()
  app.addHook('preHandler', async (request, reply) => {
    if (request.url === '/guarded') await guard.call(app, request, reply)
  })
  t.match((await (await loggedIn(app)).get('/guarded')).json(), { statusCode: 500, code: 'FST_SESSION_NOT_READY' })
})

t.test('without revocation, a route with `session: false` can access its session', async t => {
  const app = await appOfUsers(t, {}, { revocation: undefined } as never)
  app.get('/anyway', { config: { session: false } }, async ({ session }) => ({ user: session.get('user') }))
  t.same(await (await loggedIn(app)).json('/anyway'), { user: 'ada' })
})

t.test('routes without a declaration are checked as well', async t => {
  const app = await appOfUsers(t)
  app.setNotFoundHandler(async ({ session }, reply) => await reply.code(404).send({ user: session.get('user') ?? null }))
  const browser = await loggedIn(app)
  t.same(await browser.json('/nowhere'), { user: 'ada' })
  await app.secureSession.revoke((await browser.json('/info')).id)
  t.same(await browser.json('/nowhere'), { user: null })
})
