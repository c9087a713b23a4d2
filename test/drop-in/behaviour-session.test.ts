import t from 'tap'
import { fakeClock } from '../helpers/clock'
import { appWith, KEY, withEach } from './packages'
import { linesOf, Visitor } from './visitor'

/** What the peer's users know of `request.session`: values, `changed` and `deleted`, how long it lasts. */

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const OPTIONS = { key: KEY, cookie: { path: '/' } }

function addRoutes (app: any): void {
  app.post('/', async ({ session, body }: any) => {
    session.set('byMethod', body)
    session.byProperty = body
    return { changed: session.changed, deleted: session.deleted }
  })
  app.get('/', async ({ session }: any) => ({ data: session.data(), changed: session.changed, deleted: session.deleted }))
  app.get('/delete', async ({ session }: any) => { session.delete(); return { deleted: session.deleted, changed: session.changed } })
  app.get('/touch', async ({ session }: any) => { session.touch(); return 'touched' })
  app.get('/regenerate', async ({ session, query }: any) => { session.regenerate(query.keep?.split(',')); return session.data() })
}

withEach(t, 'values that are set by method and by property are read by both', async (t, plugin) => {
  const app = appWith(t, plugin, OPTIONS)
  addRoutes(app)
  app.get('/each', async ({ session }: any) => [session.get('byMethod'), session.byMethod, session.get('byProperty'), session.byProperty, session.get('nothing') ?? null, session.nothing ?? null])
  const visitor = await Visitor.of(t, app)
  const body = { some: { nested: ['data', 1, null, true, 'ü'] } }
  await visitor.post('/', { json: body })
  t.strictSame((await visitor.get('/each')).body, [body, body, body, body, null, null])
})

withEach(t, 'data() returns a copy of all values', async (t, plugin) => {
  const app = appWith(t, plugin, OPTIONS)
  addRoutes(app)
  app.get('/copy', async ({ session }: any) => {
    const copy = session.data()
    copy.extra = 1
    delete copy.byMethod
    return { changed: session.changed, extra: session.get('extra') ?? null, has: session.get('byMethod') !== undefined, plain: Object.getPrototypeOf(copy) === Object.prototype }
  })
  const visitor = await Visitor.of(t, app)
  await visitor.post('/', { json: { a: 1 } })
  t.strictSame((await visitor.get('/')).body.data, { byMethod: { a: 1 }, byProperty: { a: 1 } })
  t.strictSame((await visitor.get('/copy')).body, { changed: false, extra: null, has: true, plain: true })
})

withEach(t, 'changed is true after a set, and reading sets no cookie', async (t, plugin) => {
  const app = appWith(t, plugin, OPTIONS)
  addRoutes(app)
  const visitor = await Visitor.of(t, app)
  t.match(await visitor.get('/'), { body: { data: {}, changed: false, deleted: false }, setsCookie: false })
  t.match(await visitor.post('/', { json: {} }), { body: { changed: true, deleted: false }, cookies: [{ name: 'session' }] })
  t.match(await visitor.get('/'), { body: { changed: false }, setsCookie: false })
})

withEach(t, 'a value that is set to another one counts as changed', async (t, plugin) => {
  const app = appWith(t, plugin, OPTIONS)
  app.get('/', async ({ session }: any) => { session.set('a', (session.get('a') ?? 0) + 1); return session.changed })
  const visitor = await Visitor.of(t, app)
  for (const time of ['first', 'second']) t.match(await visitor.get('/'), { body: true, cookies: [{ name: 'session' }] }, time)
})

withEach(t, 'deleted is true after delete, and the next request has no session', async (t, plugin) => {
  const app = appWith(t, plugin, OPTIONS)
  addRoutes(app)
  const visitor = await Visitor.of(t, app)
  await visitor.post('/', { json: {} })
  t.match(await visitor.get('/delete'), { body: { deleted: true, changed: true } })
  t.strictSame([...visitor.cookies.keys()], [])
  t.strictSame((await visitor.get('/')).body.data, {})
})

withEach(t, 'undefined removes a value, and null is a value', async (t, plugin) => {
  const app = appWith(t, plugin, OPTIONS)
  app.get('/', async ({ session }: any) => session.data())
  app.get('/set', async ({ session }: any) => { Object.assign(session, { a: 1, b: 2, c: 3 }); return {} })
  app.get('/unset', async ({ session }: any) => { session.set('a', undefined); session.b = null; session.c = undefined; return [session.a ?? null, session.get('c') ?? null] })
  const visitor = await Visitor.of(t, app)
  await visitor.get('/set')
  t.strictSame((await visitor.get('/unset')).body, [null, null])
  t.strictSame((await visitor.get('/')).body, { b: null })
})

