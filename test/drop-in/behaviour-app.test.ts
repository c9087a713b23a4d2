import { Readable } from 'node:stream'
import cookie, { Signer } from '@fastify/cookie'
import fp from 'fastify-plugin'
import t from 'tap'
import { appWith, bare, KEY, OTHER_KEY, SALT, SECRET, withEach } from './packages'
import { linesOf, Visitor } from './visitor'
import { quickPassphrases } from '../helpers/quick-passphrases'

t.teardown(quickPassphrases())

/** How the plugin sits in an app: its decorators, hooks around it, other plugins that want it, and sessions outside a request. */

const OPTIONS = { key: KEY, cookie: { path: '/' } }
const LINE = 'session; HttpOnly; Path=/; SameSite=Lax'

withEach(t, 'a session is created, encoded and decoded without a request', async (t, plugin) => {
  const app = await appWith(t, plugin)
  await app.ready()
  const session = app.createSecureSession({ foo: 'bar' })
  t.equal(session.get('foo'), 'bar')
  t.equal(session.foo, 'bar')
  t.equal(session.get('else'), undefined)
  session.set('more', { deep: [1] })
  const token = app.encodeSecureSession(session)
  t.not(token, app.encodeSecureSession(session))
  const decoded = app.decodeSecureSession(token)
  t.strictSame(decoded.data(), { foo: 'bar', more: { deep: [1] } })
  t.match(decoded, { changed: false, deleted: false })
  t.type(app.encodeSecureSession(app.createSecureSession({})), 'string')
})

withEach(t, 'a token that does not open is null, with one line in the debug log', async (t, plugin) => {
  const app = appWith(t, plugin)
  await app.ready()
  const short = Buffer.alloc(15, 1).toString('base64')
  const bad = ['bogus', `${short};`, `${Buffer.alloc(16, 1).toString('base64')};${Buffer.alloc(24, 2).toString('base64')}`]
  for (const token of bad) {
    let lines = 0
    t.equal(app.decodeSecureSession(token, { debug: () => { lines++ }, trace () {} }), null)
    t.equal(lines, 1)
  }
  t.equal(app.decodeSecureSession(undefined, { debug () {}, trace () {} }), null)
  t.equal(app.decodeSecureSession(''), null)
})

withEach(t, 'functions outside a request take a session name, and throw for an unknown one', async (t, plugin) => {
  const app = appWith(t, plugin, [{ secret: SECRET, salt: SALT, sessionName: 'long' }, { key: OTHER_KEY, sessionName: 'short', cookieName: 'short-term' }])
  await app.ready()
  const long = app.encodeSecureSession(app.createSecureSession({ a: 1 }), 'long')
  const short = app.encodeSecureSession(app.createSecureSession({ b: 2 }), 'short')
  t.strictSame(app.decodeSecureSession(long).data(), { a: 1 }, 'the first is the default')
  t.strictSame(app.decodeSecureSession(long, undefined, 'long').data(), { a: 1 })
  t.strictSame(app.decodeSecureSession(short, undefined, 'short').data(), { b: 2 })
  t.equal(app.decodeSecureSession(long, undefined, 'short'), null)
  t.throws(() => app.encodeSecureSession(app.createSecureSession({}), 'nope'))
  t.throws(() => app.decodeSecureSession('bogus', undefined, 'nope'))
})

withEach(t, 'tokens from outside a request and cookies of a request open in each other\'s place', async (t, plugin) => {
  const app = appWith(t, plugin, OPTIONS)
  app.get('/set', async ({ session }: any) => { session.set('a', 1); return {} })
  app.get('/get', async ({ session }: any) => session.data())
  app.get('/decode', async ({ cookies, headers, log }: any) => [app.decodeSecureSession(cookies.session, log).data(), app.decodeSecureSession(app.parseCookie(headers.cookie).session).data()])
  const visitor = await Visitor.of(t, app)
  visitor.cookies.set('session', encodeURIComponent(app.encodeSecureSession(app.createSecureSession({ b: 2 }))))
  t.strictSame((await visitor.get('/get')).body, { b: 2 })
  await visitor.get('/set')
  t.strictSame((await visitor.get('/decode')).body, [{ a: 1, b: 2 }, { a: 1, b: 2 }])
})

withEach(t, 'an app with @fastify/cookie keeps its own registration', async (t, plugin) => {
  const app = bare(t)
  await app.register(cookie, { secret: 'my-secret', parseOptions: {} })
  await app.register(plugin, { ...OPTIONS })
  const signed = app.signCookie('value')
  t.equal(signed, new Signer('my-secret').sign('value'))
  await t.resolves(app.ready())
})

withEach(t, 'plugins that depend on the plugin by name or by decorator can be registered after it', async (t, plugin) => {
  const app = appWith(t, plugin)
  app.register(fp(async () => {}, { name: 'by-name', dependencies: ['@fastify/secure-session', '@fastify/cookie'] }))
  app.register(fp(async () => {}, { name: 'by-decorator', decorators: { fastify: ['createSecureSession', 'encodeSecureSession', 'decodeSecureSession'], request: ['session', 'cookies'], reply: ['setCookie'] } }))
  await t.resolves(app.ready())
  t.ok(app.hasPlugin('@fastify/secure-session'))
})

