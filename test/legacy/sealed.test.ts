import t, { type Test } from 'tap'
import secureSession from '../../index'
import { addRoutes, appWith, bareApp, KEY, OTHER_KEY, type TestApp } from '../helpers/app'
import { Browser, setCookies } from '../helpers/browser'
import { fakeClock, fakeTime, passUntil } from '../helpers/clock'
import { keyNumber, MemoryStore, rotate } from '../helpers/keyrings'
import { quickPassphrases } from '../helpers/quick-passphrases'

t.teardown(quickPassphrases())

const { sealedOpener } = secureSession

async function appOf (t: Test, options: object = {}): Promise<TestApp> {
  const app = await appWith(t, { key: KEY, ...options } as secureSession.Options)
  addRoutes(app)
  return app
}

/** An app whose cookie is named `session`, and the app that it becomes: `__Host-session`. */
async function renamed (t: Test, opener: object = {}, options: object = {}): Promise<{ before: Browser, after: TestApp }> {
  const before = new Browser(await appOf(t, options))
  return { before, after: await appOf(t, { ...options, cookieName: '__Host-session', legacy: [sealedOpener({ cookieName: 'session', ...opener })] }) }
}

t.test('a session migrates to the new name with the first write, and the legacy cookie is cleared', async t => {
  const { before, after } = await renamed(t)
  await before.get('/set/user/ada')
  const browser = before.copy(after)
  t.match(setCookies(await browser.get('/touch')), [/^session=; Max-Age=0.*Path=\/;/, /^__Host-session=AQ.*; Path=\/; HttpOnly; Secure;/])
  t.strictSame([...browser.cookies.keys()], ['__Host-session'])
  t.strictSame(await browser.json('/get'), { user: 'ada' })
})

t.test('a session that migrates keeps its id and its age', async t => {
  const clock = fakeClock(t)
  const { before, after } = await renamed(t)
  await before.get('/set/user/ada')
  const { id, createdAt } = await before.json('/info')
  clock.advance(60_000)
  t.match(await before.copy(after).json('/info'), { id, createdAt, isNew: false })
})

t.test('a session that migrates keeps its own limits, and the attributes that the new name allows', async t => {
  const clock = fakeClock(t)
  for (const [own, kept] of [[{ maxAge: 90 * 86400, sameSite: 'strict' }, /Max-Age=7776000.*SameSite=Strict/], [{ maxAge: 90 * 86400, domain: 'example.org', sameSite: 'strict' }, /Max-Age=7776000; Path=\/; HttpOnly; Secure; SameSite=Lax/]] as const) {
    const first = await appOf(t)
    first.get('/remember', async ({ session }) => { session.set('user', 'ada'); session.options(own); return {} })
    const { after } = await renamed(t)
    const before = new Browser(first)
    await before.get('/remember')
    clock.advance(20 * 86400_000)
    const browser = before.copy(after)
    const lines = setCookies(await browser.get('/touch'))
    t.match(lines.at(-1), kept)
    t.match(lines[0], 'domain' in own ? /^session=; .*Domain=example\.org/ : /^session=; /, 'and the old one is cleared where it is')
    t.strictSame(await browser.json('/get'), { user: 'ada' })
    for (const url of ['/set/a/b', '/delete']) t.match(setCookies(await browser.copy().get(url)).at(url === '/delete' ? 0 : -1), /^__Host-session=(?!.*Domain)/, 'later lines, too')
  }
})

t.test('a stamp under the old name counts, and is cleared together with its cookie', async t => {
  const clock = fakeClock(t)
  const { before, after } = await renamed(t, {}, { idle: '1h' })
  await before.get('/set/user/ada')
  clock.advance(30 * 60_000)
  await before.get('/get')
  t.strictSame([...before.cookies.keys()], ['session', 'session.t'])
  clock.advance(45 * 60_000)
  const browser = before.copy(after)
  t.strictSame((await browser.get('/get')).json(), { user: 'ada' })
  t.strictSame([...browser.cookies.keys()], ['__Host-session'])
  before.cookies.delete('session.t')
  t.strictSame(await before.copy(after).json('/get'), {}, 'without it the session is over')
})

t.test('if two cookies of the old name open, the newer one is migrated', async t => {
  const clock = fakeClock(t)
  const { before, after } = await renamed(t)
  await before.get('/set/user/old')
  const older = before.header
  clock.advance(1000)
  await before.get('/set/user/new')
  const response = await after.inject({ url: '/get', headers: { cookie: `${older}; ${before.header}` } })
  t.strictSame(response.json(), { user: 'new' })
})

t.test('the opener takes other keys than those of the session, as keys or as a passphrase', async t => {
  const secret = 'a passphrase of more than thirty-two bytes'
  for (const old of [{ key: OTHER_KEY }, { key: [OTHER_KEY, KEY] }, { secret, salt: '0123456789abcdef' }]) {
    const first = await appWith(t, old as secureSession.Options)
    addRoutes(first)
    const before = new Browser(first)
    await before.get('/set/user/ada')
    const after = await appOf(t, { cookieName: 'sid', legacy: [sealedOpener({ cookieName: 'session', ...old })] })
    t.strictSame(await before.copy(after).json('/get'), { user: 'ada' })
    const without = await appOf(t, { cookieName: 'sid', legacy: [sealedOpener({ cookieName: 'session' })] })
    t.strictSame(await before.copy(without).json('/get'), {})
  }
})

