import t from 'tap'
import { appWith, KEY, OTHER_KEY, SECRET, withEach } from './packages'
import { linesOf, Visitor } from './visitor'
import { quickPassphrases } from '../helpers/quick-passphrases'

t.teardown(quickPassphrases())

/** What the peer's users know of the cookie: its name, its attributes, and what becomes of a cookie that does not open. */

const EXPIRES = new Date(Math.ceil(Date.now() / 1000) * 1000 + 86_400_000)
const LONG_AGO = 'Expires=Thu, 01 Jan 1970 00:00:00 GMT'

function addRoutes (app: any): void {
  app.get('/set', async ({ session }: any) => { session.set('data', { some: 'data' }); return 'set' })
  app.get('/get', async ({ session }: any, reply: any) => session.get('data') ?? reply.code(404).send('nothing'))
  app.get('/delete', async ({ session }: any) => { session.delete(); return 'deleted' })
}

const ATTRIBUTES: Record<string, [object, string]> = {
  'a path': [{ cookie: { path: '/' } }, 'session; HttpOnly; Path=/; SameSite=Lax'],
  'cookieOptions for cookie': [{ cookieOptions: { path: '/', maxAge: 42 } }, 'session; HttpOnly; Max-Age=42; Path=/; SameSite=Lax'],
  'no HttpOnly': [{ cookie: { path: '/', httpOnly: false } }, 'session; Path=/; SameSite=Lax'],
  'a cookieName': [{ cookieName: 'foobar', cookie: { path: '/' } }, 'foobar; HttpOnly; Path=/; SameSite=Lax'],
  'Secure and SameSite': [{ cookie: { path: '/', secure: true, sameSite: 'strict' } }, 'session; HttpOnly; Path=/; SameSite=Strict; Secure'],
  'SameSite=None': [{ cookie: { path: '/', secure: true, sameSite: 'none', partitioned: true } }, 'session; HttpOnly; Partitioned; Path=/; SameSite=None; Secure'],
  'a domain': [{ cookie: { path: '/', domain: 'example.org', priority: 'high' } }, 'session; Domain=example.org; HttpOnly; Path=/; Priority=High; SameSite=Lax'],
  'a Max-Age': [{ cookie: { path: '/', maxAge: 3600 } }, 'session; HttpOnly; Max-Age=3600; Path=/; SameSite=Lax'],
  'an Expires': [{ cookie: { path: '/', expires: EXPIRES } }, `session; Expires=${EXPIRES.toUTCString()}; HttpOnly; Path=/; SameSite=Lax`],
  'an Expires beside a Max-Age': [{ cookie: { path: '/', expires: EXPIRES, maxAge: 86400 } }, `session; Expires=${EXPIRES.toUTCString()}; HttpOnly; Max-Age=86400; Path=/; SameSite=Lax`],
  '__Host-': [{ cookieName: '__Host-session', cookie: { path: '/', secure: true } }, '__Host-session; HttpOnly; Path=/; SameSite=Lax; Secure']
}

for (const [what, [options, line]] of Object.entries(ATTRIBUTES)) {
  withEach(t, `the cookie of a session has its options: ${what}`, async (t, plugin) => {
    const app = appWith(t, plugin, { key: KEY, ...options })
    addRoutes(app)
    const visitor = await Visitor.of(t, app)
    t.strictSame(linesOf(await visitor.get('/set')), [line])
    t.strictSame((await visitor.get('/get')).body, { some: 'data' })
  })
}

withEach(t, 'options() of one session overrides single configured attributes', async (t, plugin) => {
  const app = appWith(t, plugin, { key: KEY, cookieOptions: { path: '/', maxAge: 42 } })
  addRoutes(app)
  app.get('/month', async ({ session }: any) => { session.set('data', 1); session.options({ maxAge: 3_600_000 }); return '' })
  app.get('/strict', async ({ session }: any) => { session.set('data', 2); session.options({ sameSite: 'strict', httpOnly: false }); return '' })
  const visitor = await Visitor.of(t, app)
  t.strictSame(linesOf(await visitor.at().get('/month')), ['session; HttpOnly; Max-Age=3600000; Path=/; SameSite=Lax'])
  t.strictSame(linesOf(await visitor.get('/strict')), ['session; Max-Age=42; Path=/; SameSite=Strict'])
  t.equal((await visitor.get('/get')).body, 2)
})

withEach(t, 'options() works without configured attributes', async (t, plugin) => {
  const app = appWith(t, plugin, { key: KEY })
  addRoutes(app)
  app.get('/', async ({ session }: any) => { session.set('data', 1); session.options({ maxAge: 3_600_000, path: '/' }); return '' })
  const visitor = await Visitor.of(t, app)
  t.strictSame(linesOf(await visitor.get('/')), ['session; HttpOnly; Max-Age=3600000; Path=/; SameSite=Lax'])
  t.equal((await visitor.get('/get')).body, 1)
})

