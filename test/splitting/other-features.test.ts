import t, { type Test } from 'tap'
import secureSession from '../../index'
import { addRoutes, appWith, bareApp, KEY, OTHER_KEY, type TestApp } from '../helpers/app'
import { Browser, parseLine, setCookies } from '../helpers/browser'
import { fakeClock, fakeTime, passUntil } from '../helpers/clock'
import { keyNumber, MemoryStore, rotate } from '../helpers/keyrings'
import { addFilling, appOfSizes, BYTES, filled, sizeIn } from './sized'

const { sealedOpener, memoryRevocation } = secureSession
const PARTS = ['session', 'session.1', 'session.2']

function names (lines: readonly string[], isCleared: boolean): string[] {
  return lines.map(parseLine).filter(({ value }) => (value === '') === isCleared).map(({ name }) => name)
}

t.test('renewal writes only the stamp, for every size of the session', async t => {
  const clock = fakeClock(t)
  const app = await appOfSizes(t)
  const browser = await filled(app, BYTES.three)
  clock.advance(12 * 3_600_000)
  t.strictSame(names(setCookies(await browser.get('/size')), false), ['session.t'])
  clock.advance(23 * 3_600_000)
  t.equal(await sizeIn(browser), BYTES.three)
  t.strictSame(names(setCookies(await browser.get('/delete')), true), [...PARTS, 'session.t'])
})

t.test('a split session that was revoked elsewhere is cleared, with all of its parts', async t => {
  const app = await appOfSizes(t, { maxCookies: 3, subject: () => 'ada', revocation: { store: memoryRevocation(), recheck: 0 } })
  const browser = await filled(app, BYTES.three)
  t.equal(await sizeIn(browser), BYTES.three)
  await app.secureSession.revokeSubject('ada')
  const response = await browser.get('/size')
  t.strictSame(response.json(), { size: null })
  t.strictSame(names(setCookies(response), true), PARTS)
})

/** A split session in the cookies that are named `session`, and an app to which it moves. */
async function moving (t: Test, opener: object = {}, options: object = {}): Promise<Browser> {
  const before = await filled(await appOfSizes(t), BYTES.three)
  const after = await appOfSizes(t, { cookieName: '__Host-session', maxCookies: 3, legacy: [sealedOpener({ cookieName: 'session', ...opener })], ...options })
  return before.copy(after)
}

t.test('a split session is migrated to another name, and no part stays under the old name', async t => {
  const browser = await moving(t)
  const lines = setCookies(await browser.get('/touch'))
  t.strictSame(names(lines, true), PARTS)
  t.strictSame([...browser.cookies.keys()], PARTS.map(name => `__Host-${name}`))
  t.equal(await sizeIn(browser), BYTES.three)
})

t.test('a split session that does not fit after a migration stays in its legacy cookies', async t => {
  const browser = await moving(t, {}, { maxCookies: 1 })
  t.equal(await sizeIn(browser), BYTES.three)
  t.strictSame([...browser.cookies.keys()], PARTS)
  browser.cookies.set('__Host-session.1', 'mine')
  await browser.get('/delete')
  t.strictSame([...browser.cookies.keys()], ['__Host-session.1'], 'where it would have moved, no session is split')
})

t.test('an old split cookie with keep stays complete until the session ends', async t => {
  const browser = await moving(t, { keep: true })
  await browser.get('/touch')
  t.equal(browser.cookies.size, 6)
  await browser.get(`/fill/${BYTES.one}`)
  t.strictSame([...browser.cookies.keys()], [...PARTS, '__Host-session'])
  await browser.get('/delete')
  t.equal(browser.cookies.size, 0)
})

t.test('a cookie with a name like that of an old part is not cleared', async t => {
  const before = await filled(await appOfSizes(t, {}), BYTES.one)
  before.cookies.set('session.1', 'mine')
  const browser = before.copy(await appOfSizes(t, { cookieName: '__Host-session', legacy: [sealedOpener({ cookieName: 'session' })] }))
  for (const url of ['/size', '/regenerate', '/delete']) await browser.get(url)
  t.strictSame([...browser.cookies.keys()], ['session.1'])
})

t.test('the unknown key of a split session is looked for before the handler', async t => {
  const time = fakeTime(t)
  const store = new MemoryStore([keyNumber(1, time.nowMs - 1000)])
  const appOn = async (): Promise<TestApp> => await appOfSizes(t, { keyring: store, key: undefined, reloadEvery: '1d', maxCookies: 3 } as never)
  const behind = await appOn()
  rotate(store, time.nowMs)
  const browser = await filled(await appOn(), BYTES.three)
  const { json } = await passUntil(time, behind.inject({ url: '/size', headers: { cookie: browser.header } }))
  t.strictSame(json(), { size: BYTES.three })
})

t.test('several sessions of one request are split separately', async t => {
  const app = await appWith(t, [{ key: KEY, maxCookies: 2 }, { key: OTHER_KEY, sessionName: 'cart', maxCookies: 2 }])
  let count = 0
  app.get('/fill', async request => {
    const text = String(count++).repeat(4000)
    request.session.set('text', text);
    (request as never as { cart: secureSession.Session }).cart.set('text', text)
    return {}
  })
  const browser = new Browser(app)
  t.strictSame(names(setCookies(await browser.get('/fill')), false), ['session', 'session.1', 'cart', 'cart.1'])
  t.strictSame(names(setCookies(await browser.get('/fill')), false).length, 4)
})

t.test('commitSession returns the lines of all parts', async t => {
  const app = await appOfSizes(t)
  app.get('/early', (request, reply) => {
    request.session.set('text', 'x'.repeat(BYTES.two))
    const lines = reply.commitSession()
    reply.hijack()
    reply.raw.end(JSON.stringify(lines))
  })
  const address = await app.listen({ host: '127.0.0.1', port: 0 })
  const response = await fetch(`${address}/early`)
  const lines = await response.json() as string[]
  t.strictSame(names(lines, false), ['session', 'session.1'])
  t.strictSame(response.headers.getSetCookie(), lines)
})

t.test('outside a request a token is one text of any length', async t => {
  const app = await appOfSizes(t)
  const token = app.encodeSecureSession(app.createSecureSession({ text: 'x'.repeat(BYTES.three) }))
  t.ok(token.length > 8192)
  t.equal(app.decodeSecureSession(token)?.get('text')?.length, BYTES.three)
  t.equal((await app.secureSession.decode(token))?.get('text')?.length, BYTES.three)
  const browser = await filled(app, BYTES.two)
  t.equal(app.decodeSecureSession([...browser.cookies.values()].join(''))?.get('text')?.length, BYTES.two)
  t.equal(app.decodeSecureSession(browser.cookies.get('session') as string), null, 'a part is no token')
})

t.test('cookie options of another plugin change none of the parts', async t => {
  const app = bareApp(t)
  await app.register(import('@fastify/cookie'), { parseOptions: { domain: 'elsewhere.test', maxAge: 1 }, hook: false })
  await app.register(secureSession, { key: KEY, maxCookies: 3 })
  addRoutes(app)
  addFilling(app)
  const browser = new Browser(app)
  t.notMatch(setCookies(await browser.get(`/fill/${BYTES.three}`)).join('\n'), /elsewhere|Max-Age/)
  t.equal(await sizeIn(browser), BYTES.three)
})
