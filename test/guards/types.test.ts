import fastify, { type FastifyInstance, type RouteGenericInterface } from 'fastify'
import { createServer } from 'node:http'
import t from 'tap'
import secureSession from '../../index'
import { KEY } from '../helpers/app'
import { subject } from './site'

// Most of this is for the compiler: guards must fit routes and apps of every type.

interface Order extends RouteGenericInterface {
  Params: { id: string }
  Body: { count: number }
  Reply: { ok: boolean }
}

async function declare (app: FastifyInstance): Promise<void> {
  await app.register(secureSession, { key: KEY, subject, openapi: true })
  const guard = app.requireSession({ freshWithin: '5m', when: async session => session.has('user') })
  app.post<Order>('/orders/:id', { onRequest: guard, preParsing: [guard], preValidation: guard, preHandler: [guard] }, async () => ({ ok: true }))
  app.route<Order>({ method: 'PUT', url: '/orders/:id', onRequest: [app.requireSession()], handler: async () => ({ ok: true }) })
  await app.register(app.sessionGuard, { sessionName: 'session', freshWithin: 60 })
  await app.register(async scope => { scope.addHook('onRequest', scope.requireSession()) }, { prefix: '/x', logLevel: 'warn' })
  await app.register(async scope => { await scope.register(scope.sessionGuard, { prefix: '/x' }) })
  // @ts-expect-error: options of guards are known
  await app.register(app.sessionGuard, { fresh: 60 }).after(() => {}).then(() => {}, () => {})
}

t.test('guards can be used on typed routes', async t => {
  const app = fastify()
  t.teardown(() => app.close())
  await t.rejects(async () => { await declare(app); await app.ready() }, { code: 'FST_SESSION_INVALID_OPTION' })
})

t.test('guards can be used on an app over HTTP/2 and on an app with its own server', async t => {
  const overHttp2 = fastify({ http2: true })
  t.teardown(() => overHttp2.close())
  await overHttp2.register(secureSession, { key: KEY, subject })
  overHttp2.get<Order>('/', { onRequest: overHttp2.requireSession() }, async () => ({ ok: true }))
  const own = fastify({ serverFactory: handler => createServer(handler) })
  t.teardown(() => own.close())
  await own.register(secureSession, { key: KEY, subject })
  own.get('/', { preHandler: own.requireSession() }, async () => ({}))
  for (const app of [overHttp2, own]) t.equal((await app.inject('/')).statusCode, 401)
})

t.test('the compiler checks the options of a guard', async t => {
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(secureSession, { key: KEY, subject })
  const REFUSED = { code: 'FST_SESSION_INVALID_OPTION' }
  // @ts-expect-error: a function
  t.throws(() => app.requireSession({ when: true }), REFUSED)
  // @ts-expect-error: a duration
  t.throws(() => app.requireSession({ freshWithin: true }), REFUSED)
  // @ts-expect-error: a known name
  t.throws(() => app.requireSession({ fresh: 60 }), REFUSED)
  // @ts-expect-error: a yes or no
  t.type(app.requireSession({ when: session => session.info }), 'function')
})
