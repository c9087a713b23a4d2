import t, { type Test } from 'tap'
import secureSession from '../../index'
import { NO_EXTENSIONS, writeEnvelope } from '../../lib/core/envelope'
import { plaintext, sealToken } from '../../lib/core/token'
import { revoked as revokedKeys } from '../../lib/keyring/lifecycle'
import { Dice } from '../proofs/dice'
import { addRoutes, appWith, KEY, type TestApp } from '../helpers/app'
import { Browser, setCookies } from '../helpers/browser'
import { DeviceBrowser } from '../bound/site'
import { recordCalls } from '../helpers/calls'
import { fakeClock, fakeTime, passUntil, type FakeTime } from '../helpers/clock'
import { keyNumber, MemoryStore, rotate } from '../helpers/keyrings'
import { keysFor } from '../helpers/ring'

/** A cached token answers as one that is opened anew. */

const HOUR_MS = 3_600_000
const { memoryRevocation, sealedOpener } = secureSession

const serializer = {
  serialize: (data: object) => Buffer.from(JSON.stringify(data)).reverse(),
  deserialize: (bytes: Buffer) => JSON.parse(Buffer.from(bytes).reverse().toString())
}

/** An app that caches, and one that does not. */
async function twins (t: Test, options: object): Promise<[cached: TestApp, uncached: TestApp]> {
  const build = async (tokenCache: number): Promise<TestApp> => {
    const app = await appWith(t, { ...options, tokenCache } as secureSession.Options, { trustProxy: true })
    addRoutes(app)
    app.get('/all', async ({ session }) => {
      const { id, ...info } = session.info
      // Each new session has another id.
      return { data: session.data(), info, id: info.isNew ? null : id, changed: session.changed }
    })
    app.get('/fill/:bytes', async ({ session, params }) => {
      session.set('fill', 'x'.repeat(Number((params as { bytes: string }).bytes)))
      session.set('list', [1, { a: 'b' }])
      return {}
    })
    app.get('/plain', async ({ session }) => ['user', 'page', 'fill', 'list', 'missing'].map(key => session.get(key) ?? null))
    app.get('/nested', async ({ session }) => { session.get('list')?.push(1); return session.data() })
    await app.ready()
    return app
  }
  return [await build(100), await build(0)]
}

/** What can be seen of a reply: its body, the names of its cookies, and why cookies were refused. */
async function seen (app: TestApp, url: string, cookie: string): Promise<unknown> {
  app.lines.length = 0
  const response = await app.inject({ url, headers: { cookie } })
  const refused = app.lines.filter(({ reason }) => reason !== undefined).map(({ cookie, reason }) => [cookie, reason])
  return [response.statusCode, response.json(), setCookies(response).map(line => line.slice(0, line.indexOf('='))), refused]
}

const random: Readonly<Record<string, (time: FakeTime) => object>> = {
  JSON: () => ({ key: KEY }),
  'a custom serializer': () => ({ key: KEY, serializer }),
  'sessions in three cookies': () => ({ key: KEY, maxCookies: 3 }),
  'a legacy name': () => ({ key: KEY, cookieName: 'new', legacy: [sealedOpener({ cookieName: 'session' })] }),
  'sessions that are bound to a device': () => ({ key: KEY, subject: (session: any) => session.get('user'), deviceBound: true }),
  'sessions that are bound to a device, not enforced': () => ({
    key: KEY, subject: (session: any) => session.get('user'), deviceBound: { enforce: false }
  }),
  revocation: ({ nowMs }) => ({
    key: KEY,
    subject: (session: any) => session.get('user'),
    revocation: { store: memoryRevocation({ now: () => Date.now() }), recheck: nowMs % 2 === 0 ? 0 : '5m' }
  })
}

for (const [what, optionsAt] of Object.entries(random)) {
  t.test(`with ${what}, a cached token gives the same replies as one that is opened anew, whatever happens meanwhile`, async t => {
    const dice = new Dice(what.length)
    const time = fakeTime(t)
    const ring = new MemoryStore([keyNumber(1, time.nowMs - 1000)])
    const { key, ...options } = optionsAt(time) as { key: unknown }
    const keyring = { keyring: ring, reloadEvery: '10s' }
    const [cached, uncached] = await twins(t, { ...options, ...keyring })
    const [writer] = await twins(t, { ...options, ...keyring, cookieName: 'session', legacy: undefined })
    const isBound = 'deviceBound' in options
    const browser = isBound ? new DeviceBrowser(writer) : new Browser(writer)
    const headers = ['', 'session=junk']
    const different: unknown[] = []
    let opened = 0
    for (let step = 0; step < 100; step++) {
      const acts = ['write', 'write', 'wait', 'back', 'rotate', 'revoke-key', 'revoke', 'read', 'read', 'read'] as const
      const act = dice.oneOf([...acts, ...isBound ? ['register', 'prove', 'prove'] as const : []])
      if (act === 'write') {
        const url = dice.oneOf(['/set/user/ada', '/set/user/eve', '/set/page/1', '/fill/10', ...what === 'sessions in three cookies' ? ['/fill/7000'] : []])
        await browser.get(url)
        headers.push(browser.header)
      } else if (browser instanceof DeviceBrowser && (act === 'register' || act === 'prove')) {
        await passUntil(time, act === 'register' ? browser.register() : browser.prove())
        headers.push(browser.header)
      } else if (act === 'wait') {
        time.advance(dice.oneOf([1000, 600_000, 7 * HOUR_MS]))
      } else if (act === 'back') {
        time.advance(-dice.oneOf([1000, 120_000]))
      } else if (act === 'rotate') {
        rotate(ring, time.nowMs)
        await time.pass(10_000)
      } else if (act === 'revoke-key' && ring.keys.length > 1) {
        const id = dice.oneOf(ring.keys.map(({ id }) => id))
        ring.keys = revokedKeys(ring.keys, id, time.nowMs, 90 * 24 * HOUR_MS) ?? ring.keys
        await time.pass(10_000)
      } else if (act === 'revoke' && what === 'revocation') {
        await writer.secureSession.revokeSubject(dice.oneOf(['ada', 'eve']))
      }
      const header = dice.oneOf(headers)
      const bent = dice.chance(0.2) ? header.slice(0, -1) + dice.oneOf(['A', 'B', '']) : header
      for (const url of [dice.oneOf(['/all', '/nested', '/untouched', '/plain']), '/all', '/plain']) {
        const [one, other] = [await seen(cached, url, bent), await seen(uncached, url, bent)]
        if (JSON.stringify(one) !== JSON.stringify(other)) different.push([one, other])
        if (JSON.stringify(one).includes('"isNew":false')) opened++
      }
    }
    t.strictSame(different.slice(0, 3), [])
    t.ok(opened > 20, `${opened} of the replies had a session`)
  })
}

