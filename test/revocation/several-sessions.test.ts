import t from 'tap'
import secureSession from '../../index'
import { appWith, KEY } from '../helpers/app'
import { Browser } from '../helpers/browser'
import { fakeClock, turns } from '../helpers/clock'
import { CountingStore } from './stores'
import { appOfUsers, loggedIn, subject, userIn } from './users'

const MINUTE_MS = 60_000

t.test('equal subjects of two session names are different, and the store is asked for both each time', async t => {
  const clock = fakeClock(t)
  const revocation = { store: secureSession.memoryRevocation(), recheck: 0 }
  const names = ['session', 'admin'] as const
  const app = await appWith(t, names.map(sessionName => ({ sessionName, key: KEY, subject, revocation })))
  type Sessions = Record<typeof names[number], secureSession.Session>
  app.get('/login', async request => {
    for (const name of names) (request as unknown as Sessions)[name].set('user', 'ada')
    return {}
  })
  app.get('/users', async request => Object.fromEntries(names.map(name => [name, (request as unknown as Sessions)[name].get('user') ?? null])))
  const browser = new Browser(app)
  await browser.get('/login')
  clock.advance(1)
  await app.secureSession.revokeSubject('ada', 'admin')
  t.same(await browser.json('/users'), { session: 'ada', admin: null })
  await app.secureSession.revokeSubject('ada', 'session')
  t.same(await browser.json('/users'), { session: null, admin: null })
})

t.test('a session that an app without subject wrote ends with its subject, in all apps if nothing changed', async t => {
  const clock = fakeClock(t)
  const store = secureSession.memoryRevocation()
  const knowing = await appOfUsers(t, { store, recheck: 0 })
  const unknowing = await appOfUsers(t, { store, recheck: 0 }, { subject: undefined } as never)
  const browser = (await loggedIn(knowing)).copy(unknowing)
  unknowing.get('/touch', async ({ session }) => { session.touch(); return {} })
  const changed = browser.copy()
  for (const [each, url] of [[browser, '/touch'], [changed, '/set/1']] as const) {
    const sealedBefore = each.cookies.get('session')
    await each.get(url)
    t.not(each.cookies.get('session'), sealedBefore)
    t.equal(await userIn(each), 'ada')
  }
  clock.advance(1)
  await knowing.secureSession.revokeSubject('ada')
  for (const app of [unknowing, knowing]) t.equal(await userIn(browser.copy(app)), null)
  t.equal(await userIn(changed.copy(knowing)), null)
  t.equal(await userIn(changed.copy(unknowing)), 'ada', 'with other data it could be another user\'s')
})

t.test('the session cannot be changed while the reply waits for the store', async t => {
  const store = new CountingStore()
  const app = await appOfUsers(t, { store, timeout: '30s' })
  const codes: string[] = []
  app.get('/late', async ({ session }) => {
    session.regenerate(['user'])
    store.instead = async () => {
      store.instead = null
      await turns()
      for (const change of [() => { session.set('user', 'grace') }, () => { session.delete() }, () => { session.regenerate() }]) {
        try {
          change()
        } catch (error) {
          codes.push((error as { code: string }).code)
        }
      }
      return 0
    }
    return {}
  })
  const browser = await loggedIn(app)
  t.equal((await browser.get('/late')).statusCode, 200)
  t.strictSame(codes, Array(3).fill('FST_SESSION_COMMITTED'))
  t.equal(await userIn(browser), 'ada')
})

t.test('if a header has several stamps, the latest of each of their times counts', async t => {
  const clock = fakeClock(t)
  const appOfOne = async (store: secureSession.RevocationStore) => await appOfUsers(t, { store, recheck: '20m' }, { idle: '1h' })
  const app = await appOfOne(new CountingStore())
  const browser = await loggedIn(app)
  const [renewing, checking] = [browser.copy(), browser.copy()]
  clock.advance(16 * MINUTE_MS)
  await renewing.get('/user')
  const renewedAt = clock.nowMs
  clock.advance(4 * MINUTE_MS)
  await checking.get('/untouched')
  clock.advance(MINUTE_MS)
  const stamps = [renewing, checking].map(({ cookies }) => cookies.get('session.t') as string)
  t.not(stamps[0], stamps[1])
  for (const [one, other] of [stamps, stamps.toReversed()]) {
    const store = new CountingStore()
    const elsewhere = await appOfOne(store)
    const cookie = `session=${browser.cookies.get('session') as string}; session.t=${one as string}; session.t=${other as string}`
    const response = await elsewhere.inject({ url: '/info', headers: { cookie } })
    t.equal(response.json().renewedAt, renewedAt)
    t.equal(response.headers['set-cookie'], undefined)
    t.equal(store.asked, 0)
  }
})
