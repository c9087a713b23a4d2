import cookie, { Signer } from '@fastify/cookie'
import t, { type Test } from 'tap'
import { fakeClock } from '../helpers/clock'
import { appWith, bare, bootErrorOf, KEY, OTHER_KEY, OURS, PACKAGES, PEER, SALT, SECRET, type Plugin } from './packages'
import { Visitor } from './visitor'
import { quickPassphrases } from '../helpers/quick-passphrases'

t.teardown(quickPassphrases())

/**
 * Where this package means to be different from the one it takes the place of: what is observed there, and what here.
 * Each test is one row of the table in the migration document.
 */

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const OPTIONS = { key: KEY, cookie: { path: '/' } }

function differs (name: string, there: unknown, here: unknown, observe: (t: Test, plugin: Plugin) => Promise<unknown>): void {
  t.test(name, async t => {
    t.notSame(there, here)
    for (const [packageName, expected] of [[PEER, there], [OURS, here]] as const) {
      await t.test(packageName, async t => { t.strictSame(await observe(t, PACKAGES[packageName]), expected) })
    }
  })
}

/** Fills a session in one request, runs something with it in the next, and gives what that returned and what is there afterwards. */
async function after (t: Test, plugin: Plugin, run: (session: any, app: any) => unknown, options: object = OPTIONS): Promise<{ result: any, next: any }> {
  const app = appWith(t, plugin, options)
  addRoutes(app)
  app.get('/run', async ({ session }: any) => ({ result: run(session, app) ?? null }))
  const visitor = await Visitor.of(t, app)
  await visitor.get('/login')
  const { result } = (await visitor.get('/run')).body
  return { result, next: (await visitor.get('/data')).body }
}

function addRoutes (app: any): void {
  app.get('/login', async ({ session }: any) => { session.set('user', 'ada'); session.set('cart', { items: [1] }); return {} })
  app.get('/data', async ({ session }: any) => session.data())
  app.get('/touch', async ({ session }: any) => { session.touch(); return {} })
  app.get('/logout', async ({ session }: any) => { session.delete(); return {} })
}

async function visitorOf (t: Test, plugin: Plugin, options: object = OPTIONS, serverOptions: object = {}): Promise<Visitor> {
  const app = appWith(t, plugin, options, serverOptions)
  addRoutes(app)
  return await Visitor.of(t, app)
}

/** The code of the error that something throws; its name where it has none. */
function thrownBy (run: () => unknown): string {
  try {
    run()
    return 'nothing'
  } catch (error) {
    return (error as { code?: string }).code ?? (error as Error).name
  }
}

// The session object

differs('a change inside a value: the peer loses it, this package keeps it', { items: [1] }, { items: [1, 2] }, async (t, plugin) => {
  return (await after(t, plugin, session => { session.get('cart').items.push(2) })).next.cart
})

differs('data after delete(): the peer still returns it, this package returns none', ['ada', ['user', 'cart']], [null, []], async (t, plugin) => {
  return (await after(t, plugin, session => { session.delete(); return [session.get('user') ?? null, Object.keys(session.data())] })).result
})

differs('set() after delete(): the peer drops it, this package begins a new session', [true, {}], [false, { user: 'grace' }], async (t, plugin) => {
  const { result, next } = await after(t, plugin, session => { session.delete(); session.set('user', 'grace'); return session.deleted })
  return [result, next]
})

differs('delete session.name: the peer does nothing, this package removes the value', { user: 'ada', cart: { items: [1] } }, { cart: { items: [1] } }, async (t, plugin) => {
  return (await after(t, plugin, session => { delete session.user })).next
})

differs('in, Object.keys, spread and JSON.stringify: the peer shows internals, this package the values',
  [false, ['changed', 'deleted'], ['changed', 'deleted'], '{"changed":false,"deleted":false}'],
  [true, ['user', 'cart'], ['user', 'cart'], '{"user":"ada","cart":{"items":[1]}}'],
  async (t, plugin) => (await after(t, plugin, session => ['user' in session, Object.keys(session), Object.keys({ ...session }), JSON.stringify(session)])).result)

