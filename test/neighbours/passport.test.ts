import formbody from '@fastify/formbody'
import type { FastifyInstance, FastifyPluginAsync, preValidationHookHandler } from 'fastify'
import { Strategy } from 'passport-local'
import t, { type Test } from 'tap'
import { appWith } from '../helpers/app'
import { listen, Visitor } from './helpers'

/** What is used of an authenticator here. */
interface PassportAuthenticator {
  use (strategy: unknown): void
  initialize (): FastifyPluginAsync
  secureSession (): FastifyPluginAsync
  authenticate (strategy: string, options?: object): preValidationHookHandler
  registerUserSerializer (serialize: (user: User) => Promise<unknown>): void
  registerUserDeserializer (deserialize: (stored: number) => Promise<User | null>): void
}

interface PassportRequest {
  readonly user: User | null
  logIn (user: User, options?: object): Promise<void>
  logOut (): Promise<void>
  isAuthenticated (): boolean
}

interface User { readonly id: number, readonly name: string, readonly password: string }

// The declarations of @fastify/passport bring in those of @fastify/secure-session, whose `request.session` cannot stand beside ours.
const { Authenticator } = require('@fastify/passport') as { Authenticator: new (options?: object) => PassportAuthenticator }

const ADA = { user: 'ada', password: 'analytical' }

interface Site {
  readonly app: FastifyInstance
  readonly passport: PassportAuthenticator
  readonly users: Map<number, User>
}

/** A site whose users log in with a form; who is logged in is looked up by the id that the session holds. */
async function site (t: Test, options: object = {}, login: object = {}): Promise<Site> {
  const users = new Map([{ id: 7, name: 'ada', password: 'analytical' }, { id: 8, name: 'bob', password: 'builder' }].map(user => [user.id, user]))
  const passport = new Authenticator(options)
  passport.use(new Strategy({ usernameField: 'user' }, (name, password, done) => {
    const user = [...users.values()].find(user => user.name === name)
    if (user?.password === password) done(null, user)
    else done(null, false, { type: 'error', message: 'wrong name or password' } as object as { message: string })
  }))
  passport.registerUserSerializer(async ({ id }) => id)
  passport.registerUserDeserializer(async id => users.get(id) ?? null)

  const app = await appWith(t)
  await app.register(formbody)
  await app.register(passport.initialize())
  await app.register(passport.secureSession())
  app.post('/login', { preValidation: passport.authenticate('local', login) }, async ({ session }) => session.info)
  app.post('/logout', async request => { await (request as unknown as PassportRequest).logOut(); return {} })
  app.get('/me', async (request, reply) => {
    const { user } = request as unknown as PassportRequest
    return user === null ? reply.code(401).send({}) : { name: user.name }
  })
  app.get('/set/:key/:value', async ({ session, params }) => {
    const { key, value } = params as { key: string, value: string }
    session.set(key, { value })
    return {}
  })
  app.get('/data', async ({ session }) => session.data())
  app.get('/info', async ({ session }) => session.info)
  return { app, passport, users }
}

t.test('a user who logs in with a form is known to later requests, and other browsers are not', async t => {
  const address = await listen((await site(t)).app)
  const ada = new Visitor(address)
  const stranger = new Visitor(address)
  const wrong = await ada.post('/login', { ...ADA, password: 'wrong' })
  t.strictSame([wrong.status, wrong.headers.getSetCookie()], [401, []])
  t.equal((await ada.send('/me')).status, 401)
  t.equal((await ada.post('/login', ADA)).status, 200)
  t.strictSame(await ada.json('/me'), { name: 'ada' })
  t.strictSame(await ada.json('/data'), { passport: 7 })
  t.equal((await stranger.send('/me')).status, 401)
})

t.test('parallel requests of a logged-in user all know the user, and none writes a cookie', async t => {
  const address = await listen((await site(t)).app)
  const ada = new Visitor(address)
  await ada.post('/login', ADA)
  const responses = await Promise.all(Array.from({ length: 20 }, async () => await ada.send('/me')))
  for (const response of responses) {
    t.strictSame([await response.json(), response.headers.getSetCookie()], [{ name: 'ada' }, []])
  }
})

t.test('a login begins a new session, so a planted or copied one is not logged in', async t => {
  const address = await listen((await site(t)).app)
  const ada = new Visitor(address)
  await ada.json('/set/cart/lamp')
  const before = await ada.json('/info')
  const thief = ada.thief()
  const login = await ada.post('/login', ADA)
  const atLogin = await login.json() as { id: string }
  const after = await ada.json('/info')
  t.not(after.id, before.id)
  t.equal(after.id, atLogin.id)
  t.ok(after.createdAt >= before.createdAt)
  t.equal((await thief.send('/me')).status, 401)
  t.match(await thief.json('/info'), { id: before.id })

  await ada.post('/login', ADA)
  t.not((await ada.json('/info')).id, after.id, 'and a second login, too')
})

t.test('a login removes all values of the session before it', async t => {
  const ada = new Visitor(await listen((await site(t)).app))
  await ada.json('/set/cart/lamp')
  await ada.post('/login', ADA)
  t.strictSame(await ada.json('/data'), { passport: 7 })
})

