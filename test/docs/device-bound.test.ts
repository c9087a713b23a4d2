import csrfProtection from '@fastify/csrf-protection'
import fastify, { type FastifyInstance } from 'fastify'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import secureSession from '../../index'
import { addPages, BY_BROWSER, DeviceBrowser, MINUTE_MS, SECOND_MS } from '../bound/site'
import { bareApp, KEY } from '../helpers/app'
import { parseLine, setCookies } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'
import { runSnippet } from '../helpers/snippet'
import { CODES, pageOf, ROOT } from './page'

const { PAGE, blocks, block } = pageOf('device-bound.md')

const HOST = { session: '__Host-session', path: '/dbsc/session' }
const scope = { fastify, secureSession, csrfProtection, require, process: { env: { SESSION_KEY: KEY.toString('base64') } } }
/** What a browser sends with a request that a page of the site makes. */
const BY_PAGE = { headers: { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' } }

/** Runs a block that awaits, and gives what the expression `result` comes to. */
async function run (code: string, names: Record<string, unknown>, result = 'undefined'): Promise<any> {
  return await runSnippet(`return (async () => {\n${code}\nreturn ${result}\n})()`, names)
}

/**
 * An app as the first block makes it.
 * @param deviceBound in the place of `true`
 * @param more text of another block, which adds routes
 */
async function firstApp (t: Test, deviceBound = 'true', more?: string): Promise<FastifyInstance> {
  const code = block(t, 'js', 'fastify({ trustProxy').replace('deviceBound: true', `deviceBound: ${deviceBound}`)
  const [app] = await run(code, scope, '[app]') as [FastifyInstance]
  t.teardown(() => app.close())
  addLogin(app)
  if (more !== undefined) runSnippet(block(t, 'js', more), { app })
  await app.ready()
  return app
}

function addLogin (app: FastifyInstance): void {
  addPages(app)
  app.route({
    method: ['GET', 'POST'],
    url: '/login',
    handler: async ({ session }) => {
      session.regenerate()
      session.set('user', { id: 17 })
      return { token: app.encodeSecureSession(session) }
    }
  })
  app.get('/token', async ({ session }) => ({ token: app.encodeSecureSession(session) }))
}

/** A browser that has logged in, and is bound where the app offers it. */
async function boundAt (app: FastifyInstance, browser = new DeviceBrowser(app, HOST)): Promise<DeviceBrowser> {
  await browser.get('/login')
  if (browser.offered === null) return browser
  await browser.register()
  await browser.refresh()
  return browser
}

async function userOf (browser: DeviceBrowser): Promise<unknown> {
  return (await browser.ask('/me')).user
}

t.test('docs/device-bound.md: the first block switches it on, and a copy is refused after 11 minutes', async t => {
  const clock = fakeClock(t)
  const browser = await boundAt(await firstApp(t))
  t.strictSame([...browser.cookies.keys()], ['__Host-session', '__Host-session.d'])
  const copy = browser.copy()
  clock.advance(11 * MINUTE_MS - 1)
  t.strictSame(await userOf(copy.copy()), { id: 17 })
  clock.advance(1)
  t.equal(await userOf(copy), null)
  await browser.prove()
  t.strictSame(await userOf(browser), { id: 17 })
})

t.test('docs/device-bound.md: at each step of the rollout, servers of the step before and after work together', async t => {
  const clock = fakeClock(t)
  const [, table] = /\| step \| `deviceBound` \|.*\n\|[-|]+\n((?:\|.*\n)+)/.exec(PAGE) as unknown as [string, string]
  const steps = table.split('\n').map(row => row.split(' | ')[1] ?? '').filter(cell => cell.startsWith('`')).map(cell => cell.slice(1, -1))
  t.strictSame(steps, ['{ offer: false, enforce: false }', '{ enforce: false }', 'true'])
  const before = await firstApp(t, 'false')
  const apps = [before, ...await Promise.all(steps.map(async step => await firstApp(t, step)))]
  for (const [index, app] of apps.entries()) {
    const browser = await boundAt(app)
    t.equal(browser.offered !== null, index >= 2, `step ${index} binds`)
    const neighbours = [apps[index - 1], apps[index], apps[index + 1]].filter(app => app !== undefined)
    for (const neighbour of neighbours) {
      const there = browser.copy(neighbour)
      t.strictSame(await userOf(there), { id: 17 })
      clock.advance(12 * MINUTE_MS)
      if (there.offered !== null) {
        t.equal((await there.prove()).statusCode, 204)
        browser.cookies.set('__Host-session.d', there.cookies.get('__Host-session.d') as string)
      }
      t.strictSame(await userOf(there), { id: 17 })
    }
  }
})

t.test('docs/device-bound.md: with enforce: false an unproven session works, and so it does after an emergency', async t => {
  const clock = fakeClock(t)
  const copy = await boundAt(await firstApp(t))
  clock.advance(12 * MINUTE_MS)
  copy.dropProof()
  for (const deviceBound of ['{ enforce: false }', '{ offer: false, enforce: false }']) {
    t.match(await copy.copy(await firstApp(t, deviceBound)).ask('/me'), { user: { id: 17 }, bound: false, provenAt: null })
  }
  t.equal(await userOf(copy.copy(await firstApp(t, '{ offer: false }'))), null)
  t.equal(await userOf(copy.copy(await firstApp(t, 'false'))), null, 'nor without the option')
})

t.test('docs/device-bound.md: with offer: false, sessions that are bound go on', async t => {
  const clock = fakeClock(t)
  const browser = (await boundAt(await firstApp(t))).copy(await firstApp(t, '{ offer: false }'))
  clock.advance(12 * MINUTE_MS)
  t.equal((await browser.prove()).statusCode, 204)
  t.match(await browser.ask('/me'), { user: { id: 17 }, bound: true })
})

t.test('docs/device-bound.md: CSRF protection that is added after the plugin does not stand before the two routes', async t => {
  const app = bareApp(t, { trustProxy: true })
  await run(block(t, 'js', 'csrfProtection'), { ...scope, app })
  addLogin(app)
  const browser = await boundAt(app)
  t.ok(browser.cookies.has('__Host-session.d'))
  t.notOk(browser.cookies.has('__Host-session.u'))
  t.equal((await browser.get('/me', { method: 'POST', payload: {}, ...BY_PAGE })).statusCode, 403)
})

t.test('docs/device-bound.md: the order of calls counts, also without await: a hook that is added before the plugin stands before it', async t => {
  const code = block(t, 'js', 'csrfProtection').replaceAll('await ', '')
  const [plugin, others] = code.split(/(?<=^}\)\n)/m) as [string, string]
  const statuses = []
  for (const order of [plugin + others, others + plugin]) {
    const app = bareApp(t, { trustProxy: true })
    await run(order, { ...scope, app })
    app.after(() => { addLogin(app) })
    const browser = new DeviceBrowser(app, HOST)
    await browser.get('/login')
    statuses.push((await browser.register()).statusCode)
  }
  t.strictSame(statuses, [200, 403])
})

