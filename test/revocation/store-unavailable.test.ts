import t from 'tap'
import { ERROR, WARN } from '../helpers/app'
import { fakeClock } from '../helpers/clock'
import { away, CountingStore } from './stores'
import { appOfUsers, loggedIn, userIn } from './users'

const RECHECK_MS = 300_000

t.test('while the store is unavailable, only accessing a session that is due for a check fails, with 503', async t => {
  const clock = fakeClock(t)
  const store = new CountingStore()
  const app = await appOfUsers(t, { store })
  const browser = await loggedIn(app)
  clock.advance(RECHECK_MS)
  const fresh = await loggedIn(app, 'grace')
  store.instead = away
  const response = await browser.get('/user')
  t.equal(response.statusCode, 503)
  t.equal(response.json().code, 'FST_SESSION_STORE_UNAVAILABLE')
  t.equal((await browser.get('/untouched')).statusCode, 200)
  t.equal((await browser.get('/health')).statusCode, 200)
  t.equal(await userIn(fresh), 'grace')
  t.equal(browser.cookies.size, 1, 'the cookie stays')
  store.instead = null
  t.equal(await userIn(browser), 'ada')
  const told = app.lines.filter(({ level, msg }) => level >= 30 && /^the revocation store is (?:unavailable, and|available again)/.test(msg))
  t.match(told, [{ level: WARN, session: 'session' }, { level: 30 }], 'said once, and when it was back')
})

t.test('with `onError: allow`, sessions are trusted during an outage, and checked at the next request', async t => {
  const clock = fakeClock(t)
  const store = new CountingStore()
  const app = await appOfUsers(t, { store, onError: 'allow' })
  const browser = await loggedIn(app)
  clock.advance(RECHECK_MS)
  store.instead = away
  for (let request = 0; request < 3; request++) t.equal(await userIn(browser), 'ada')
  t.strictSame([...browser.cookies.keys()], ['session'], 'and no stamp says that it was checked')
  t.equal(app.lines.filter(({ level }) => level === WARN).length, 1)
  store.instead = null
  await browser.get('/user')
  t.ok(browser.cookies.has('session.t'))
})

t.test('a logout that cannot be written to the store fails, and can be repeated', async t => {
  const store = new CountingStore()
  const app = await appOfUsers(t, { store })
  for (const route of ['/logout', '/regenerate', '/revoke', '/revoke-others']) {
    const browser = await loggedIn(app)
    store.instead = away
    const response = await browser.get(route)
    t.equal(response.statusCode, 503, route)
    t.equal(response.json().code, 'FST_SESSION_STORE_UNAVAILABLE')
    t.equal(response.headers['set-cookie'], undefined)
    store.instead = null
    t.equal(await userIn(browser), 'ada')
    t.equal((await browser.get(route)).statusCode, 200)
  }
})

t.test('with `onError: allow`, a logout during an outage clears the cookies; this process refuses copies', async t => {
  const store = new CountingStore()
  const app = await appOfUsers(t, { store, onError: 'allow' })
  const browser = await loggedIn(app)
  const copy = browser.copy()
  store.instead = away
  t.equal((await browser.get('/logout')).statusCode, 200)
  t.equal(browser.cookies.size, 0)
  t.equal(await userIn(copy), null)
})

t.test('revoke, revokeOthers and revokeSubject reject during an outage, for every value of `onError`', async t => {
  for (const onError of ['refuse', 'allow'] as const) {
    const store = new CountingStore()
    const app = await appOfUsers(t, { store, onError })
    const browser = await loggedIn(app)
    store.instead = away
    await t.rejects(app.secureSession.revoke('a'.repeat(32)), { code: 'FST_SESSION_STORE_UNAVAILABLE', statusCode: 503 })
    await t.rejects(app.secureSession.revokeSubject('ada'), { code: 'FST_SESSION_STORE_UNAVAILABLE' })
    t.equal((await browser.get('/revoke')).statusCode, 503)
    t.equal(await userIn(browser), 'ada')
  }
})

t.test('a login works while the store is unavailable', async t => {
  const store = new CountingStore()
  const app = await appOfUsers(t, { store })
  store.instead = away
  t.equal(await userIn(await loggedIn(app)), 'ada')
})

