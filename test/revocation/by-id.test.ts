import t from 'tap'
import secureSession from '../../index'
import { setCookies } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'
import { appOfUsers, loggedIn, userIn } from './users'

const DAY_S = 86_400

t.test('a session that is revoked by its id is refused, with every copy of its cookie', async t => {
  const app = await appOfUsers(t)
  const [browser, other] = [await loggedIn(app), await loggedIn(app)]
  const copy = browser.copy()
  const { id } = await browser.json('/info')
  await app.secureSession.revoke(id)
  t.equal(await userIn(copy), null)
  t.equal(await userIn(browser), null)
  t.equal(await userIn(other), 'ada', 'and no other is')
})

t.test('the cookies of a revoked session are cleared, also if the handler does not access it', async t => {
  const clock = fakeClock(t)
  const app = await appOfUsers(t)
  const browser = await loggedIn(app)
  clock.advance(DAY_S * 500)
  await browser.get('/user')
  clock.advance(DAY_S * 1000 / 3)
  t.strictSame([...browser.cookies.keys()], ['session', 'session.t'], 'with a stamp beside it')
  await app.secureSession.revoke((await browser.json('/info')).id)
  const response = await browser.get('/untouched')
  t.match(setCookies(response), [/^session=; Max-Age=0; /, /^session\.t=; Max-Age=0; /])
  t.equal(response.headers['cache-control'], 'no-store')
  t.equal(browser.cookies.size, 0)
})

t.test('delete, regenerate and revoke each end the old id before the reply is sent', async t => {
  for (const route of ['/logout', '/regenerate', '/revoke']) {
    const app = await appOfUsers(t, { recheck: 0 })
    const elsewhere = await appOfUsers(t, { recheck: 0 })
    const browser = await loggedIn(app)
    const [copy, carried] = [browser.copy(), browser.copy(elsewhere)]
    await browser.get(route)
    t.equal(await userIn(copy), null, route)
    t.equal(await userIn(carried), 'ada', 'which that store knows, and no other')
    t.equal(await userIn(browser), route === '/regenerate' ? 'ada' : null)
  }
})

t.test('another process with the same store refuses a revoked session at its next check', async t => {
  const clock = fakeClock(t)
  const store = secureSession.memoryRevocation()
  const [here, there] = [await appOfUsers(t, { store }), await appOfUsers(t, { store })]
  const browser = await loggedIn(here)
  const copy = browser.copy(there)
  await browser.get('/logout')
  t.equal(await userIn(browser.copy()), null)
  t.equal(await userIn(copy), 'ada', 'it trusts the session still')
  clock.advance(5 * 60_000 - 1)
  t.equal(await userIn(copy), 'ada')
  clock.advance(1)
  t.equal(await userIn(copy), null)
  clock.advance(-60_000)
  t.equal(await userIn(copy), null, 'and has learnt it')
})

t.test('a write to a revoked session begins a new session', async t => {
  const app = await appOfUsers(t)
  const browser = await loggedIn(app)
  const { id } = await browser.json('/info')
  await app.secureSession.revoke(id)
  await browser.get('/login/grace')
  t.equal(await userIn(browser), 'grace')
  t.not((await browser.json('/info')).id, id)
})

t.test('a handler finds nothing of a revoked session, by any method', async t => {
  const app = await appOfUsers(t)
  app.get('/all', async ({ session }) => {
    const style = session as unknown as Record<string, unknown>
    return {
      property: style['secret'] ?? null,
      get: session.get('secret') ?? null,
      has: session.has('secret'),
      in: 'secret' in session,
      keys: Object.keys(session),
      data: session.data(),
      json: session,
      isNew: session.info.isNew,
      changed: session.changed,
      deleted: session.deleted
    }
  })
  const browser = await loggedIn(app)
  const { id } = await browser.json('/info')
  await app.secureSession.revoke(id)
  const seen = await browser.json('/all')
  t.strictSame(seen, { property: null, get: null, has: false, in: false, keys: [], data: {}, json: {}, isNew: true, changed: true, deleted: true })
})

t.test('a handler that accesses its session late does not see one that was revoked in the meantime', async t => {
  const app = await appOfUsers(t)
  let wait = async (): Promise<void> => {}
  app.get('/slow', { preHandler: async () => { await wait() } }, async ({ session }) => ({ user: session.get('user') ?? null }))
  const browser = await loggedIn(app)
  const { id } = await browser.json('/info')
  t.same(await browser.json('/slow'), { user: 'ada' })
  wait = async () => { await app.secureSession.revoke(id) }
  t.same(await browser.json('/slow'), { user: null })
  t.equal(app.lines.filter(({ reason }) => reason === 'revoked').length, 1, 'and the log says so')
})

