import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { documentOf, operation, REQUIRED_REPLY, shop, STALE_REPLY } from './openapi-shop'

const SESSION = [{ session: [] }]

t.test('a route with a guard has the session and the 401 reply in the document; one without has neither', async t => {
  const document = await documentOf(await shop(t, async app => {
    app.get('/me', { onRequest: app.requireSession() }, async () => ({}))
    app.get('/open', async () => ({}))
  }))
  const me = operation(document, '/me')
  t.strictSame(me.security, SESSION)
  t.strictSame(me.responses[200], { description: 'Default Response' })
  t.match(me.responses[401], REQUIRED_REPLY)
  t.strictSame(operation(document, '/open'), { responses: { 200: { description: 'Default Response' } } })
  t.match(document.components.securitySchemes, { session: { type: 'apiKey', in: 'cookie', name: 'session' } })
})

t.test('a guard is found in any hook before the handler, alone or in an array', async t => {
  const document = await documentOf(await shop(t, async app => {
    const other = async (): Promise<void> => {}
    for (const hook of ['onRequest', 'preParsing', 'preValidation', 'preHandler'] as const) {
      app.get(`/${hook}/alone`, { [hook]: app.requireSession() }, async () => ({}))
      app.get(`/${hook}/among`, { [hook]: [other, app.requireSession(), other] }, async () => ({}))
    }
    app.get('/none', { onRequest: other, preHandler: [other] }, async () => ({}))
  }))
  for (const [path, { get }] of Object.entries(document.paths)) t.strictSame(get?.['security'], path === '/none' ? undefined : SESSION, path)
})

t.test('the 401 mentions a stale login only on routes with freshWithin, on any of their guards', async t => {
  const document = await documentOf(await shop(t, async app => {
    app.get('/me', { onRequest: app.requireSession() }, async () => ({}))
    app.get('/transfer', { onRequest: app.requireSession(), preHandler: app.requireSession({ freshWithin: '5m' }) }, async () => ({}))
  }))
  t.match(operation(document, '/me').responses[401], REQUIRED_REPLY)
  t.match(operation(document, '/transfer').responses[401], STALE_REPLY)
  t.strictSame(operation(document, '/transfer').security, SESSION)
})

t.test('all routes of a guarded scope have the session, also earlier ones and those of inner scopes', async t => {
  const document = await documentOf(await shop(t, async app => {
    await app.register(async scope => {
      scope.get('/before', async () => ({}))
      scope.register(async inner => { inner.get('/inner-before', async () => ({})) })
      scope.register(scope.sessionGuard, { freshWithin: '5m' })
      scope.get('/after', async () => ({}))
      scope.register(async inner => { inner.get('/inner-after', async () => ({})) })
    }, { prefix: '/api' })
    app.get('/open', async () => ({}))
  }))
  for (const path of ['/api/before', '/api/inner-before', '/api/after', '/api/inner-after']) {
    t.strictSame(operation(document, path).security, SESSION, path)
    t.match(operation(document, path).responses[401], STALE_REPLY, path)
  }
  t.equal(operation(document, '/open').security, undefined)
})

t.test('all routes have the session in the document if the app itself is guarded', async t => {
  const document = await documentOf(await shop(t, async app => {
    app.get('/before', async () => ({}))
    await app.register(app.sessionGuard)
    app.register(async scope => { scope.get('/scope', async () => ({})) })
  }))
  t.strictSame(Object.values(document.paths).map(({ get }) => get?.['security']), [SESSION, SESSION])
})

t.test('the order of registration does not affect the document', async t => {
  const routes = async (app: FastifyInstance): Promise<void> => {
    app.get('/me', { onRequest: app.requireSession() }, async () => ({}))
    await app.register(async scope => { scope.register(scope.sessionGuard); scope.get('/scope', async () => ({})) })
  }
  const [first, second] = [await documentOf(await shop(t, routes)), await documentOf(await shop(t, routes, { swaggerFirst: true }))]
  t.strictSame(second, first)
  t.strictSame(operation(second, '/scope').security, SESSION)
})

