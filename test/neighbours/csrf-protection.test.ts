import csrfProtection from '@fastify/csrf-protection'
import formbody from '@fastify/formbody'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import type secureSession from '../../index'
import { appWith, KEY, OTHER_KEY } from '../helpers/app'
import { listen, Visitor } from './helpers'

type CsrfOptions = Partial<Parameters<typeof csrfProtection>[1]>

/** A site with a form, a login that starts the session anew, and a page that shows what the session holds. */
async function site (t: Test, csrf: CsrfOptions = {}, options: secureSession.Options = { key: KEY }): Promise<FastifyInstance> {
  const app = await appWith(t, options)
  await app.register(formbody)
  await app.register(csrfProtection, { ...csrf, sessionPlugin: '@fastify/secure-session' })
  app.get('/form', async (_request, reply) => ({ token: reply.generateCsrf() }))
  app.post('/transfer', { preHandler: app.csrfProtection }, async () => ({ done: true }))
  app.post('/login', async ({ session, body }) => {
    const { user, keep } = body as { user: string, keep?: string }
    session.regenerate(keep?.split(','))
    session.set('user', user)
    return {}
  })
  app.post('/logout', async ({ session }) => { session.delete(); return {} })
  app.get('/data', async ({ session }) => session.data())
  return app
}

async function code (response: Response): Promise<unknown> {
  const { code } = await response.json() as { code?: string }
  return [response.status, code]
}

const DONE = [200, undefined]
const NO_SECRET = [403, 'FST_CSRF_MISSING_SECRET']
const WRONG_TOKEN = [403, 'FST_CSRF_INVALID_TOKEN']

t.test('a form contains a CSRF token, and a post without it or with the token of another user is refused', async t => {
  const address = await listen(await site(t))
  const ada = new Visitor(address)
  const eve = new Visitor(address)
  t.strictSame(await code(await ada.post('/transfer')), NO_SECRET)
  const { token } = await ada.json('/form')
  t.strictSame(await code(await ada.post('/transfer')), WRONG_TOKEN)
  t.strictSame(await code(await ada.post('/transfer', { _csrf: token })), DONE)
  t.strictSame(await code(await ada.post('/transfer', {}, { 'csrf-token': token })), DONE)
  const { token: hers } = await eve.json('/form')
  t.strictSame(await code(await ada.post('/transfer', { _csrf: hers })), WRONG_TOKEN)
  t.strictSame(await code(await eve.post('/transfer', { _csrf: token })), WRONG_TOKEN)
})

t.test('the CSRF secret is in the session, and a second form does not write the cookie again', async t => {
  const address = await listen(await site(t))
  const ada = new Visitor(address)
  const first = await ada.send('/form')
  t.match(first.headers.getSetCookie(), [/^session=/])
  t.equal(first.headers.getSetCookie().length, 1)
  t.equal(first.headers.get('cache-control'), 'no-store')
  t.match(Object.entries(await ada.json('/data')), [['_csrf', /^.{16,}$/]])

  const second = await ada.send('/form')
  t.strictSame(second.headers.getSetCookie(), [])
  const tokens = [await first.json(), await second.json()] as Array<{ token: string }>
  t.not(tokens[0]?.token, tokens[1]?.token)
  for (const { token } of tokens) t.strictSame(await code(await ada.post('/transfer', { _csrf: token })), DONE)
})

t.test('a check before parsing reads the token from a header, and the secret can have another name', async t => {
  const app = await site(t, { sessionKey: 'formSecret' })
  app.put('/setting', { onRequest: app.csrfProtection }, async ({ session }) => Object.keys(session))
  const address = await listen(app)
  const ada = new Visitor(address)
  const { token } = await ada.json('/form')
  t.equal((await ada.send('/setting', { method: 'PUT' })).status, 403)
  const response = await ada.send('/setting', { method: 'PUT', headers: { 'x-csrf-token': token } })
  t.strictSame(await response.json(), ['formSecret'])
})