t.test('a session that this process knows to be revoked stays revoked during an outage', async t => {
  const clock = fakeClock(t)
  for (const onError of ['refuse', 'allow'] as const) {
    const store = new CountingStore()
    const app = await appOfUsers(t, { store, onError })
    const browser = await loggedIn(app)
    clock.advance(RECHECK_MS)
    await app.secureSession.revokeSubject('ada')
    store.instead = away
    t.equal(await userIn(browser), null)
  }
})

t.test('a session that is revoked while its lookup fails is refused', async t => {
  const clock = fakeClock(t)
  const store = new CountingStore()
  const app = await appOfUsers(t, { store, onError: 'allow' })
  const browser = await loggedIn(app)
  const { id } = await browser.json('/info')
  clock.advance(RECHECK_MS)
  store.instead = async () => {
    store.instead = null
    await app.secureSession.revoke(id)
    return await away()
  }
  t.equal(await userIn(browser), null)
})

t.test('an invalid result of the store counts as unavailable', async t => {
  const clock = fakeClock(t)
  for (const nonsense of [undefined, null, [], [1], [0, 0, 0], ['0', '0'], [NaN, 0], [-1, 0], 'no']) {
    const store = new CountingStore()
    const app = await appOfUsers(t, { store })
    const browser = await loggedIn(app)
    clock.advance(RECHECK_MS)
    store.instead = async () => nonsense
    t.equal((await browser.get('/user')).statusCode, 503)
    await t.rejects(app.secureSession.revoke('a'.repeat(32)), { code: 'FST_SESSION_STORE_UNAVAILABLE' })
  }
})

t.test('an error handler that begins a session after a failed logout fails once, and is logged', async t => {
  const store = new CountingStore()
  const app = await appOfUsers(t, { store })
  app.register(async scope => {
    scope.setErrorHandler(async (error, request, reply) => {
      request.session.set('value', 'of the error')
      request.session.delete()
      return await reply.code(503).send({ handled: (error as { code: string }).code })
    })
    scope.get('/leave', async ({ session }) => { session.delete(); return {} })
  })
  const browser = await loggedIn(app)
  store.instead = away
  const response = await browser.get('/leave')
  t.same(response.json(), { handled: 'FST_SESSION_STORE_UNAVAILABLE' })
  t.equal(response.headers['set-cookie'], undefined)
  t.equal(app.lines.filter(({ level }) => level === ERROR).length, 1)
})

t.test('a store that can be read but not written is one outage, for any number of reads in between', async t => {
  const store = new CountingStore()
  const app = await appOfUsers(t, { store, recheck: 0 })
  const raise = store.raise.bind(store)
  for (let round = 0; round < 5; round++) {
    const browser = await loggedIn(app)
    store.raise = away
    t.equal((await browser.get('/logout')).statusCode, 503)
    t.equal(await userIn(browser), 'ada')
    if (round === 4) store.raise = raise
    await browser.get('/logout')
  }
  t.strictSame(app.lines.filter(({ level, msg }) => level >= 30 && /^the revocation store is (?:unavailable, and|available again)/.test(msg)).map(({ level }) => level), [WARN, 30])
})

t.test('a store that fails for some keys only does not fill the log', async t => {
  const store = new CountingStore()
  const app = await appOfUsers(t, { store, recheck: 0 })
  const [good, bad] = [await loggedIn(app), await loggedIn(app, 'grace')]
  for (let round = 0; round < 20; round++) {
    store.instead = away
    await bad.get('/user')
    store.instead = null
    await good.get('/user')
  }
  t.equal(app.lines.filter(({ level, msg }) => level >= 30 && /^the revocation store is (?:unavailable, and|available again)/.test(msg)).length, 2)
})

t.test('an error while an error reply is written is logged once, and not again as a lost change', async t => {
  const store = new CountingStore()
  const app = await appOfUsers(t, { store })
  app.get('/fails', async ({ session }) => {
    session.delete()
    throw new Error('after the change')
  })
  const browser = await loggedIn(app)
  const address = await app.listen({ host: '127.0.0.1', port: 0 })
  store.instead = away
  const response = await fetch(`${address}/fails`, { headers: { cookie: browser.header } })
  t.equal(response.headers.get('set-cookie'), null)
  t.match(await response.json(), { code: 'FST_SESSION_STORE_UNAVAILABLE' })
  await app.close()
  t.notOk(app.lines.some(({ msg }) => /never written/.test(msg)))
})