t.test('the app\'s own security and replies stay in the document', async t => {
  const schemes = { key: { type: 'apiKey', in: 'header', name: 'x-key' }, bearer: { type: 'http', scheme: 'bearer' } } as const
  const own = { description: 'Go away', type: 'object', properties: { sorry: { type: 'boolean' } } }
  const document = await documentOf(await shop(t, async app => {
    const onRequest = app.requireSession()
    app.addSchema({ $id: 'failure', type: 'object', properties: { sorry: { type: 'string' } } })
    const declare = (url: string, schema: object): void => { app.get(url, { onRequest, schema }, async () => ({})) }
    declare('/either', { security: [{ key: [] }, { bearer: ['a'] }] })
    declare('/optional', { security: [{}] })
    declare('/none', { security: [] })
    declare('/named', { security: [{ session: [] }, { key: [] }] })
    declare('/own', { response: { 401: own } })
    declare('/ref', { response: { 200: { $ref: 'failure#' }, 401: { $ref: 'failure#' } } })
    declare('/others', { response: { 201: { type: 'object' }, 404: own } })
    declare('/nothing', { response: {} })
  }, { schemes }))
  const security = (path: string): unknown => operation(document, path).security
  t.strictSame(security('/either'), [{ key: [], session: [] }, { bearer: ['a'], session: [] }])
  t.strictSame([security('/optional'), security('/none')], [SESSION, SESSION])
  t.strictSame(security('/named'), [{ session: [] }, { key: [] }])
  t.equal(operation(document, '/own').responses[401].description, 'Go away')
  t.match(operation(document, '/ref').responses[401], { content: { 'application/json': { schema: { $ref: '#/components/schemas/def-0' } } } })
  t.strictSame(Object.keys(operation(document, '/others').responses), ['201', '401', '404'])
  t.strictSame(Object.keys(operation(document, '/nothing').responses), ['401'])
})

t.test('if the app defines a schema for all errors, the 401 has it', async t => {
  const own = { type: 'object', properties: { sorry: { type: 'boolean' } } }
  const document = await documentOf(await shop(t, async app => {
    for (const status of ['4xx', '4XX', 'default']) {
      app.get(`/${status}`, { onRequest: app.requireSession(), schema: { response: { [status]: own } } }, async () => ({}))
    }
  }))
  for (const status of ['4xx', '4XX', 'default']) {
    const { responses } = operation(document, `/${status}`)
    t.strictSame(Object.keys(responses), ['401', status.toUpperCase().replace('DEFAULT', 'default')])
    t.match(responses[401], { content: { 'application/json': { schema: own } } })
  }
})

t.test('the 401 is JSON, for every media type of the route', async t => {
  const document = await documentOf(await shop(t, async app => {
    app.get('/page', { onRequest: app.requireSession(), schema: { produces: ['text/html'], response: { 200: { type: 'string' } } } }, async () => '')
  }))
  const { responses } = operation(document, '/page')
  t.strictSame([Object.keys(responses[200].content), Object.keys(responses[401].content)], [['text/html'], ['application/json']])
})

t.test('a hidden route stays hidden', async t => {
  const document = await documentOf(await shop(t, async app => {
    app.get('/hidden', { onRequest: app.requireSession(), schema: { hide: true } }, async () => ({}))
    app.get('/tagged', { onRequest: app.requireSession(), schema: { tags: ['X-HIDDEN'] } }, async () => ({}))
  }))
  t.strictSame(document.paths, {})
})

t.test('a route of several methods has the session in each, and HEAD is like its GET', async t => {
  const document = await documentOf(await shop(t, async app => {
    app.route({ method: ['POST', 'PUT'], url: '/both', onRequest: app.requireSession(), handler: async () => ({}) })
    app.get('/me', { onRequest: app.requireSession(), config: { swagger: { exposeHeadRoute: true } } }, async () => ({}))
  }))
  t.strictSame(Object.keys(document.paths['/me'] ?? {}).sort(), ['get', 'head'])
  for (const [path, method] of [['/both', 'post'], ['/both', 'put'], ['/me', 'get'], ['/me', 'head']] as const) {
    t.strictSame(operation(document, path, method).security, SESSION, method)
    t.match(operation(document, path, method).responses[401], REQUIRED_REPLY)
  }
})
