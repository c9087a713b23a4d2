import swagger from '@fastify/swagger'
import t from 'tap'
import secureSession from '../../index'
import { bareApp, KEY, OTHER_KEY } from '../helpers/app'
import { documentOf, operation, shop, STALE_REPLY, SUBJECT } from './openapi-shop'

const SESSION = [{ session: [] }]

t.test('with two sessions, both schemes are in the document, and each route has those of its guards', async t => {
  const sessions = [
    { key: KEY, subject: SUBJECT, openapi: true, cookieName: '__Host-session' },
    { key: OTHER_KEY, subject: SUBJECT, openapi: true, sessionName: 'staff' },
    { key: OTHER_KEY, subject: SUBJECT, sessionName: 'quiet' }
  ]
  const document = await documentOf(await shop(t, async app => {
    const [session, staff, quiet] = ['session', 'staff', 'quiet'].map(sessionName => app.requireSession({ sessionName, ...(sessionName === 'staff' && { freshWithin: 60 }) }))
    app.get('/both', { onRequest: [session!, staff!] }, async () => ({}))
    app.get('/staff', { onRequest: [quiet!, staff!] }, async () => ({}))
    app.get('/quiet', { onRequest: quiet! }, async () => ({}))
  }, { sessions }))
  t.match(document.components.securitySchemes, { session: { name: '__Host-session' }, staff: { name: 'staff' }, quiet: { name: 'quiet' } })
  t.strictSame(operation(document, '/both').security, [{ session: [], staff: [] }])
  t.match(operation(document, '/both').responses[401], STALE_REPLY)
  t.strictSame(operation(document, '/staff').security, [{ staff: [] }])
  t.equal(operation(document, '/quiet').security, undefined)
})

t.test('without the option openapi the document has no session', async t => {
  const document = await documentOf(await shop(t, async app => {
    app.get('/me', { onRequest: app.requireSession() }, async () => ({}))
  }, { sessions: [{ key: KEY, subject: SUBJECT }] }))
  t.strictSame(operation(document, '/me'), { responses: { 200: { description: 'Default Response' } } })
})

t.test('a session of an inner scope is in one document with that of the outer scope', async t => {
  const document = await documentOf(await shop(t, async app => {
    await app.register(async scope => {
      await scope.register(secureSession, { key: OTHER_KEY, subject: SUBJECT, sessionName: 'staff', openapi: true })
      t.strictSame(Object.keys(scope.secureSession.securitySchemes), ['staff', 'session'])
      scope.get('/desk', { onRequest: scope.requireSession() }, async () => ({}))
      scope.get('/me', { onRequest: scope.requireSession({ sessionName: 'session' }) }, async () => ({}))
    })
  }, { schemes: { staff: { type: 'apiKey', in: 'cookie', name: 'staff' } } }))
  t.strictSame([operation(document, '/desk').security, operation(document, '/me').security], [[{ staff: [] }], SESSION])
})

t.test('a session whose name is invalid in OpenAPI is refused at boot, if it is to be in the document', async t => {
  const app = bareApp(t)
  await t.rejects(async () => await app.register(secureSession, { key: KEY, sessionName: 'my session', cookieName: 's', openapi: true }), { code: 'FST_SESSION_INVALID_OPTION' })
  await t.resolves(async () => await bareApp(t).register(secureSession, { key: KEY, sessionName: 'my session', cookieName: 's' }))
})

t.test('without @fastify/swagger the option openapi has no effect', async t => {
  const app = bareApp(t)
  await app.register(secureSession, { key: KEY, subject: SUBJECT, openapi: true })
  app.get('/me', { onRequest: app.requireSession() }, async () => ({}))
  t.equal((await app.inject('/me')).statusCode, 401)
  t.equal(app.hasDecorator('swagger'), false)
})

t.test('a document may have another decorator name, and there may be two documents', async t => {
  const app = bareApp(t)
  await app.register(secureSession, { key: KEY, subject: SUBJECT, openapi: true })
  const openapi = { components: { securitySchemes: app.secureSession.securitySchemes } }
  await app.register(swagger, { openapi, decorator: 'inside' as 'swagger' })
  await app.register(swagger, { openapi, decorator: 'outside' as 'swagger' })
  app.get('/me', { onRequest: app.requireSession() }, async () => ({}))
  await app.ready()
  for (const name of ['inside', 'outside']) t.strictSame(operation((app as any)[name](), '/me').security, SESSION)
})
