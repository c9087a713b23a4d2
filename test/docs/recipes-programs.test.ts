import { execFileSync, spawn } from 'node:child_process'
import { channel } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import autoload from '@fastify/autoload'
import fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import secureSession from '../../index'
import { bareApp, KEY, OTHER_KEY } from '../helpers/app'
import { Browser } from '../helpers/browser'
import { plainEnv } from '../helpers/process'
import { runSnippet } from '../helpers/snippet'
import { pageOf, ROOT } from './page'

const ENV = { SESSION_KEY: KEY.toString('base64'), ADMIN_KEY: OTHER_KEY.toString('base64'), PORT: '0' }

/** The program of a page, which runs until the test ends. */
async function program (t: Test, page: string, scope: object = {}): Promise<FastifyInstance> {
  let listening: Promise<unknown> = Promise.resolve()
  const packages: Record<string, unknown> = {
    'fastify-sealed-session': secureSession,
    fastify: (options: object) => {
      const app = fastify(options)
      const listen = app.listen.bind(app) as (options: object) => Promise<unknown>
      return Object.assign(app, { listen: (options: object) => { listening = listen(options) } })
    }
  }
  const code = pageOf(`recipes/${page}.md`).blocks('js')[0] as string
  const names = { require: (name: string) => packages[name] ?? require(name), process: { env: ENV }, ...scope }
  const app = runSnippet(code, names, 'app') as FastifyInstance
  t.teardown(async () => { await app.close() })
  await listening
  return app
}

function folder (t: Test, files: Record<string, string>): string {
  const path = mkdtempSync(join(tmpdir(), 'recipe-'))
  t.teardown(() => { rmSync(path, { recursive: true }) })
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true })
    writeFileSync(join(path, name), text)
  }
  return path
}

const post = { method: 'POST' } as const

t.test('docs/recipes: a file is taken from a user who is logged in, and from no other', async t => {
  const browser = new Browser(await program(t, 'file-uploads'))
  const form = '--x\r\ncontent-disposition: form-data; name="file"; filename="ada.png"\r\n\r\nbytes\r\n--x--\r\n'
  const upload = { ...post, payload: form, headers: { 'content-type': 'multipart/form-data; boundary=x' } }
  t.equal((await browser.get('/avatar', upload)).statusCode, 401)
  await browser.get('/login', post)
  t.strictSame((await browser.get('/avatar', upload)).json(), { name: 'ada.png', bytes: 5 })
})

t.test('docs/recipes: the code of the page and the API of a single-page app work together', async t => {
  const app = await program(t, 'single-page-apps')
  const browser = new Browser(app)
  const fetch = async (path: string, options: { method?: 'POST', body?: string, headers?: object } = {}): Promise<object> => {
    const { method = 'GET', body, headers = {} } = options
    const response = await browser.get(path, { method, headers: { ...headers }, ...body === undefined ? {} : { payload: body } })
    return { status: response.statusCode, json: async () => response.json() }
  }
  const page = pageOf('recipes/single-page-apps.md').block(t, 'js', 'async function call')
  const me: unknown = await runSnippet(`return (async () => { ${page}; return me })()`, { fetch })
  t.strictSame(me, { id: 'ada' })
  await browser.get('/api/logout', post)
  t.equal((await browser.get('/api/me')).statusCode, 401)
})

t.test('docs/recipes: a page from a template has a form that logs in, and one that logs out', async t => {
  const views = folder(t, { 'views/page.ejs': pageOf('recipes/views.md').blocks('html')[0] as string })
  const browser = new Browser(await program(t, 'views', { __dirname: views }))
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const send = async (path: string, token: string): Promise<number> => {
    return (await browser.get(path, { ...post, headers, payload: new URLSearchParams({ _csrf: token, name: 'ada' }).toString() })).statusCode
  }
  const page = async (): Promise<{ text: string, token: string }> => {
    const text = (await browser.get('/')).body
    return { text, token: /value="([^"]+)"/.exec(text)?.[1] as string }
  }
  const before = await page()
  t.match(before.text, 'action="/login"')
  t.equal(await send('/login', 'wrong'), 403)
  t.equal(await send('/login', before.token), 303)
  const after = await page()
  t.match(after.text, /Welcome, ada[^]*action="\/logout"/)
  t.equal(await send('/logout', before.token), 403, 'regenerate() has made another secret')
  t.equal(await send('/logout', after.token), 303)
  t.match((await page()).text, 'action="/login"')
})

t.test('docs/recipes: with autoload, a folder of routes has a guard, by its first line or by its hooks', async t => {
  const [plugin, login, account, hooks] = pageOf('recipes/fastify-cli.md').blocks('js') as [string, string, string, string]
  const unguarded = account.replace('  app.register(app.sessionGuard)\n', '')
  for (const [name, routes] of [['first line', { 'index.js': account }], ['hooks', { 'autohooks.js': hooks, 'index.js': unguarded }]] as const) {
    const files = Object.fromEntries(Object.entries(routes).map(([file, text]) => [`routes/account/${file}`, text]))
    const path = folder(t, { 'plugins/session.js': plugin, 'routes/login.js': login, ...files })
    linkPackages(path)
    const app = bareApp(t)
    process.env['SESSION_KEY'] = ENV.SESSION_KEY
    await app.register(autoload, { dir: join(path, 'plugins') })
    await app.register(autoload, { dir: join(path, 'routes'), autoHooks: true })
    const browser = new Browser(app)
    t.equal((await browser.get('/account')).statusCode, 401, name)
    await browser.get('/login', post)
    t.strictSame(await browser.json('/account'), { id: 17 })
  }
})