differs('a session returned from a handler: the peer sends its flags, this package its values', { changed: true, deleted: false }, { user: 'ada' }, async (t, plugin) => {
  const app = appWith(t, plugin, OPTIONS)
  app.get('/', async ({ session }: any) => { session.set('user', 'ada'); return session })
  return (await (await Visitor.of(t, app)).get('/')).body
})

differs('get() of an inherited name: the peer returns a function of Object, this package undefined', ['function', 'function'], ['undefined', 'undefined'], async (t, plugin) => {
  return (await after(t, plugin, session => [typeof session.get('constructor'), typeof session.get('toString')])).result
})

differs('the time stamp: the peer stores it in the user\'s data, this package separately', ['number', {}], ['undefined', { user: 'ada', cart: { items: [1] }, __ts: 5 }], async (t, plugin) => {
  const { result, next } = await after(t, plugin, session => { const type = typeof session.get('__ts'); session.set('__ts', 5); return type })
  return [result, next]
})

differs('assigning to the name of a method: the peer stores an unreachable value, this package throws', 'nothing', 'FST_SESSION_RESERVED_NAME', async (t, plugin) => {
  return (await after(t, plugin, session => thrownBy(() => { session.data = 'mine' }))).result
})

differs('assigning to changed or deleted: the peer writes or deletes, this package throws', ['nothing', {}], ['FST_SESSION_RESERVED_NAME', { user: 'ada', cart: { items: [1] } }], async (t, plugin) => {
  const { result, next } = await after(t, plugin, session => thrownBy(() => { session.deleted = true; session.changed = true }))
  return [result, next]
})

differs('assigning to request.session: the peer replaces the session, this package throws', 'nothing', 'FST_SESSION_INVALID_OPTION', async (t, plugin) => {
  const app = appWith(t, plugin)
  app.get('/', async (request: any) => ({ thrown: thrownBy(() => { request.session = app.createSecureSession({}) }) }))
  return (await (await Visitor.of(t, app)).get('/')).body.thrown
})

differs('a function as a value: the peer drops it, this package throws', 'nothing', 'FST_SESSION_NOT_SERIALIZABLE', async (t, plugin) => {
  return (await after(t, plugin, session => thrownBy(() => { session.set('call', () => 1) }))).result
})

differs('createSecureSession() without data: the peer throws, this package makes an empty session', 'TypeError', 'nothing', async (t, plugin) => {
  const app = appWith(t, plugin)
  await app.ready()
  return thrownBy(() => app.createSecureSession())
})

differs('createSecureSession(data): the peer changes the caller\'s object, this package copies it', ['user', '__ts'], ['user'], async (t, plugin) => {
  const app = appWith(t, plugin)
  await app.ready()
  const data = { user: 'ada' }
  app.createSecureSession(data)
  return Object.keys(data)
})

// How long it lasts

differs('a session that is only read: the peer ends it after expiry, this package renews it', {}, { user: 'ada', cart: { items: [1] } }, async (t, plugin) => {
  const clock = fakeClock(t)
  const visitor = await visitorOf(t, plugin)
  await visitor.get('/login')
  for (let halfDay = 0; halfDay < 6; halfDay++) {
    clock.advance(DAY_MS / 2)
    await visitor.get('/data')
  }
  return (await visitor.get('/data')).body
})

differs('a session that is written every day: the peer never ends it, this package after 30 days', 'ada', null, async (t, plugin) => {
  const clock = fakeClock(t)
  const visitor = await visitorOf(t, plugin)
  await visitor.get('/login')
  for (let day = 0; day < 31; day++) {
    clock.advance(DAY_MS - HOUR_MS / 2)
    await visitor.get('/touch')
  }
  return (await visitor.get('/data')).body.user ?? null
})

differs('options({ maxAge }): the peer loses it at the next write, this package keeps it', ['Max-Age=864000', null], ['Max-Age=864000', 'Max-Age=864000'], async (t, plugin) => {
  const app = appWith(t, plugin, OPTIONS)
  addRoutes(app)
  app.get('/remember', async ({ session }: any) => { session.set('user', 'ada'); session.options({ maxAge: 864_000 }); return {} })
  const visitor = await Visitor.of(t, app)
  const maxAges = []
  for (const path of ['/remember', '/touch']) maxAges.push(/Max-Age=\d+/.exec((await visitor.get(path)).cookies[0]?.attributes ?? '')?.[0] ?? null)
  return maxAges
})

