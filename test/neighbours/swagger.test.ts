import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import secureSession from '../../index'
import { bareApp, KEY, OTHER_KEY } from '../helpers/app'
import { listen, Visitor } from './helpers'

type Registration = (app: FastifyInstance) => Promise<unknown>

const OPENAPI = {
  openapi: '3.1.0',
  info: { title: 'a shop', version: '1.0.0' },
  components: { securitySchemes: { login: { type: 'apiKey', in: 'cookie', name: 'session' } } }
} as const

const DOCUMENTS: Registration = async app => await app.register(swagger, { openapi: OPENAPI })
const SESSIONS: Registration = async app => await app.register(secureSession, { key: KEY })
const SEVERAL: Registration = async app => await app.register(secureSession, [{ key: KEY }, { key: OTHER_KEY, sessionName: 'basket', cookieName: 'b' }])

const ITEM = { type: 'object', required: ['item', 'count'], properties: { item: { type: 'string' }, count: { type: 'integer', minimum: 1 } } } as const

/** A shop with schemas for all that goes in and comes out. */
async function shop (t: Test, ...registrations: Registration[]): Promise<FastifyInstance> {
  const app = bareApp(t)
  for (const register of registrations) await register(app)
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger())
  app.post('/cart', {
    schema: { summary: 'Puts something in the cart', body: ITEM, response: { 200: { type: 'array', items: ITEM } } }
  }, async ({ session, body }) => {
    session.set('cart', [...session.get('cart') ?? [], body])
    return session.get('cart')
  })
  app.get('/me', {
    schema: {
      security: [{ login: [] }],
      querystring: { type: 'object', properties: { as: { type: 'string', default: 'ada' } } },
      response: { 200: { type: 'object', properties: { user: { type: 'string' }, cart: { type: 'array', items: ITEM } } } }
    }
  }, async ({ session, query }) => {
    session.set('user', (query as { as: string }).as)
    session.set('accessToken', 'not for the client')
    return session
  })
  return app
}

async function documentOf (t: Test, ...registrations: Registration[]): Promise<Record<string, any>> {
  return await new Visitor(await listen(await shop(t, ...registrations))).json('/openapi.json')
}

t.test('the document is the same with and without sessions, in either order of registration', async t => {
  const without = await documentOf(t, DOCUMENTS)
  t.strictSame(Object.keys(without['paths']), ['/cart', '/me'])
  t.strictSame(await documentOf(t, SESSIONS, DOCUMENTS), without)
  t.strictSame(await documentOf(t, DOCUMENTS, SESSIONS), without)
  t.strictSame(await documentOf(t, SEVERAL, DOCUMENTS), without)
})

t.test('the app\'s own security scheme for the cookie is unchanged in the document', async t => {
  const document = await documentOf(t, SESSIONS, DOCUMENTS)
  t.strictSame(document['components'].securitySchemes, OPENAPI.components.securitySchemes)
  t.strictSame(document['paths']['/me'].get.security, [{ login: [] }])
  t.equal(document['paths']['/cart'].post.security, undefined)
})

t.test('serving the document opens no session and writes no cookie', async t => {
  const app = await shop(t, DOCUMENTS, SESSIONS)
  const ada = new Visitor(await listen(app))
  await ada.send('/me')
  const response = await ada.send('/openapi.json')
  t.strictSame([response.status, response.headers.getSetCookie(), response.headers.get('cache-control')], [200, [], null])
})

t.test('schemas check values before they are stored in a session, and filter them in replies', async t => {
  const ada = new Visitor(await listen(await shop(t, DOCUMENTS, SESSIONS)))
  const post = async (body: object): Promise<Response> => await ada.send('/cart', { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } })
  const refused = await post({ item: 'lamp', count: 0 })
  t.strictSame([refused.status, refused.headers.getSetCookie()], [400, []])
  await post({ item: 'lamp', count: 1 })
  t.strictSame(await (await post({ item: 'rug', count: 2 })).json(), [{ item: 'lamp', count: 1 }, { item: 'rug', count: 2 }])
  t.strictSame(await ada.json('/me'), { user: 'ada', cart: [{ item: 'lamp', count: 1 }, { item: 'rug', count: 2 }] }, 'and no access token')
})
