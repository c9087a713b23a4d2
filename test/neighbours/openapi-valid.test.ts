import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { KEY, OTHER_KEY } from '../helpers/app'
import { listen } from './helpers'
import { documentOf, operation, shop, SUBJECT } from './openapi-shop'

const SESSIONS = [
  { key: KEY, subject: SUBJECT, openapi: true, cookieName: '__Host-session' },
  { key: OTHER_KEY, subject: SUBJECT, openapi: true, sessionName: 'staff' }
]

const ORDER = { type: 'object', required: ['item'], properties: { item: { type: 'string' }, note: { type: 'string', nullable: true } } }

/** Every kind of route that a guard can stand before. */
async function everything (app: FastifyInstance): Promise<void> {
  const onRequest = app.requireSession()
  app.addSchema({ $id: 'failure', type: 'object', properties: { sorry: { type: 'string' } } })
  app.get('/open', async () => ({}))
  app.get('/me', { onRequest, config: { swagger: { exposeHeadRoute: true } } }, async () => ({}))
  app.post('/orders/:id', { preHandler: [app.requireSession({ freshWithin: '5m' })], schema: { body: ORDER, response: { 200: ORDER, '5xx': { $ref: 'failure#' } } } }, async () => ({}))
  app.route({ method: ['PUT', 'DELETE'], url: '/orders/:id', onRequest: [onRequest, app.requireSession({ sessionName: 'staff' })], handler: async () => ({}) })
  app.get('/own', { onRequest, schema: { security: [{ session: [] }], response: { 401: { $ref: 'failure#' } } } }, async () => ({}))
  app.get('/range', { onRequest, schema: { response: { '4xx': { $ref: 'failure#' } } } }, async () => ({}))
  app.get('/null', { onRequest, schema: { response: { 204: { type: 'null', description: 'Nothing' } } } }, async () => ({}))
  await app.register(async scope => {
    scope.register(scope.sessionGuard, { sessionName: 'staff', freshWithin: 60 })
    scope.get('/', { schema: { summary: 'The desk', tags: ['staff'], operationId: 'desk' } }, async () => ({}))
  }, { prefix: '/desk' })
}

for (const version of ['3.0.3', '3.1.0']) {
  t.test(`the document is valid OpenAPI ${version}`, async t => {
    const { Validator } = await import('@seriousme/openapi-schema-validator')
    const document = await documentOf(await shop(t, everything, { sessions: SESSIONS, version }))
    const validator = new Validator()
    const { valid, errors } = await validator.validate(structuredClone(document) as never)
    t.strictSame(errors, undefined)
    t.equal(valid, true)
    t.equal(validator.version, version.slice(0, 3))
    const guarded = Object.values(document.paths).flatMap(Object.values).filter(({ security }) => security !== undefined)
    t.equal(guarded.length, 9)
    for (const { responses } of guarded) t.hasOwnProp(responses, '401')
  })
}

t.test('the validator detects an invalid document', async t => {
  const { Validator } = await import('@seriousme/openapi-schema-validator')
  const document = structuredClone(await documentOf(await shop(t, everything, { sessions: SESSIONS }))) as any
  document.components.securitySchemes.session.in = 'jar'
  t.equal((await new Validator().validate(document)).valid, false)
})

t.test('@fastify/swagger-ui serves the same document, and its page', async t => {
  const app = await shop(t, async app => {
    await app.register(swaggerUi)
    await everything(app)
  }, { sessions: SESSIONS })
  const address = await listen(app)
  const document = await (await fetch(`${address}/documentation/json`)).json()
  t.strictSame(document, JSON.parse(JSON.stringify(app.swagger())))
  t.strictSame(operation(document as never, '/me').security, [{ session: [] }])
  t.match(await (await fetch(`${address}/documentation/yaml`)).text(), /security:\n\s+- session: \[\]/)
  const page = await fetch(`${address}/documentation/`)
  t.match([page.status, page.headers.get('content-type')], [200, /^text\/html/])
  t.match(await page.text(), /swagger-ui/)
})

t.test('a guarded document is only for logged-in users', async t => {
  const app = await shop(t, async app => {
    await app.register(swaggerUi, { uiHooks: { onRequest: app.requireSession() as never } })
    app.get('/login', async ({ session }) => { session.set('user', 'ada'); return {} })
  })
  t.equal((await app.inject('/documentation/json')).statusCode, 401)
  const cookie = String((await app.inject('/login')).headers['set-cookie']).split(';')[0] as string
  t.equal((await app.inject({ url: '/documentation/json', headers: { cookie } })).statusCode, 200)
})
