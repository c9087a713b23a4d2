import { deserialize, serialize } from 'node:v8'
import t, { type Test } from 'tap'
import secureSession from '../../index'
import { addRoutes, appWith, bareApp, KEY, OTHER_KEY, type TestApp } from '../helpers/app'
import { Browser } from '../helpers/browser'
import { runSnippet } from '../helpers/snippet'
import { pageOf } from './page'

const TESTING = pageOf('recipes/testing.md')
const SERIALIZER = pageOf('recipes/changing-the-serializer.md')

const env = { SESSION_KEY: KEY.toString('base64') }

t.test('docs/recipes: with writes: false a serializer opens its sessions, and JSON is written', async t => {
  const serializer = {
    serialize: (data: object) => `v1:${JSON.stringify(data)}`,
    deserialize: (bytes: Buffer) => JSON.parse(bytes.toString().slice(3))
  }
  const reading: TestApp = bareApp(t)
  runSnippet(SERIALIZER.block(t, 'js', 'writes: false'), { app: reading, secureSession, serializer, process: { env } })
  const writing = await appWith(t, { key: KEY, serializer })
  const json = await appWith(t)
  await reading.after()
  for (const app of [reading, writing, json]) addRoutes(app)
  const browser = new Browser(writing)
  await browser.get('/set/user/ada')
  const moved = browser.copy(reading)
  await moved.get('/set/language/en')
  for (const app of [reading, writing, json]) {
    t.strictSame(await moved.copy(app).json('/get'), { user: 'ada', language: 'en' })
  }
})

t.test('docs/recipes: node:v8 serializes equal arrays differently', async t => {
  const pushed: string[] = []
  pushed.push('book')
  const written = serialize(pushed)
  t.notOk(serialize(deserialize(written)).equals(written))
})

/** Runs a block that awaits, and gives its `response`, with whatever else is named. */
async function run (code: string, scope: Record<string, unknown>, result = 'response'): Promise<any> {
  return await runSnippet(`return (async () => {\n${code}\nreturn ${result}\n})()`, scope)
}

/** A site with two sessions, and a route for each request of the page. */
async function site (t: Test): Promise<TestApp> {
  const subject = (session: secureSession.Session): string | undefined => session.get('user')?.id ?? session.get('role')
  const app = await appWith(t, [{ key: KEY, subject }, { key: OTHER_KEY, sessionName: 'admin', subject }])
  app.post('/login', async ({ session }) => { session.regenerate(); session.set('user', { id: 17 }); return {} })
  app.get('/account', { onRequest: app.requireSession() }, async ({ session }) => session.get('user'))
  app.post('/password', { onRequest: app.requireSession({ freshWithin: '5m' }) }, async () => ({}))
  const both = [app.requireSession(), app.requireSession({ sessionName: 'admin' })]
  app.get('/admin', { onRequest: both }, async request => {
    const { session, admin } = request as unknown as Record<'session' | 'admin', secureSession.Session>
    return [session.data(), admin.data()]
  })
  return app
}

t.test('docs/recipes: a test can make requests as a logged-in user', async t => {
  const tests: Array<() => Promise<void>> = []
  const modules: Record<string, unknown> = {
    'fastify-sealed-session': secureSession, 'node:test': (_: string, test: () => Promise<void>) => { tests.push(test) }
  }
  runSnippet(TESTING.block(t, 'js', "'/account'"), { require: (name: string) => modules[name] ?? require(name) })
  for (const test of tests) await t.resolves(test)
  t.equal(tests.length, 1)
})

t.test('docs/recipes: a test can make requests with two sessions', async t => {
  const response = await run(TESTING.block(t, 'js', "url: '/admin'"), { app: await site(t) })
  t.strictSame(response.json(), [{ user: { id: 17 } }, { role: 'owner' }])
})

t.test('docs/recipes: a test can make requests with an old login', async t => {
  const app = await site(t)
  const code = TESTING.block(t, 'js', 'mock.timers')
  t.match((await run(code, { app, require })).json(), { code: 'FST_SESSION_STALE' })
  t.equal((await run(code.replace('6 * 60', '4 * 60'), { app, require })).statusCode, 200)
})

t.test('docs/recipes: a test can read the session of a response', async t => {
  const session = await run(TESTING.block(t, 'js', 'response.cookies'), { app: await site(t) }, 'session')
  t.strictSame(session.data(), { user: { id: 17 } })
})
