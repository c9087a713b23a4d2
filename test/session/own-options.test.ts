import t, { type Test } from 'tap'
import { addRoutes, appWith, KEY } from '../helpers/app'
import { Browser, setCookies } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'

const DAY_S = 86400

async function remembering (t: Test, cookieOptions: object, options: object = {}): Promise<Browser> {
  const app = await appWith(t, { key: KEY, ...options })
  addRoutes(app)
  app.get('/options', async ({ session }) => { session.set('user', 'ada'); session.options(cookieOptions); return session.info })
  return new Browser(app)
}

t.test('the maxAge of a session is sent as given, with this write and with every later write', async t => {
  const browser = await remembering(t, { maxAge: 3600 })
  t.match(setCookies(await browser.get('/options')), [/; Max-Age=3600;/])
  t.match(setCookies(await browser.get('/set/a/b')), [/; Max-Age=3600;/])
})

t.test('a maxAge as long as the idle limit that the session has already is sent', async t => {
  const app = await appWith(t)
  app.get('/idle', async ({ session }) => { session.set('user', 'ada'); session.options({ idle: 60 }); return {} })
  app.get('/max-age', async ({ session }) => { session.options({ maxAge: 60 }); return {} })
  const browser = new Browser(app)
  await browser.get('/idle')
  t.match(setCookies(await browser.get('/max-age')), [/^session=[^;]+; Max-Age=60;/])
})

t.test('the maxAge of a session ends with regenerate: the next login has the configured attributes', async t => {
  const browser = await remembering(t, { maxAge: 3600 })
  await browser.get('/options')
  t.match(setCookies(await browser.get('/regenerate')), [/^session=[\w-]+; Path=\/; HttpOnly; SameSite=Lax$/])
})

t.test('the maxAge of a session is its idle limit', async t => {
  const clock = fakeClock(t)
  for (const [maxAge, idleMs] of [[3600, 3600_000], [7 * DAY_S, 7 * DAY_S * 1000]] as const) {
    const browser = await remembering(t, { maxAge })
    t.equal((await browser.json('/options')).expiresAt, clock.nowMs + idleMs)
    const copy = browser.copy()
    clock.advance(idleMs - 1)
    t.strictSame(await copy.json('/get'), { user: 'ada' })
    clock.advance(1)
    t.strictSame(await browser.json('/get'), {})
  }
})

t.test('the maxAge of a session raises its absolute limit to at least the same', async t => {
  const clock = fakeClock(t)
  const browser = await remembering(t, { maxAge: 90 * DAY_S })
  await browser.get('/options')
  for (let month = 0; month < 2; month++) {
    clock.advance(30 * DAY_S * 1000)
    t.strictSame(await browser.json('/get'), { user: 'ada' })
  }
  clock.advance(30 * DAY_S * 1000)
  t.strictSame(await browser.json('/get'), {}, 'and ends with it')
})

t.test('expires in options() acts as a maxAge until that date', async t => {
  fakeClock(t)
  const browser = await remembering(t, { expires: new Date(Date.now() + 120_000) })
  t.match(setCookies(await browser.get('/options')), [/; Max-Age=120;/])
})

t.test('a maxAge of more than 400 days becomes 400 days', async t => {
  const browser = await remembering(t, { maxAge: 1000 * DAY_S })
  t.match(setCookies(await browser.get('/options')), [new RegExp(`; Max-Age=${400 * DAY_S};`)])
})

t.test('attributes that options() sets stay, add up, and override the configured ones', async t => {
  const app = await appWith(t, { key: KEY, cookie: { sameSite: 'strict' } })
  addRoutes(app)
  app.get('/one', async ({ session }) => { session.set('user', 'ada'); session.options({ path: '/app', priority: 'high' }); return {} })
  app.get('/two', async ({ session }) => { session.options({ sameSite: false }); return {} })
  const browser = new Browser(app)
  t.match(setCookies(await browser.get('/one')), [/; Path=\/app; HttpOnly; SameSite=Strict; Priority=High$/])
  t.match(setCookies(await browser.get('/two')), [/; Path=\/app; HttpOnly; Priority=High$/])
  t.match(setCookies(await browser.get('/set/a/b')), [/; Path=\/app; HttpOnly; Priority=High$/])
})

