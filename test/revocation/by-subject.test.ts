import t from 'tap'
import secureSession from '../../index'
import { appWith, KEY } from '../helpers/app'
import { Browser } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'
import { appOfUsers, loggedIn, subject, userIn } from './users'

t.test('revokeSubject ends all sessions of a subject, and no others', async t => {
  const clock = fakeClock(t)
  const app = await appOfUsers(t)
  const browsers = [await loggedIn(app), await loggedIn(app), await loggedIn(app)]
  const other = await loggedIn(app, 'grace')
  clock.advance(1)
  await app.secureSession.revokeSubject('ada')
  for (const browser of browsers) t.equal(await userIn(browser), null)
  t.equal(await userIn(other), 'grace')
})

t.test('revokeSubject ends every session that began before, also if the clock advances during the call', async t => {
  const app = await appOfUsers(t)
  for (let round = 0; round < 40; round++) {
    const browser = await loggedIn(app, `user ${round}`)
    await app.secureSession.revokeSubject(`user ${round}`)
    if (await userIn(browser) !== null) t.fail(`round ${round}`)
  }
  t.pass()
})

t.test('a login in the same millisecond as revokeSubject stays valid, in either order', async t => {
  const clock = fakeClock(t)
  const store = secureSession.memoryRevocation()
  const apps = [await appOfUsers(t, { store, recheck: 0 }), await appOfUsers(t, { store, recheck: 0 })] as const
  const [here, there] = apps
  let survived = 0
  for (let round = 0; round < 25; round++) {
    clock.advance(1)
    const before = await loggedIn(here)
    await here.secureSession.revokeSubject('ada')
    const after = await loggedIn(here)
    const elsewhere = await loggedIn(there)
    const [, atOnce] = await Promise.all([here.secureSession.revokeSubject('ada'), loggedIn(here)])
    for (const browser of [before, after, elsewhere, atOnce]) {
      for (const app of apps) survived += await userIn(browser.copy(app)) === 'ada' ? 0.5 : 0
    }
  }
  t.equal(survived, 4 * 25)
})

t.test('a password change can end all sessions and continue, in either order of its two steps', async t => {
  for (const revokesFirst of [true, false]) {
    const app = await appOfUsers(t, { recheck: 0 })
    app.get('/password', async ({ session }) => {
      if (revokesFirst) await app.secureSession.revokeSubject('ada')
      session.regenerate(['user'])
      if (!revokesFirst) await app.secureSession.revokeSubject('ada')
      return {}
    })
    for (let round = 0; round < 20; round++) {
      const [browser, thief] = [await loggedIn(app), await loggedIn(app)]
      await browser.get('/password')
      t.equal(await userIn(thief), null)
      t.equal(await userIn(browser), 'ada')
    }
  }
})

t.test('a login after revokeSubject stays valid on a machine whose clock is behind', async t => {
  const clock = fakeClock(t)
  const store = secureSession.memoryRevocation({ now: () => Date.UTC(2026, 0, 1) })
  const [ahead, behind] = [await appOfUsers(t, { store, recheck: 0 }), await appOfUsers(t, { store, recheck: 0 })]
  await ahead.secureSession.revokeSubject('ada')
  clock.advance(-30_000)
  const browser = await loggedIn(behind)
  t.equal(await userIn(browser), 'ada')
  t.ok((await browser.json('/info')).createdAt > clock.nowMs)
  clock.advance(31_000)
  t.equal(await userIn(browser), 'ada')
})

t.test('a login by set() alone gets a later date than an older revokeSubject, and stays valid', async t => {
  const clock = fakeClock(t)
  const app = await appOfUsers(t, { recheck: 0 })
  app.get('/become/:user', async ({ session, params }) => { session.set('user', (params as { user: string }).user); return session.info })
  const browser = new Browser(app)
  await browser.get('/set/1')
  const { createdAt, id } = await browser.json('/info')
  clock.advance(60_000)
  await app.secureSession.revokeSubject('ada')
  await browser.get('/become/ada')
  t.equal(await userIn(browser), 'ada')
  const info = await browser.json('/info')
  t.match(info, { createdAt: createdAt + 60_000, authenticatedAt: createdAt + 60_000 })
  t.not(info.id, id, 'and it is another session')
  clock.advance(60_000)
  await browser.get('/become/ada')
  t.match(await browser.json('/info'), { createdAt: info.createdAt }, 'which is no login: nobody else is there')
  await browser.get('/become/grace')
  t.match(await browser.json('/info'), { createdAt: info.createdAt + 60_000, authenticatedAt: info.authenticatedAt }, 'which is no proof of who they are')
})

t.test('revokeSubject ends a session that was sealed before the option subject was configured', async t => {
  const clock = fakeClock(t)
  const old = await appOfUsers(t, {}, { subject: undefined } as never)
  const app = await appOfUsers(t)
  const browser = (await loggedIn(old)).copy(app)
  clock.advance(1)
  await app.secureSession.revokeSubject('ada')
  clock.advance(5 * 60_000)
  t.equal(await userIn(browser), null)
})