withEach(t, 'delete clears the cookie with its own attributes', async (t, plugin) => {
  const app = appWith(t, plugin, { key: KEY, cookie: { path: '/', domain: 'example.org', expires: EXPIRES, maxAge: 86400 } })
  addRoutes(app)
  const visitor = await Visitor.of(t, app)
  await visitor.get('/set')
  t.strictSame(linesOf(await visitor.get('/delete')), [`session; Domain=example.org; ${LONG_AGO}; HttpOnly; Max-Age=0; Path=/; SameSite=Lax`])
  t.match(await visitor.get('/get'), { status: 404 })
})

withEach(t, 'delete of a session that was never sent clears the cookie with one line', async (t, plugin) => {
  const app = appWith(t, plugin, { key: KEY, cookie: { path: '/' } })
  addRoutes(app)
  const { cookies } = await (await Visitor.of(t, app)).get('/delete')
  t.match(cookies, [{ name: 'session', value: '', attributes: /Max-Age=0/ }])
  t.equal(cookies.length, 1)
})

withEach(t, 'a session may have another property name and another cookie name', async (t, plugin) => {
  const app = appWith(t, plugin, { key: KEY, sessionName: 'barfoo', cookieName: 'foobar', cookie: { path: '/' } })
  app.get('/set', async ({ barfoo }: any) => { barfoo.set('data', { some: 'data' }); return '' })
  app.get('/get', async (request: any) => ({ data: request.barfoo.get('data'), session: typeof request.session }))
  const visitor = await Visitor.of(t, app)
  t.match(await visitor.get('/set'), { cookies: [{ name: 'foobar' }] })
  t.strictSame((await visitor.get('/get')).body, { data: { some: 'data' }, session: 'undefined' })
})

withEach(t, 'several sessions work together, each with its own key, cookie and attributes', async (t, plugin) => {
  const app = appWith(t, plugin, [
    { secret: SECRET, sessionName: 'long', cookie: { path: '/', maxAge: 3600 } },
    { key: OTHER_KEY, sessionName: 'short', cookieName: 'short-term', cookie: { path: '/', maxAge: 60, domain: 'example.org' } }
  ])
  app.get('/set', async ({ long, short }: any) => { long.set('data', 1); short.information = 2; return '' })
  app.get('/get', async ({ long, short }: any) => [long.data(), short.data()])
  app.get('/end', async ({ long, short }: any) => { long.set('data', 3); short.delete(); return '' })
  const visitor = await Visitor.of(t, app)
  t.strictSame(linesOf(await visitor.get('/set')), ['long; HttpOnly; Max-Age=3600; Path=/; SameSite=Lax', 'short-term; Domain=example.org; HttpOnly; Max-Age=60; Path=/; SameSite=Lax'])
  t.strictSame((await visitor.get('/get')).body, [{ data: 1 }, { information: 2 }])
  t.match(linesOf(await visitor.get('/end')), [/^long; HttpOnly; Max-Age=3600/, /^short-term; Domain.*Max-Age=0/])
  t.strictSame((await visitor.get('/get')).body, [{ data: 3 }, {}])
})

withEach(t, 'cookies of two sessions are sent in the order of the options, in every order of access', async (t, plugin) => {
  const app = appWith(t, plugin, [{ key: KEY, sessionName: 'one', cookie: { path: '/' } }, { key: KEY, sessionName: 'two', cookie: { path: '/' } }])
  app.get('/', async ({ one, two }: any) => { one.set('a', 1); two.set('b', 2); return '' })
  app.get('/back', async (request: any) => { request.two.set('b', 3); request.one.set('a', 2); return '' })
  const visitor = await Visitor.of(t, app)
  for (const path of ['/', '/back']) t.strictSame((await visitor.get(path)).cookies.map(({ name }) => name), ['one', 'two'], path)
})

withEach(t, 'signed: true is accepted, and a changed session cookie is no session', async (t, plugin) => {
  const app = appWith(t, plugin, { key: KEY, cookieName: '__Host-session', cookie: { path: '/', secure: true, signed: true } })
  addRoutes(app)
  const visitor = await Visitor.of(t, app)
  t.strictSame(linesOf(await visitor.get('/set')), ['__Host-session; HttpOnly; Path=/; SameSite=Lax; Secure'])
  t.match(await visitor.get('/get'), { status: 200, body: { some: 'data' } })
  const value = visitor.cookies.get('__Host-session') as string
  visitor.cookies.set('__Host-session', `${value.slice(0, 20)}AAAAA${value.slice(25)}`)
  t.match(await visitor.get('/get'), { status: 404 })
})

withEach(t, 'a cookie that does not open is no session, for every kind of text', async (t, plugin) => {
  const app = appWith(t, plugin, { key: KEY, cookie: { path: '/' } })
  addRoutes(app)
  const visitor = await Visitor.of(t, app)
  await visitor.get('/set')
  const value = visitor.cookies.get('session') as string
  for (const bad of ['', ';', 'x', 'AAAA;BBBB', 'AAAA%3BBBBB', 'a'.repeat(4000), `${value}${'a'.repeat(10)}`, value.slice(0, -20), '%', '{}', 'null']) {
    visitor.cookies.set('session', bad)
    t.match(await visitor.get('/get'), { status: 404, body: 'nothing', setsCookie: false }, bad.slice(0, 20))
  }
  t.match(await visitor.get('/set'), { status: 200, cookies: [{ name: 'session' }] })
  t.match(await visitor.get('/get'), { status: 200 })
})
