import t from 'tap'
import secureSession from '../../index'
import { addRoutes, appWith, KEY } from '../helpers/app'
import { Browser, setCookies } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'

const CLEARED = '; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; HttpOnly; SameSite=Lax'

t.test('delete clears the cookie, and the next request has no session', async t => {
  const app = await appWith(t)
  addRoutes(app)
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  const response = await browser.get('/delete')
  t.strictSame(setCookies(response), [`session=${CLEARED}`])
  t.equal(browser.header, '')
  t.strictSame(await browser.json('/get'), {})
})

t.test('delete clears the cookies also if the request had none', async t => {
  const app = await appWith(t)
  addRoutes(app)
  t.strictSame(setCookies(await app.inject('/delete')), [`session=${CLEARED}`])
})

t.test('delete clears the stamp if the request had one, or if the session is old enough to have one', async t => {
  const clock = fakeClock(t)
  const app = await appWith(t, { key: KEY, idle: '1h' })
  addRoutes(app)
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  clock.advance(14 * 60_000)
  const young = browser.copy()
  t.strictSame(setCookies(await young.get('/delete')), [`session=${CLEARED}`], 'none was ever made')
  clock.advance(60_000)
  t.strictSame(setCookies(await browser.copy().get('/delete')), [`session=${CLEARED}`, `session.t=${CLEARED}`], 'a parallel request may just have made one')
  await browser.get('/get')
  const stamped = browser.copy()
  stamped.cookies.delete('session')
  t.strictSame(setCookies(await stamped.get('/delete')), [`session=${CLEARED}`, `session.t=${CLEARED}`], 'a stamp alone is cleared, too')
  t.strictSame(setCookies(await browser.get('/delete')), [`session=${CLEARED}`, `session.t=${CLEARED}`])
  t.equal(browser.header, '')
})

t.test('after delete, all values are removed at once', async t => {
  const app = await appWith(t)
  addRoutes(app)
  app.get('/look', async ({ session }) => {
    const cart = session.get('cart')
    session.delete()
    cart.items.push('too late')
    return { data: session.data(), user: session.get('user') ?? null, has: session.has('user'), keys: Object.keys(session), deleted: session.deleted, changed: session.changed }
  })
  app.get('/fill', async ({ session }) => { session.set('user', 'ada'); session.set('cart', { items: [] }); return {} })
  const browser = new Browser(app)
  await browser.get('/fill')
  const response = await browser.get('/look')
  t.strictSame(response.json(), { data: {}, user: null, has: false, keys: [], deleted: true, changed: true })
  t.equal(browser.header, '')
})

t.test('a set after delete starts a new session with a new id and without the old values', async t => {
  const app = await appWith(t)
  addRoutes(app)
  app.get('/switch', async ({ session }) => {
    const { id } = session.info
    session.delete()
    session.set('user', 'grace')
    return { old: id, fresh: session.info.id, isNew: session.info.isNew, deleted: session.deleted, changed: session.changed }
  })
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  await browser.get('/set/role/admin')
  const response = await browser.get('/switch')
  t.match(response.json(), { isNew: true, deleted: false, changed: true })
  t.not(response.json().old, response.json().fresh)
  t.equal(setCookies(response).length, 1, 'one cookie, and no clearing beside it')
  t.strictSame(await browser.json('/get'), { user: 'grace' })
  t.equal((await browser.json('/info')).id, response.json().fresh)
})

t.test('touch, unset, regenerate and options do not restore a deleted session', async t => {
  const app = await appWith(t)
  addRoutes(app)
  app.get('/try', async ({ session }) => {
    session.delete()
    session.touch()
    session.unset('user')
    session.regenerate(['user'])
    session.options({ maxAge: 60 })
    return { deleted: session.deleted }
  })
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  t.strictSame((await browser.get('/try')).json(), { deleted: true })
  t.equal(browser.header, '')
})

t.test('delete clears a cookie with the attributes of its session', async t => {
  const app = await appWith(t, { key: KEY, cookie: { path: '/app', domain: 'example.org', secure: true, sameSite: 'none', partitioned: true, priority: 'high' } })
  app.get('/app/delete', async ({ session }) => { session.delete(); return {} })
  for (const line of setCookies(await app.inject('/app/delete'))) {
    t.match(line, /=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Domain=example\.org; Path=\/app; HttpOnly; Secure; SameSite=None; Partitioned; Priority=High$/)
  }
})

t.test('delete clears a session with its own path at that path', async t => {
  const app = await appWith(t)
  addRoutes(app)
  app.get('/move', async ({ session }) => { session.set('user', 'ada'); session.options({ path: '/app' }); return {} })
  const browser = new Browser(app)
  await browser.get('/move')
  t.match(setCookies(await browser.get('/delete')), [/^session=; .*Path=\/app/])
})

t.test('if two cookies of the name open, delete clears both, so that the older login cannot return', async t => {
  const app = await appWith(t)
  app.get('/app', async ({ session }) => { session.set('user', 'old'); session.options({ path: '/app' }); return {} })
  app.get('/', async ({ session }) => { session.set('user', 'new'); return {} })
  app.get('/app/delete', async ({ session }) => { session.delete(); return {} })
  const [older] = setCookies(await app.inject('/app'))
  const [newer] = setCookies(await app.inject('/'))
  const cookie = [older, newer].map(line => line?.split(';')[0]).join('; ')
  const lines = setCookies(await app.inject({ url: '/app/delete', headers: { cookie } }))
  t.strictSame(lines.map(line => /^(.*?)=;.*Path=([^;]*)/.exec(line)?.slice(1)).sort(), [['session', '/'], ['session', '/app']])
})

t.test('a deleted session has a new id at once', async t => {
  const app = await appWith(t)
  addRoutes(app)
  app.get('/look', async ({ session }) => {
    const { id } = session.info
    session.delete()
    return { isSame: session.info.id === id, isNew: session.info.isNew }
  })
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  t.strictSame(await browser.json('/look'), { isSame: false, isNew: true })
})

t.test('after a change of the path, login and logout also clear the cookie at the old path, if named', async t => {
  const before = await appWith(t, { key: KEY, cookie: { path: '/app' } })
  const after = await appWith(t, { key: KEY, legacy: [secureSession.sealedOpener({ cookieName: 'session', cookie: { path: '/app' } })] })
  for (const app of [before, after]) addRoutes(app)
  const browser = new Browser(before)
  await browser.get('/set/user/ada')
  const there = browser.copy(after)
  t.strictSame(await there.json('/get'), { user: 'ada' })
  for (const url of ['/regenerate', '/delete']) t.match(setCookies(await there.get(url)).join('\n'), /^session=; .*Path=\/app;/m, url)
})