differs('options({ maxAge }) longer than expiry: the peer ends the session earlier, this package does not', null, 'ada', async (t, plugin) => {
  const clock = fakeClock(t)
  const app = appWith(t, plugin, OPTIONS)
  addRoutes(app)
  app.get('/remember', async ({ session }: any) => { session.set('user', 'ada'); session.options({ maxAge: 864_000 }); return {} })
  const visitor = await Visitor.of(t, app)
  await visitor.get('/remember')
  clock.advance(9 * DAY_MS)
  return (await visitor.get('/data')).body.user ?? null
})

differs('logout of a renewed session: the peer clears one cookie, this package two', ['session'], ['session', 'session.t'], async (t, plugin) => {
  const clock = fakeClock(t)
  const visitor = await visitorOf(t, plugin)
  await visitor.get('/login')
  clock.advance(DAY_MS / 2)
  await visitor.get('/data')
  return (await visitor.get('/logout')).cookies.map(({ name }) => name)
})

// The cookie

differs('without options: the peer\'s cookie has the path of the login, that of this package /', 'HttpOnly; SameSite=Lax', 'HttpOnly; Path=/; SameSite=Lax', async (t, plugin) => {
  const app = appWith(t, plugin)
  app.get('/auth/login', async ({ session }: any) => { session.set('user', 'ada'); return {} })
  return (await (await Visitor.of(t, app)).get('/auth/login')).cookies[0]?.attributes
})

differs('over TLS: the peer sets Secure only if configured, this package automatically', 'HttpOnly; Path=/; SameSite=Lax', 'HttpOnly; Path=/; SameSite=Lax; Secure', async (t, plugin) => {
  const visitor = await visitorOf(t, plugin, OPTIONS, { trustProxy: true })
  return (await visitor.get('/login', { headers: { 'x-forwarded-proto': 'https' } })).cookies[0]?.attributes
})

differs('signed: true: the peer opens a cookie without its signature, this package warns', { signs: true, opensUnsigned: true, warns: false }, { signs: false, opensUnsigned: true, warns: true }, async (t, plugin) => {
  const { visitor, app, warnings } = await logged(t, plugin, { key: KEY, cookie: { path: '/', signed: true } })
  const { cookies: [set] } = await visitor.get('/login')
  visitor.cookies.set('session', encodeURIComponent(app.encodeSecureSession(app.createSecureSession({ user: 'eve' }))))
  return { signs: set?.value.includes('.'), opensUnsigned: (await visitor.get('/data')).body.user === 'eve', warns: warnings.length > 0 }
})

differs('two cookies of the name: the peer uses the first, this package the one that opens', {}, { user: 'ada', cart: { items: [1] } }, async (t, plugin) => {
  const visitor = await visitorOf(t, plugin)
  await visitor.get('/login')
  const cookie = `session=tossed-in; session=${visitor.cookies.get('session')}`
  return (await visitor.get('/data', { headers: { cookie } })).body
})

differs('a cookie of another name with the same key: the peer opens it, this package does not', 'ada', null, async (t, plugin) => {
  const app = appWith(t, plugin, [{ ...OPTIONS, sessionName: 'guest' }, { ...OPTIONS, sessionName: 'admin' }])
  app.get('/guest', async ({ guest }: any) => { guest.set('user', 'ada'); return {} })
  app.get('/admin', async ({ admin }: any) => ({ user: admin.get('user') ?? null }))
  const visitor = await Visitor.of(t, app)
  await visitor.get('/guest')
  visitor.cookies.set('admin', visitor.cookies.get('guest') as string)
  return (await visitor.get('/admin')).body.user
})

differs('a session that does not fit in a cookie: the peer sends it, this package throws', [200, true], [500, false], async (t, plugin) => {
  const app = appWith(t, plugin, OPTIONS)
  app.get('/', async ({ session }: any) => { session.set('big', 'x'.repeat(4000)); return {} })
  const { status, setsCookie } = await (await Visitor.of(t, app)).get('/')
  return [status, setsCookie]
})

differs('a response that sets the cookie: the peer allows shared caches, this package sets no-store', null, 'no-store', async (t, plugin) => {
  return (await (await visitorOf(t, plugin)).get('/login')).headers.get('cache-control')
})

