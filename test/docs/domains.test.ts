import formbody from '@fastify/formbody'
import t, { type Test } from 'tap'
import secureSession from '../../index'
import { bareApp, KEY, type TestApp } from '../helpers/app'
import { Browser, parseLine, setCookies } from '../helpers/browser'
import { runSnippet } from '../helpers/snippet'
import { accountsSite, formIn, inject, postForm, User } from '../hand-over/sites'
import { pageOf } from './page'

const { PAGE, block, blocks } = pageOf('domains.md')

/** An app of the page, from the blocks with these texts. */
async function appOf (t: Test, texts: readonly string[], key = KEY, scope: object = {}): Promise<TestApp> {
  const app = bareApp(t)
  await app.register(formbody)
  const env = { SESSION_KEY: key.toString('base64'), HAND_OVER_KEY: 'c3'.repeat(32) }
  for (const text of texts) runSnippet(block(t, 'js', text), { app, secureSession, process: { env }, ...scope })
  app.after(() => { app.get('/session', async ({ session }) => ({ data: session.data(), info: session.info })) })
  return app
}

t.test('docs/domains.md: a user logs in at accounts, and has a session of the shop', async t => {
  const accounts = await appOf(t, ['send: {'])
  const shop = await appOf(t, ['receive: {'], Buffer.alloc(32, 7), { customers: { has: async (id: number) => id === 17 } })
  const user = new User(accounts, shop)
  const { search } = new URL(await user.begin('/login?next=/orders'))
  const asked = await user.accounts.get(`/hand-over${search}`, { headers: { 'sec-fetch-mode': 'navigate' } })
  t.equal(asked.statusCode, 303)
  const { pathname, searchParams } = new URL(String(asked.headers.location), 'https://accounts.example')
  t.equal(pathname, '/login')
  const login = await user.accounts.get('/login', {
    method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: searchParams.toString()
  })
  const back = String(login.headers.location)
  t.equal(back, `/hand-over${search}`)
  t.equal((await user.post(formIn(await user.accounts.get(back)))).headers.location, '/orders')
  const [here, there] = [await user.shop.json('/session'), await user.accounts.json('/session')]
  t.strictSame(here.data, { user: { id: 17 } })
  t.equal(here.info.authenticatedAt, there.info.authenticatedAt)
  t.not(here.info.id, there.info.id)
  t.equal((await user.handOver()).headers.location, '/account')
})

t.test('docs/domains.md: a customer that the shop does not know goes to its page for refusals', async t => {
  const accounts = await appOf(t, ['send: {'])
  const shop = await appOf(t, ['receive: {'], KEY, { customers: { has: async () => false } })
  const user = new User(accounts, shop)
  await user.accounts.get('/login', { method: 'POST' })
  t.equal((await user.handOver()).headers.location, '/login-failed')
  t.strictSame(shop.lines.flatMap(({ reason }) => reason ?? []), ['not-accepted'])
})

t.test('docs/domains.md: a ticket without a user is refused by the shop', async t => {
  const accounts = await accountsSite(t, {}, { subject: undefined, handOver: { key: 'c3'.repeat(32) } }, ['theme'])
  const shop = await appOf(t, ['receive: {'], KEY, { customers: { has: async () => true } })
  const user = new User(accounts, shop)
  await user.accounts.get('/set/theme/dark')
  t.equal((await user.handOver()).headers.location, '/login-failed')
  t.strictSame(shop.lines.flatMap(({ reason }) => reason ?? []), ['not-accepted'])
})

t.test('docs/domains.md: with one store, a logout ends the sessions of both sites', async t => {
  const store = secureSession.memoryRevocation()
  const withStore = { secureSession: (app: any, options: object) => secureSession(app, { ...options, revocation: { store, recheck: 0.001 } } as secureSession.Options) }
  Object.assign(withStore.secureSession, { [Symbol.for('skip-override')]: true })
  const accounts = await appOf(t, ['send: {', 'revokeSubject('], KEY, withStore)
  const shop = await appOf(t, ['receive: {', 'revokeSubject('], KEY, { ...withStore, customers: { has: async () => true } })
  const user = new User(accounts, shop)
  await user.accounts.get('/login', { method: 'POST' })
  await user.handOver()
  t.strictSame((await user.shop.json('/session')).data, { user: { id: 17 } })
  const late = await user.form(await user.begin())
  await new Promise(resolve => { setTimeout(resolve, 5) })
  t.equal((await user.shop.get('/logout', { method: 'POST' })).headers.location, '/')
  t.strictSame((await user.accounts.json('/session')).data, {})
  await inject(user.shop, late)
  t.equal((await postForm(user.shop, { ...late, fields: { ...late.fields, repeated: '1' } })).headers.location, '/login-failed')
  t.ok(shop.lines.some(({ reason }) => reason === 'revoked'))
})

t.test('docs/domains.md: the API answers the pages that it knows, and refuses writes of others', async t => {
  const app = await appOf(t, ['const PAGES'])
  app.post('/write', async ({ session }) => { session.set('user', 17); return {} })
  const ask = async (method: 'GET' | 'POST' | 'OPTIONS', origin?: string): Promise<{ status: number, allowed: unknown }> => {
    const response = await app.inject({ method, url: method === 'GET' ? '/session' : '/write', headers: origin === undefined ? {} : { origin } })
    t.match(response.headers.vary, 'Origin')
    return { status: response.statusCode, allowed: response.headers['access-control-allow-origin'] }
  }
  const page = 'https://www.shop.example'
  for (const [method, status] of [['GET', 200], ['POST', 200], ['OPTIONS', 204]] as const) {
    t.strictSame(await ask(method, page), { status, allowed: page })
  }
  for (const [method, status] of [['GET', 200], ['POST', 403], ['OPTIONS', 204]] as const) {
    for (const origin of ['https://evil.shop.example', 'https://evil.example', 'null']) t.strictSame(await ask(method, origin), { status, allowed: undefined })
  }
  t.match(await ask('POST'), { status: 200 })
})

t.test('docs/domains.md: the cookie of a frame is partitioned', async t => {
  const app = await appOf(t, ['partitioned: true'])
  app.get('/set', async ({ session }) => { session.set('user', 17); return {} })
  const [line] = setCookies(await new Browser(app).get('/set')) as [string]
  t.match(parseLine(line), { name: '__Host-session', attributes: '; Path=/; HttpOnly; Secure; SameSite=None; Partitioned' })
})

t.test('docs/domains.md: every block of code is run by a test of this page, and its links lead somewhere', async t => {
  t.strictSame(['js', 'ts', 'sh'].map(language => blocks(language).length), [5, 0, 0])
  const headings = Array.from(PAGE.matchAll(/^#+ (.*)$/gm), ([, text]) => (text as string).toLowerCase().replace(/[^\w -]/g, '').replaceAll(' ', '-'))
  for (const [, anchor] of PAGE.matchAll(/\]\(#([^)]*)\)/g)) t.ok(headings.includes(anchor as string), anchor as string)
})
