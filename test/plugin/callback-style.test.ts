import t from 'tap'
import fp from 'fastify-plugin'
import secureSession from '../../index'
import { addRoutes, bareApp, KEY } from '../helpers/app'
import { Browser } from '../helpers/browser'

t.test('a plugin that wraps this one can call it with a callback', async t => {
  const app = bareApp(t)
  app.register(fp((app, options: secureSession.Options, next) => { secureSession(app, options, next) }), { key: KEY })
  addRoutes(app)
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  t.strictSame(await browser.json('/get'), { user: 'ada' })
})

t.test('an error of the options is passed to the callback', async t => {
  const app = bareApp(t)
  app.register(fp((app, options: secureSession.Options, next) => { secureSession(app, options, next) }), { key: 'short' })
  await t.rejects(async () => { await app.ready() }, { code: 'FST_SESSION_INVALID_KEY' })
})

t.test('without a callback, the plugin returns a promise', async t => {
  const app = bareApp(t)
  app.register(fp(async (app, options: secureSession.Options) => { await secureSession(app, options) }), { key: KEY })
  await app.ready()
  t.ok(app.hasRequestDecorator('session'))
})

t.test('a plugin with @fastify/secure-session among its dependencies can be registered', async t => {
  const app = bareApp(t)
  app.register(secureSession, { key: KEY })
  app.register(fp(async () => {}, { name: 'theirs', dependencies: ['@fastify/secure-session', '@fastify/cookie'], decorators: { request: ['session'] } }))
  await app.ready()
  t.ok(app.hasPlugin('theirs'))
  t.ok(app.hasPlugin('fastify-sealed-session'))
})
