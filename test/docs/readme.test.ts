import swagger from '@fastify/swagger'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import secureSession from '../../index'
import { appWith, bareApp, KEY, type TestApp } from '../helpers/app'
import { Browser } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'
import { plainEnv } from '../helpers/process'
import { startRedis } from '../helpers/redis'
import { loggedInBefore } from '../legacy/old-app'
import { runSnippet } from '../helpers/snippet'
import { CODES } from './page'

const ROOT = resolve(__dirname, '../..')
const README = readFileSync(join(ROOT, 'README.md'), 'utf8')

function blocks (language: string): string[] {
  return Array.from(README.matchAll(new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``, 'g')), ([, code]) => code as string)
}

/** The block that holds this text, run against an app that has the plugin. */
async function appOf (t: Test, text: string): Promise<TestApp> {
  const app = await appWith(t, { key: KEY })
  runSnippet(blocks('js').find(block => block.includes(text)) as string, { app })
  return app
}

t.test('README: the first program runs unchanged, with a key that the command made', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'readme-'))
  t.teardown(() => { rmSync(folder, { recursive: true }) })
  mkdirSync(join(folder, 'node_modules'))
  for (const name of ['fastify', 'fastify-sealed-session']) symlinkSync(name === 'fastify' ? join(ROOT, 'node_modules', name) : ROOT, join(folder, 'node_modules', name))
  writeFileSync(join(folder, 'app.js'), blocks('js')[0] as string)
  const key = execFileSync(process.execPath, [join(ROOT, 'dist/lib/cli/main.js'), 'generate'], { env: plainEnv(), encoding: 'utf8' })
  writeFileSync(join(folder, '.env'), `SESSION_KEY=${key}`)

  const server = spawn(process.execPath, ['--env-file=.env', 'app.js'], { cwd: folder, env: plainEnv({ PORT: '0' }), stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => server.kill())
  let address = ''
  for await (const line of createInterface(server.stdout)) {
    address = /Server listening at (http:\/\/127\.0\.0\.1:\d+)/.exec(line)?.[1] ?? ''
    if (address !== '') break
  }
  t.equal((await fetch(`${address}/private`)).status, 401)
  const login = await fetch(`${address}/login`, { method: 'POST' })
  const cookie = login.headers.getSetCookie()[0]?.split(';')[0] as string
  t.strictSame(await (await fetch(`${address}/private`, { headers: { cookie } })).json(), { name: 'ada' })
  t.match((await fetch(`${address}/logout`, { method: 'POST', headers: { cookie } })).headers.getSetCookie(), [/Max-Age=0/])
})

t.test('README: the first program has at most fifteen lines, and the two commands are there', async t => {
  const code = (blocks('js')[0] as string).split('\n').filter(line => line.trim() !== '')
  t.ok(code.length <= 15, String(code.length))
  t.ok(blocks('sh').includes('npm ci && npm start\nnpm ci && npm test\n'))
})

t.test('README: a login keeps the named values, and a remembered session stays', async t => {
  const app = await appOf(t, "regenerate(['language'])")
  app.get('/fill', async ({ session }) => { session.set('language', 'en'); session.set('role', 'guest'); return {} })
  app.get('/get', async ({ session }) => session.data())
  fakeClock(t)
  const browser = new Browser(app)
  await browser.get('/fill')
  await browser.get('/login', { method: 'POST' })
  t.strictSame(await browser.json('/get'), { language: 'en', user: { id: 17 } })
  t.match((await browser.get('/remember-me', { method: 'POST' })).headers['set-cookie'], /Max-Age=7776000/)
})

t.test('README: the token for another API is read from the session', async t => {
  const api = createServer((request, response) => { response.end(JSON.stringify({ authorization: request.headers.authorization })) }).listen(0, '127.0.0.1')
  t.teardown(() => api.close())
  await once(api, 'listening')
  process.env['ORDERS_API'] = `http://127.0.0.1:${(api.address() as AddressInfo).port}`
  const app = await appOf(t, 'ORDERS_API')
  app.get('/grant', async ({ session }) => { session.set('accessToken', 'abc'); return {} })
  const browser = new Browser(app)
  t.equal((await browser.get('/orders')).statusCode, 401)
  await browser.get('/grant')
  t.strictSame(await browser.json('/orders'), { authorization: 'Bearer abc' })
})

t.test('README: the cart is changed in place', async t => {
  const app = await appOf(t, '/cart/:item')
  const browser = new Browser(app)
  await browser.get('/cart/book', { method: 'POST' })
  t.strictSame(await browser.json('/cart/pen', { method: 'POST' }), ['book', 'pen'])
})

t.test('README: a reply whose head the app writes has the cookie', async t => {
  const app = await appOf(t, '/by-hand')
  const response = await fetch(`${await app.listen({ port: 0, host: '127.0.0.1' })}/by-hand`)
  t.equal(await response.text(), 'sent by hand')
  t.equal(response.headers.getSetCookie().length, 1)
})

t.test('README: the commands make, rotate and list a keyring that the plugin reads', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'readme-'))
  t.teardown(() => { rmSync(folder, { recursive: true }) })
  const commands = (blocks('sh').find(block => block.includes('init --keyring')) as string).replaceAll('npx fastify-sealed-session', `"${process.execPath}" "${join(ROOT, 'dist/lib/cli/main.js')}"`)
  t.match(execFileSync('sh', ['-ec', commands], { cwd: folder, env: plainEnv(), encoding: 'utf8' }), /active[^]*pending/)
  const cwd = process.cwd()
  t.teardown(() => { process.chdir(cwd) })
  process.chdir(folder)
  const app = bareApp(t)
  runSnippet(blocks('js').find(block => block.includes('keyring:')) as string, { app, secureSession })
  await app.ready()
  t.match(app.lines[0], { msg: 'keyring loaded' })
})

