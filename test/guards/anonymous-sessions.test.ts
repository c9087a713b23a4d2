import csrfProtection from '@fastify/csrf-protection'
import websocket from '@fastify/websocket'
import type { FastifyPluginCallback } from 'fastify'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import secureSession from '../../index'
import { addRoutes, bareApp, type TestApp } from '../helpers/app'
import { listen, Visitor } from '../neighbours/helpers'
import { WITH_SUBJECT } from './site'

// The declarations of @fastify/flash bring in those of @fastify/secure-session, whose `request.session` cannot stand beside ours.
const flash = require('@fastify/flash') as FastifyPluginCallback

/** A site that gives sessions to strangers: for the tokens of its forms, and for messages. */
async function site (t: Test): Promise<TestApp> {
  const app = bareApp(t)
  await app.register(websocket)
  await app.register(secureSession, WITH_SUBJECT)
  await app.register(csrfProtection, { sessionPlugin: '@fastify/secure-session' })
  await app.register(flash)
  addRoutes(app)
  app.get('/form', async (_request, reply) => ({ token: reply.generateCsrf() }))
  app.get('/message', async (request: any) => { request.flash('info', 'hello'); return {} })
  app.get('/private', { onRequest: app.requireSession() }, async ({ session }) => ({ user: session.get('user') }))
  app.post('/transfer', { onRequest: app.requireSession(), preHandler: app.csrfProtection }, async () => ({ done: true }))
  app.get('/chat', { websocket: true, onRequest: app.requireSession({ freshWithin: '1h' }) }, (socket, { session }) => {
    socket.on('message', () => { socket.send(session.get('user')) })
  })
  return app
}

async function answer (response: Response): Promise<unknown[]> {
  return [response.status, (await response.json() as { code?: string }).code]
}

t.test('an anonymous session that a CSRF token began does not pass a guard', async t => {
  const stranger = new Visitor(await listen(await site(t)))
  const { token } = await stranger.json('/form')
  t.match(stranger.cookie(), /^session=/)
  t.strictSame(await answer(await stranger.send('/private')), [401, 'FST_SESSION_REQUIRED'])
  const headers = { 'csrf-token': token }
  t.strictSame(await answer(await stranger.send('/transfer', { method: 'POST', headers })), [401, 'FST_SESSION_REQUIRED'])
  await stranger.send('/set/user/ada')
  t.strictSame(await answer(await stranger.send('/private')), [200, undefined])
  t.strictSame(await answer(await stranger.send('/transfer', { method: 'POST', headers })), [200, undefined])
  t.strictSame(await answer(await stranger.send('/transfer', { method: 'POST' })), [403, 'FST_CSRF_INVALID_TOKEN'])
})

t.test('an anonymous session that a flash message began does not pass a guard', async t => {
  const stranger = new Visitor(await listen(await site(t)))
  await stranger.send('/message')
  t.match(stranger.cookie(), /^session=/)
  t.strictSame(await answer(await stranger.send('/private')), [401, 'FST_SESSION_REQUIRED'])
})

t.test('a WebSocket without a user is refused with 401 and a challenge; one with a user is upgraded', async t => {
  const app = await site(t)
  const address = await listen(app)
  const visitor = new Visitor(address)
  await visitor.send('/form')
  const refused = connect(address, visitor)
  refused.on('error', () => {})
  const [, response] = await once(refused, 'unexpected-response') as [unknown, IncomingMessage]
  response.resume()
  await once(response, 'end')
  t.strictSame([response.statusCode, response.headers['www-authenticate']], [401, 'Cookie realm="session", cookie-name=session'])
  t.equal(app.websocketServer.clients.size, 0)

  await visitor.send('/set/user/ada')
  const socket = connect(address, visitor)
  t.teardown(() => { socket.terminate() })
  await once(socket, 'open')
  socket.send('who am I?')
  t.equal(String((await once(socket, 'message'))[0]), 'ada')
})

function connect (address: string, visitor: Visitor): WebSocket {
  return new WebSocket(`${address.replace('http:', 'ws:')}/chat`, { headers: { cookie: visitor.cookie() as string } })
}
