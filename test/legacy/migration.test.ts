import t, { type Test } from 'tap'
import secureSession from '../../index'
import { addRoutes, appWith, KEY, WARN, type TestApp } from '../helpers/app'
import { setCookies } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'
import { loggedInBefore, oldCookie } from './old-app'

const { secureSessionOpener } = secureSession
const HOUR_MS = 3_600_000
const OLD_KEY = Buffer.from('c3'.repeat(32), 'hex')

type OpenerOptions = Parameters<typeof secureSessionOpener>[0]

async function newApp (t: Test, opener: Partial<OpenerOptions> = {}, options: object = {}): Promise<TestApp> {
  const app = await appWith(t, { key: KEY, cookieName: '__Host-sid', legacy: [secureSessionOpener({ key: OLD_KEY, cookieName: 'session', ...opener })], ...options })
  addRoutes(app)
  return app
}

t.test('the legacy cookie is cleared when its session migrates', async t => {
  const before = await loggedInBefore(t, { key: OLD_KEY })
  const browser = before.copy(await newApp(t))
  t.match(setCookies(await browser.get('/touch')), [/^session=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=\/;/, /^__Host-sid=AQ/])
  t.strictSame([...browser.cookies.keys()], ['__Host-sid'])
})

t.test('the legacy cookie is cleared at the path and for the domain that it was set with', async t => {
  const before = await loggedInBefore(t, { key: OLD_KEY })
  const app = await newApp(t, { cookie: { path: '/auth', domain: 'example.org' } })
  t.match(setCookies(await before.copy(app).get('/touch'))[0], /^session=; .*; Domain=example\.org; Path=\/auth; HttpOnly; SameSite=Lax$/)
})

t.test('a legacy cookie of the same name is overwritten, and cleared as well only where its scope is another', async t => {
  const before = await loggedInBefore(t, { key: OLD_KEY })
  for (const [cookie, expected] of [[{}, [/^session=AQ/]], [{ cookie: { path: '/' } }, [/^session=AQ/]], [{ cookie: { path: '/auth' } }, [/^session=; .*Path=\/auth/, /^session=AQ.*Path=\/;/]]] as const) {
    const app = await newApp(t, cookie, { cookieName: 'session' })
    t.match(setCookies(await before.copy(app).get('/touch')), expected)
  }
})

t.test('with keep, the legacy cookie is neither cleared nor written when its session migrates', async t => {
  const before = await loggedInBefore(t, { key: OLD_KEY })
  const browser = before.copy(await newApp(t, { keep: true }))
  const old = browser.cookies.get('session')
  for (const url of ['/get', '/set/role/admin', '/touch', '/get']) {
    for (const line of setCookies(await browser.get(url))) t.match(line, /^__Host-sid=/, url)
  }
  t.equal(browser.cookies.get('session'), old)
})

t.test('a migration clears neither legacy cookies of other names nor kept ones of the same name', async t => {
  const opener = (cookieName: string, more: Partial<secureSession.LegacyOpener> = {}): secureSession.LegacyOpener => {
    return { cookieName, immediate: true, open: value => ({ data: { user: value } }), ...more }
  }
  const legacy = [opener('old'), opener('other'), opener('old', { keep: true, cookie: { path: '/app' } })]
  const app = await appWith(t, { key: KEY, cookieName: 'new', legacy })
  addRoutes(app)
  const lines = setCookies(await app.inject({ url: '/touch', headers: { cookie: 'old=ada; other=eve' } }))
  t.match(lines, [/^old=; .*Path=\/;/, /^new=AQ/])
  t.equal(lines.length, 2)
})

t.test('regenerate clears the legacy cookie, kept or not', async t => {
  for (const keep of [true, false]) {
    const before = await loggedInBefore(t, { key: OLD_KEY })
    const app = await newApp(t, { keep })
    const atOnce = before.copy(app)
    t.match(setCookies(await atOnce.get('/regenerate')), [/^session=; /, /^__Host-sid=AQ/])
    const later = before.copy(app)
    await later.get('/touch')
    await later.get('/regenerate')
    for (const browser of [atOnce, later]) t.strictSame([...browser.cookies.keys()], ['__Host-sid'])
  }
})

