import t, { type Test } from 'tap'
import secureSession from '../../index'
import { appWith, DEBUG, KEY, OTHER_KEY, WARN, type TestApp } from '../helpers/app'
import { fakeClock, fakeTime, passUntil } from '../helpers/clock'
import { keyIdOf, keyNumber, MemoryStore, rotate } from '../helpers/keyrings'

const DATA = { user: 17, mail: 'ada@example.com' }
const TTL_MS = 15 * 60_000

function sealed (app: TestApp, options: secureSession.SealTokenOptions = {}): string {
  return app.secureSession.sealToken('login', DATA, { ttl: '15m', ...options })
}

async function opened (app: TestApp, token: unknown, options?: secureSession.OpenTokenOptions): Promise<object | null> {
  return await app.secureSession.openToken('login', token, options)
}

/** The reasons of the refusals that were logged since the last call. */
function reasons ({ lines }: TestApp): unknown[] {
  return lines.splice(0).flatMap(({ reason }) => reason ?? [])
}

async function refused (t: Test, app: TestApp, token: unknown, reason: string, options?: secureSession.OpenTokenOptions): Promise<void> {
  reasons(app)
  t.equal(await opened(app, token, options), null)
  t.strictSame(reasons(app), [reason])
}

t.test('a token opens to the data that was sealed, any number of times, and needs no escaping in a URL', async t => {
  const app = await appWith(t)
  const token = sealed(app)
  t.match(token, /^[\w-]+$/)
  t.equal(encodeURIComponent(token), token)
  t.strictSame(await opened(app, token), DATA)
  t.strictSame(await opened(app, token), DATA)
  t.not(sealed(app), token, 'each has an id and a nonce of its own')
})

t.test('a token opens on another server with the same key', async t => {
  const [one, two] = [await appWith(t), await appWith(t)]
  t.strictSame(await opened(two, sealed(one)), DATA)
})

t.test('a token with a flipped bit does not open', async t => {
  const app = await appWith(t)
  const bytes = Buffer.from(sealed(app), 'base64url')
  const found: string[] = []
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const bent = Buffer.from(bytes)
    bent.writeUInt8(bent.readUInt8(bit >> 3) ^ (1 << bit % 8), bit >> 3)
    if (await opened(app, bent.toString('base64url')) !== null) found.push(`bit ${bit}`)
  }
  t.strictSame(found, [])
})

t.test('a token of another length or spelling does not open', async t => {
  const app = await appWith(t)
  const token = sealed(app)
  const texts = Array.from(token, (_, length) => [token.slice(0, length), token.slice(length + 1)]).flat()
  for (const tail of ['A', '=', ' ', '"', `.${token}`, token]) texts.push(token + tail, tail + token)
  for (const alien of ['+', '/', '=', ' ', '%', 'é', '😀']) texts.push(alien + token.slice(1), token.slice(0, -1) + alien)
  const found: string[] = []
  for (const text of texts) if (await opened(app, text) !== null) found.push(text)
  t.strictSame(found, [])
})

t.test('a token opens for its purpose alone', async t => {
  const app = await appWith(t)
  const token = sealed(app)
  for (const purpose of ['logi', 'login.', 'Login', 'reset']) {
    t.equal(await app.secureSession.openToken(purpose, token), null, purpose)
  }
  t.strictSame(reasons(app), ['forged', 'forged', 'forged', 'forged'])
})

t.test('a token opens for its audience alone', async t => {
  const app = await appWith(t)
  const token = sealed(app, { audience: 'https://a.example' })
  t.strictSame(await opened(app, token, { audience: 'https://a.example' }), DATA)
  for (const audience of ['https://b.example', 'https://a.exampl', 'https://A.example', undefined]) {
    await refused(t, app, token, 'forged', { audience })
  }
  await refused(t, app, sealed(app), 'forged', { audience: 'https://a.example' })
})

t.test('purpose and audience are told apart', async t => {
  const app = await appWith(t)
  const { sealToken, openToken } = app.secureSession
  const token = sealToken('ab', DATA, { ttl: '1h', audience: 'c\0d' })
  t.equal(await openToken('a', token, { audience: 'bc\0d' }), null)
  t.equal(await openToken('ab', token, { audience: 'c' }), null)
  t.strictSame(await openToken('ab', token, { audience: 'c\0d' }), DATA)
})

t.test('a token of an app with another key, or of another session, does not open', async t => {
  const app = await appWith(t, [{ key: KEY }, { key: KEY, sessionName: 'admin' }])
  await refused(t, app, sealed(await appWith(t, { key: OTHER_KEY })), 'unknown-key')
  await refused(t, app, sealed(app, { sessionName: 'admin' }), 'forged')
  await refused(t, app, sealed(app), 'forged', { sessionName: 'admin' })
  t.strictSame(await opened(app, sealed(app, { sessionName: 'admin' }), { sessionName: 'admin' }), DATA)
})

t.test('the cookie of a session is no token, and a token is no session', async t => {
  const app = await appWith(t)
  app.get('/', async ({ session }) => ({ isNew: session.info.isNew }))
  const cookies = app.secureSession.cookiesFor(DATA)
  await refused(t, app, cookies['session'], 'forged')
  t.strictSame((await app.inject({ url: '/', cookies: { session: sealed(app) } })).json(), { isNew: true })
  t.equal(await app.secureSession.decode(sealed(app)), null)
})

