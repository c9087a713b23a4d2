import swagger from '@fastify/swagger'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import secureSession from '../../index'
import * as errors from '../../lib/errors'
import { appWith, bareApp, KEY, type TestApp } from '../helpers/app'
import { Browser } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'
import { startRedis } from '../helpers/redis'
import { runSnippet } from '../helpers/snippet'
import { CODES, pageOf, ROOT } from './page'

/** The anchor of a heading, on the site and in a Markdown viewer. */
const { slugOf } = require('../../docs/.site/slug.js') as { slugOf (text: string): string }

const LOGIN = pageOf('login.md')
const SESSION = pageOf('session.md')
const ENV = { env: { SESSION_KEY: KEY.toString('base64') } }

/** The block that holds this text, run against an app that has the plugin. */
async function appOf (t: Test, page: typeof LOGIN, text: string): Promise<TestApp> {
  const app = await appWith(t, { key: KEY })
  runSnippet(page.block(t, 'js', text), { app })
  return app
}

t.test('a login keeps the named values, and a remembered session stays', async t => {
  const app = await appOf(t, LOGIN, "regenerate(['language'])")
  runSnippet(LOGIN.block(t, 'js', 'remember-me'), { app })
  app.get('/fill', async ({ session }) => { session.set('language', 'en'); session.set('role', 'guest'); return {} })
  app.get('/get', async ({ session }) => session.data())
  fakeClock(t)
  const browser = new Browser(app)
  await browser.get('/fill')
  await browser.get('/login', { method: 'POST' })
  t.strictSame(await browser.json('/get'), { language: 'en', user: { id: 17 } })
  t.match((await browser.get('/remember-me', { method: 'POST' })).headers['set-cookie'], /Max-Age=7776000/)
})

t.test('the token for another API is read from the session', async t => {
  const api = createServer((request, response) => { response.end(JSON.stringify({ authorization: request.headers.authorization })) }).listen(0, '127.0.0.1')
  t.teardown(() => api.close())
  await once(api, 'listening')
  const app = await appWith(t, { key: KEY })
  const here = `http://127.0.0.1:${(api.address() as AddressInfo).port}`
  runSnippet(LOGIN.block(t, 'js', '/orders\', async (request, reply)').replace('http://orders.internal', here), { app })
  app.get('/grant', async ({ session }) => { session.set('accessToken', 'abc'); return {} })
  const browser = new Browser(app)
  t.equal((await browser.get('/orders')).statusCode, 401)
  await browser.get('/grant')
  t.strictSame(await browser.json('/orders'), { authorization: 'Bearer abc' })
})

t.test('the cart is changed in place', async t => {
  const app = await appOf(t, SESSION, '/cart/book')
  const browser = new Browser(app)
  await browser.get('/cart/book', { method: 'POST' })
  t.strictSame(await browser.json('/cart/book', { method: 'POST' }), ['book', 'book'])
})

t.test('a reply whose head the app writes has the cookie', async t => {
  const app = await appOf(t, SESSION, '/by-hand')
  const response = await fetch(`${await app.listen({ port: 0, host: '127.0.0.1' })}/by-hand`)
  t.equal(await response.text(), 'sent by hand')
  t.equal(response.headers.getSetCookie().length, 1)
})