t.test('a session that migrates is cleared at every path that an opener of its cookie names', async t => {
  const before = await loggedInBefore(t, { key: OLD_KEY })
  const legacy = ['/auth', '/'].map(path => secureSessionOpener({ key: OLD_KEY, cookieName: 'session', cookie: { path } }))
  const app = await appWith(t, { key: KEY, cookieName: 'sid', legacy })
  addRoutes(app)
  t.match(setCookies(await before.copy(app).get('/touch')), [/^session=; .*Path=\/auth/, /^session=; .*Path=\/;/, /^sid=AQ/])
})

t.test('of two legacy cookies the one that was written last is used, whatever their order', async t => {
  const clock = fakeClock(t)
  const stale = await loggedInBefore(t, { key: OLD_KEY })
  clock.advance(1000)
  const fresh = await loggedInBefore(t, { key: OLD_KEY })
  await fresh.get('/set/user/grace')
  const app = await newApp(t)
  for (const cookie of [`${stale.header}; ${fresh.header}`, `${fresh.header}; ${stale.header}`]) {
    t.strictSame((await app.inject({ url: '/get', headers: { cookie } })).json(), { user: 'grace' })
  }
})

t.test('delete clears the legacy cookie: kept or not, migrated or not, sent or not', async t => {
  for (const keep of [true, false]) {
    const before = await loggedInBefore(t, { key: OLD_KEY })
    const app = await newApp(t, { keep })
    const atOnce = before.copy(app)
    t.match(setCookies(await atOnce.get('/delete')), [/^__Host-sid=; /, /^session=; /])
    t.equal(atOnce.header, '')
    const later = before.copy(app)
    await later.get('/touch')
    t.match(setCookies(await later.get('/delete')), [/^__Host-sid=; /, /^session=; /])
    t.equal(later.header, '')
    t.match(setCookies(await app.inject('/delete')), [/^__Host-sid=; /, /^session=; /])
  }
})

t.test('several openers may clear one name at several paths', async t => {
  const before = await loggedInBefore(t, { key: OLD_KEY })
  const legacy = ['/', '/auth', '/account'].map(path => secureSessionOpener({ key: OLD_KEY, cookieName: 'session', cookie: { path } }))
  const app = await appWith(t, { key: KEY, cookieName: 'sid', legacy })
  addRoutes(app)
  t.match(setCookies(await before.copy(app).get('/delete')).map(line => /^(\w+)=;.*Path=([^;]*)/.exec(line)?.slice(1)), [['sid', '/'], ['session', '/'], ['session', '/auth'], ['session', '/account']])
})

t.test('delete, then set, clears every legacy cookie: kept, migrated before, or on another path', async t => {
  for (const opener of [{ keep: true }, { keep: false }, { cookie: { path: '/auth' } }]) {
    const before = await loggedInBefore(t, { key: OLD_KEY })
    const app = await newApp(t, opener)
    app.get('/goodbye', async ({ session }) => { session.delete(); session.set('flash', 'goodbye'); return {} })
    const moved = before.copy(app)
    await moved.get('/touch')
    for (const browser of [before.copy(app), moved]) {
      t.match(setCookies(await browser.get('/goodbye')), [/^session=; Max-Age=0/, /^__Host-sid=AQ/])
      t.strictSame(await browser.json('/get'), { flash: 'goodbye' })
    }
  }
})

t.test('delete and then set clears the legacy cookie, and the new session takes nothing from it', async t => {
  const before = await loggedInBefore(t, { key: OLD_KEY })
  const app = await newApp(t)
  app.get('/switch', async ({ session }) => { session.delete(); session.set('user', 'grace'); return session.info })
  const browser = before.copy(app)
  t.match((await browser.get('/switch')).json(), { isNew: true })
  t.strictSame([...browser.cookies.keys()], ['__Host-sid'])
  t.strictSame(await browser.json('/get'), { user: 'grace' })
})

t.test('`changed` is false for a session that is only read in its legacy cookie', async t => {
  const before = await loggedInBefore(t, { key: OLD_KEY })
  const app = await newApp(t)
  app.get('/state', async ({ session: { changed, deleted, info: { isNew } } }) => ({ changed, deleted, isNew }))
  const browser = before.copy(app)
  t.strictSame(await browser.json('/state'), { changed: false, deleted: false, isNew: false })
})