withEach(t, 'the next request reads a value as JSON writes it', async (t, plugin) => {
  const app = appWith(t, plugin, OPTIONS)
  app.get('/', async ({ session }: any) => session.data())
  app.get('/set', async ({ session }: any) => {
    session.set(7, 'seven')
    session.date = new Date(0)
    session.inner = { kept: 1, gone: undefined }
    return [session[7], session.get('7'), session.date instanceof Date]
  })
  const visitor = await Visitor.of(t, app)
  t.strictSame((await visitor.get('/set')).body, ['seven', 'seven', true])
  t.strictSame((await visitor.get('/')).body, { 7: 'seven', date: '1970-01-01T00:00:00.000Z', inner: { kept: 1 } })
})

withEach(t, 'an object is written in its state at the reply, and keys keep their order', async (t, plugin) => {
  const app = appWith(t, plugin, OPTIONS)
  app.get('/', async ({ session }: any) => session.data())
  app.get('/set', async (request: any) => {
    const list = [1]
    const session = await request.session
    session.set('b', list)
    session.set('a', Object.freeze({ frozen: true }))
    list.push(2)
    return session === request.session && session.get('b') === list
  })
  const visitor = await Visitor.of(t, app)
  t.equal((await visitor.get('/set')).body, true)
  t.equal(JSON.stringify((await visitor.get('/')).body), '{"b":[1,2],"a":{"frozen":true}}')
})

withEach(t, 'methods and values can be destructured from a session', async (t, plugin) => {
  const app = appWith(t, plugin, OPTIONS)
  app.get('/', async ({ session }: any) => {
    const { get, set, data } = session
    set('a', 1)
    const { a } = session
    return [get('a'), a, data()]
  })
  t.strictSame((await (await Visitor.of(t, app)).get('/')).body, [1, 1, { a: 1 }])
})

withEach(t, 'regenerate removes all values except those of the given keys', async (t, plugin) => {
  const app = appWith(t, plugin, OPTIONS)
  addRoutes(app)
  app.post('/login', async ({ session, body }: any) => { session.set('user', body.user); session.email = body.email; return {} })
  const visitor = await Visitor.of(t, app)
  await visitor.post('/login', { json: { user: 'ada', email: 'ada@example.org' } })
  const other = visitor.at()
  t.match(await visitor.get('/regenerate?keep=user,never'), { body: { user: 'ada' }, cookies: [{ name: 'session' }] })
  t.strictSame((await visitor.get('/')).body.data, { user: 'ada' })
  await other.get('/regenerate')
  t.strictSame((await other.get('/')).body.data, {})
})

withEach(t, 'touch sends the cookie without a change, also for a new session', async (t, plugin) => {
  const app = appWith(t, plugin, { key: KEY, cookie: { path: '/', maxAge: 3600 } })
  addRoutes(app)
  const visitor = await Visitor.of(t, app)
  const line = 'session; HttpOnly; Max-Age=3600; Path=/; SameSite=Lax'
  t.strictSame(linesOf(await visitor.get('/touch')), [line])
  await visitor.post('/', { json: 1 })
  t.strictSame(linesOf(await visitor.get('/touch')), [line])
  t.strictSame((await visitor.get('/')).body.data, { byMethod: 1, byProperty: 1 })
})

withEach(t, 'a session that was not written for a day has expired', async (t, plugin) => {
  const clock = fakeClock(t)
  const app = appWith(t, plugin, OPTIONS)
  addRoutes(app)
  const visitor = await Visitor.of(t, app)
  await visitor.post('/', { json: 1 })
  const copy = visitor.at()
  clock.advance(23 * HOUR_MS)
  t.strictSame((await visitor.get('/')).body.data, { byMethod: 1, byProperty: 1 })
  clock.advance(HOUR_MS + MINUTE_MS)
  t.strictSame((await copy.get('/')).body.data, {})
})

withEach(t, 'expiry sets a shorter limit, and a write restarts it: the newer cookie opens, the older does not', async (t, plugin) => {
  const clock = fakeClock(t)
  const app = appWith(t, plugin, { ...OPTIONS, expiry: 15 * 60 })
  addRoutes(app)
  const visitor = await Visitor.of(t, app)
  await visitor.post('/', { json: 1 })
  const older = visitor.at()
  clock.advance(15 * MINUTE_MS - 1000)
  await visitor.get('/touch')
  clock.advance(2000)
  t.strictSame((await visitor.get('/')).body.data, { byMethod: 1, byProperty: 1 })
  t.strictSame((await older.get('/')).body.data, {})
  clock.advance(15 * MINUTE_MS)
  t.strictSame((await older.get('/')).body.data, {})
})

withEach(t, 'a request that its schema refuses sets no cookie, and a valid one does', async (t, plugin) => {
  const app = appWith(t, plugin, OPTIONS)
  const body = { type: 'object', required: ['foo'], properties: { foo: { type: 'string' } } }
  app.post('/', { schema: { body } }, async ({ session, body }: any) => { session.set('data', body); return 'done' })
  const visitor = await Visitor.of(t, app)
  t.match(await visitor.post('/', { json: { bar: 1 } }), { status: 400, setsCookie: false })
  t.match(await visitor.post('/', { json: { foo: 'bar' } }), { status: 200, body: 'done', cookies: [{ name: 'session' }] })
})
