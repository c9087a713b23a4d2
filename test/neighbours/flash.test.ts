import type { FastifyInstance, FastifyPluginCallback } from 'fastify'
import t, { type Test } from 'tap'
import secureSession from '../../index'
import { appWith, bareApp, KEY } from '../helpers/app'
import { listen, Visitor, type Form } from './helpers'

// The declarations of @fastify/flash bring in those of @fastify/secure-session, whose `request.session` cannot stand beside ours.
const flash = require('@fastify/flash') as FastifyPluginCallback

interface Flashing { flash (type: string, ...message: unknown[]): number }
interface Flashed { flash (type?: string): Record<string, string[]> | string[] }

/** A site where a form is posted, answered by a redirect, and the page after it shows how it went. */
async function site (t: Test): Promise<FastifyInstance> {
  const app = await appWith(t)
  await app.register(flash)
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => {
    done(null, Object.fromEntries(new URLSearchParams(String(body))))
  })
  app.post('/save', async (request, reply) => {
    for (const [type, message] of Object.entries(request.body as Form)) (request as unknown as Flashing).flash(type, message)
    return reply.redirect('/', 303)
  })
  app.get('/', async (_request, reply) => (reply as unknown as Flashed).flash())
  app.get('/only/:type', async ({ params }, reply) => (reply as unknown as Flashed).flash((params as { type: string }).type))
  app.get('/data', async ({ session }) => session.data())
  return app
}

t.test('a flash message is kept for one redirect, is shown once, and cannot be read by the client', async t => {
  const ada = new Visitor(await listen(await site(t)))
  const saved = await ada.post('/save', { info: 'your letter is on its way' })
  t.equal(saved.status, 303)
  t.equal(saved.headers.get('cache-control'), 'no-store')
  t.notMatch(Buffer.from(String(ada.cookie()), 'base64').toString(), 'letter')
  t.strictSame(await ada.json('/'), { info: ['your letter is on its way'] })
  t.strictSame(await ada.json('/'), {})
})

t.test('flash messages of several types are shown separately', async t => {
  const app = await site(t)
  app.get('/import', async (request, reply) => {
    const { flash } = request as unknown as Flashing
    const counts = [
      flash.call(request, 'warning', ['row 3 has no date', 'row 9 has no name']),
      flash.call(request, 'warning', 'row %d is a copy of row %d', 12, 11),
      flash.call(request, 'info', '9 rows came in')
    ]
    return reply.header('x-counts', counts.join()).redirect('/data')
  })
  const ada = new Visitor(await listen(app))
  await ada.post('/save', { error: 'the first file was empty' })
  const response = await ada.send('/import')
  t.equal(response.headers.get('x-counts'), '2,3,1')
  t.strictSame(await ada.json('/only/info'), ['9 rows came in'])
  t.strictSame(await ada.json('/only/info'), [])
  t.strictSame(await ada.json('/'), {
    error: ['the first file was empty'],
    warning: ['row 3 has no date', 'row 9 has no name', 'row 12 is a copy of row 11']
  })
  t.strictSame(await ada.json('/data'), { flash: {} })
})

t.test('a flash message is shown only to its browser, beside the other values of the session', async t => {
  const app = await site(t)
  app.get('/cart/:item', async ({ session, params }) => { session.set('cart', [(params as { item: string }).item]); return {} })
  const address = await listen(app)
  const ada = new Visitor(address)
  const bob = new Visitor(address)
  await ada.json('/cart/lamp')
  await Promise.all([ada.post('/save', { info: 'for ada' }), bob.post('/save', { info: 'for bob' })])
  t.strictSame([await bob.json('/'), await ada.json('/')], [{ info: ['for bob'] }, { info: ['for ada'] }])
  t.strictSame(await ada.json('/data'), { cart: ['lamp'], flash: {} })
})

t.test('a login that calls regenerate drops earlier messages, unless it names them; a logout can add one', async t => {
  const app = await site(t)
  const login = (keep?: string[]) => async (request: any, reply: any) => {
    request.flash('before', 'please log in')
    request.session.regenerate(keep)
    request.flash('after', 'welcome')
    return reply.redirect('/', 303)
  }
  app.post('/login', login())
  app.post('/login-and-keep', login(['flash']))
  app.post('/logout', async (request, reply) => {
    request.session.delete();
    (request as unknown as Flashing).flash('info', 'goodbye')
    return reply.redirect('/', 303)
  })
  const ada = new Visitor(await listen(app))
  t.strictSame(await ada.submit('/login'), { after: ['welcome'] })
  t.strictSame(await ada.submit('/login-and-keep'), { before: ['please log in'], after: ['welcome'] })
  t.strictSame(await ada.submit('/logout'), { info: ['goodbye'] })
})

t.test('messages that do not fit in a cookie fail their request, and the session stays valid', async t => {
  const ada = new Visitor(await listen(await site(t)))
  await ada.post('/save', { info: 'a short one' })
  const long = await ada.post('/save', { info: 'a long one '.repeat(500) })
  t.equal(long.status, 500)
  t.match(await long.json(), { code: 'FST_SESSION_TOO_LARGE' })
  t.strictSame(await ada.json('/'), { info: ['a short one'] })
})

t.test('flash requires a session at boot, and finds one that was registered first', async t => {
  const app = bareApp(t)
  app.register(flash)
  app.register(secureSession, { key: KEY })
  await t.rejects(async () => await app.ready(), { code: 'FST_ERR_PLUGIN_NOT_PRESENT_IN_INSTANCE' })
  await t.resolves(async () => await site(t))
})