t.test('docs/device-bound.md: sessions that cookiesFor makes need no proof', async t => {
  const app = await firstApp(t, 'true', "post('/transfer'")
  const cookies = app.secureSession.cookiesFor({ user: { id: 17 } } as never)
  const headers = { 'x-forwarded-proto': 'https', ...BY_PAGE.headers }
  t.match((await app.inject({ url: '/me', cookies, headers })).json(), { user: { id: 17 }, bound: false })
  t.equal((await app.inject({ method: 'POST', url: '/transfer', cookies, headers })).json().code, 'FST_SESSION_UNBOUND')
})

t.test('docs/device-bound.md: a test binds a session as a browser does, and uses a route with provenWithin', async t => {
  const clock = fakeClock(t)
  const app = await firstApp(t, 'true', "post('/transfer'")
  const names = { app, require, Buffer, Object, JSON }
  const [response, cookies] = await run(block(t, 'js', 'bindDevice'), names, '[response, cookies]')
  t.strictSame(response.json(), { from: 17 })
  clock.advance(2 * MINUTE_MS)
  t.equal((await app.inject({ method: 'POST', url: '/transfer', cookies })).statusCode, 307)
})

t.test('docs/device-bound.md: a token has no mark in the request of the login, and has it in later ones', async t => {
  fakeClock(t)
  const app = await firstApp(t)
  const browser = new DeviceBrowser(app, HOST)
  const userIn = async (url: string): Promise<unknown> => {
    return app.decodeSecureSession((await browser.get(url)).json().token)?.get('user')
  }
  t.strictSame(await userIn('/login'), { id: 17 })
  t.equal(await userIn('/token'), undefined)
})