/** The package as it is built, and all others. */
function linkPackages (path: string): void {
  const modules = join(path, 'node_modules')
  mkdirSync(modules)
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    if (!name.startsWith('.')) symlinkSync(join(ROOT, 'node_modules', name), join(modules, name))
  }
  symlinkSync(ROOT, join(modules, 'fastify-sealed-session'))
}

t.test('docs/recipes: a function on AWS Lambda logs in, and knows the user in the next process', async t => {
  const call = async (rawPath: string, method: string, cookies: string[]): Promise<any> => {
    const exports: { handler?: (event: object, context: object) => Promise<object> } = {}
    await program(t, 'serverless', { exports })
    return await exports.handler?.({
      version: '2.0', rawPath, rawQueryString: '', cookies, headers: { 'x-forwarded-proto': 'https' }, requestContext: { http: { method, path: rawPath } }
    }, {})
  }
  const login = await call('/login', 'POST', [])
  t.match(login, { statusCode: 200, cookies: [/^__Host-session=[\w-]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/] })
  const [cookie] = (login.cookies as [string])[0].split(';') as [string]
  t.match(await call('/account', 'GET', [cookie]), { statusCode: 200, body: '{"id":17}' })
  t.match(await call('/account', 'GET', []), { statusCode: 401 })
})

t.test('docs/recipes: a second session has its own login, guard and logout', async t => {
  const browser = new Browser(await program(t, 'named-sessions'))
  t.equal((await browser.get('/admin')).statusCode, 401)
  await browser.get('/admin/login', post)
  t.strictSame(await browser.json('/admin'), { role: 'owner', user: null })
  await browser.get('/admin/logout', post)
  t.equal((await browser.get('/admin')).statusCode, 401)
})

t.test('docs/recipes: flash messages and passport work beside the session', async t => {
  const browser = new Browser(await program(t, 'other-plugins'))
  await browser.get('/login', post)
  t.strictSame(await browser.json('/me'), { user: { id: 17 }, info: ['welcome'] })
  t.strictSame(await browser.json('/me'), { user: { id: 17 }, info: [] })
  await browser.get('/logout', post)
  t.match(await browser.json('/me'), { user: null })
})

t.test('docs/recipes: the events are counted', async t => {
  const browser = new Browser(await program(t, 'monitoring'))
  await browser.get('/visit', post)
  await browser.get('/visit', post)
  channel('fastify-sealed-session:revoked').publish({ session: 'session', by: 'id', id: 'x' })
  await browser.get('/visit', { ...post, headers: { cookie: `session=${'A'.repeat(100)}` } })
  t.match(await browser.json('/metrics'), { opened: 1, begun: 2, written: 1, 'refused: unknown-version': 1, 'revoked by id': 1 })
})

t.test('docs/recipes: in development the cookie has a plain name, and no Secure', async t => {
  for (const [NODE_ENV, line] of [['development', /^session=[\w-]+; Path=\/; HttpOnly; SameSite=Lax$/], ['production', /^__Host-session=.*; Secure/]] as const) {
    const app = await program(t, 'development-hosts', { process: { env: { ...ENV, NODE_ENV } } })
    app.log.level = 'silent'
    t.match((await app.inject({ ...post, url: '/login' })).headers['set-cookie'], line)
  }
})

t.test('docs/recipes: each process of a cluster opens what another one has sealed', async t => {
  const path = folder(t, { 'server.js': pageOf('recipes/cluster.md').blocks('js')[0] as string })
  linkPackages(path)
  execFileSync(process.execPath, [join(ROOT, 'dist/lib/cli/main.js'), 'init', '--keyring', 'keys.json'], { cwd: path, env: plainEnv() })
  const port = await freePort()
  const env = plainEnv({ PORT: String(port), NODE_NO_WARNINGS: '1' })
  const primary = spawn(process.execPath, ['server.js'], { cwd: path, env, stdio: 'inherit', detached: true })
  t.teardown(() => { process.kill(-(primary.pid as number), 'SIGKILL') })
  const visit = async (url: string, options: RequestInit = {}): Promise<Response | null> => {
    // A connection of its own goes to the next process.
    return await fetch(`http://localhost:${port}${url}`, { ...options, headers: { ...options.headers, connection: 'close' } }).catch(() => null)
  }
  let login: Response | null = null
  while (login === null) login = await visit('/login', post) ?? await setTimeout(50, null)
  const cookie = login.headers.getSetCookie()[0]?.split(';')[0] as string
  const processes = new Set<number>()
  for (let count = 0; processes.size < 2 && count < 200; count++) {
    const { process, user } = await (await visit('/account', { headers: { cookie } }))?.json() as { process: number, user: object }
    t.strictSame(user, { id: 17 })
    processes.add(process)
  }
  t.equal(processes.size, 2)
})

async function freePort (): Promise<number> {
  const server = createServer().listen(0)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}