t.test('a handler that accesses its session late does not see one that got another id in the meantime', async t => {
  const app = await appOfUsers(t)
  let wait = async (): Promise<unknown> => null
  app.get('/slow', { preHandler: async () => { await wait() } }, async ({ session }) => ({ user: session.get('user') ?? null }))
  const browser = await loggedIn(app)
  const slow = browser.copy()
  wait = async () => await browser.get('/regenerate')
  const reply = await slow.get('/slow')
  t.same(reply.json(), { user: null })
  t.strictSame(setCookies(reply), [], 'and the cookies stay, since the browser has others')
  t.equal(await userIn(browser), 'ada')
})

t.test('a write in flight during a logout does not restore the session', async t => {
  const app = await appOfUsers(t)
  let release = (): void => {}
  const gate = new Promise<void>(resolve => { release = resolve })
  app.get('/slow-write', async ({ session }) => { session.set('value', 1); await gate; return {} })
  const browser = await loggedIn(app)
  const writer = browser.copy()
  const writing = writer.get('/slow-write')
  await browser.get('/logout')
  release()
  await writing
  t.ok(writer.cookies.has('session'))
  t.equal(await userIn(writer), null)
})

t.test('a session that was deleted and begun again in one request ends the old id', async t => {
  const app = await appOfUsers(t)
  app.get('/again', async ({ session }) => { session.delete(); session.set('user', 'grace'); return {} })
  const browser = await loggedIn(app)
  const copy = browser.copy()
  await browser.get('/again')
  t.equal(await userIn(copy), null)
  t.equal(await userIn(browser), 'grace')
})

t.test('revoking a session that no cookie holds yet does not ask the store', async t => {
  const store = secureSession.memoryRevocation()
  const app = await appOfUsers(t, { store })
  app.get('/at-once', async ({ session }) => { session.set('value', 1); await session.revoke(); return {} })
  const response = await app.inject('/at-once')
  t.equal(response.statusCode, 200)
  t.equal(store.size, 0)
})

t.test('a copy of a session with a longer own limit stays refused for as long as it could have lived', async t => {
  const clock = fakeClock(t)
  for (const end of ['/logout', 'revoke', 'subject']) {
    const store = secureSession.memoryRevocation()
    const app = await appOfUsers(t, { store })
    app.get('/remember', async ({ session }) => { session.options({ maxAge: 90 * DAY_S }); return {} })
    const browser = await loggedIn(app)
    await browser.get('/remember')
    const copy = browser.copy(await appOfUsers(t, { store }))
    clock.advance(1)
    if (end === '/logout') await browser.get(end)
    else if (end === 'revoke') await app.secureSession.revoke((await browser.json('/info')).id)
    else await app.secureSession.revokeSubject('ada')
    clock.advance(89 * DAY_S * 1000)
    t.equal(await userIn(copy), null, end)
  }
})

t.test('secureSession.revoke accepts only session ids', async t => {
  const app = await appOfUsers(t)
  for (const id of ['', 'x', 'A'.repeat(32), 'a'.repeat(31), 'a'.repeat(33), 17, undefined, null, {}]) {
    await t.rejects(app.secureSession.revoke(id as string), { code: 'FST_SESSION_INVALID_OPTION' })
  }
  await t.resolves(app.secureSession.revoke('a'.repeat(32)), 'also one that nobody has')
})

t.test('without the option `revocation`, revoke throws an error that says so', async t => {
  const app = await appOfUsers(t, {}, { revocation: undefined } as never)
  const browser = await loggedIn(app)
  for (const route of ['/revoke', '/revoke-others']) {
    const response = await browser.get(route)
    t.equal(response.statusCode, 500)
    t.equal(response.json().code, 'FST_SESSION_INVALID_OPTION')
  }
  t.equal(await userIn(browser), 'ada')
  await t.rejects(app.secureSession.revoke('a'.repeat(32)), { code: 'FST_SESSION_INVALID_OPTION' })
  await t.rejects(app.secureSession.revokeSubject('ada'), { code: 'FST_SESSION_INVALID_OPTION' })
})

t.test('if the new session cannot be written, the old one is not revoked, and its cookie stays valid', async t => {
  const app = await appOfUsers(t, { recheck: 0 })
  app.get('/too-large', async ({ session }) => { session.regenerate(); session.set('user', 'ada'.repeat(2000)); return {} })
  app.get('/too-large-anew', async ({ session }) => { session.delete(); session.set('value', 'x'.repeat(5000)); return {} })
  app.get('/cycle', async ({ session }) => {
    const cycle: unknown[] = []
    cycle.push(cycle)
    session.regenerate(['user'])
    session.set('cycle', cycle)
    return {}
  })
  const browser = await loggedIn(app)
  for (const [route, code] of [['/too-large', 'TOO_LARGE'], ['/too-large-anew', 'TOO_LARGE'], ['/cycle', 'NOT_SERIALIZABLE']]) {
    const response = await browser.get(route as string)
    t.equal(response.json().code, `FST_SESSION_${code}`)
    t.equal(await userIn(browser), 'ada')
  }
})