t.test('with a keyring the opener follows it, and looks for unknown keys', async t => {
  const time = fakeTime(t)
  const store = new MemoryStore([keyNumber(1, time.nowMs - 1000)])
  const after = await appWith(t, { keyring: store, reloadEvery: '1d', cookieName: 'sid', legacy: [sealedOpener({ cookieName: 'session' })] })
  addRoutes(after)
  rotate(store, time.nowMs)
  const first = await appWith(t, { keyring: store, reloadEvery: '1d' })
  addRoutes(first)
  const before = new Browser(first)
  await before.get('/set/user/ada')
  t.strictSame((await passUntil(time, before.copy(after).get('/get'))).json(), { user: 'ada' })
})

t.test('unknown keys of a legacy cookie that has keys of its own are not looked for in the keyring', async t => {
  const time = fakeTime(t)
  const store = new MemoryStore([keyNumber(1, time.nowMs - 1000)])
  const legacy = [sealedOpener({ cookieName: 'session', key: OTHER_KEY })]
  const after = await appWith(t, { keyring: store, reloadEvery: '1d', cookieName: 'sid', legacy })
  addRoutes(after)
  const before = new Browser(await appOf(t, { key: OTHER_KEY }))
  await before.get('/set/user/ada')
  time.advance(2000)
  const { reads } = store
  t.strictSame((await passUntil(time, before.copy(after).get('/get'))).json(), { user: 'ada' })
  t.equal(store.reads, reads)
})

t.test('a session under its old name can be read without waiting: outside a request, and in hooks before the plugin', async t => {
  const { before } = await renamed(t)
  await before.get('/set/user/ada')
  const after = bareApp(t)
  const seen: unknown[] = []
  after.addHook('onRequest', async ({ session }) => { seen.push(session?.get('user')) })
  await after.register(secureSession, { key: KEY, cookieName: 'sid', legacy: [sealedOpener({ cookieName: 'session' })] })
  after.get('/', async () => ({}))
  await before.copy(after).get('/')
  t.strictSame(seen, ['ada'])
  t.equal(after.decodeSecureSession(before.cookies.get('session'))?.get('user'), 'ada')
})

t.test('`changed` is true for a session under its old name whose renewal is due', async t => {
  const clock = fakeClock(t)
  const { before, after } = await renamed(t, {}, { idle: '1h' })
  after.get('/changed', async ({ session }) => ({ changed: session.changed }))
  await before.get('/set/user/ada')
  t.strictSame(await before.copy(after).json('/changed'), { changed: false })
  clock.advance(1800_000)
  t.strictSame(await before.copy(after).json('/changed'), { changed: true })
})

t.test('a token that is copied from one name to the other does not open', async t => {
  const { before, after } = await renamed(t)
  await before.get('/set/user/ada')
  const response = await after.inject({ url: '/get', headers: { cookie: `__Host-session=${before.cookies.get('session')}` } })
  t.strictSame(response.json(), {})
})

t.test('a custom serializer reads the data that it wrote under the old name', async t => {
  const serializer = { serialize: (data: object) => Buffer.from(JSON.stringify(data)).reverse(), deserialize: (bytes: Buffer) => JSON.parse(Buffer.from(bytes).reverse().toString()) }
  const { before, after } = await renamed(t, {}, { serializer })
  await before.get('/set/user/ada')
  t.strictSame(await before.copy(after).json('/get'), { user: 'ada' })
})

t.test('wrong options of sealedOpener throw at the call', async t => {
  for (const [options, code] of [[undefined, 'OPTION'], [{}, 'OPTION'], [{ cookieName: 7 }, 'OPTION'], [{ cookieName: 'a', name: 'b' }, 'OPTION'], [{ cookieName: 'a', key: 'short' }, 'KEY']] as const) {
    t.throws(() => sealedOpener(options as unknown as Parameters<typeof sealedOpener>[0]), { code: `FST_SESSION_INVALID_${code}` })
  }
  const app = bareApp(t)
  await t.rejects(async () => await app.register(secureSession, { key: KEY, legacy: [sealedOpener({ cookieName: 'a b' })] }), { code: 'FST_SESSION_INVALID_OPTION' })
})

t.test('a migration whose values cannot be serialized fails the request, and the legacy cookie stays', async t => {
  const clock = fakeClock(t)
  let isBroken = false
  const serializer = {
    serialize (data: object) { if (isBroken) throw new Error('broken'); return JSON.stringify(data) },
    deserialize: (bytes: Buffer) => JSON.parse(bytes.toString())
  }
  const { before, after } = await renamed(t, {}, { serializer })
  await before.get('/set/user/ada')
  clock.advance(7 * 3_600_000)
  isBroken = true
  const browser = before.copy(after)
  t.match((await browser.get('/get')).json(), { statusCode: 500, code: 'FST_SESSION_NOT_SERIALIZABLE' })
  isBroken = false
  t.strictSame(await browser.json('/get'), { user: 'ada' })
})
