import t from 'tap'
import { documentOf, operation, shop } from './openapi-shop'

const DETAILS = { reason: 'nobody', help: 'https://example.com/login' }

t.test('the OpenAPI option changes no reply: the fields of an error handler are sent', async t => {
  const app = await shop(t, async app => {
    app.setErrorHandler(async (_error, _request, reply) => await reply.code(401).send(DETAILS))
    app.get('/plain', { onRequest: app.requireSession() }, async () => ({}))
    app.get('/typed', { onRequest: app.requireSession(), schema: { response: { 200: { type: 'object', properties: { ok: { type: 'boolean' } } } } } }, async () => ({ ok: true }))
  })
  t.hasOwnProp(operation(await documentOf(app), '/plain').responses, '401')
  for (const url of ['/plain', '/typed']) t.strictSame((await app.inject(url)).json(), DETAILS, url)
})

t.test('a route\'s own serializers and validators stay in use', async t => {
  const app = await shop(t, async app => {
    const schema = {
      querystring: { type: 'object', required: ['n'], properties: { n: { type: 'integer' } } },
      response: { 200: { type: 'object', properties: { n: { type: 'integer' } } }, '4xx': { type: 'object', properties: { code: { type: 'string' } } } }
    }
    app.get('/n', { preHandler: app.requireSession({ when: session => session.has('user') }), schema }, async () => ({}))
    app.get('/open', { schema }, async ({ query }) => ({ ...query as object, secret: 'x' }))
  })
  await documentOf(app)
  t.strictSame((await app.inject('/n?n=1')).json(), { code: 'FST_SESSION_REQUIRED' })
  t.strictSame((await app.inject('/n?n=x')).json(), { code: 'FST_ERR_VALIDATION' })
  t.strictSame((await app.inject('/open?n=1')).json(), { n: 1 })
})

t.test('a schema that routes share is not changed, and a route without a guard has no 401', async t => {
  const shared = { summary: 'shared', security: [{ key: [] }], response: { 200: { type: 'object', properties: {} } } }
  const before = JSON.stringify(shared)
  const app = await shop(t, async app => {
    app.get('/guarded', { onRequest: app.requireSession(), schema: shared }, async ({ routeOptions }) => Object.keys(routeOptions.schema?.response ?? {}))
    app.get('/open', { schema: shared }, async () => ({}))
  }, { schemes: { key: { type: 'apiKey', in: 'header', name: 'x-key' } } })
  const document = await documentOf(app)
  t.equal(JSON.stringify(shared), before)
  t.strictSame(operation(document, '/guarded').security, [{ key: [], session: [] }])
  t.strictSame(operation(document, '/open').security, [{ key: [] }])
  t.strictSame(Object.keys(operation(document, '/open').responses), ['200'])
})

t.test('a schema with its own serializer has the security of the session and is otherwise unchanged', async t => {
  class Shape { readonly isShape = true }
  const app = await shop(t, async app => {
    const onRequest = app.requireSession()
    const serializerCompiler = () => (data: unknown) => JSON.stringify(data)
    app.get('/route', { onRequest, serializerCompiler, schema: { response: { 200: { type: 'object' } } } }, async () => ({}))
    await app.register(async scope => {
      scope.setSerializerCompiler(serializerCompiler)
      scope.get('/scope', { onRequest }, async () => ({}))
    })
    await app.register(async scope => {
      scope.get('/shape', { onRequest, schema: { response: { 200: new Shape() } } }, async () => ({}))
      scope.get('/bare', { onRequest, schema: { response: { 200: Object.assign(Object.create(null), { type: 'object' }) } } }, async () => ({}))
    })
    await app.register(async scope => {
      scope.get('/after', { onRequest }, async () => ({}))
      scope.setSerializerCompiler(serializerCompiler)
    })
  })
  const document = await documentOf(app)
  const has401 = (path: string): boolean => Object.hasOwn(operation(document, path).responses, '401')
  for (const [path, item] of Object.entries(document.paths)) t.strictSame(item['get']?.security, [{ session: [] }], path)
  t.strictSame(['/route', '/scope', '/shape', '/after', '/bare'].map(has401), [false, false, false, false, true])
})

t.test('an app that transforms its schemas for the document receives those with the session', async t => {
  const app = await shop(t, async app => {
    app.get('/me', { onRequest: app.requireSession(), config: { swaggerTransform: ({ schema, url }) => ({ schema: { ...schema, summary: 'me' }, url: `/v1${url}` }) } }, async () => ({}))
  })
  t.match(operation(await documentOf(app), '/v1/me'), { summary: 'me', security: [{ session: [] }] })
})
