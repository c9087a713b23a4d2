import { randomUUID } from 'node:crypto'
import formbody from '@fastify/formbody'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import secureSession from '../../index'
import { bareApp, KEY, type TestApp } from '../helpers/app'
import { Browser } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'
import { startRedis } from '../helpers/redis'
import { runSnippet } from '../helpers/snippet'
import { pageOf } from './page'

const { PAGE, block, blocks } = pageOf('tokens.md')

interface User { id: number, mail: string, password: string, changedAt: number }

interface Site {
  readonly app: TestApp
  readonly ada: User
  /** The tokens of the links that were sent, with the addresses. */
  readonly sent: { to: string, token: string }[]
}

/** The site of the page, with a user. */
async function site (t: Test): Promise<Site> {
  const redis = await startRedis()
  t.teardown(async () => { await redis.remove() })
  const client = new Redis(redis.url)
  t.teardown(() => { client.disconnect() })
  const app = bareApp(t)
  const ada: User = { id: 17, mail: 'ada@shop.example', password: 'old', changedAt: 1 }
  const sent: Site['sent'] = []
  const users = {
    byMail: async (mail: string) => mail === ada.mail ? { ...ada } : null,
    byId: async (id: number) => id === ada.id ? { ...ada } : null,
    setPassword: async (_id: number, password: string) => { ada.password = password; ada.changedAt++ },
    setMail: async (_id: number, mail: string) => { ada.mail = mail }
  }
  const mails = { send: async (to: string, link: string) => { sent.push({ to, token: new URL(link).searchParams.get('token') as string }) } }
  await app.register(formbody)
  const { redisRevocation } = secureSession
  runSnippet(block(t, 'js', 'app.register'), { app, secureSession, redisRevocation, redis: client, process: { env: { SESSION_KEY: KEY.toString('base64') } } })
  await app.after()
  for (const text of ['function page', '/password/link', '/mail/link']) runSnippet(block(t, 'js', text), { app, users, mails })
  app.get('/user', async ({ session }) => session.data())
  return { app, ada, sent }
}

async function post (browser: Browser, url: string, form: Record<string, string> = {}): Promise<{ status: number, body: any }> {
  const response = await browser.get(url, {
    method: 'POST', body: new URLSearchParams(form).toString(), headers: { 'content-type': 'application/x-www-form-urlencoded' }
  })
  return { status: response.statusCode, body: response.json() }
}

async function loggedIn ({ app, ada, sent }: Site): Promise<Browser> {
  const browser = new Browser(app)
  await post(browser, '/login/mail', { mail: ada.mail })
  t.equal((await post(browser, '/login/link', { token: sent.at(-1)?.token as string })).status, 200)
  return browser
}

t.test('docs/tokens.md: the link of a login leads to a page with a button, and logs in once', async t => {
  const { app, sent } = await site(t)
  const browser = new Browser(app)
  t.strictSame((await post(browser, '/login/mail', { mail: 'x@shop.example' })).body, (await post(browser, '/login/mail', { mail: 'ada@shop.example' })).body)
  t.match(sent, [{ to: 'ada@shop.example' }])
  const { token } = sent[0] as { token: string }
  for (let visit = 0; visit < 2; visit++) {
    const page = await browser.get(`/login/link?token=${token}`)
    t.match(page.body, `<form method="post" action="/login/link"><input type="hidden" name="token" value="${token}">`)
    t.match(page.headers, { 'cache-control': 'no-store', 'referrer-policy': 'no-referrer', 'content-type': /^text\/html/ })
  }
  t.notMatch((await browser.get('/login/link?token="><script>')).body, 'script')
  t.notMatch((await browser.get('/login/link?token=a&token=%3Cscript%3E')).body, 'script')
  t.strictSame(await browser.json('/user'), {})
  const before = app.lines.length
  t.strictSame((await post(browser, '/login/link', { token })).status, 200)
  t.strictSame(await browser.json('/user'), { user: { id: 17 } })
  t.equal((await post(new Browser(app), '/login/link', { token })).status, 400)
  t.equal((await post(new Browser(app), '/login/link')).status, 400)
  t.match(app.lines.slice(before).find(({ reason }) => reason === 'used'), { purpose: 'login', reqId: String })
  t.notMatch(JSON.stringify(app.lines), token)
})

