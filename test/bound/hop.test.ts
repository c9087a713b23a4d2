import { AsyncLocalStorage } from 'node:async_hooks'
import { createHash } from 'node:crypto'
import t, { type Test } from 'tap'
import type { FastifyReply, FastifyRequest, InjectOptions } from 'fastify'
import secureSession from '../../index'
import { bareApp } from '../helpers/app'
import { setCookies } from '../helpers/browser'
import { recordCalls } from '../helpers/calls'
import { fakeClock } from '../helpers/clock'
import { hasHeard, hearAll } from '../events/subscribed'
import { addPages, boundBrowser, DeviceBrowser, HOUR_MS, LINK, loggedIn, OPTIONS, shopOf } from './site'

const SCRIPT = 'if (location.href.includes("#")) history.replaceState(null, "", (location.search || "?") + "&")'
const PAGE = `<!doctype html><meta charset="utf-8"><title>One moment</title><script>${SCRIPT}</script>` +
  '<a href="">One moment</a>\n'

/** A browser whose proof is over, at an app whose handlers say that they ran. */
async function overdue (t: Test, options: object = {}): Promise<{ browser: DeviceBrowser, ran: string[] }> {
  const clock = fakeClock(t)
  const app = await shopOf(t, options)
  const ran: string[] = []
  app.addHook('preHandler', async ({ url }) => { ran.push(url) })
  app.route({ method: 'PUT', url: '/public', handler: async () => ({}) })
  app.get('/health', { config: { session: false } }, async () => ({}))
  const browser = await boundBrowser(app)
  clock.advance(HOUR_MS)
  browser.dropProof()
  ran.length = 0
  return { browser, ran }
}

t.test('a link from another site is answered before any handler, with a page that asks again as the origin itself', async t => {
  const { browser, ran } = await overdue(t)
  const heard = hearAll(t)
  const hop = await browser.get('/write/page?code=1', { headers: LINK })
  t.strictSame([hop.statusCode, hop.body, setCookies(hop), ran], [200, PAGE, [], []])
  t.match(hop.headers, { refresh: '0', 'cache-control': 'no-store', 'content-type': 'text/html; charset=utf-8' })
  t.equal(hop.headers['location'], undefined)
  hasHeard(t, heard, [], 'nothing was refused')
  await browser.prove()
  const page = await browser.get('/write/page?code=1', { headers: { ...LINK, 'sec-fetch-site': 'same-origin' } })
  t.match([page.statusCode, page.json(), ran.at(-1)], [200, { bound: true }, '/write/page?code=1'])
})

t.test('the policy of the hop lets its script run, and nothing else, whatever policy the app has', async t => {
  const app = bareApp(t, { trustProxy: true })
  const forbid = async (_request: unknown, reply: FastifyReply): Promise<void> => {
    reply.header('content-security-policy', "script-src 'none'")
  }
  app.addHook('onRequest', forbid)
  await app.register(secureSession, OPTIONS as secureSession.Options)
  addPages(app)
  app.addHook('onRequest', forbid)
  const browser = await boundBrowser(app)
  browser.dropProof()
  const hop = await browser.get('/me', { headers: LINK })
  const hash = createHash('sha256').update(SCRIPT).digest('base64')
  t.equal(hop.body, PAGE)
  t.equal(hop.headers['content-security-policy'], `default-src 'none'; script-src 'sha256-${hash}'`)
  t.equal((await browser.get('/public')).headers['content-security-policy'], "script-src 'none'")
})

t.test('the second request never hops, whatever came of the refresh', async t => {
  const { browser, ran } = await overdue(t)
  const page = await browser.get('/me', { headers: { ...LINK, 'sec-fetch-site': 'same-origin' } })
  t.match([page.json(), ran], [{ user: null }, ['/me']])
})

const other = { cookie: 'other=1' }

const CONDITIONS: ReadonlyArray<readonly [what: string, options: InjectOptions & { url?: string }, hops: boolean]> = [
  ['a link from another site', { headers: LINK }, true],
  ['a link from another subdomain', { headers: { ...LINK, 'sec-fetch-site': 'same-site' } }, true],
  ['an address that was typed', { headers: { ...LINK, 'sec-fetch-site': 'none' } }, true],
  ['a frame', { headers: { ...LINK, 'sec-fetch-dest': 'iframe' } }, true],
  ['a link of the origin', { headers: { ...LINK, 'sec-fetch-site': 'same-origin' } }, false],
  ['a browser that does not say where the link was', { headers: { 'sec-fetch-mode': 'navigate' } }, false],
  ['a fetch of another site', { headers: { ...LINK, 'sec-fetch-mode': 'cors' } }, false],
  ['an image of another site', { headers: { ...LINK, 'sec-fetch-mode': 'no-cors' } }, false],
  ['a form of another site', { headers: LINK, method: 'POST' }, false],
  ['a PUT', { headers: LINK, method: 'PUT' }, false],
  ['a browser that could not sign', { headers: { ...LINK, 'secure-session-skipped': 'unreachable' } }, false],
  ['a request without cookies', { headers: { ...LINK, cookie: '' } }, false],
  ['a request without this cookie', { headers: { ...LINK, ...other } }, false],
  ['a session cookie that does not open', { headers: { ...LINK, cookie: 'session=junk' } }, false],
  ['a page that needs no session', { headers: LINK, url: '/health' }, false],
  ['a page that is not there', { headers: LINK, url: '/nowhere' }, true]
]

for (const [what, { url = '/public', ...options }, hops] of CONDITIONS) {
  t.test(`${hops ? 'answered with the hop' : 'no hop for'}: ${what}`, async t => {
    const { browser } = await overdue(t)
    const reply = await browser.get(url, options)
    t.equal(reply.body === PAGE, hops)
    t.equal(reply.headers['refresh'], hops ? '0' : undefined)
  })
}

