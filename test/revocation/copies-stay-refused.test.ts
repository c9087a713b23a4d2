import { EventEmitter, once } from 'node:events'
import t from 'tap'
import secureSession from '../../index'
import { setCookies } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'
import { CountingStore } from './stores'
import { appOfUsers, loggedIn, userIn } from './users'

/** What somebody with a copy of a cookie may try, so that it outlives the end of its session. */

const DAY_MS = 86_400_000

t.test('a copy that was given a longer limit stays refused for as long as it could have lived', async t => {
  const clock = fakeClock(t)
  const store = secureSession.memoryRevocation()
  const app = await appOfUsers(t, { store })
  app.get('/remember', async ({ session }) => { session.options({ maxAge: 90 * 86_400 }); return {} })
  const browser = await loggedIn(app)
  const thief = browser.copy(await appOfUsers(t, { store }))
  const copy = browser.copy()
  await copy.get('/remember')
  for (const [name, value] of copy.cookies) thief.cookies.set(name, value)
  await browser.get('/logout')
  clock.advance(80 * DAY_MS)
  t.equal(await userIn(thief), null)
})

t.test('no session can be given a longer limit than cut-offs are kept for', async t => {
  const app = await appOfUsers(t, { longest: '40d' })
  app.get('/remember/:days', async ({ session, params }) => { session.options({ maxAge: Number((params as { days: string }).days) * 86_400 }); return {} })
  const browser = await loggedIn(app)
  t.equal((await browser.get('/remember/40')).statusCode, 200)
  t.match((await browser.get('/remember/41')).json(), { statusCode: 500, code: 'FST_SESSION_INVALID_OPTION' })
})

t.test('a session that changed its user no longer counts as a session of the old user', async t => {
  const clock = fakeClock(t)
  const store = secureSession.memoryRevocation()
  const [here, there] = [await appOfUsers(t, { store }), await appOfUsers(t, { store })]
  for (const app of [here, there]) app.get('/become/:user', async ({ session, params }) => { session.set('user', (params as { user: string }).user); return session.info })
  const thief = await loggedIn(here)
  const other = thief.copy(there)
  const { id } = await thief.json('/info')
  t.not((await other.json('/become/mallory')).id, id, 'the handler sees the id that it will have')
  t.equal(await userIn(other), 'mallory')
  clock.advance(1000)
  await here.secureSession.revokeSubject('ada')
  clock.advance(5 * 60_000)
  await other.get('/user')
  const stamp = other.cookies.get('session.t')
  t.ok(stamp)
  const mixed = thief.copy(there)
  mixed.cookies.set('session.t', stamp as string)
  t.equal(await userIn(mixed), null)
})

t.test('removing the user from a session gives it a new id, and copies with the user are refused', async t => {
  const app = await appOfUsers(t)
  app.get('/leave', async ({ session }) => { session.unset('user'); return {} })
  const browser = await loggedIn(app)
  const copy = browser.copy()
  await browser.get('/leave')
  t.equal(await userIn(copy), null)
})

t.test('a session that another server revoked cannot get a new id while it is trusted here', async t => {
  for (const route of ['/regenerate', '/become/mallory']) {
    const store = secureSession.memoryRevocation()
    const [here, there] = [await appOfUsers(t, { store }), await appOfUsers(t, { store })]
    there.get('/become/:user', async ({ session, params }) => { session.set('user', (params as { user: string }).user); return {} })
    const browser = await loggedIn(here)
    const thief = browser.copy(there)
    await here.secureSession.revoke((await browser.json('/info')).id)
    const response = await thief.get(route)
    t.equal(response.statusCode, 401, route)
    t.equal(response.json().code, 'FST_SESSION_REQUIRED')
    t.strictSame(setCookies(response), [])
    t.equal(await userIn(thief), null)
  }
})

t.test('a new login is valid even if another server revoked the session that the request had', async t => {
  const store = secureSession.memoryRevocation()
  const [here, there] = [await appOfUsers(t, { store }), await appOfUsers(t, { store })]
  const browser = await loggedIn(here)
  const stale = browser.copy(there)
  await browser.get('/logout')
  t.equal((await stale.get('/login/ada')).statusCode, 200)
  t.equal(await userIn(stale), 'ada')
})

t.test('a revokeSubject during a revokeOthers also ends the session that called it', async t => {
  const clock = fakeClock(t)
  const store = new CountingStore()
  const apps = [await appOfUsers(t, { store, recheck: 0 }), await appOfUsers(t, { store, recheck: 0 })] as const
  const steps = new EventEmitter()
  apps[0].get('/others-slowly', async ({ session }) => {
    await session.revokeOthers()
    const goesOn = once(steps, 'go on')
    steps.emit('ended')
    await goesOn
    return {}
  })
  for (const app of apps) {
    const thief = await loggedIn(apps[0])
    clock.advance(1000)
    const [slow] = [thief.get('/others-slowly'), await once(steps, 'ended')]
    clock.advance(1000)
    await app.secureSession.revokeSubject('ada')
    steps.emit('go on')
    await slow
    t.equal(await userIn(thief), null)
  }
})

t.test('requests in flight clear no cookie of a session that got a new id', async t => {
  for (const route of ['/regenerate', '/revoke-others', '/login/ada']) {
    const store = secureSession.memoryRevocation()
    const [here, there] = [await appOfUsers(t, { store, recheck: 0 }), await appOfUsers(t, { store, recheck: 0 })]
    const browser = await loggedIn(here)
    const late = [browser.copy(), browser.copy(there)]
    await browser.get(route)
    for (const request of late) {
      const response = await request.get('/user')
      t.same(response.json(), { user: null }, route)
      t.strictSame(setCookies(response), [])
    }
    t.equal(await userIn(browser), 'ada')
  }
})

t.test('a process that drops cut-offs for lack of room asks the store again, and trusts no older check', async t => {
  const clock = fakeClock(t)
  const store = new CountingStore()
  const app = await appOfUsers(t, { store })
  const [browser, other] = [await loggedIn(app), await loggedIn(app, 'grace')]
  const copy = browser.copy()
  clock.advance(1000)
  await browser.get('/logout')
  clock.advance(1000)
  for (let index = 0; index < 20_000; index++) await app.secureSession.revoke(index.toString(16).padStart(32, '0'))
  const asked = store.asked
  t.equal(await userIn(copy), null)
  t.equal(store.asked, asked + 1)
  clock.advance(1)
  t.equal(await userIn(other), 'grace')
  t.equal(await userIn(other), 'grace')
  t.equal(store.asked, asked + 2)
})