t.test('a login that calls regenerate makes old CSRF tokens invalid, unless it keeps the secret', async t => {
  const address = await listen(await site(t))
  const ada = new Visitor(address)
  const { token: before } = await ada.json('/form')
  await ada.post('/login', { user: 'ada' })
  t.strictSame(await code(await ada.post('/transfer', { _csrf: before })), NO_SECRET)
  const { token: after } = await ada.json('/form')
  t.strictSame(await code(await ada.post('/transfer', { _csrf: before })), WRONG_TOKEN)
  t.strictSame(await code(await ada.post('/transfer', { _csrf: after })), DONE)

  await ada.post('/login', { user: 'ada', keep: '_csrf' })
  t.strictSame(await code(await ada.post('/transfer', { _csrf: after })), DONE, 'a form that is open in another tab')
  await ada.post('/logout')
  t.strictSame(await code(await ada.post('/transfer', { _csrf: after })), NO_SECRET)
})

t.test('with getUserInfo and an HMAC key, the token of one user is invalid for the next', async t => {
  const app = await site(t, {
    csrfOpts: { hmacKey: 'a key for the HMAC of these tests', userInfo: true },
    getUserInfo: ({ session }) => session.get('user') as string
  })
  app.get('/own-form', async ({ session }, reply) => ({ token: reply.generateCsrf({ userInfo: session.get('user') as string }) }))
  const address = await listen(app)
  const shared = new Visitor(address)
  await shared.post('/login', { user: 'ada' })
  const ownForm = await shared.send('/own-form')
  const { token } = await ownForm.json() as { token: string }
  t.equal(ownForm.headers.getSetCookie().length, 1)
  t.strictSame(await code(await shared.post('/transfer', { _csrf: token })), DONE)
  await shared.post('/login', { user: 'bob', keep: '_csrf' })
  t.strictSame(await code(await shared.post('/transfer', { _csrf: token })), WRONG_TOKEN)
  const { token: his } = await shared.json('/own-form')
  t.strictSame(await code(await shared.post('/transfer', { _csrf: his })), DONE)
})

t.test('cookie options of generateCsrf apply to the session until a login, and are not written again', async t => {
  const app = await site(t)
  const options = { maxAge: 600, sameSite: 'strict', signed: false } as const
  app.get('/short-form', async (_request, reply) => ({ token: reply.generateCsrf(options) }))
  const address = await listen(app)
  const ada = new Visitor(address)
  const first = await ada.send('/short-form')
  const { token } = await first.json() as { token: string }
  t.match(first.headers.getSetCookie(), [/^session=[\w-]+; Max-Age=600; Path=\/; HttpOnly; SameSite=Strict$/])
  t.strictSame((await ada.send('/short-form')).headers.getSetCookie(), [])
  t.strictSame(await code(await ada.post('/transfer', { _csrf: token })), DONE)
  const login = await ada.post('/login', { user: 'ada', keep: '_csrf' })
  t.match(login.headers.getSetCookie(), [/^session=[\w-]+; Path=\/; HttpOnly; SameSite=Lax$/])
})

t.test('with several sessions, the CSRF secret is in the one named session', async t => {
  const app = await site(t, {}, [{ sessionName: 'preferences', key: OTHER_KEY }, { sessionName: 'session', key: KEY }])
  app.get('/dark', async (request, reply) => {
    (request as unknown as Record<string, typeof request.session>)['preferences']?.set('theme', 'dark')
    return { token: reply.generateCsrf() }
  })
  const address = await listen(app)
  const ada = new Visitor(address)
  const form = await ada.send('/form')
  t.match(form.headers.getSetCookie(), [/^session=/])
  t.equal(form.headers.getSetCookie().length, 1)

  const eve = new Visitor(address)
  const both = await eve.send('/dark')
  t.strictSame(both.headers.getSetCookie().map(line => line.split('=')[0]).sort(), ['preferences', 'session'])
  const { token } = await both.json() as { token: string }
  t.strictSame(await code(await eve.post('/transfer', { _csrf: token })), DONE)
  t.strictSame(Object.keys(await eve.json('/data')), ['_csrf'])
})
