import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import type { Tokens } from '../../lib/fresh-tokens'
import { appWith, KEY, type TestApp } from '../helpers/app'
import { plainEnv, TYPESCRIPT } from '../helpers/process'
import { freePort, RedisServer } from '../helpers/redis-server'

/**
 * Two servers, a Redis, and oidc-provider, which gives a new refresh token each time and ends the grant when an old one
 * comes again. Servers are killed in the middle of a refresh.
 */

const { buildProvider } = require('../../examples/oauth/provider/server')

interface Server {
  readonly address: string
  readonly process: ChildProcess
}

const SITE = { clientId: 'shop', clientSecret: 'a secret of the shop' }
const API = { clientId: 'orders', clientSecret: 'a secret of the API', address: 'http://127.0.0.1:1' }
const SCOPES = 'openid offline_access orders'

let provider: any
let redis: RedisServer
let client: Redis
let config: object
/** With the key of the servers. */
let app: TestApp
/** What became of each refresh at the provider. */
let answers: Array<string | null> = []
/** Requests at the token endpoint wait for it. */
let gate: Promise<void> = Promise.resolve()
let waiting = 0

t.before(async () => {
  redis = await RedisServer.start()
  client = new Redis(redis.url)
  const issuer = `http://localhost:${await freePort()}`
  const users = { find: () => ({ name: 'Ada' }) }
  const site = { ...SITE, address: 'http://127.0.0.1:2' }
  const server = await buildProvider({ issuer, site, api: API, users, accessTokenSeconds: 60, prepare: watch })
  await server.listen({ host: '127.0.0.1', port: Number(new URL(issuer).port) })
  app = await appWith(t)
  config = { key: KEY.toString('base64'), redisUrl: redis.url, tokenUrl: `http://127.0.0.1:${new URL(issuer).port}/token`, ...SITE }
  t.teardown(async () => {
    client.disconnect()
    await server.close()
    await redis.remove()
  })
})

function watch (made: any): void {
  provider = made
  provider.use(async (ctx: any, next: () => Promise<void>) => {
    if (ctx.path !== '/token') return await next()
    waiting++
    await gate
    waiting--
    // The request of a server that was killed does not arrive.
    if (ctx.req.socket.destroyed === true) return
    await next()
    answers.push(ctx.body.error ?? null)
  })
}

async function serve (t: Test): Promise<Server> {
  const child = fork(join(__dirname, 'site-process.ts'), [JSON.stringify(config)], { env: plainEnv(), execArgv: TYPESCRIPT })
  t.teardown(async () => { await kill(child) })
  const [address] = await once(child, 'message') as [string]
  return { address, process: child }
}

async function kill (child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}

/** The cookie of a user whose access token has ended. */
async function cookieOf (): Promise<string> {
  answers = []
  await client.flushall()
  const shop = await provider.Client.find(SITE.clientId)
  const grant = new provider.Grant({ accountId: 'ada', clientId: SITE.clientId })
  grant.addOIDCScope('openid offline_access')
  grant.addResourceScope(API.address, 'orders')
  const refreshToken = await new provider.RefreshToken({
    client: shop, accountId: 'ada', grantId: await grant.save(), gty: 'authorization_code', scope: SCOPES, resource: API.address, rotations: 0, iiat: Math.floor(Date.now() / 1000)
  }).save()
  const { session } = app.secureSession.cookiesFor({ tokens: { accessToken: 'over', refreshToken, expiresAt: Date.now() - 1 } })
  return `session=${session as string}`
}

interface Answer {
  readonly status: number
  readonly token: string
  /** The session's tokens after it. */
  readonly tokens: Tokens | undefined
}

async function ask ({ address }: Server, cookie: string): Promise<Answer> {
  const response = await fetch(`${address}/token`, { headers: { cookie } })
  const { token } = await response.json() as { token: string }
  const [line = ''] = response.headers.getSetCookie()
  const session = app.decodeSecureSession(/^session=([^;]*)/.exec(line)?.[1])
  return { status: response.status, token, tokens: session?.get('tokens') as Tokens | undefined }
}

function hold (): () => void {
  let open = (): void => {}
  gate = new Promise(resolve => { open = resolve })
  return open
}

async function until (isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!await isSo()) await new Promise(resolve => { setTimeout(resolve, 5) })
}

async function isGood ({ refreshToken = '' }: Tokens): Promise<boolean> {
  return (await provider.RefreshToken.find(refreshToken))?.isValid === true
}

t.test('fifty parallel requests at two servers spend one refresh token, and every reply has good tokens', async t => {
  const servers = [await serve(t), await serve(t)] as const
  const cookie = await cookieOf()
  const all = await Promise.all(Array.from({ length: 50 }, async (_, index) => await ask(servers[index % 2 as 0 | 1], cookie)))
  t.strictSame(answers, [null])
  t.strictSame([...new Set(all.map(({ status, token }) => `${status} ${token}`))], [`200 ${all[0]?.token as string}`])
  for (const { tokens, token } of all) {
    t.equal(tokens?.accessToken, token)
    t.ok(await isGood(tokens as Tokens))
  }
  for (const server of servers) t.equal((await ask(server, cookie)).status, 200, 'also for a reply that was lost')
  t.strictSame(answers, [null])
})

t.test('a server that is killed while it asks is replaced by another, and the user stays logged in', async t => {
  const [killed, other] = [await serve(t), await serve(t)]
  const cookie = await cookieOf()
  const open = hold()
  const lost = Promise.allSettled(Array.from({ length: 25 }, async () => await ask(killed, cookie)))
  await until(() => waiting === 1)
  const all = Promise.all(Array.from({ length: 25 }, async () => await ask(other, cookie)))
  await kill(killed.process)
  t.ok((await lost).every(({ status }) => status === 'rejected'))
  open()
  const found = await all
  t.strictSame([...new Set(found.map(({ status }) => status))], [200])
  t.strictSame(answers, [null])
  t.ok(await isGood(found[0]?.tokens as Tokens))
})

t.test('a server that is killed before its replies arrive has left the tokens for the others', async t => {
  const [killed, other] = [await serve(t), await serve(t)]
  const cookie = await cookieOf()
  const open = hold()
  const lost = Promise.allSettled(Array.from({ length: 25 }, async () => await ask(killed, cookie)))
  await until(() => waiting === 1)
  open()
  await until(async () => {
    const [key = ''] = await client.keys('*')
    return /^(?!lock:)./.test(await client.get(key) ?? '')
  })
  await kill(killed.process)
  await lost
  const found = await Promise.all(Array.from({ length: 25 }, async () => await ask(other, cookie)))
  t.strictSame([...new Set(found.map(({ status }) => status))], [200])
  t.strictSame(answers, [null])
  t.ok(await isGood(found[0]?.tokens as Tokens))
})
