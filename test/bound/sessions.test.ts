import t from 'tap'
import secureSession from '../../index'
import { KEY } from '../helpers/app'
import { setCookies } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'
import { hearAll, take } from '../events/subscribed'
import { boundBrowser, cookieLines, DeviceBrowser, HOUR_MS, loggedIn, MINUTE_MS, OPTIONS, shopOf } from './site'

/** Sessions that are split, padded or written by a serializer, several sessions, and names that are near. */

t.test('a split session has one pass and one proof, and its mark is in its data', async t => {
  const clock = fakeClock(t)
  for (const maxCookies of [2, 3]) {
    const app = await shopOf(t, { maxCookies })
    app.get('/fill', async ({ session }) => { session.set('text', 'x'.repeat(maxCookies * 2000)); return {} })
    const browser = await loggedIn(app)
    const further = Array.from({ length: maxCookies - 1 }, (_, part) => `+session.${part + 1}`)
    t.strictSame(cookieLines(await browser.get('/fill')), ['+session', ...further])
    await browser.register()
    await browser.refresh()
    t.match(await browser.ask('/me'), { user: 'ada', bound: true })
    t.notOk(browser.cookies.has('session.u'))
    clock.advance(11 * MINUTE_MS)
    t.match(await browser.copy().ask('/me'), { user: null })
    t.equal((await browser.prove()).statusCode, 204)
    t.match(await browser.ask('/me'), { user: 'ada', bound: true })
    const logout = await browser.get('/logout')
    t.strictSame(cookieLines(logout).sort(), ['-session', '-session.1', '-session.2', '-session.d', '-session.u'])
  }
})

t.test('a session that just fits without a mark fails with its size where it gets one', async t => {
  const app = await shopOf(t)
  app.get('/in/:bytes', async ({ session, params }) => {
    session.set('text', 'x'.repeat(Number((params as { bytes: string }).bytes)))
    session.set('user', 'ada')
    return {}
  })
  const browser = new DeviceBrowser(app)
  const tls = { 'x-forwarded-proto': 'http' }
  let most = 2800
  while ((await browser.copy().get(`/in/${most + 1}`, { headers: tls })).statusCode === 200) most++
  t.equal((await browser.copy().get(`/in/${most}`)).json().code, 'FST_SESSION_TOO_LARGE')
  const fits = await browser.copy().get(`/in/${most - 19}`)
  t.strictSame([fits.statusCode, cookieLines(fits)], [200, ['-session.d', '+session', '+session.u']], '19 bytes are for the mark')
})

t.test('with padding and with a serializer a session is bound as any other', async t => {
  const serializer = {
    serialize: (data: object) => Buffer.from(JSON.stringify(data)).reverse(),
    deserialize: (bytes: Buffer) => JSON.parse(Buffer.from(bytes).reverse().toString())
  }
  for (const options of [{ padTo: 64 }, { serializer }, { tokenCache: 0 }]) {
    const browser = await boundBrowser(await shopOf(t, options))
    t.match(await browser.ask('/me'), { user: 'ada', bound: true })
  }
})

t.test('the mark takes 26 characters of a session\'s cookie', async t => {
  const length = async (options: object): Promise<number> => (await loggedIn(await shopOf(t, options))).cookies.get('session')?.length ?? 0
  t.ok([25, 26].includes(await length({}) - await length({ deviceBound: undefined })))
})

t.test('a proof or a pass of one session does not count for another of the same app', async t => {
  const when = (session: any): boolean => session.has('user')
  const app = await shopOf(t, ['session', 'staff'].map(sessionName => ({ key: KEY, sessionName, deviceBound: { when } })))
  app.get('/in/:name', async request => { (request as any)[(request.params as { name: string }).name].set('user', 'ada'); return {} })
  app.get('/who', async request => ({ user: request.session.get('user') ?? null, staff: (request as any).staff.get('user') ?? null }))
  const browser = new DeviceBrowser(app)
  await browser.get('/in/session')
  await browser.get('/in/staff')
  t.match(await browser.ask('/who'), { user: 'ada', staff: 'ada' })
  await browser.register()
  await browser.refresh()
  const moved = browser.copy()
  moved.cookies.set('staff.d', browser.cookies.get('session.d') as string)
  moved.cookies.delete('staff.u')
  t.match(await moved.ask('/who'), { user: 'ada', staff: null })
})

t.test('one request may refuse one session and use another', async t => {
  const clock = fakeClock(t)
  const when = (session: any): boolean => session.has('user')
  const app = await shopOf(t, ['session', 'staff'].map(sessionName => ({ key: KEY, sessionName, deviceBound: { when } })))
  app.get('/in/:name', async request => { (request as any)[(request.params as { name: string }).name].set('user', 'ada'); return {} })
  app.get('/staff', async request => ({ staff: (request as any).staff.get('user') ?? null }))
  const browser = new DeviceBrowser(app)
  await browser.get('/in/session')
  await browser.register()
  await browser.refresh()
  await browser.get('/in/staff')
  clock.advance(HOUR_MS)
  const headers = { 'secure-session-skipped': 'x' }
  t.match((await browser.get('/staff', { headers })).json(), { staff: 'ada' })
  t.match((await browser.get('/me', { headers })).json(), { code: 'FST_SESSION_UNPROVEN' })
})

t.test('an app that reads the session in each line of its log goes on, whatever the session is', async t => {
  const clock = fakeClock(t)
  const lines: any[] = []
  const logger = {
    level: 'debug',
    stream: { write: (line: string) => { lines.push(JSON.parse(line)) } },
    serializers: { req: (request: any) => ({ url: request.url, user: request.session?.get('user') ?? null }) }
  }
  const app = await shopOf(t, {}, { logger } as never)
  const browser = await boundBrowser(app)
  clock.advance(HOUR_MS)
  browser.dropProof()
  for (const headers of [{}, { 'secure-session-skipped': 'x' }, { 'sec-fetch-site': 'cross-site' }]) {
    t.equal((await browser.copy().get('/public', { headers })).statusCode, 200)
  }
  t.equal((await browser.prove()).statusCode, 204)
})

t.test('no secret of a binding is in the log or in an event', async t => {
  const app = await shopOf(t, { revocation: { store: secureSession.memoryRevocation() } })
  const heard = hearAll(t)
  const browser = await boundBrowser(app)
  const secrets = [browser.identifier, browser.challenge, browser.offered as string, ...browser.cookies.values(), KEY.toString('hex')]
  const passed = await loggedIn(app)
  secrets.push(...passed.cookies.values(), Buffer.from(passed.cookies.get('session.u') as string, 'base64url').toString('hex'))
  await browser.copy().post('refresh', { 'sec-secure-session-id': browser.identifier, 'secure-session-response': 'x' })
  await browser.get('/logout')
  const told = JSON.stringify([app.lines, take(heard)])
  t.ok(told.length > 1000)
  t.strictSame(secrets.filter(secret => told.includes(secret)), [])
})

t.test('a cookie attribute of the session is that of its pass and proof, but for Secure and Priority', async t => {
  const app = await shopOf(t, { cookie: { sameSite: 'none', path: '/', httpOnly: false, priority: 'low' } })
  const browser = await loggedIn(app)
  const [proof] = setCookies(await browser.register())
  t.match(proof, /^session\.d=[\w-]{91}; Max-Age=60; Path=\/; Secure; SameSite=None$/)
  t.equal(OPTIONS.persistent, true)
})