t.test('docs/tokens.md: the link of a login expires', async t => {
  const clock = fakeClock(t, Date.now())
  const { app, sent } = await site(t)
  await post(new Browser(app), '/login/mail', { mail: 'ada@shop.example' })
  clock.advance(15 * 60_000)
  t.equal((await post(new Browser(app), '/login/link', { token: sent[0]?.token as string })).status, 400)
})

t.test('docs/tokens.md: a link can be for one browser alone', async t => {
  const { app } = await site(t)
  const code = block(t, 'js', 'randomUUID')
  app.post('/ask', async request => ({ token: runSnippet(code, { app, request, randomUUID, user: { id: 17 } }, 'token') }))
  app.post('/open', async ({ session, body }) => {
    return { data: await app.secureSession.openToken('login', (body as any).token, { audience: session.get('asked') }) }
  })
  const [asking, other] = [new Browser(app), new Browser(app)]
  const { token } = (await post(asking, '/ask')).body
  await post(other, '/ask')
  t.strictSame((await post(other, '/open', { token })).body, { data: null })
  t.strictSame((await post(new Browser(app), '/open', { token })).body, { data: null })
  t.strictSame((await post(asking, '/open', { token })).body, { data: { user: 17 } })
})

t.test('docs/tokens.md: the link for a new password ends when the password changes, and sessions end', async t => {
  const shop = await site(t)
  const { app, ada, sent } = shop
  const browser = await loggedIn(shop)
  for (let mail = 0; mail < 2; mail++) await post(browser, '/password/mail', { mail: ada.mail })
  const [one, two] = sent.slice(-2).map(({ token }) => token) as [string, string]
  t.equal((await post(browser, '/login/link', { token: one })).status, 400, 'it is no login')
  t.strictSame((await post(browser, '/password/link', { token: one, password: 'new' })).body, { changed: true })
  t.equal(ada.password, 'new')
  t.strictSame(await browser.json('/user'), {})
  for (const token of [one, two, '']) t.equal((await post(browser, '/password/link', { token, password: 'newer' })).status, 400)
  t.equal(ada.password, 'new')
  t.equal((await post(browser, '/password/mail', { mail: 'x@shop.example' })).status, 200)
  t.ok(app.lines.some(({ reason }) => reason === 'forged'))
})

t.test('docs/tokens.md: a new mail address is confirmed by the user who asked', async t => {
  const shop = await site(t)
  const { app, ada, sent } = shop
  const browser = await loggedIn(shop)
  await post(browser, '/mail', { mail: 'ada@new.example' })
  t.match(sent.at(-1), { to: 'ada@new.example' })
  const { token } = sent.at(-1) as { token: string }
  const other = new Browser(app)
  for (const [name, value] of Object.entries(app.secureSession.cookiesFor({ user: { id: 18 } }))) other.cookies.set(name, value)
  t.equal((await post(other, '/mail/link', { token })).status, 400)
  t.equal((await post(new Browser(app), '/mail/link', { token })).status, 401)
  t.equal(ada.mail, 'ada@shop.example')
  t.strictSame((await post(browser, '/mail/link', { token })).body, { changed: true })
  t.equal(ada.mail, 'ada@new.example')
})

t.test('docs/tokens.md: a purpose that is not in `tokens` can be named by a call', async t => {
  const { app } = await site(t)
  const call = /`(sealToken\('invite'[^`]*)`/.exec(PAGE)?.[1] as string
  const token = runSnippet('', { sealToken: app.secureSession.sealToken, data: { by: 17 } }, call)
  t.strictSame(await app.secureSession.openToken('invite', token), { by: 17 })
})

t.test('docs/tokens.md: a token is too long for a parameter of the path', async t => {
  const { app } = await site(t)
  app.get('/link/:token', async () => ({}))
  t.equal((await app.inject(`/link/${app.secureSession.sealToken('reset-password', { user: 17 })}`)).statusCode, 414)
})

t.test('docs/tokens.md: without `revocation`, `once` stops the boot', async t => {
  const app = bareApp(t)
  await t.rejects(async () => await app.register(secureSession, { key: KEY, tokens: { login: { ttl: '15m', once: true } } }), { code: 'FST_SESSION_INVALID_OPTION' })
})

t.test('docs/tokens.md: every block of code is run by a test of this page', async t => {
  t.strictSame(['js', 'ts', 'sh'].map(language => blocks(language).length), [5, 0, 0])
})