t.test('two requests with one cached token share no object', async t => {
  const app = await appWith(t)
  const held: object[] = []
  app.get('/set', async ({ session }) => { session.set('list', [{ a: 1 }]); return {} })
  app.get('/get', async ({ session }) => { const list = session.get('list'); held.push(list, list[0]); return {} })
  const browser = new Browser(app)
  await browser.get('/set')
  for (let request = 0; request < 3; request++) await browser.get('/get')
  t.equal(new Set(held).size, 6)
})

t.test('a token that opened twice is not decrypted again, one that was refused is', async t => {
  const app = await appWith(t)
  addRoutes(app)
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  const { header } = browser
  const forged = `${header.slice(0, -1)}${header.endsWith('A') ? 'Q' : 'A'}`
  const count = recordCalls(t)
  const decryptions = async (cookie: string): Promise<number> => {
    return (await count(async () => await app.inject({ url: '/get', headers: { cookie } }))).sodium.length
  }
  const thrice = async (cookie: string): Promise<number[]> => {
    return [await decryptions(cookie), await decryptions(cookie), await decryptions(cookie)]
  }
  t.strictSame(await thrice(header), [1, 1, 0])
  t.strictSame(await thrice(forged), [1, 1, 1])
})

t.test('a token whose data is no JSON is refused each time that it is sent', async t => {
  const { nowMs } = fakeClock(t)
  const envelope = { id: Buffer.alloc(16, 1), createdAtMs: nowMs, renewedAtMs: nowMs, extensions: NO_EXTENSIONS, customSerializer: false, data: '{"user":' }
  const cookie = `session=${sealToken(writeEnvelope(envelope, 0, plaintext), keysFor().sealing(nowMs), 1)}`
  const app = await appWith(t)
  addRoutes(app)
  for (let request = 0; request < 2; request++) t.strictSame((await app.inject({ url: '/info', headers: { cookie } })).json().isNew, true)
  t.match(app.lines.filter(({ reason }) => reason !== undefined), [{ reason: 'malformed' }, { reason: 'malformed' }])
})

t.test('the cache keeps so many tokens, the newest', async t => {
  const app = await appWith(t, { key: KEY, tokenCache: 2 })
  addRoutes(app)
  const headers: string[] = []
  for (const user of ['ada', 'eve', 'bob']) {
    const browser = new Browser(app)
    await browser.get(`/set/user/${user}`)
    headers.push(browser.header)
  }
  const twice = headers.flatMap(cookie => [cookie, cookie])
  for (const cookie of twice) await app.inject({ url: '/get', headers: { cookie } })
  const count = recordCalls(t)
  const decryptions: number[] = []
  for (const cookie of [...headers].reverse()) {
    decryptions.push((await count(async () => await app.inject({ url: '/get', headers: { cookie } }))).sodium.length)
  }
  t.strictSame(decryptions, [0, 0, 1])
})

t.test('a cached session expires when it should', async t => {
  const clock = fakeClock(t)
  const app = await appWith(t, { key: KEY, idle: '1h', renewAfter: '50m' })
  addRoutes(app)
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  t.strictSame(await browser.copy().json('/get'), { user: 'ada' })
  clock.advance(HOUR_MS - 1)
  t.strictSame(await browser.copy().json('/get'), { user: 'ada' })
  clock.advance(1)
  t.strictSame(await browser.copy().json('/get'), {})
})

t.test('where a custom deserializer fails for a cached token, the cookie is refused as malformed', async t => {
  let calls = 0
  const failing = { ...serializer, deserialize: (bytes: Buffer) => ++calls > 2 ? null as never : serializer.deserialize(bytes) }
  const app = await appWith(t, { key: KEY, serializer: failing })
  addRoutes(app)
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  t.strictSame(await browser.json('/get'), { user: 'ada' })
  t.strictSame(await browser.json('/get'), { user: 'ada' })
  t.strictSame(await browser.json('/get'), {})
  t.match(app.lines.filter(({ reason }) => reason !== undefined), [{ reason: 'malformed' }])
})

t.test('tokenCache takes a whole number', async t => {
  for (const tokenCache of [-1, 1.5, '10', true, null, 1_000_001]) {
    await t.rejects(async () => await appWith(t, { key: KEY, tokenCache } as secureSession.Options), { code: 'FST_SESSION_INVALID_OPTION' })
  }
})