t.test('SameSite=None in options() also sets Secure', async t => {
  const browser = await remembering(t, { sameSite: 'none' })
  t.match(setCookies(await browser.get('/options')), [/; Secure; SameSite=None$/])
})

t.test('when options() changes the path, the session and its stamp are cleared at the old path', async t => {
  const app = await appWith(t)
  addRoutes(app)
  app.get('/move', async ({ session }) => { session.options({ path: '/app' }); return {} })
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  t.match(setCookies(await browser.get('/move')), [/^session=; Max-Age=0.*Path=\/;/, /^session=\w.*Path=\/app;/])
})

t.test('after options() changed the path, a logout leaves no cookie that opens', async t => {
  const app = await appWith(t)
  addRoutes(app)
  app.get('/move', async ({ session }) => { session.options({ path: '/app' }); session.delete(); return {} })
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  const lines = setCookies(await browser.get('/move'))
  t.strictSame(lines.map(line => /^(.*?)=.*Path=([^;]*)/.exec(line)?.slice(1)), [['session', '/'], ['session', '/app']])
})

t.test('a session that begins after delete has the configured attributes again', async t => {
  const app = await appWith(t)
  addRoutes(app)
  app.get('/mine', async ({ session }) => { session.set('user', 'ada'); session.options({ path: '/app', maxAge: 60 }); return {} })
  app.get('/again', async ({ session }) => { session.delete(); session.set('user', 'grace'); return {} })
  const browser = new Browser(app)
  await browser.get('/mine')
  const lines = setCookies(await browser.get('/again'))
  t.match(lines.at(-1), /^session=\w+[^;]*; Path=\/; HttpOnly; SameSite=Lax$/)
  t.match(lines.slice(0, -1), [/^session=;.*Path=\/app/])
})

t.test('options that are not cookie attributes are ignored, because they may belong to another plugin', async t => {
  const browser = await remembering(t, { ttl: 5, signed: true, foo: 'bar' })
  t.match(setCookies(await browser.get('/options')), [/; Path=\/; HttpOnly; SameSite=Lax$/])
})

t.test('options() alone writes an existing session, and does not begin a session', async t => {
  const app = await appWith(t)
  addRoutes(app)
  app.get('/options', async ({ session }) => { session.options({ maxAge: 60 }); return {} })
  const browser = new Browser(app)
  t.strictSame(setCookies(await browser.get('/options')), [])
  await browser.get('/set/user/ada')
  t.match(setCookies(await browser.get('/options')), [/; Max-Age=60;/])
  t.strictSame(setCookies(await browser.get('/options')), [], 'the same again is no change')
})

t.test('options() without attributes changes nothing', async t => {
  for (const none of [undefined, null]) {
    const browser = await remembering(t, none as never)
    const response = await browser.get('/options')
    t.equal(response.statusCode, 200)
    t.match(setCookies(response), [/^session=[\w-]+; Path=\/; HttpOnly; SameSite=Lax$/])
  }
})

t.test('wrong cookie attributes throw at the call of options()', async t => {
  for (const wrong of [42, 'lax', { maxAge: 0 }, { maxAge: -1 }, { maxAge: '60' }, { path: 'x' }, { domain: 'a;b' }, { secure: false, sameSite: 'none' }, { expires: new Date(0) }, { expires: 'soon' }]) {
    const browser = await remembering(t, wrong as object)
    t.match((await browser.get('/options')).json(), { statusCode: 500, code: 'FST_SESSION_INVALID_OPTION' })
  }
  const host = await remembering(t, { path: '/app' }, { cookieName: '__Host-s' })
  t.match((await host.get('/options')).json(), { code: 'FST_SESSION_INVALID_OPTION', message: /needs path/ })
})
