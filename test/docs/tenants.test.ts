import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import secureSession from '../../index'
import { writeKeyring } from '../../lib/keyring/document'
import { addRoutes, appWith, bareApp, KEY, type TestApp } from '../helpers/app'
import { Browser, setCookies } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'
import { keyNumber } from '../helpers/keyrings'
import { startRedis } from '../helpers/redis'
import { runSnippet } from '../helpers/snippet'
import { HostBrowser } from '../tenants/site'
import { pageOf } from './page'

const { blocks, block } = pageOf('tenants.md')
const process = { env: { SESSION_KEY: KEY.toString('base64') } }

async function redisOf (t: Test): Promise<Redis> {
  const server = await startRedis()
  t.teardown(async () => { await server.remove() })
  const redis = new Redis(server.url)
  t.teardown(() => { redis.disconnect() })
  return redis
}

/** An app as the block with this text registers it. */
async function appOf (t: Test, text: string, scope: object = {}): Promise<{ app: TestApp }> {
  const app = bareApp(t, { trustProxy: true })
  const { redisRevocation, redisKeyring, sealedOpener } = secureSession
  runSnippet(block(t, 'js', text), { app, secureSession, redisRevocation, redisKeyring, sealedOpener, process, ...scope })
  await app.after()
  addRoutes(app)
  return { app }
}

const shops = new Map([['acme.example', 'acme'], ['globex.example', 'globex']])
const TLS = { headers: { 'x-forwarded-proto': 'https' } }

t.test('docs/tenants.md: tenants by host, and what is done for one without a request', async t => {
  const clock = fakeClock(t, Date.now())
  const { app } = await appOf(t, 'redisRevocation', { redis: await redisOf(t) })
  app.get('/login', async ({ session }) => { session.set('user', { id: 42 }); return {} })
  const [acme, globex] = [new HostBrowser(app, 'acme.example'), new HostBrowser(app, 'globex.example')]
  for (const browser of [acme, globex]) {
    const [line] = setCookies(await browser.get('/login', TLS))
    t.match(line, /^__Host-session=.*; Secure/)
    t.notMatch(line, 'Domain')
  }
  t.strictSame(await new HostBrowser(app, 'globex.example').with(acme).json('/get'), {})
  t.strictSame(setCookies(await new HostBrowser(app, 'x.example').get('/login')), [])
  clock.advance(10)
  const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor as new (...args: string[]) => (app: TestApp) => Promise<any>
  const { token, cookies, acme: control } = await new AsyncFunction('app', `${block(t, 'js', 'forTenant')}; return { acme, token, cookies }`)(app)
  t.strictSame(await acme.json('/get'), {})
  t.strictSame(await globex.json('/get'), { user: { id: 42 } })
  t.strictSame(await control.openToken('confirm-mail', token), { user: 42 })
  t.equal(await (await app.secureSession.forTenant('globex')).openToken('confirm-mail', token), null)
  t.strictSame((await app.inject({ url: '/get', headers: { host: 'acme.example' }, cookies })).json(), { user: { id: 42 } })
})

t.test('docs/tenants.md: tenants by path', async t => {
  const { app } = await appOf(t, '/:shop/login')
  const browser = new Browser(app)
  const response = await browser.get('/acme/login', { method: 'POST' })
  t.strictSame(response.json(), { shop: 'Acme' })
  t.match(setCookies(response), [/; Path=\/acme;/])
  t.strictSame(await browser.json('/acme/account'), { id: 17 })
  t.equal((await browser.get('/globex/account')).body, 'null')
  t.equal((await browser.get('/unknown/account')).body, 'null')
})

t.test('docs/tenants.md: the cookie by request', async t => {
  const { app } = await appOf(t, 'namePrefix')
  const line = async (host: string): Promise<string> => setCookies(await new HostBrowser(app, host).get('/touch', TLS))[0] as string
  t.match(await line('www.acme.example'), /^__Secure-session=.*; Domain=acme.example; Path=\/; HttpOnly; Secure; SameSite=Strict$/)
  t.match(await line('globex.example'), /^__Host-session=[^;]*; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
})

t.test('docs/tenants.md: a keyring for each tenant', async t => {
  const redis = await redisOf(t)
  await secureSession.redisKeyring(redis, { key: 'keyring:acme' }).update(null, writeKeyring([keyNumber(1, Date.now())]))
  const { app } = await appOf(t, 'redisKeyring', { redis, shops })
  const acme = new HostBrowser(app, 'acme.example')
  await acme.get('/set/user/ada')
  t.strictSame(await acme.json('/get'), { user: 'ada' })
  t.match(await new HostBrowser(app, 'globex.example').json('/get'), { statusCode: 503, code: 'FST_SESSION_STORE_UNAVAILABLE' })
  t.equal((await new HostBrowser(app, 'globex.example').get('/untouched')).statusCode, 200)
})

t.test('docs/tenants.md: cookies from before there were tenants', async t => {
  const before = await appWith(t)
  addRoutes(before)
  const user = new Browser(before)
  await user.get('/set/user/ada')
  const { app } = await appOf(t, 'sealedOpener', { shops })
  t.strictSame(await new HostBrowser(app, 'acme.example').with(user).json('/get'), { user: 'ada' })
  t.strictSame(await new HostBrowser(app, 'globex.example').with(user).json('/get'), {})
})

t.test('docs/tenants.md: every block of code is run by a test of this page', async t => {
  t.strictSame(['js', 'ts', 'sh'].map(language => blocks(language).length), [6, 0, 0])
})