withEach(t, 'each export of the package can be registered', async (t, plugin) => {
  for (const name of ['default', 'fastifySecureSession']) {
    const app = appWith(t, plugin[name], OPTIONS)
    app.get('/', async ({ session }: any) => { session.set('a', 1); return session.data() })
    t.strictSame((await (await Visitor.of(t, app)).get('/')).body, { a: 1 }, name)
  }
})

withEach(t, 'two sibling scopes have separate sessions, and the app around them has none', async (t, plugin) => {
  const app = bare(t)
  for (const [name, key] of [['a', KEY], ['b', OTHER_KEY]] as const) {
    app.register(async (scope: any) => {
      scope.register(plugin, { key, cookieName: name, cookie: { path: '/' } })
      scope.get(`/${name}`, async ({ session }: any) => { session.set(name, true); return session.data() })
    })
  }
  app.get('/', async (request: any) => typeof request.session)
  const visitor = await Visitor.of(t, app)
  t.strictSame((await visitor.get('/a')).body, { a: true })
  t.strictSame((await visitor.get('/b')).body, { b: true })
  t.equal((await visitor.get('/')).body, 'undefined')
  t.strictSame([...visitor.cookies.keys()].sort(), ['a', 'b'])
})

withEach(t, 'every hook up to the reply may change the session', async (t, plugin) => {
  const app = bare(t)
  app.addHook('onSend', async ({ session }: any) => { session.set('onSend', 1) })
  await app.register(plugin, { ...OPTIONS })
  for (const hook of ['onRequest', 'preParsing', 'preValidation', 'preHandler', 'preSerialization']) {
    app.addHook(hook, async ({ session }: any) => { session[hook] = 1 })
  }
  let seen
  app.addHook('onResponse', async ({ session }: any) => { seen = Object.keys(session.data()).length })
  app.get('/', async () => ({}))
  app.get('/get', async ({ session }: any) => Object.keys(session.data()))
  const visitor = await Visitor.of(t, app)
  t.strictSame(linesOf(await visitor.get('/')), [LINE])
  t.strictSame((await visitor.get('/get')).body, ['onRequest', 'preParsing', 'preValidation', 'preHandler', 'onSend'].flatMap(hook => hook === 'onSend' ? ['preSerialization', hook] : [hook]))
  t.equal(seen, 6)
})

withEach(t, 'every kind of reply sets the cookie, together with other cookies', async (t, plugin) => {
  const app = appWith(t, plugin, OPTIONS)
  let count = 0
  const set = async ({ session }: any): Promise<void> => { session.set('count', ++count) }
  app.setErrorHandler(async (error: any, { session }: any, reply: any) => { session.set('error', error.message); return reply.code(418).send({}) })
  app.setNotFoundHandler({ preHandler: set }, async (request: any, reply: any) => reply.code(404).send('lost'))
  app.get('/redirect', { preHandler: set }, async (request: any, reply: any) => reply.redirect('/elsewhere', 303))
  app.get('/error', { preHandler: set }, async () => { throw new Error('no') })
  app.get('/stream', { preHandler: set }, async (request: any, reply: any) => reply.send(Readable.from(['a', 'b'])))
  app.get('/early', { preHandler: [set, async (request: any, reply: any) => reply.code(401).send('stop')] }, async () => 'never')
  app.get('/empty', { preHandler: set }, async (request: any, reply: any) => reply.code(204).send())
  app.get('/callback', { preHandler: set }, (request: any, reply: any) => { setImmediate(() => reply.send('later')) })
  app.get('/beside', { preHandler: set }, async (request: any, reply: any) => { reply.header('set-cookie', 'x=1'); reply.setCookie('y', '2', { path: '/' }); return '' })
  const visitor = await Visitor.of(t, app)
  const statuses = { '/redirect': 303, '/error': 418, '/nowhere': 404, '/stream': 200, '/early': 401, '/empty': 204, '/callback': 200 }
  for (const [path, status] of Object.entries(statuses)) {
    const answer = await visitor.get(path)
    t.equal(answer.status, status, path)
    t.strictSame(linesOf(answer), [LINE], path)
  }
  t.strictSame(linesOf(await visitor.ask('/stream', { method: 'HEAD' })), [LINE])
  t.strictSame((await visitor.get('/beside')).cookies.map(({ name }) => name), ['x', 'y', 'session'])
})

withEach(t, 'tests of the app that inject cookies work', async (t, plugin) => {
  const app = appWith(t, plugin, OPTIONS)
  app.get('/set', async ({ session }: any) => { session.set('a', 1); return {} })
  app.get('/get', async ({ session }: any) => session.data())
  app.get('/delete', async ({ session }: any) => { session.delete(); return {} })
  const set = await app.inject('/set')
  t.match(set.cookies, [{ name: 'session', path: '/', httpOnly: true, sameSite: 'Lax' }])
  t.type(set.headers['set-cookie'], 'string')
  t.strictSame((await app.inject({ url: '/get', cookies: { session: set.cookies[0].value } })).json(), { a: 1 })
  t.strictSame((await app.inject({ url: '/get', headers: { cookie: set.headers['set-cookie'] } })).json(), { a: 1 })
  const end = await app.inject({ url: '/delete', headers: { cookie: set.headers['set-cookie'] } })
  t.match(end.cookies[0], { name: 'session', maxAge: 0 })
})