t.test('a session that was sealed under an earlier subject is revoked by the old and by the new subject', async t => {
  const clock = fakeClock(t)
  const store = secureSession.memoryRevocation()
  const byMail = await appOfUsers(t, { store, recheck: 0 }, { subject: session => `${session.get('user')}@example.com` })
  const byName = await appOfUsers(t, { store, recheck: 0 })
  const browsers = [await loggedIn(byMail), await loggedIn(byMail, 'grace')] as const
  clock.advance(1)
  await byMail.secureSession.revokeSubject('ada@example.com')
  await byName.secureSession.revokeSubject('grace')
  for (const browser of browsers) t.equal(await userIn(browser.copy(byName)), null)
})

t.test('a later call with a smaller cut-off changes nothing', async t => {
  const clock = fakeClock(t)
  const app = await appOfUsers(t, { recheck: 0 })
  const browser = await loggedIn(app)
  clock.advance(1000)
  await app.secureSession.revokeSubject('ada')
  clock.advance(-2000)
  await app.secureSession.revokeSubject('ada')
  clock.advance(2000)
  t.equal(await userIn(browser), null)
})

t.test('a subject may be a number, and must not be empty', async t => {
  const clock = fakeClock(t)
  const app = await appOfUsers(t, {}, { subject: session => session.get('user') === undefined ? null : Number(session.get('user')) })
  const browser = await loggedIn(app, '17')
  clock.advance(1)
  await app.secureSession.revokeSubject(17)
  t.equal(await userIn(browser), null)
  for (const wrong of ['', NaN, undefined, null, {}, Promise.resolve('ada')]) {
    await t.rejects(app.secureSession.revokeSubject(wrong as string), { code: 'FST_SESSION_INVALID_OPTION' })
  }
})

t.test('an invalid subject fails the login, and the reply does not contain it', async t => {
  for (const wrong of ['', {}, Promise.resolve('ada'), true]) {
    const app = await appOfUsers(t, {}, { subject: () => wrong as string })
    const response = await app.inject('/login/ada')
    t.equal(response.statusCode, 500)
    t.equal(response.json().code, 'FST_SESSION_INVALID_OPTION')
    t.equal(response.headers['set-cookie'], undefined)
  }
})

t.test('calling the option subject changes nothing, even if it reads an object', async t => {
  const app = await appWith(t, { key: KEY, subject: session => (session.get('user') as { id: string } | undefined)?.id, revocation: { store: secureSession.memoryRevocation() } })
  let serialized = 0
  app.get('/login', async ({ session }) => { session.set('user', { id: 'ada', toJSON () { serialized++; return { id: 'ada' } } }); return {} })
  app.get('/has', async ({ session }) => ({ has: session.has('user'), changed: session.changed }))
  const browser = new Browser(app)
  await browser.get('/login')
  t.equal(serialized, 2, 'written once, and looked at once for what JSON would alter')
  t.same(await browser.json('/has'), { has: true, changed: false })
})

t.test('several sessions of one app are revoked together, or by name', async t => {
  const clock = fakeClock(t)
  const store = secureSession.memoryRevocation()
  const app = await appWith(t, [
    { sessionName: 'session', key: KEY, subject, revocation: { store } },
    { sessionName: 'admin', key: KEY, subject, revocation: { store } },
    { sessionName: 'cart', key: KEY }
  ])
  interface Sessions { session: secureSession.Session, admin: secureSession.Session }
  app.get('/login', async request => {
    for (const name of ['session', 'admin'] as const) (request as unknown as Sessions)[name].set('user', 'ada')
    return {}
  })
  app.get('/users', async request => {
    const { session, admin } = request as unknown as Sessions
    return { session: session.get('user') ?? null, admin: admin.get('user') ?? null }
  })
  const browsers = [new Browser(app), new Browser(app)] as const
  for (const browser of browsers) await browser.get('/login')
  clock.advance(1)
  await app.secureSession.revokeSubject('ada', 'admin')
  t.same(await browsers[0].json('/users'), { session: 'ada', admin: null })
  await app.secureSession.revokeSubject('ada')
  t.same(await browsers[1].json('/users'), { session: null, admin: null })
  await t.rejects(app.secureSession.revokeSubject('ada', 'cart'), { code: 'FST_SESSION_INVALID_OPTION' })
  await t.rejects(app.secureSession.revokeSubject('ada', 'none'), { code: 'FST_SESSION_UNKNOWN_NAME' })
})

t.test('a user change in the millisecond of a cut-off is dated after it, and authenticatedAt is unchanged', async t => {
  const clock = fakeClock(t)
  const app = await appOfUsers(t, { recheck: 0 })
  app.get('/become/:user', async ({ session, params }) => { session.set('user', (params as { user: string }).user); return {} })
  const ada = await loggedIn(app)
  const { authenticatedAt } = await ada.json('/info')
  clock.advance(1000)
  await (await loggedIn(app, 'grace')).get('/revoke-others')
  await ada.get('/become/grace')
  t.equal(await userIn(ada), 'grace')
  t.match(await ada.json('/info'), { createdAt: clock.nowMs + 1, authenticatedAt })
})