differs('parseOptions of @fastify/cookie: they change the peer\'s cookie, not that of this package',
  'Domain=example.org; HttpOnly; Path=/; SameSite=Lax', 'HttpOnly; Path=/; SameSite=Lax', async (t, plugin) => {
    const app = bare(t)
    await app.register(cookie, { parseOptions: { domain: 'example.org' } } as object)
    app.register(plugin, { ...OPTIONS })
    addRoutes(app)
    return (await (await Visitor.of(t, app)).get('/login')).cookies[0]?.attributes
  })

// Hooks

differs('a hook before the plugin: request.session is null with the peer, a session with this package', null, 'ada', async (t, plugin) => {
  const app = bare(t)
  app.addHook('onRequest', async (request: any) => { request.early = request.session?.get('user') ?? null })
  app.register(plugin, { ...OPTIONS })
  addRoutes(app)
  app.get('/early', async (request: any) => ({ early: request.early }))
  const visitor = await Visitor.of(t, app)
  await visitor.get('/login')
  return (await visitor.get('/early')).body.early
})

differs('a change after the cookie was written: the peer loses it, this package throws', [200, null], [500, 'FST_SESSION_COMMITTED'], async (t, plugin) => {
  const app = bare(t)
  await app.register(plugin, { ...OPTIONS })
  app.addHook('onSend', async ({ session }: any) => { session.set('late', true) })
  app.get('/', async () => ({}))
  const { status, body } = await (await Visitor.of(t, app)).get('/')
  return [status, body.code ?? null]
})

// Keys and options

differs('a session under the second key: the peer rewrites it at any request, this package at a change', true, false, async (t, plugin) => {
  const before = await visitorOf(t, plugin, { key: OTHER_KEY, cookie: { path: '/' } })
  await before.get('/login')
  const app = appWith(t, plugin, { key: [KEY, OTHER_KEY], cookie: { path: '/' } })
  addRoutes(app)
  return (await before.at((await Visitor.of(t, app)).address).get('/data')).setsCookie
})

differs('a key of the wrong length in an array: the peer boots, this package refuses it', false, true, async (t, plugin) => {
  return await bootErrorOf(t, plugin, { key: [KEY, Buffer.alloc(5)] }) !== null
})

differs('a key and a secret together: the peer ignores the secret, this package refuses both', false, true, async (t, plugin) => {
  return await bootErrorOf(t, plugin, { key: KEY, secret: SECRET, salt: SALT }) !== null
})

differs('an unknown option or cookie attribute: the peer ignores it, this package refuses it', [false, false], [true, true], async (t, plugin) => {
  const refused = []
  for (const options of [{ key: KEY, maxAge: 60 }, { key: KEY, cookie: { path: '/', overwrite: true } }]) refused.push(await bootErrorOf(t, plugin, options) !== null)
  return refused
})

differs('a Max-Age of years: the peer sends it, this package refuses it', false, true, async (t, plugin) => {
  return await bootErrorOf(t, plugin, { key: KEY, cookie: { maxAge: 7 * DAY_MS } }) !== null
})

differs('the caller\'s cookie options: the peer changes them, this package does not', ['path', 'httpOnly'], ['path'], async (t, plugin) => {
  const cookie = { path: '/' }
  const app = bare(t)
  await app.register(plugin, { key: KEY, cookie })
  return Object.keys(cookie)
})

differs('a secret without a salt: both use a known salt, and this package warns', 0, 1, async (t, plugin) => {
  const { warnings } = await logged(t, plugin, { secret: SECRET })
  return warnings.length
})

differs('signed cookies of the app: the peer uses the passphrase, this package a derived key', true, false, async (t, plugin) => {
  const app = appWith(t, plugin, { secret: SECRET, salt: SALT })
  await app.ready()
  return app.signCookie('value') === new Signer(SECRET).sign('value')
})

interface Logged {
  readonly app: any
  readonly visitor: Visitor
  readonly warnings: string[]
}

async function logged (t: Test, plugin: Plugin, options: object): Promise<Logged> {
  const warnings: string[] = []
  const stream = { write: (line: string) => { warnings.push(line) } }
  const app = appWith(t, plugin, options, { logger: { level: 'warn', stream } })
  addRoutes(app)
  return { app, visitor: await Visitor.of(t, app), warnings }
}
