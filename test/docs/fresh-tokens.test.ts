import fastify from 'fastify'
import formbody from '@fastify/formbody'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import * as subpath from '../../lib/fresh-tokens'
import { appWith, type TestApp } from '../helpers/app'
import { Browser } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'
import { startRedis } from '../helpers/redis'
import { runSnippet } from '../helpers/snippet'
import { CODES, pageOf } from './page'

const { PAGE, block, blocks } = pageOf('fresh-tokens.md')

interface Site {
  readonly app: TestApp
  /** What the provider was sent to refresh, and to revoke. */
  readonly asked: string[]
  readonly revoked: string[]
  /** Access tokens that the API does not take. */
  readonly refused: Set<string>
  status: number
}

/** The site of the page, a provider and an API. */
async function site (t: Test): Promise<Site> {
  const elsewhere = fastify()
  t.teardown(() => elsewhere.close())
  await elsewhere.register(formbody)
  let count = 0
  const issued = (): object => ({ access_token: `access-${++count}`, refresh_token: `refresh-${count}`, expires_in: 300 })
  elsewhere.post('/token', async (request, reply) => {
    const { grant_type: type, refresh_token: token } = request.body as Record<string, string>
    found.asked.push(`${type} ${token}`)
    if (found.status !== 200) return await reply.code(found.status).send({ error: found.status === 400 ? 'invalid_grant' : 'server_error' })
    return issued()
  })
  elsewhere.get('/orders', async ({ headers }, reply) => {
    const token = String(headers.authorization).replace('Bearer ', '')
    return found.refused.has(token) ? await reply.code(401).send({}) : { token }
  })
  const address = await elsewhere.listen({ port: 0, host: '127.0.0.1' })
  const provider = {
    tokenUrl: `${address}/token`,
    headers: {},
    exchange: async () => ({ ...issued(), user: 'ada' }),
    revoke: async (token: string) => { found.revoked.push(token) }
  }
  const app = await appWith(t)
  const code = ['app.register(freshTokens', '/login/callback', '/logout'].map(text => {
    return blocks('js').find(block => block.includes(text)) as string
  }).join('\n')
  runSnippet(code, { app, provider, api: { url: `${address}/orders` }, require: () => subpath })
  const found: Site = { app, asked: [], revoked: [], refused: new Set(), status: 200 }
  return found
}

t.test('docs/fresh-tokens.md: a user logs in, tokens are refreshed, refused ones are replaced, and a logout revokes the newest', async t => {
  const clock = fakeClock(t, Date.now())
  const found = await site(t)
  const browser = new Browser(found.app)
  t.equal((await browser.get('/login/callback?code=x')).headers.location, '/orders')
  t.strictSame(await browser.json('/orders'), { token: 'access-1' })
  clock.advance(240_000)
  const answers = await Promise.all([browser, browser.copy(), browser.copy()].map(async tab => await tab.json('/orders')))
  t.strictSame(answers, Array(3).fill({ token: 'access-2' }))
  found.refused.add('access-2')
  const old = browser.copy()
  t.strictSame(await browser.json('/orders'), { token: 'access-3' })
  t.strictSame(found.asked, ['refresh_token refresh-1', 'refresh_token refresh-2'])
  await old.get('/logout', { method: 'POST' })
  t.strictSame(found.revoked, ['refresh-3'])
  t.equal(old.cookies.size, 0)
})

t.test('docs/fresh-tokens.md: an outage and the end of a grant have the codes of the page', async t => {
  const clock = fakeClock(t, Date.now())
  const found = await site(t)
  const browser = new Browser(found.app)
  await browser.get('/login/callback?code=x')
  clock.advance(300_000)
  for (const [status, expected] of [[500, 503], [400, 401], [200, 401]] as const) {
    found.status = status
    const { code, statusCode } = await browser.json('/orders')
    t.match(PAGE, `| \`${code}\` | ${statusCode} |`)
    t.equal(statusCode, expected)
  }
  t.equal(found.asked.length, 2)
  await browser.get('/logout', { method: 'POST' })
  t.strictSame(found.revoked, [])
})

t.test('docs/fresh-tokens.md: several processes share a Redis', async t => {
  const redis = await startRedis()
  t.teardown(async () => { await redis.remove() })
  const client = new Redis(redis.url)
  t.teardown(() => { client.disconnect() })
  const clock = fakeClock(t, Date.now())
  let count = 0
  const refresh = async (): Promise<subpath.Tokens> => {
    return { accessToken: `access-${++count}`, refreshToken: 'r', expiresAt: Date.now() + 300_000 }
  }
  const apps = await Promise.all([1, 2].map(async () => {
    const app = await appWith(t)
    runSnippet(block(t, 'js', 'lock: redis'), { app, freshTokens: subpath.freshTokens, refresh, redis: client })
    app.get('/login', async ({ session }) => { session.set('tokens', await refresh()); return {} })
    app.get('/token', async request => ({ token: await request.freshToken() }))
    return app
  })) as [TestApp, TestApp]
  const browser = new Browser(apps[0])
  await browser.get('/login')
  clock.advance(300_000)
  for (const app of apps) t.strictSame(await browser.copy(app).json('/token'), { token: 'access-2' })
})

t.test('docs/fresh-tokens.md: every block of code is run, and the tables have every option and only codes that there are', async t => {
  t.equal(blocks('js').length, 4)
  for (const name of ['key', 'refresh', 'before', 'timeout', 'lock', 'sessionName']) t.match(PAGE, new RegExp(`^\\| \`${name}\` \\|`, 'm'))
  for (const code of PAGE.match(/FST_SESSION_\w+/g) ?? []) t.ok(CODES.includes(code), code)
})