for (const revocation of [undefined, { store: secureSession.memoryRevocation() }]) {
  const more = revocation === undefined ? '' : ', also where it can be revoked'
  t.test(`a session that does not fit in its own cookie stays in the legacy one, and one warning says so${more}`, async t => {
    const clock = fakeClock(t)
    const before = await loggedInBefore(t, { key: OLD_KEY })
    before.cookies.set('session', await oldCookie(t, { user: 'ada', fill: 'x'.repeat(2600) }, { key: OLD_KEY }))
    const app = await newApp(t, {}, { padTo: 2048, revocation })
    clock.advance(7 * HOUR_MS)
    const browser = before.copy(app)
    for (let request = 0; request < 3; request++) {
      const response = await browser.get('/get')
      t.match(response.json(), { user: 'ada' })
      t.strictSame([setCookies(response), response.headers['cache-control']], [[], undefined])
    }
    const warnings = app.lines.filter(({ level }) => level === WARN)
    t.match(warnings, [{ cookie: '__Host-sid', msg: /could not migrate.*bytes/ }])
    t.equal(warnings.length, 1)
    t.match((await browser.get('/set/role/admin')).json(), { code: 'FST_SESSION_TOO_LARGE' }, 'a change that does not fit fails, as ever')
    t.match((await browser.get('/get')).json(), { user: 'ada' })
  })
}

t.test('where values of a legacy session cannot be written, the request fails with the usual error', async t => {
  const before = await loggedInBefore(t, { key: OLD_KEY })
  const serializer = { serialize (data: Record<string, unknown>) { if (data['bad'] !== undefined) throw new Error('bad'); return JSON.stringify(data) }, deserialize: (bytes: Buffer) => JSON.parse(bytes.toString()) }
  const app = await newApp(t, {}, { serializer })
  t.match((await before.copy(app).get('/set/bad/1')).json(), { code: 'FST_SESSION_NOT_SERIALIZABLE' })
})

t.test('a reply that Fastify does not send itself migrates a session whose renewal is due if it commits it, and loses nothing if not', async t => {
  const clock = fakeClock(t)
  const before = await loggedInBefore(t, { key: OLD_KEY })
  const app = await newApp(t)
  app.get('/committed', (request, reply) => {
    const user = request.session.get('user')
    reply.commitSession()
    reply.hijack()
    reply.raw.end(user)
  })
  app.get('/late', (request, reply) => {
    reply.hijack()
    reply.raw.write('by ')
    const user = request.session.get('user')
    reply.commitSession()
    reply.raw.end(user)
  })
  clock.advance(7 * HOUR_MS)
  t.match(setCookies(await before.copy(app).get('/committed')), [/^session=; /, /^__Host-sid=AQ/])
  const late = await before.copy(app).get('/late')
  t.equal(late.body, 'by ada', 'a mere migration that comes too late is no error')
  t.strictSame(app.lines.filter(({ level }) => level >= WARN), [])
})

t.test('the reply to an error migrates a session whose renewal is due', async t => {
  const clock = fakeClock(t)
  const before = await loggedInBefore(t, { key: OLD_KEY })
  const app = await newApp(t)
  app.get('/fail', async ({ session }) => { throw new Error(session.get('user')) })
  clock.advance(7 * HOUR_MS)
  const browser = before.copy(app)
  t.equal((await browser.get('/fail')).statusCode, 500)
  t.strictSame([...browser.cookies.keys()], ['__Host-sid'])
})

t.test('a request that only reads a legacy session leaves it in its legacy cookie until its renewal is due', async t => {
  const clock = fakeClock(t)
  const before = await loggedInBefore(t, { key: OLD_KEY })
  const app = await newApp(t)
  const browser = before.copy(app)
  for (let hour = 0; hour < 5; hour++) {
    const response = await browser.get('/get')
    t.strictSame([response.json(), setCookies(response)], [{ user: 'ada' }, []])
    clock.advance(HOUR_MS)
  }
  clock.advance(HOUR_MS)
  t.match(setCookies(await browser.get('/get')), [/^session=; Max-Age=0/, /^__Host-sid=AQ/])
  t.strictSame(await browser.json('/get'), { user: 'ada' })
})

t.test('`changed` is true for a legacy session whose renewal is due', async t => {
  const clock = fakeClock(t)
  const before = await loggedInBefore(t, { key: OLD_KEY })
  const app = await newApp(t)
  app.get('/changed', async ({ session: { changed } }) => ({ changed }))
  clock.advance(7 * HOUR_MS)
  t.strictSame(await before.copy(app).json('/changed'), { changed: true })
})