t.test('a pass or a proof that is not valid does not turn off the hop: a subdomain can set one', async t => {
  const { browser } = await overdue(t)
  for (const name of ['session.u', 'session.d']) {
    for (const junk of ['', 'x', 'A'.repeat(22), 'A'.repeat(91)]) {
      const copy = browser.copy()
      copy.cookies.set(name, junk)
      t.equal((await copy.get('/me', { headers: LINK })).body, PAGE, `${name}=${junk}`)
    }
  }
})

t.test('no hop where the pass or a valid proof was sent', async t => {
  fakeClock(t)
  const app = await shopOf(t)
  for (const browser of [await loggedIn(app), await boundBrowser(app)]) {
    t.match((await browser.get('/me', { headers: LINK })).json(), { user: 'ada' })
  }
})

t.test('no hop where a proof was sent that is over: the cookies are a copy', async t => {
  const clock = fakeClock(t)
  const app = await shopOf(t)
  const browser = await boundBrowser(app)
  const copy = new Map(browser.cookies)
  clock.advance(HOUR_MS)
  for (const [name, value] of copy) browser.cookies.set(name, value)
  t.match((await browser.get('/me', { headers: LINK })).json(), { code: 'FST_SESSION_UNPROVEN' })
})

t.test('no hop where the proof of another session was sent: the browser does not sign until it is cleared', async t => {
  const clock = fakeClock(t)
  const app = await shopOf(t)
  const [browser, other] = [await boundBrowser(app), await boundBrowser(app)]
  clock.advance(HOUR_MS)
  await other.prove()
  browser.cookies.set('session.d', other.cookies.get('session.d') as string)
  const reply = await browser.get('/me', { headers: LINK })
  t.match([reply.json(), setCookies(reply)], [{ code: 'FST_SESSION_UNPROVEN' }, [/^session\.d=; .*Max-Age=0/]])
  t.equal((await browser.get('/me', { headers: LINK })).body, PAGE)
})

t.test('a session without a mark gets no hop, and is opened once for the hop and the handler', async t => {
  const app = await shopOf(t, { tokenCache: 0 })
  const browser = await loggedIn(await shopOf(t, { deviceBound: undefined }))
  const record = recordCalls(t)
  const { result, sodium } = await record(async () => await browser.copy(app).get('/me', { headers: LINK }))
  t.match(result.json(), { user: 'ada' })
  t.strictSame(sodium, ['decrypt'])
})

t.test('with revocation the hop asks no store, and a session without a mark is opened once', async t => {
  const store = secureSession.memoryRevocation()
  let asked = 0
  const counting = { cutOffs: async (keys: readonly string[]) => { asked++; return await store.cutOffs(keys) }, raise: store.raise.bind(store) }
  const revocation = { store: counting as never, recheck: 0 as never }
  const { browser } = await overdue(t, { revocation })
  asked = 0
  t.equal((await browser.get('/me', { headers: LINK })).body, PAGE)
  t.equal(asked, 0)
  const app = await shopOf(t, { tokenCache: 0, revocation })
  const plain = await loggedIn(await shopOf(t, { deviceBound: undefined }))
  const record = recordCalls(t)
  const { result, sodium } = await record(async () => await plain.copy(app).get('/me', { headers: LINK }))
  t.match(result.json(), { user: 'ada' })
  t.equal(sodium.filter(name => name === 'decrypt').length, 1)
})

t.test('a mixin that reads the session while the plugin decides about a hop gets null, and no error', async t => {
  const requests = new AsyncLocalStorage<FastifyRequest>()
  const codes: string[] = []
  const mixin = (): object => {
    try {
      requests.getStore()?.session?.get('user')
    } catch (error) {
      codes.push((error as { code: string }).code)
    }
    return {}
  }
  const app = bareApp(t, { trustProxy: true, logger: { level: 'debug', stream: { write () {} }, mixin } })
  app.addHook('onRequest', (request, _reply, done) => { requests.run(request, done) })
  await app.register(secureSession, OPTIONS as secureSession.Options)
  addPages(app)
  const browser = await boundBrowser(app)
  browser.dropProof()
  const hop = await browser.get('/me', { headers: { ...LINK, cookie: `session=junk; ${browser.header}` } })
  t.strictSame([hop.body, codes], [PAGE, []])
})

t.test('of several sessions, one that needs a proof is enough for a hop', async t => {
  const clock = fakeClock(t)
  const names = ['session', 'staff']
  const app = await shopOf(t, names.map(sessionName => ({ key: 'a1'.repeat(32), sessionName, deviceBound: { when: (session: any) => session.has('user') } })))
  app.get('/in/:name', async request => { (request as any)[(request.params as { name: string }).name].set('user', 'ada'); return {} })
  const staff = new DeviceBrowser(app, { session: 'staff' })
  await staff.get('/in/staff')
  await staff.register()
  await staff.refresh()
  t.not((await staff.get('/public', { headers: LINK })).body, PAGE)
  clock.advance(HOUR_MS)
  staff.dropProof()
  t.equal((await staff.get('/public', { headers: LINK })).body, PAGE)
})

t.test('without enforce a link hops as well: it shows what the option will do', async t => {
  const { browser } = await overdue(t, { deviceBound: { enforce: false } })
  t.equal((await browser.get('/me', { headers: LINK })).body, PAGE)
})

t.test('an app without the option has no hop', async t => {
  const { browser } = await overdue(t)
  const app = await shopOf(t, { deviceBound: undefined })
  t.match((await browser.copy(app).get('/me', { headers: LINK })).json(), { code: 'FST_SESSION_UNPROVEN' })
})
