import t from 'tap'
import secureSession from '../../index'
import { Browser } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'
import { appOfUsers, loggedIn, userIn } from './users'

t.test('revokeOthers ends all other sessions of a subject, and this one gets a new id', async t => {
  const clock = fakeClock(t)
  const app = await appOfUsers(t, { recheck: 0 })
  const [browser, other, stranger] = [await loggedIn(app), await loggedIn(app), await loggedIn(app, 'grace')]
  const copy = browser.copy()
  const before = await browser.json('/info')
  clock.advance(1000)
  const after = await browser.json('/revoke-others')
  t.equal(await userIn(browser), 'ada')
  t.equal(await userIn(other), null)
  t.equal(await userIn(copy), null, 'nor does a copy of this one go on')
  t.equal(await userIn(stranger), 'grace')
  t.not(after.id, before.id)
  t.equal(after.createdAt, clock.nowMs + 1, 'past the cut-off')
  t.equal(after.authenticatedAt, before.authenticatedAt, 'and nobody has shown who they are')
  t.match(await browser.json('/info'), { id: after.id, createdAt: after.createdAt, authenticatedAt: before.authenticatedAt })
})

t.test('revokeOthers does not extend the limits of a session', async t => {
  const clock = fakeClock(t)
  const app = await appOfUsers(t, {}, { idle: '1h', absolute: '2h' })
  const browser = await loggedIn(app)
  const { createdAt } = await browser.json('/info')
  for (let minutes = 30; minutes < 120; minutes += 30) {
    clock.advance(30 * 60_000)
    t.ok((await browser.json('/revoke-others')).expiresAt <= createdAt + 2 * 3_600_000)
  }
  clock.advance(30 * 60_000)
  t.equal(await userIn(browser), null)
})

t.test('revokeOthers works in a session that has just logged in', async t => {
  const clock = fakeClock(t)
  const app = await appOfUsers(t, { recheck: 0 })
  app.get('/login-alone/:user', async ({ session, params }) => {
    session.regenerate()
    session.set('user', (params as { user: string }).user)
    await session.revokeOthers()
    return session.info
  })
  const other = await loggedIn(app)
  clock.advance(1)
  const browser = await loggedIn(app)
  const { createdAt, authenticatedAt } = await browser.json('/login-alone/ada')
  t.equal(createdAt, clock.nowMs + 1, 'past the cut-off')
  t.equal(authenticatedAt, createdAt, 'and the login is as old as its session')
  t.equal(await userIn(other), null)
  t.equal(await userIn(browser), 'ada')
})

t.test('revokeOthers ends the other sessions that a server with a clock ahead began', async t => {
  const clock = fakeClock(t)
  const store = secureSession.memoryRevocation()
  const ahead = await appOfUsers(t, { store, recheck: 0 })
  clock.advance(30_000)
  const [browser, other] = [await loggedIn(ahead), await loggedIn(ahead)]
  const beganAt = clock.nowMs
  clock.advance(-30_000)
  const here = await appOfUsers(t, { store, recheck: 0 })
  const { createdAt } = await browser.copy(here).json('/revoke-others')
  t.equal(createdAt, beganAt + 1)
  t.equal(await userIn(other.copy(here)), null)
})

t.test('revokeOthers of a login is dated by the clock, also without or over a session that began ahead of it', async t => {
  const clock = fakeClock(t)
  const store = secureSession.memoryRevocation()
  clock.advance(30_000)
  const late = await loggedIn(await appOfUsers(t, { store }))
  clock.advance(-30_000)
  for (const browser of [late, new Browser(await appOfUsers(t, { store }))]) {
    const app = await appOfUsers(t, { store })
    app.get('/login-alone', async ({ session }) => {
      session.regenerate()
      session.set('user', 'ada')
      await session.revokeOthers()
      return session.info
    })
    clock.advance(1000)
    t.match(await browser.copy(app).json('/login-alone'), { createdAt: clock.nowMs + 1 })
  }
})

t.test('revokeOthers of a login is good where a server with a clock ahead has revoked its user', async t => {
  const clock = fakeClock(t)
  const store = secureSession.memoryRevocation()
  const ahead = await appOfUsers(t, { store })
  clock.advance(30_000)
  await ahead.secureSession.revokeSubject('ada')
  clock.advance(-30_000)
  const here = await appOfUsers(t, { store, recheck: 0 })
  here.get('/login-alone', async ({ session }) => { session.set('user', 'ada'); await session.revokeOthers(); return {} })
  const browser = new Browser(here)
  t.equal((await browser.get('/login-alone')).statusCode, 200)
  t.equal(await userIn(browser), 'ada')
})