t.test('README: sessions are revoked by subject, routes are guarded, and a fresh login is required', async t => {
  const redis = await startRedis()
  t.teardown(async () => { await redis.remove() })
  const client = new Redis(redis.url)
  t.teardown(() => { client.disconnect() })
  const clock = fakeClock(t, Date.now())
  const app = bareApp(t)
  runSnippet(blocks('js').find(block => block.includes('revokeSubject')) as string, {
    app, secureSession, redis: client, require: () => secureSession, process: { env: { SESSION_KEY: KEY.toString('base64') } }
  })
  app.get('/login', async ({ session }) => { session.regenerate(); session.set('user', { id: 17 }); return {} })
  const browsers = [new Browser(app), new Browser(app), new Browser(app)] as const
  for (const browser of browsers) await browser.get('/login')
  const [one, two, three] = browsers
  const statuses = async (): Promise<number[]> => await Promise.all(browsers.map(async browser => (await browser.copy().get('/account')).statusCode))
  const post = async (browser: Browser, url: string): Promise<number> => (await browser.get(url, { method: 'POST' })).statusCode

  clock.advance(1000)
  t.equal(await post(one, '/logout-others'), 200)
  t.strictSame(await statuses(), [200, 401, 401])
  await two.get('/login')
  clock.advance(299_000)
  t.equal(await post(one, '/password'), 401)
  t.equal(await post(two, '/password'), 200)
  t.strictSame(await statuses(), [401, 200, 401])
  await three.get('/login')
  clock.advance(1000)
  t.equal(await post(three, '/logout-everywhere'), 200)
  t.strictSame(await statuses(), [401, 401, 401])
})

t.test('README: a browser is sent to the login page, and after the login to the page that it wanted', async t => {
  const app = bareApp(t)
  app.register(secureSession, { key: KEY, subject: session => (session.get('user') as { id: number } | undefined)?.id })
  await app.after()
  runSnippet(blocks('js').find(block => block.includes('redirectTo')) as string, { app })
  const browser = new Browser(app)
  const sent = await browser.get('/orders?page=2', { headers: { 'sec-fetch-mode': 'navigate' } })
  t.strictSame([sent.statusCode, sent.headers.location], [303, '/login?next=%2Forders%3Fpage%3D2'])
  t.equal((await browser.get('/orders')).statusCode, 401)
  const next = await browser.get(String(sent.headers.location), { method: 'POST' })
  t.strictSame([next.statusCode, next.headers.location], [303, '/orders?page=2'])
  t.strictSame(await browser.json('/orders?page=2'), { id: 42 })
})

t.test('README: the OpenAPI document has the security schemes of the sessions', async t => {
  const app = bareApp(t)
  const code = blocks('js').find(block => block.includes('openapi: true')) as string
  const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor as new (...args: string[]) => (...args: unknown[]) => Promise<void>
  await new AsyncFunction('app', 'secureSession', 'swagger', 'process', code)(app, secureSession, swagger, { env: { SESSION_KEY: KEY.toString('base64') } })
  app.get('/account', { onRequest: app.requireSession() }, async () => ({}))
  await app.ready()
  t.match(app.swagger(), { openapi: '3.1.0', paths: { '/account': { get: { security: [{ session: [] }] } } }, components: { securitySchemes: { session: { type: 'apiKey', in: 'cookie' } } } })
})

t.test('README: a user of @fastify/secure-session stays logged in', async t => {
  const old = Buffer.alloc(32, 7)
  const browser = await loggedInBefore(t, { key: old })
  const app = bareApp(t)
  runSnippet(blocks('js').find(block => block.includes('OLD_KEY')) as string, {
    app, secureSession, require: () => secureSession, process: { env: { SESSION_KEY: KEY.toString('base64'), OLD_KEY: old.toString('base64') } }
  })
  app.get('/get', async ({ session }) => session.data())
  t.strictSame(await browser.copy(app).json('/get'), { user: 'ada' })
})

t.test('README: every block of code is run by a test of this page', async t => {
  t.equal(blocks('js').length, 10)
  t.equal(blocks('ts').length, 1)
})

t.test('README: the tables have every error, every option and every name of the session', async t => {
  t.strictSame([...new Set(README.match(/FST_SESSION_[A-Z_]+/g))].sort(), [...CODES].sort())
  const options = /interface SessionOptions \{([^]*?)\n\}/.exec(readFileSync(join(ROOT, 'types/options.ts'), 'utf8'))?.[1] as string
  for (const [, name] of options.matchAll(/^ {2}(\w+)\?:/gm)) t.match(README, new RegExp(`^\\| .*\`${name}\`.* \\|`, 'm'), String(name))
  const session = /type ReservedName =([^]*?)\n\n/.exec(readFileSync(join(ROOT, 'types/session.ts'), 'utf8'))?.[1] as string
  for (const [, name] of session.matchAll(/'(\w+)'/g)) t.match(README, new RegExp(`^\\| .*\`${name}(?:\\(.*?\\))?\`.* \\|`, 'm'), String(name))
})