t.test('a token expires at the end of its ttl, to the millisecond', async t => {
  const clock = fakeClock(t)
  const app = await appWith(t)
  for (const [ttl, ms] of [['15m', TTL_MS], [1, 1000], ['400d', 34_560_000_000]] as const) {
    const token = sealed(app, { ttl })
    clock.advance(ms - 1)
    t.strictSame(await opened(app, token), DATA)
    clock.advance(1)
    await refused(t, app, token, 'expired')
  }
})

t.test('a token from more than a minute ahead is refused, and the log warns of the clocks once', async t => {
  const clock = fakeClock(t)
  const app = await appWith(t)
  const token = sealed(app)
  clock.advance(-60_000)
  t.strictSame(await opened(app, token), DATA)
  clock.advance(-1)
  await refused(t, app, token, 'from-the-future')
  t.equal(await opened(app, token), null)
  t.match(app.lines, [{ level: DEBUG, purpose: 'login', reason: 'from-the-future' }])
  const other = await appWith(t)
  t.equal(await opened(other, token), null)
  t.match(other.lines.at(-1), { level: WARN, session: 'session', reason: 'from-the-future' })
})

t.test('a token opens for as long as its key opens sessions', async t => {
  const { app: [both, newOnly], token } = { app: [await appWith(t, { key: [OTHER_KEY, KEY] }), await appWith(t, { key: OTHER_KEY })] as const, token: sealed(await appWith(t)) }
  t.strictSame(await opened(both, token), DATA)
  await refused(t, newOnly, token, 'unknown-key')
})

t.test('a token of a revoked key does not open', async t => {
  const time = fakeTime(t)
  const store = new MemoryStore([keyNumber(1, time.nowMs - 1000)])
  const app = await appWith(t, { keyring: store })
  const token = sealed(app)
  t.strictSame(await opened(app, token), DATA)
  rotate(store, time.nowMs)
  store.keys = store.keys.map(key => key.id === keyIdOf(token) ? { ...key, revokedAtMs: time.nowMs } as never : key)
  await time.pass(11_000)
  t.notSame(keyIdOf(sealed(app)), keyIdOf(token))
  await refused(t, app, token, 'unknown-key')
})

t.test('the log warns of keys that expire before the last token that they seal', async t => {
  const time = fakeTime(t)
  const store = new MemoryStore([keyNumber(1, time.nowMs - 1000)])
  rotate(store, time.nowMs)
  for (const [ttl, warnings] of [['90d', 0], ['91d', 1]] as const) {
    const app = await appWith(t, { keyring: store, tokens: { mail: { ttl } } })
    t.equal(app.lines.filter(({ level, msg }) => level === WARN && msg.includes('the longest "ttl"')).length, warnings)
  }
})

t.test('a key that is new to this server is looked up before the token is refused', async t => {
  const time = fakeTime(t)
  const store = new MemoryStore([keyNumber(1, time.nowMs - 1000)])
  const behind = await appWith(t, { keyring: store, reloadEvery: '1d' })
  rotate(store, time.nowMs)
  const ahead = await appWith(t, { keyring: store, reloadEvery: '1d' })
  t.strictSame(await passUntil(time, opened(behind, sealed(ahead))), DATA)
  const { reads } = store
  t.strictSame(await opened(behind, sealed(ahead)), DATA)
  t.equal(await opened(behind, 'x'.repeat(3000)), null)
  t.equal(store.reads, reads, 'from then on it is known')
})

t.test('whatever a client sends is refused, and nothing of it is logged', async t => {
  const app = await appWith(t)
  const token = sealed(app)
  const junk = [
    undefined, null, '', 0, 17, NaN, true, 1n, Symbol('x'), {}, [], [token], { token }, Object(token), () => token,
    Buffer.from(token), 'undefined', 'A'.repeat(2048), 'A'.repeat(2049), 'AQ'.repeat(5_000_000), '😀'.repeat(1000), '\0', `${token}\0`
  ]
  for (const one of junk) {
    reasons(app)
    t.equal(await opened(app, one), null)
    t.match(app.lines, [{ level: DEBUG, msg: 'token refused', session: 'session', purpose: 'login', reason: /^(?:malformed|unknown-version)$/ }])
    t.ok(JSON.stringify(app.lines).length < 300)
  }
})

t.test('the reason of a refusal goes to the given log', async t => {
  const app = await appWith(t)
  app.get('/', async ({ query, log }) => ({ data: await opened(app, (query as { token?: unknown }).token, { log }) }))
  t.strictSame((await app.inject('/?token=x')).json(), { data: null })
  t.match(app.lines.find(({ reason }) => reason !== undefined), { level: DEBUG, reqId: 'req-1', reason: 'malformed' })
  t.strictSame((await app.inject(`/?token=${sealed(app)}`)).json(), { data: DATA })
  t.strictSame((await app.inject('/?token=x&token=y')).json(), { data: null })
})
