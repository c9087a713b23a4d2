import t from 'tap'
import secureSession from '../../index'
import { addRoutes, bareApp, KEY } from '../helpers/app'
import { Browser } from '../helpers/browser'
import { appOfUsers, loggedIn } from './users'

t.test('a session that is touched before anybody could be asked about it throws', async t => {
  const app = bareApp(t)
  let touches = false
  app.addHook('onRequest', async ({ session }) => { if (touches) session.get('user') })
  app.addHook('onRequest', async request => { if (touches) request.session.get('user') })
  await app.register(secureSession, { key: KEY, revocation: { store: secureSession.memoryRevocation() } })
  addRoutes(app)
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  touches = true
  for (const visitor of [browser, new Browser(app)]) {
    const response = await visitor.get('/get')
    t.equal(response.statusCode, 500)
    t.equal(response.json().code, 'FST_SESSION_NOT_READY')
  }
})

t.test('a route that says it needs no session cannot touch one that may be over', async t => {
  const app = await appOfUsers(t)
  app.get('/contradiction', { config: { session: false } }, async ({ session }) => session.data())
  const browser = await loggedIn(app)
  t.equal((await browser.get('/contradiction')).json().code, 'FST_SESSION_NOT_READY')
  t.equal((await browser.get('/health')).statusCode, 200)
})

t.test('without revocation such a route may touch it, as every other', async t => {
  const app = await appOfUsers(t, {}, { revocation: undefined } as never)
  app.get('/anyway', { config: { session: false } }, async ({ session }) => ({ user: session.get('user') }))
  t.same(await (await loggedIn(app)).json('/anyway'), { user: 'ada' })
})

t.test('routes that nobody declared are judged as well', async t => {
  const app = await appOfUsers(t)
  app.setNotFoundHandler(async ({ session }, reply) => await reply.code(404).send({ user: session.get('user') ?? null }))
  const browser = await loggedIn(app)
  t.same(await browser.json('/nowhere'), { user: 'ada' })
  await app.secureSession.revoke((await browser.json('/info')).id)
  t.same(await browser.json('/nowhere'), { user: null })
})
