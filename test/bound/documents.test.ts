import t from 'tap'
import swagger from '@fastify/swagger'
import secureSession from '../../index'
import { bareApp } from '../helpers/app'
import { OPTIONS } from './site'

t.test('the document of the API has the codes of a guard, and not the routes of the exchange', async t => {
  const app = bareApp(t)
  await app.register(secureSession, { ...OPTIONS, openapi: true } as secureSession.Options)
  await app.register(swagger, { openapi: { openapi: '3.1.0', info: { title: 'x', version: '1' }, components: { securitySchemes: app.secureSession.securitySchemes as never } } })
  await app.register(async scope => {
    scope.get('/plain', { onRequest: scope.requireSession() }, async () => ({}))
    scope.get('/bound', { onRequest: scope.requireSession({ bound: true }) }, async () => ({}))
    scope.get('/fresh', { onRequest: scope.requireSession({ provenWithin: '2m', freshWithin: '1h' }) }, async () => ({}))
  })
  await app.ready()
  const document = app.swagger() as any
  const codes = (path: string): unknown => document.paths[path].get.responses['401'].content['application/json'].schema.properties.code.enum
  t.strictSame(codes('/plain'), ['FST_SESSION_REQUIRED', 'FST_SESSION_UNPROVEN'])
  t.strictSame(codes('/bound'), ['FST_SESSION_REQUIRED', 'FST_SESSION_UNBOUND', 'FST_SESSION_UNPROVEN'])
  t.strictSame(codes('/fresh'), ['FST_SESSION_REQUIRED', 'FST_SESSION_STALE', 'FST_SESSION_UNBOUND', 'FST_SESSION_UNPROVEN'])
  const descriptions = ['/plain', '/bound', '/fresh'].map(path => document.paths[path].get.responses['401'].description)
  const unproven = 'another site or origin caused the request, and nothing proves the session.'
  t.strictSame(descriptions, [
    `No user is logged in, or ${unproven}`,
    `No user is logged in, or the session is not bound to a device, or ${unproven}`,
    `No user is logged in, or the login is too old, or the session is not bound to a device, or ${unproven}`
  ])
  t.strictSame(Object.keys(document.paths), ['/plain', '/bound', '/fresh'])
})