t.test('docs/device-bound.md: provenWithin makes the browser sign, and answers 401 to a session that is not bound', async t => {
  const clock = fakeClock(t)
  const app = await firstApp(t, 'true', "post('/transfer'")
  const browser = await boundAt(app)
  const transfer = async (browser: DeviceBrowser): Promise<number> => (await browser.get('/transfer', { method: 'POST', ...BY_PAGE })).statusCode
  t.equal(await transfer(browser), 200)
  clock.advance(2 * MINUTE_MS)
  const copy = browser.copy()
  const stale = await browser.get('/transfer', { method: 'POST', ...BY_PAGE })
  t.strictSame([stale.statusCode, stale.headers.location, browser.cookies.has('__Host-session.d')], [307, '/transfer', false])
  await browser.prove()
  t.equal(await transfer(browser), 200)
  t.strictSame([await transfer(copy), await transfer(copy)], [307, 401], 'a copy')
  const unbound = new DeviceBrowser(app, HOST)
  await unbound.get('/login')
  t.equal((await unbound.get('/transfer', { method: 'POST', ...BY_PAGE })).json().code, 'FST_SESSION_UNBOUND')
})

t.test('docs/device-bound.md: one route requires a proof of bound sessions, and a new login of others', async t => {
  const clock = fakeClock(t)
  const app = await firstApp(t, 'true', 'bound ? proven : fresh')
  const [bound, unbound] = [await boundAt(app), new DeviceBrowser(app, HOST)]
  await unbound.get('/login')
  const password = async (browser: DeviceBrowser): Promise<number> => (await browser.get('/password', { method: 'POST', ...BY_PAGE })).statusCode
  t.strictSame([await password(bound), await password(unbound)], [200, 200])
  clock.advance(5 * MINUTE_MS + SECOND_MS)
  t.equal((await unbound.get('/password', { method: 'POST', ...BY_PAGE })).json().code, 'FST_SESSION_STALE')
  t.equal(await password(bound), 307)
  await bound.prove()
  t.equal(await password(bound), 200)
})

