import cookie from '@fastify/cookie'
import helmet from '@fastify/helmet'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import secureSession from '../../index'
import { addRoutes, bareApp, KEY } from '../helpers/app'
import { listen, Visitor } from './helpers'

type Registration = (app: FastifyInstance) => Promise<unknown>

const SESSION: Registration = async app => await app.register(secureSession, { key: KEY })
const HELMET: Registration = async app => await app.register(helmet, { enableCSPNonces: true })
const ORDERS: Record<string, Registration[]> = { 'sessions first': [SESSION, HELMET], 'helmet first': [HELMET, SESSION] }

/** Of the headers that helmet sets, some that mean something to every browser. */
const HELMETS = {
  'content-security-policy': /script-src 'self' 'nonce-[\da-f]{32}'/,
  'strict-transport-security': /max-age=\d+/,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'SAMEORIGIN'
}
const LINE = /^session=[\w-]+; Path=\/; HttpOnly; SameSite=Lax$/

async function site (t: Test, registrations: readonly Registration[]): Promise<FastifyInstance> {
  const app = bareApp(t)
  for (const register of registrations) await register(app)
  addRoutes(app)
  app.get('/two', async ({ session }, reply) => {
    session.set('user', 'ada')
    reply.setCookie('theme', 'dark')
    return { nonce: reply.cspNonce.script }
  })
  app.get('/shared', async ({ session }, reply) => {
    session.set('user', 'ada')
    session.touch()
    reply.header('cache-control', 'private, max-age=60')
    return {}
  })
  app.get('/fails', async ({ session }) => { session.set('tries', 1); throw new Error('no luck') })
  app.get('/plain', { helmet: false }, async ({ session }) => { session.set('user', 'ada'); session.touch(); return {} })
  app.get('/by-hand', (request, reply) => {
    request.session.set('user', 'ada')
    reply.commitSession()
    reply.hijack()
    reply.raw.end('{}')
  })
  return app
}

function told (response: Response): Record<string, string> {
  return Object.fromEntries(response.headers)
}

for (const [order, registrations] of Object.entries(ORDERS)) {
  t.test(`${order}: headers of helmet, the cookie and its Cache-Control are sent; the session is kept`, async t => {
    const ada = new Visitor(await listen(await site(t, registrations)))
    const written = await ada.send('/set/user/ada')
    t.match(told(written), { ...HELMETS, 'cache-control': 'no-store' })
    t.match(written.headers.getSetCookie(), [LINE])
    t.equal(written.headers.getSetCookie().length, 1)
    const read = await ada.send('/get')
    t.match(told(read), HELMETS)
    t.strictSame(await read.json(), { user: 'ada' })
    t.strictSame([read.headers.getSetCookie(), read.headers.get('cache-control')], [[], null])
  })

  t.test(`${order}: other cookies, a nonce, and the route's own Cache-Control are unchanged`, async t => {
    const ada = new Visitor(await listen(await site(t, registrations)))
    const two = await ada.send('/two')
    t.match(two.headers.getSetCookie().sort(), [LINE, /^theme=dark\b/])
    t.equal(two.headers.getSetCookie().length, 2)
    t.match(two.headers.get('content-security-policy'), `'nonce-${(await two.json() as { nonce: string }).nonce}'`)
    const shared = await ada.send('/shared')
    t.match(told(shared), { ...HELMETS, 'cache-control': 'private, max-age=60' })
    t.match(shared.headers.getSetCookie(), [LINE])
  })

  t.test(`${order}: an error, a hijacked reply and a route without helmet have their headers`, async t => {
    const ada = new Visitor(await listen(await site(t, registrations)))
    for (const [url, status] of [['/fails', 500], ['/by-hand', 200]] as const) {
      const response = await ada.send(url)
      t.equal(response.status, status)
      t.match(told(response), { ...HELMETS, 'cache-control': 'no-store' }, url)
      t.match(response.headers.getSetCookie(), [LINE], url)
    }
    t.match(told(await ada.send('/nowhere')), HELMETS)
    const plain = await ada.send('/plain')
    t.equal(plain.headers.get('x-frame-options'), null)
    t.match(plain.headers.getSetCookie(), [LINE])
    t.strictSame(await ada.json('/get'), { tries: 1, user: 'ada' })
  })
}

t.test('an app with its own cookie plugin and helmet for some routes keeps these separate', async t => {
  const app = bareApp(t)
  await app.register(helmet, { global: false })
  await app.register(cookie, { parseOptions: { path: '/elsewhere' } })
  await SESSION(app)
  app.get('/guarded', { helmet: { frameguard: { action: 'deny' } } }, async ({ session }) => { session.set('user', 'ada'); return {} })
  app.get('/open', async ({ session }) => session.data())
  const ada = new Visitor(await listen(app))
  const guarded = await ada.send('/guarded')
  t.equal(guarded.headers.get('x-frame-options'), 'DENY')
  t.match(guarded.headers.getSetCookie(), [LINE])
  const open = await ada.send('/open')
  t.equal(open.headers.get('x-frame-options'), null)
  t.strictSame(await open.json(), { user: 'ada' })
})