t.test('keepSessionInfo keeps all values of the session, under a new id', async t => {
  const ada = new Visitor(await listen((await site(t, {}, { keepSessionInfo: true })).app))
  for (const key of ['cart', 'options', 'data', 'constructor']) await ada.json(`/set/${key}/of-before`)
  const { id } = await ada.json('/info')
  await ada.post('/login', ADA)
  const value = { value: 'of-before' }
  t.strictSame(Object.entries(await ada.json('/data')).sort(), [['cart', value], ['constructor', value], ['data', value], ['options', value], ['passport', 7]])
  t.not((await ada.json('/info')).id, id)
})

t.test('clearSessionIgnoreFields keeps named values, clearSessionOnLogin: false all; the id is new', async t => {
  const value = { value: 'x' }
  const kept: Array<[object, object]> = [
    [{ clearSessionIgnoreFields: ['language'] }, { language: value, passport: 7 }],
    [{ clearSessionOnLogin: false }, { language: value, cart: value, passport: 7 }]
  ]
  for (const [options, data] of kept) {
    const ada = new Visitor(await listen((await site(t, options)).app))
    await ada.json('/set/language/x')
    await ada.json('/set/cart/x')
    const { id } = await ada.json('/info')
    await ada.post('/login', ADA)
    t.strictSame(await ada.json('/data'), data)
    t.not((await ada.json('/info')).id, id)
  }
})

t.test('a logout removes the user and all values, or with clearSessionOnLogin: false the user alone', async t => {
  for (const [options, left] of [[{}, {}], [{ clearSessionOnLogin: false }, { cart: { value: 'lamp' } }]]) {
    const ada = new Visitor(await listen((await site(t, options)).app))
    await ada.post('/login', ADA)
    await ada.json('/set/cart/lamp')
    const { id } = await ada.json('/info')
    await ada.post('/logout')
    t.equal((await ada.send('/me')).status, 401)
    t.strictSame(await ada.json('/data'), left)
    t.not((await ada.json('/info')).id, id)
  }
})

t.test('a logout that ends the session clears its cookie, and a login after it works', async t => {
  const { app } = await site(t)
  app.post('/leave', async request => {
    await (request as unknown as PassportRequest).logOut()
    request.session.delete()
    return {}
  })
  const ada = new Visitor(await listen(app))
  await ada.post('/login', ADA)
  t.match((await ada.post('/leave')).headers.getSetCookie()[0], /^session=; Max-Age=0;/)
  t.equal(ada.cookie(), undefined)
  await ada.post('/login', { user: 'bob', password: 'builder' })
  t.strictSame(await ada.json('/me'), { name: 'bob' })
})

t.test('a user who was deleted is logged out at the next request; a lookup that fails answers 500', async t => {
  const { app, users } = await site(t)
  const ada = new Visitor(await listen(app))
  await ada.post('/login', ADA)
  const user = users.get(7) as User
  users.delete(7)
  t.equal((await ada.send('/me')).status, 401)
  t.strictSame(await ada.json('/data'), {})
  users.set(7, user)
  t.equal((await ada.send('/me')).status, 401)

  await ada.post('/login', ADA)
  users.get = () => { throw new Error('the database is away') }
  t.equal((await ada.send('/me')).status, 500)
})

t.test('failureFlash shows the reason on the next page, once, and it is gone after the login', async t => {
  const { app } = await site(t, {}, { failureFlash: true, failureRedirect: '/form', successRedirect: '/me' })
  app.get('/form', async (_request, reply) => (reply as unknown as { flash (): object }).flash())
  const ada = new Visitor(await listen(app))
  t.strictSame(await ada.submit('/login', { ...ADA, password: 'wrong' }), { error: ['wrong name or password'] })
  t.strictSame(await ada.json('/form'), {})
  t.strictSame(await ada.submit('/login', ADA), { name: 'ada' })
  t.strictSame(await ada.json('/data'), { passport: 7 })
})

t.test('a user who was sent to the login returns to the requested page', async t => {
  const { app } = await site(t, {}, { successReturnToOrRedirect: '/me', keepSessionInfo: true })
  app.get('/orders', async (request, reply) => {
    if ((request as unknown as PassportRequest).isAuthenticated()) return { orders: [] }
    request.session.set('returnTo', request.url)
    return reply.code(401).send({})
  })
  const ada = new Visitor(await listen(app))
  t.equal((await ada.send('/orders')).status, 401)
  t.strictSame(await ada.submit('/login', ADA), { orders: [] })
  t.strictSame(await ada.json('/data'), { passport: 7 })
  t.strictSame(await ada.submit('/login', ADA), { name: 'ada' })
})

t.test('a login for one request alone writes no session', async t => {
  const ada = new Visitor(await listen((await site(t, {}, { session: false })).app))
  const once = await ada.post('/login', ADA)
  t.strictSame([once.status, once.headers.getSetCookie()], [200, []])
  t.equal((await ada.send('/me')).status, 401)
})
