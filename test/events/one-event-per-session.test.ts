import t from 'tap'
import secureSession from '../../index'
import { appWith, KEY } from '../helpers/app'
import { Browser } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'
import { appOfUsers, loggedIn, userIn } from '../revocation/users'
import { hearAll, take } from './subscribed'

t.test('a session is published as sealed once, even if another session fails the first reply', async t => {
  const app = await appWith(t, [{ key: KEY }, { sessionName: 'cart', key: KEY }])
  app.get('/', async request => {
    const { session, cart } = request as unknown as Record<string, secureSession.Session>
    session?.set('user', 'ada')
    cart?.set('items', 'x'.repeat(5000))
    return {}
  })
  const heard = hearAll(t)
  t.equal((await app.inject('/')).statusCode, 500)
  t.match(heard, [{ event: 'sealed', session: 'session' }])
  t.equal(heard.length, 1)
})

t.test('a session that is revoked during its request is published as refused', async t => {
  const app = await appOfUsers(t)
  let wait = async (): Promise<void> => {}
  app.get('/slow', { preHandler: async () => { await wait() } }, async ({ session }) => ({ user: session.get('user') ?? null }))
  const browser = await loggedIn(app)
  const { id } = await browser.json('/info')
  wait = async () => { await app.secureSession.revoke(id) }
  const heard = hearAll(t)
  t.same(await browser.json('/slow'), { user: null })
  t.strictSame(heard.map(({ event }) => event), ['revoked', 'refused'])
  t.match(heard[1], { reason: 'revoked', cookie: 'session' })
})

t.test('an expired cookie is published as refused even if a valid cookie of its name is sent with it', async t => {
  const clock = fakeClock(t)
  const app = await appOfUsers(t)
  const good = await loggedIn(app)
  clock.advance(1000)
  const over = await loggedIn(app)
  const copy = over.copy()
  await over.get('/logout')
  const heard = hearAll(t)
  t.equal(await userIn(good), 'ada')
  t.match(take(heard), [{ event: 'opened' }])
  await new Browser(app).get('/user', { headers: { cookie: `${copy.header}; ${good.header}` } })
  t.match(heard, [{ event: 'refused', reason: 'revoked' }, { event: 'opened' }])
})