t.test('revokeOthers throws if its user is revoked elsewhere while the id of the session is', async t => {
  const store = secureSession.memoryRevocation()
  const there = await appOfUsers(t, { store })
  const raise = store.raise.bind(store)
  const here = await appOfUsers(t, { store: { cutOffs: async keys => await store.cutOffs(keys), raise: async (...given) => await raiseHere(...given) } })
  let raiseHere = raise
  const browser = await loggedIn(here)
  raiseHere = async (...given) => {
    raiseHere = raise
    const before = await raise(...given)
    await there.secureSession.revokeSubject('ada')
    return before
  }
  const response = await browser.get('/revoke-others')
  t.match([response.statusCode, response.json()], [401, { code: 'FST_SESSION_REQUIRED' }])
  t.equal(browser.cookies.size, 0)
})

t.test('revokeOthers of a revoked copy throws, and revokes no session', async t => {
  const clock = fakeClock(t)
  const store = secureSession.memoryRevocation()
  const [here, there] = [await appOfUsers(t, { store }), await appOfUsers(t, { store })]
  const browser = await loggedIn(here)
  const thief = browser.copy(there)
  clock.advance(1000)
  await browser.get('/revoke-others')
  t.equal(await userIn(thief), 'ada', 'it is still trusted there')
  const response = await thief.get('/revoke-others')
  t.equal(response.statusCode, 401)
  t.equal(response.json().code, 'FST_SESSION_REQUIRED')
  t.equal(thief.cookies.size, 0)
  clock.advance(5 * 60_000)
  t.equal(await userIn(browser), 'ada')
})

t.test('if two requests of one session call revokeOthers at once, at most one session stays valid', async t => {
  const store = secureSession.memoryRevocation()
  const [here, there] = [await appOfUsers(t, { store, recheck: 0 }), await appOfUsers(t, { store, recheck: 0 })]
  for (let round = 0; round < 50; round++) {
    const one = await loggedIn(here)
    const two = one.copy(there)
    await Promise.all([one.get('/revoke-others'), two.get('/revoke-others')])
    const left = [await userIn(one), await userIn(two)].filter(user => user === 'ada')
    if (left.length > 1) t.fail(`both in round ${round}`)
  }
  t.pass()
})

t.test('revokeOthers after a change from one user to another is no authentication', async t => {
  const clock = fakeClock(t)
  const app = await appOfUsers(t)
  app.get('/become/:user', async ({ session, params }) => {
    session.set('user', (params as { user: string }).user)
    await session.revokeOthers()
    return session.info
  })
  const browser = await loggedIn(app)
  const { authenticatedAt } = await browser.json('/info')
  clock.advance(1000)
  t.match(await browser.json('/become/grace'), { createdAt: clock.nowMs + 1, authenticatedAt })
  t.match(await browser.json('/info'), { createdAt: clock.nowMs + 1, authenticatedAt })
})

t.test('revokeOthers clears the legacy cookie of its session, also one that is kept', async t => {
  const before = await appOfUsers(t)
  const legacy = [secureSession.sealedOpener({ cookieName: 'session', keep: true })]
  const app = await appOfUsers(t, {}, { cookieName: 'new', legacy })
  const browser = (await loggedIn(before)).copy(app)
  await browser.get('/revoke-others')
  t.strictSame([...browser.cookies.keys()], ['new'])
  t.equal(await userIn(browser), 'ada')
})

t.test('revokeOthers of an anonymous session throws', async t => {
  const app = await appOfUsers(t)
  const browser = new Browser(app)
  await browser.get('/set/1')
  const response = await browser.get('/revoke-others')
  t.equal(response.statusCode, 401)
  t.equal(response.json().code, 'FST_SESSION_REQUIRED')
})

t.test('revokeOthers without the option subject throws', async t => {
  const app = await appOfUsers(t, {}, { subject: undefined } as never)
  const browser = await loggedIn(app)
  const response = await browser.get('/revoke-others')
  t.equal(response.statusCode, 500)
  t.equal(response.json().code, 'FST_SESSION_INVALID_OPTION')
  t.equal(await userIn(browser), 'ada')
})

t.test('revokeOthers works in a session that was sealed without the option subject', async t => {
  const without = await appOfUsers(t, {}, { subject: undefined, revocation: undefined } as never)
  const app = await appOfUsers(t)
  app.get('/login-and-others', async ({ session }) => { session.set('user', 'ada'); await session.revokeOthers(); return {} })
  const other = await loggedIn(app)
  const browser = (await loggedIn(without)).copy(app)
  t.equal((await browser.get('/revoke-others')).statusCode, 200)
  t.equal(await userIn(browser), 'ada')
  t.equal(await userIn(other), null)
  const stranger = new Browser(without)
  await stranger.get('/set/x')
  t.equal((await stranger.copy(app).get('/login-and-others')).statusCode, 200)
})