t.test('sessions are revoked by subject, routes are guarded, and a fresh login is required', async t => {
  const redis = await startRedis()
  t.teardown(async () => { await redis.remove() })
  const client = new Redis(redis.url)
  t.teardown(() => { client.disconnect() })
  const clock = fakeClock(t, Date.now())
  const app = bareApp(t)
  runSnippet(LOGIN.block(t, 'js', 'revokeSubject'), {
    app, secureSession, redis: client, require: () => secureSession, process: ENV
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

t.test('a browser is sent to the login page, and after the login to the page that it wanted', async t => {
  const app = bareApp(t)
  app.register(secureSession, { key: KEY, subject: session => (session.get('user') as { id: number } | undefined)?.id })
  await app.after()
  runSnippet(LOGIN.block(t, 'js', 'redirectTo'), { app })
  const browser = new Browser(app)
  const sent = await browser.get('/orders?page=2', { headers: { 'sec-fetch-mode': 'navigate' } })
  t.strictSame([sent.statusCode, sent.headers.location], [303, '/login?next=%2Forders%3Fpage%3D2'])
  t.equal((await browser.get('/orders')).statusCode, 401)
  const next = await browser.get(String(sent.headers.location), { method: 'POST' })
  t.strictSame([next.statusCode, next.headers.location], [303, '/orders?page=2'])
  t.strictSame(await browser.json('/orders?page=2'), { id: 42 })
})

t.test('the OpenAPI document has the security schemes of the sessions', async t => {
  const app = bareApp(t)
  const code = SESSION.block(t, 'js', 'openapi: true')
  const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor as new (...args: string[]) => (...args: unknown[]) => Promise<void>
  await new AsyncFunction('app', 'secureSession', 'swagger', 'process', code)(app, secureSession, swagger, ENV)
  app.get('/account', { onRequest: app.requireSession() }, async () => ({}))
  await app.ready()
  t.match(app.swagger(), { openapi: '3.1.0', paths: { '/account': { get: { security: [{ session: [] }] } } }, components: { securitySchemes: { session: { type: 'apiKey', in: 'cookie' } } } })
})

t.test('a guard asks for a user, and one route for a login that is not older than five minutes', async t => {
  const clock = fakeClock(t)
  const app = bareApp(t)
  runSnippet(LOGIN.block(t, 'js', '/email'), { app, secureSession, process: ENV })
  app.get('/login', async ({ session }) => { session.set('user', { id: 17 }); return {} })
  const browser = new Browser(app)
  t.equal((await browser.get('/account')).statusCode, 401)
  await browser.get('/login')
  t.strictSame(await browser.json('/account'), { id: 17 })
  t.equal((await browser.get('/email', { method: 'POST' })).statusCode, 200)
  clock.advance(5 * 60_000 + 1)
  t.match((await browser.get('/email', { method: 'POST' })).json(), { code: 'FST_SESSION_STALE' })
})

t.test('every block of code of the two pages is run by a test, or is a declaration of types', async t => {
  t.equal(LOGIN.blocks('js').length, 6)
  t.equal(SESSION.blocks('js').length, 3)
  t.equal(SESSION.blocks('ts').length, 1)
})

t.test('the page of errors has a heading for each code, and no other', async t => {
  t.strictSame(pageOf('errors.md').PAGE.match(/(?<=^### )FST_\w+$/gm)?.sort(), [...CODES].sort())
})

t.test('each error names its place on the page of errors, where Node.js and a logger print it, and a client does not see it', async t => {
  for (const ErrorClass of Object.values(errors)) {
    const error = Reflect.construct(ErrorClass, ['', {}]) as Error & { code: string, see: string }
    t.equal(error.see, `node_modules/fastify-sealed-session/docs/errors.md#${slugOf(error.code)}`)
    t.match(inspect(error), `  see: '${error.see}'`)
    t.match(error.stack?.split('\n')[1], /login-and-session\.test/)
  }
  const boot = bareApp(t)
  boot.register(secureSession, { key: 'short' })
  await boot.ready().then(() => t.fail('it does not start'), error => { boot.log.error(error) })
  t.match(boot.lines.at(-1), { err: { code: 'FST_SESSION_INVALID_KEY', see: /#fst_session_invalid_key$/ } })

  const app = await appWith(t, { key: KEY, subject: session => session.get('user') as string })
  app.get('/guarded', { onRequest: app.requireSession() }, async () => 'no')
  app.get('/wrong', async ({ session }) => { session.set('user', () => {}); return {} })
  for (const [url, status] of [['/guarded', 401], ['/wrong', 500]] as const) {
    const { statusCode, body } = await app.inject(url)
    t.equal(statusCode, status)
    t.strictSame(Object.keys(JSON.parse(body)).sort(), ['code', 'error', 'message', 'statusCode'])
    t.notMatch(body, 'errors.md')
  }
})

t.test('the doc comment of each option has an example, and its default if it may be left out', async t => {
  const files = [...readdirSync(join(ROOT, 'types')).map(file => `types/${file}`), 'lib/sealer.ts']
  const names: string[] = []
  for (const file of files) {
    for (const [, name, body] of readFileSync(join(ROOT, file), 'utf8').matchAll(/^export interface (\w+(?:Options|Settings|Rotation|Choice|Cookie)|Rotation)\b[^{]*\{\n([^]*?)\n\}/gm)) {
      for (const [, comment = '', property, optional] of (body as string).matchAll(/(?:^ {2}\/\*\*((?:(?!\*\/)[^])*)\*\/\n)?^ {2}(?:readonly )?(\w+)(\?)?(?=:| ?\()/gm)) {
        const path = `${name}.${property}`
        names.push(path)
        t.match(comment, /\* @example\n +\* \S/, path)
        if (optional !== undefined) t.match(comment, /\* @default \S/, path)
      }
    }
  }
  for (const name of ['SessionOptions.key', 'GuardOptions.when', 'Rotation.every', 'LegacyCookie.keep', 'FreshTokensOptions.refresh', 'SealerOptions.now']) t.ok(names.includes(name), name)
})

t.test('the pages have every option and every name of the session', async t => {
  const options = /interface SessionOptions \{([^]*?)\n\}/.exec(readFileSync(join(ROOT, 'types/options.ts'), 'utf8'))?.[1] as string
  for (const [, name] of options.matchAll(/^ {2}(\w+)\?:/gm)) {
    t.match(pageOf('options.md').PAGE, new RegExp(`^\\| .*\`${name}\`.* \\|`, 'm'), String(name))
  }
  const session = /type ReservedName =([^]*?)\n\n/.exec(readFileSync(join(ROOT, 'types/session.ts'), 'utf8'))?.[1] as string
  for (const [, name] of session.matchAll(/'(\w+)'/g)) {
    t.match(SESSION.PAGE, new RegExp(`^\\| .*\`${name}(?:\\(.*?\\))?\`.* \\|`, 'm'), String(name))
  }
})
