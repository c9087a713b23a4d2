import csrf from '@fastify/csrf-protection'
import helmet from '@fastify/helmet'
import t from 'tap'
import secureSession from '../../index'
import { bareApp, KEY } from '../helpers/app'
import { fakeClock } from '../helpers/clock'
import { hasHeard, hearAll, take } from '../events/subscribed'
import { addPages, boundBrowser, cookieLines, DeviceBrowser, loggedIn, OPTIONS, shopOf } from './site'

/** What stands before the two routes, and what they tell. */

t.test('nothing that the app adds after the plugin stands before the two routes', async t => {
  const app = bareApp(t, { trustProxy: true })
  await app.register(secureSession, OPTIONS as secureSession.Options)
  const ran: string[] = []
  const isRoute = (url: string): boolean => url.startsWith('/dbsc/')
  app.addHook('onRequest', async ({ url }, reply) => {
    ran.push(url)
    if (isRoute(url)) return await reply.code(401).send('who are you?')
  })
  for (const name of ['preParsing', 'preValidation', 'preHandler'] as const) {
    app.addHook(name as 'preHandler', async ({ url }) => { if (isRoute(url)) throw new Error(name) })
  }
  await app.register(csrf, { sessionPlugin: '@fastify/secure-session' })
  app.addHook('onRequest', (request, reply, done) => { if (isRoute(request.url)) app.csrfProtection(request, reply, done); else done() })
  app.addHook('onRequest', app.requireSession({ when: () => true }))
  app.removeAllContentTypeParsers()
  const sent: string[] = []
  app.addHook('onSend', async ({ url }, reply) => { sent.push(`${url} ${reply.statusCode}`) })
  app.addHook('onResponse', async ({ url }) => { sent.push(url) })
  addPages(app)
  const browser = await boundBrowser(app)
  t.match(await browser.ask('/me'), { user: 'ada', bound: true })
  t.notOk(ran.some(isRoute))
  t.strictSame(sent.filter(isRoute), ['/dbsc/session/register 200', '/dbsc/session/register', '/dbsc/session/refresh 204', '/dbsc/session/refresh'], 'onSend and onResponse run')
})

t.test('what the app adds before the plugin runs first: headers of helmet stay, and a 401 there is the answer', async t => {
  const app = bareApp(t, { trustProxy: true })
  let isClosed = false
  app.addHook('onRequest', async (_request, reply) => { if (isClosed) return await reply.code(429).send({}) })
  await app.register(helmet)
  await app.register(secureSession, OPTIONS as secureSession.Options)
  addPages(app)
  const browser = await loggedIn(app)
  const registered = await browser.register()
  t.match([registered.statusCode, registered.headers['x-content-type-options']], [200, 'nosniff'])
  isClosed = true
  t.equal((await browser.refresh()).statusCode, 429)
})

t.test('the two routes say to rate limits and to documents of the API that they are none of theirs', async t => {
  const app = bareApp(t)
  const routes: unknown[] = []
  app.addHook('onRoute', ({ method, url, config, schema }) => { routes.push([method, url, config?.['rateLimit' as never], schema?.['hide' as never]]) })
  await app.register(secureSession, OPTIONS as secureSession.Options)
  t.strictSame(routes, [['POST', '/dbsc/session/register', false, true], ['POST', '/dbsc/session/refresh', false, true]])
})

t.test('each step of a binding is an event, with the hash of the session', async t => {
  const app = await shopOf(t)
  const heard = hearAll(t)
  const browser = new DeviceBrowser(app)
  await browser.get('/login/ada')
  hasHeard(t, heard, [{ event: 'sealed' }, { event: 'bound', session: 'session', id: /^[\w-]{22}$/, step: 'offered', why: null }])
  await browser.register()
  await browser.refresh()
  await browser.refresh()
  await browser.post('refresh', { 'sec-secure-session-id': browser.identifier })
  const [registered, first, second] = take(heard)
  t.match([registered, first, second], [{ event: 'bound', step: 'registered' }, { step: 'bound' }, { step: 'proven' }])
  t.equal(new Set([registered, first, second].map(event => event?.['id'])).size, 1)
  await browser.get('/login/ada')
  take(heard)
  await browser.refresh()
  hasHeard(t, heard, [{ event: 'bound', step: 'ended', why: 'other-session', id: /./ }])
  browser.cookies.clear()
  await browser.refresh()
  browser.identifier = 'A'.repeat(168)
  await browser.refresh()
  hasHeard(t, heard, [{ step: 'ended', why: 'no-session', id: null }, { step: 'ended', why: 'unknown-device', id: null }])
})

t.test('a stamp that offers it again tells of it, and a pass that is not the session\'s is cleared and makes no first step', async t => {
  const clock = fakeClock(t)
  const app = await shopOf(t)
  const browser = await loggedIn(app)
  clock.advance(7 * 3600_000)
  const heard = hearAll(t)
  await browser.get('/me')
  hasHeard(t, heard, [{ event: 'opened' }, { event: 'renewed' }, { event: 'bound', step: 'offered' }])
  await browser.register()
  browser.cookies.set('session.u', 'x')
  take(heard)
  t.match((await browser.refresh()).headers['set-cookie'], [/^session\.d=/, /^session\.u=; Max-Age=0/])
  hasHeard(t, heard, [{ event: 'bound', step: 'proven' }])
})

t.test('a hook before the plugin that reads the session at a refresh does not take away the new proof', async t => {
  const app = await shopOf(t)
  const hooked = bareApp(t, { trustProxy: true })
  hooked.addHook('onRequest', async request => { request.session?.get('user') })
  await hooked.register(secureSession, OPTIONS as secureSession.Options)
  const browser = (await boundBrowser(app)).copy(hooked)
  browser.cookies.set('session.d', (await boundBrowser(app, 'eve')).cookies.get('session.d') as string)
  const reply = await browser.prove()
  t.strictSame([reply.statusCode, cookieLines(reply)], [204, ['+session.d']])
})

t.test('what a hook before the plugin changes in another session is written with the answer to a refresh', async t => {
  const app = bareApp(t, { trustProxy: true })
  app.addHook('onRequest', async (request: any) => { request.cart.set('seen', request.id) })
  await app.register(secureSession, [OPTIONS, { key: KEY, sessionName: 'cart' }] as secureSession.Options)
  addPages(app)
  const browser = await boundBrowser(app)
  const reply = await browser.refresh()
  t.strictSame([reply.statusCode, cookieLines(reply)], [204, ['+session.d', '+cart']])
})