t.test('docs/device-bound.md: what another site causes gets the page that loads itself again, or 401', async t => {
  const clock = fakeClock(t)
  const browser = await boundAt(await firstApp(t))
  clock.advance(11 * MINUTE_MS)
  browser.dropProof()
  const from = async (mode: string): Promise<any> => await browser.get('/me', { headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': mode } })
  const hop = await from('navigate')
  t.strictSame([hop.statusCode, hop.headers.refresh, setCookies(hop)], [200, '0', []])
  const other = await from('cors')
  t.strictSame([other.statusCode, other.json().code, setCookies(other)], [401, 'FST_SESSION_UNPROVEN', []])
  t.equal((await browser.get('/public', { headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' } })).statusCode, 200)
  const skipped = await browser.get('/me', { headers: { 'secure-session-skipped': 'unreachable', 'sec-fetch-site': 'same-origin' } })
  t.strictSame([skipped.statusCode, skipped.json().code, skipped.headers['retry-after']], [503, 'FST_SESSION_UNPROVEN', '10'])
})

t.test('docs/device-bound.md: with site, subdomains share a key, and the site lists the origins of its logins', async t => {
  const app = bareApp(t, { trustProxy: true })
  runSnippet(block(t, 'js', "site: 'https://example.com'"), { ...scope, app })
  app.after(() => { addLogin(app) })
  const browser = new DeviceBrowser(app)
  await browser.get('/login')
  const registered = await browser.register()
  t.match(registered.json().scope, { include_site: true, origin: 'https://example.com' })
  t.ok(setCookies(registered).every(line => parseLine(line).attributes.includes('; Domain=example.com;')))
  t.strictSame((await app.inject('/.well-known/device-bound-sessions')).json(), { registering_origins: ['https://login.example.com'] })
})

t.test('docs/device-bound.md: the events tell each step, and a session without a proof', async t => {
  const clock = fakeClock(t)
  const channels = new Map<string, Array<(message: any) => void>>()
  const { subscribe, unsubscribe } = await import('node:diagnostics_channel')
  const kept = (name: string, listener: (message: any) => void): void => {
    channels.set(name, [listener])
    subscribe(name, listener as never)
    t.teardown(() => unsubscribe(name, listener as never))
  }
  const told: unknown[] = []
  const log = { info: (fields: object) => { told.push(fields) }, warn: (fields: object) => { told.push(fields) } }
  runSnippet(block(t, 'js', 'subscribe('), { require: () => ({ subscribe: kept }), app: { log } })
  t.strictSame([...channels.keys()], ['fastify-sealed-session:bound', 'fastify-sealed-session:refused'])
  const browser = await boundAt(await firstApp(t))
  await browser.prove()
  const copy = browser.copy()
  await browser.get('/logout', BY_PAGE)
  await browser.refresh()
  clock.advance(12 * MINUTE_MS)
  t.equal(await userOf(copy), null)
  const [{ id }] = told as [{ id: string }]
  const step = (step: string, why: string | null = null): object => ({ session: 'session', id: step === 'ended' ? null : id, step, why })
  t.strictSame(told, [step('offered'), step('registered'), step('bound'), step('proven'), step('ended', 'no-session'), { session: 'session', id }])
})

t.test('docs/device-bound.md: a Cookie header opens outside of routes, and a token alone does not', async t => {
  fakeClock(t)
  const app = await firstApp(t)
  const browser = await boundAt(app)
  const user = await run(block(t, 'js', 'secureSession.open'), { app, request: { headers: { cookie: browser.header } } }, 'user')
  t.strictSame(user, { id: 17 })
  const token = browser.cookies.get('__Host-session') as string
  t.equal(app.decodeSecureSession(token), null)
  t.equal(await app.secureSession.decode(token), null)
  browser.dropProof()
  t.equal(await app.secureSession.open(browser.header), null)
})

/** The headers of a reply, by their names without the prefix of the cookie. */
function headBytes ({ headers }: { headers: Record<string, unknown> }): number {
  const lines = Object.entries(headers).flatMap(([name, value]) => [value].flat().map(one => `${name}: ${String(one)}\r\n`.replaceAll('__Host-', '')))
  return lines.join('').length
}

t.test('docs/device-bound.md: sizes and the default path are correct', async t => {
  fakeClock(t)
  const [with_, without] = [await firstApp(t), await firstApp(t, 'false')]
  const [bound, plain] = [new DeviceBrowser(with_, HOST), new DeviceBrowser(without, HOST)]
  const heads = []
  for (const browser of [bound, plain]) heads.push(headBytes(await browser.get('/login')))
  t.match(readFileSync(join(ROOT, 'docs/cookies.md'), 'utf8'), `about ${Math.round(((heads[0] as number) - (heads[1] as number)) / 10) * 10} bytes more`)
  const length = ({ cookies }: DeviceBrowser): number => (cookies.get('__Host-session') as string).length
  const sizes = [length(bound) - length(plain)]
  const name = '__Host-session'.length - 'session'.length
  const header = ({ header }: DeviceBrowser): number => header.length - (header.indexOf('; ') === -1 ? header.length : header.indexOf('; ')) - name
  sizes.push(header(bound))
  await bound.register()
  await bound.refresh()
  sizes.push(header(bound))
  const { 1: characters, 2: pass, 3: proof } = /session has (\d+) characters more\. A request has (\d+) bytes more with a pass, and (\d+)\s+with a proof/.exec(PAGE) as RegExpExecArray
  t.strictSame([characters, pass, proof].map(Number), sizes)

  const shop = bareApp(t, { trustProxy: true })
  shop.register(async scope => { await scope.register(secureSession, { key: KEY, subject: session => session.get('user'), deviceBound: true }) }, { prefix: '/shop' })
  await shop.ready()
  t.ok(shop.hasRoute({ method: 'POST', url: '/shop/dbsc/session/refresh' }))
  t.equal((await with_.inject({ method: 'POST', url: '/dbsc/session/refresh', headers: BY_BROWSER })).statusCode, 400)
})

const typesIn = (file: string): string => readFileSync(join(ROOT, 'types', file), 'utf8')
const namesIn = (source: string, pattern: RegExp): string[] => Array.from(source.matchAll(pattern), ([, name]) => name as string)

t.test('docs/device-bound.md: the tables have exactly the options, steps and reasons of the types', async t => {
  const tableOf = (head: string): string => new RegExp(`\\| ${head} \\|.*\\n\\|[-|]+\\n((?:\\|.*\\n)+)`).exec(PAGE)?.[1] as string
  const options = typesIn('device-bound.ts')
  t.strictSame(namesIn(tableOf('`deviceBound` \\| default'), /^\| `(\w+)`/gm), namesIn(options, /^ {2}(\w+)\?:/gm))
  t.match(options, "@default '10m'")
  const events = typesIn('events.ts')
  const union = (name: string): string[] => namesIn(new RegExp(`type ${name} =([^]*?)\\n\\n`).exec(events)?.[1] as string, /'([\w-]+)'/g)
  t.strictSame(namesIn(tableOf('`step`'), /^\| `([\w-]+)`/gm), union('BindingStep'))
  t.strictSame(namesIn(tableOf('`why`'), /^\| `([\w-]+)`/gm).sort(), union('EndedBecause').sort())
  for (const code of PAGE.match(/FST_SESSION_[A-Z_]+/g) as string[]) t.ok(CODES.includes(code), code)
})

t.test('docs/device-bound.md: every link has a target', async t => {
  const slug = (heading: string): string => heading.toLowerCase().replace(/[^\w\- ]/g, '').replaceAll(' ', '-')
  const anchorsOf = (page: string): string[] => namesIn(page, /^#+ (.*)$/gm).map(slug)
  for (const link of namesIn(PAGE, /\]\(([^)]+)\)/g).filter(link => link !== 'https://w3c.github.io/webappsec-dbsc/')) {
    const [path = '', anchor] = link.split('#')
    t.ok(existsSync(join(ROOT, 'docs', path)), link)
    if (anchor === undefined) continue
    t.ok(anchorsOf(path === '' ? PAGE : readFileSync(join(ROOT, 'docs', path), 'utf8')).includes(anchor), link)
  }
})

t.test('docs/device-bound.md: the picture is small, has a text description, and loads nothing', async t => {
  const picture = readFileSync(join(ROOT, 'docs/device-bound.svg'), 'utf8')
  t.ok(Buffer.byteLength(picture) <= 12 * 1024)
  t.match(picture, /<title id="title">/)
  t.match(picture, /<desc id="desc">/)
  t.match(picture, 'prefers-color-scheme: dark')
  t.notMatch(picture, /href|@import|@font-face|<script|<image|url\((?!#)/)
})

t.test('docs/device-bound.md: every block of code is run by a test of this page', async t => {
  t.equal(blocks('js').length, 8)
  t.equal(PAGE.match(/^```\w+$/gm)?.length, 8)
})
