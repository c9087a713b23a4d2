import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import secureSession from '../../index'
import { sodium } from '../../lib/core/sodium'
import { writeKeyring } from '../../lib/keyring/document'
import { keyOf } from '../../lib/keyring/lifecycle'
import { addRoutes, appWith, bareApp, WARN, type LogLine, type TestApp } from '../helpers/app'
import { Browser } from '../helpers/browser'
import { fakeTime, passUntil, turns } from '../helpers/clock'
import { freshFolder } from '../helpers/installed'
import { keyIdOf, keyNumber, MemoryStore, rotate } from '../helpers/keyrings'

const DAY_MS = 86_400_000

async function appOn (t: Test, store: MemoryStore, more: object = {}): Promise<TestApp> {
  const app = await appWith(t, { keyring: store, ...more })
  addRoutes(app)
  return app
}

/** What was logged of the keyring, without "keyring loaded". */
function told (app: TestApp): LogLine[] {
  return app.lines.filter(({ keyring, msg }) => keyring !== undefined && msg !== 'keyring loaded')
}

async function sealedWith (app: TestApp): Promise<string> {
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  return keyIdOf(browser.cookies.get('session') as string)
}

t.test('a server follows its keyring: a new key opens at once and seals in its time; the old key opens', async t => {
  const time = fakeTime(t)
  const store = new MemoryStore([keyNumber(1, time.nowMs)])
  const app = await appOn(t, store)
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  const [first] = store.keys

  rotate(store, time.nowMs, 60_000)
  const [, second] = store.keys
  await time.pass(10_000)
  t.equal(await sealedWith(app), first?.id, 'pending: it does not seal')
  await time.pass(60_000)
  t.equal(await sealedWith(app), second?.id, 'active: it does')
  t.strictSame(await browser.json('/get'), { user: 'ada' }, 'nobody is logged out')
  await browser.get('/set/again/yes')
  t.equal(keyIdOf(browser.cookies.get('session') as string), second?.id, 'and the session moves at its next write')
})

t.test('a key begins to seal on time without another read', async t => {
  const time = fakeTime(t)
  const store = new MemoryStore([keyNumber(1, time.nowMs), keyNumber(2, time.nowMs, 5000)])
  const app = await appOn(t, store)
  t.equal(await sealedWith(app), store.keys[0]?.id)
  time.advance(5000)
  t.equal(await sealedWith(app), store.keys[1]?.id)
  t.equal(store.reads, 1)
})

t.test('a revoked key opens nothing after the next reload, and an expired key after its time', async t => {
  const time = fakeTime(t)
  const store = new MemoryStore([keyNumber(1, time.nowMs)])
  const app = await appOn(t, store, { idle: '400d', absolute: '400d' })
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  rotate(store, time.nowMs, 0)
  await time.pass(10_000)
  t.strictSame(await browser.json('/get'), { user: 'ada' })
  time.advance(91 * DAY_MS)
  t.strictSame(await browser.json('/get'), {}, 'expired')

  const later = new Browser(app)
  await later.get('/set/user/grace')
  t.strictSame(await later.json('/get'), { user: 'grace' })
  rotate(store, time.nowMs, 0)
  store.keys = store.keys.map(key => key.id === keyIdOf(later.cookies.get('session') as string) ? { ...key, revokedAtMs: time.nowMs } : key)
  await time.pass(10_000)
  t.strictSame(await later.json('/get'), {}, 'revoked')
  t.ok(app.lines.some(({ reason }) => reason === 'unknown-key'))
})

t.test('the keyring is read every ten seconds, or as often as configured', async t => {
  const time = fakeTime(t)
  for (const [more, ms] of [[{}, 10_000], [{ reloadEvery: 2 }, 2000], [{ rotation: { every: '1d', activateIn: '20s' } }, 5000], [{ rotation: { every: '1d' } }, 10_000]] as const) {
    const store = new MemoryStore([keyNumber(1, time.nowMs)])
    await appOn(t, store, more)
    t.equal(store.reads, 1)
    await time.pass(10 * ms)
    t.equal(store.reads, 11)
  }
})

t.test('an unchanged keyring is not loaded again, and a changed one is logged once', async t => {
  const time = fakeTime(t)
  const store = new MemoryStore([keyNumber(1, time.nowMs)])
  const app = await appOn(t, store)
  await time.pass(100_000)
  const loads = (): LogLine[] => app.lines.filter(({ msg }) => msg === 'keyring loaded')
  t.equal(loads().length, 1)
  rotate(store, time.nowMs, 60_000)
  await time.pass(100_000)
  const [first, second] = store.keys
  t.match(loads(), [{ keys: { [first?.id as string]: 'active' } }, { keys: { [first?.id as string]: 'active', [second?.id as string]: 'pending' }, session: 'session', keyring: 'keyring in memory' }])
})

for (const [name, breakIt, code] of [
  ['broken', (store: MemoryStore) => { store.text = store.text?.slice(0, 100) ?? null }, 'FST_SESSION_INVALID_KEYRING'],
  ['missing', (store: MemoryStore) => { store.text = null }, 'FST_SESSION_KEYRING_UNAVAILABLE'],
  ['unreachable', (store: MemoryStore) => { store.insteadOfReading = async () => { throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }) } }, 'FST_SESSION_KEYRING_UNAVAILABLE'],
  ['failing without a message', (store: MemoryStore) => { store.insteadOfReading = async () => await Promise.reject(Object.create(null)) }, 'FST_SESSION_KEYRING_UNAVAILABLE'],
  ['not answering', (store: MemoryStore) => { store.insteadOfReading = async () => await new Promise(() => {}) }, 'FST_SESSION_KEYRING_UNAVAILABLE']
] as const) {
  t.test(`while the keyring is ${name}, the last good one stays in use, with one warning`, async t => {
    const time = fakeTime(t)
    const store = new MemoryStore([keyNumber(1, time.nowMs)])
    const good = store.text
    const app = await appOn(t, store)
    const browser = new Browser(app)
    await browser.get('/set/user/ada')

    breakIt(store)
    await time.pass(200_000)
    for (let request = 0; request < 5; request++) t.strictSame(await browser.json('/get'), { user: 'ada' })
    t.equal(await sealedWith(app), keyIdOf(browser.cookies.get('session') as string))
    t.match(told(app), [{ level: WARN, code, msg: /the last good one stays in use/ }])
    t.equal(told(app).length, 1)

    store.text = good
    store.insteadOfReading = null
    await time.pass(20_000)
    t.equal(told(app).length, 2)
    t.match(told(app)[1], { msg: 'the keyring can be reloaded again' })
    rotate(store, time.nowMs, 0)
    await time.pass(10_000)
    t.equal(await sealedWith(app), store.keys[1]?.id, 'and follows again')
  })
}

t.test('a change from one fault to another is logged', async t => {
  const time = fakeTime(t)
  const store = new MemoryStore([keyNumber(1, time.nowMs)])
  const app = await appOn(t, store)
  store.text = '{}'
  await time.pass(30_000)
  store.text = null
  await time.pass(30_000)
  t.match(told(app), [{ code: 'FST_SESSION_INVALID_KEYRING' }, { code: 'FST_SESSION_KEYRING_UNAVAILABLE' }])
  t.equal(told(app).length, 2)
})

t.test('a read that completes after its timeout does not restore an older keyring', async t => {
  const time = fakeTime(t)
  const store = new MemoryStore([keyNumber(1, time.nowMs)])
  const app = await appOn(t, store)
  const old = store.text
  let answer = (_text: string | null): void => {}
  store.insteadOfReading = async () => await new Promise(resolve => { answer = resolve })
  await time.pass(16_000)
  const late = answer
  store.insteadOfReading = null
  rotate(store, time.nowMs, 0)
  await time.pass(20_000)
  late(old)
  await time.pass(1000)
  t.equal(await sealedWith(app), store.keys[1]?.id)
})

t.test('a server without a valid keyring does not start', async t => {
  const folder = freshFolder(t)
  writeFileSync(join(folder, 'broken.json'), '{ "version": 1', { mode: 0o600 })
  writeFileSync(join(folder, 'open.json'), new MemoryStore([keyNumber(1, 0)]).text as string, { mode: 0o644 })
  for (const [keyring, code] of [
    [join(folder, 'none.json'), 'FST_SESSION_KEYRING_UNAVAILABLE'], [join(folder, 'broken.json'), 'FST_SESSION_INVALID_KEYRING'],
    [join(folder, 'open.json'), 'FST_SESSION_KEYRING_UNAVAILABLE'], [new MemoryStore(null), 'FST_SESSION_KEYRING_UNAVAILABLE']
  ] as const) {
    await t.rejects(async () => { await bareApp(t).register(secureSession, { keyring }).ready() }, { code })
  }
})

t.test('a store that does not answer prevents the start of a server, with an error after the timeout', async t => {
  const time = fakeTime(t)
  const store = new MemoryStore([keyNumber(1, time.nowMs)])
  store.insteadOfReading = async () => await new Promise(() => {})
  const boot = t.rejects(async () => { await bareApp(t).register(secureSession, { keyring: store }).ready() }, { code: 'FST_SESSION_KEYRING_UNAVAILABLE', message: /keyring in memory did not answer for 5 seconds/ })
  await time.pass(5000)
  await boot
})

t.test('closing the app ends the reloads, also during a read', async t => {
  const time = fakeTime(t)
  const store = new MemoryStore([keyNumber(1, time.nowMs)])
  const [app, other] = [await appOn(t, store), await appOn(t, store)]
  await app.close()
  let answer = (): void => {}
  store.insteadOfReading = async () => await new Promise((_resolve, reject) => { answer = () => { reject(new Error('closed')) } })
  await time.pass(10_000)
  t.equal(store.reads, 3)
  await other.close()
  answer()
  await time.pass(100_000)
  t.equal(store.reads, 3)
  t.equal(time.waiting, 0)
  t.strictSame([...told(app), ...told(other)], [], 'and a store that was closed first is no fault')
})

t.test('a very long reload interval does not become a very short one', async t => {
  const time = fakeTime(t)
  const real = globalThis.setTimeout
  const waits: number[] = []
  globalThis.setTimeout = ((...args: Parameters<typeof setTimeout>) => {
    waits.push(args[1] ?? 0)
    return real(...args)
  }) as unknown as typeof setTimeout
  t.teardown(() => { globalThis.setTimeout = real })
  await appOn(t, new MemoryStore([keyNumber(1, time.nowMs)]), { reloadEvery: '400d' })
  t.ok(Math.max(...waits) < 2 ** 31, 'Node takes a longer time for none')
})

t.test('a file system that hangs uses one thread, and the keyring is read again when it works', async t => {
  const path = join(freshFolder(t), 'keys.json')
  const ring = new MemoryStore([keyNumber(1, Date.now())]).text as string
  writeFileSync(path, ring, { mode: 0o600 })
  let reads = 0
  let release = (): void => {}
  const hang = new Promise<void>(resolve => { release = resolve })
  const wholeFile = t.mockRequire('../../lib/stores/whole-file', {}) as { readWhole: (...args: unknown[]) => Promise<object | null> }
  const { fileKeyring } = t.mockRequire('../../lib/stores/keyring-file', {
    '../../lib/stores/whole-file': { ...wholeFile, readWhole: async (...args: unknown[]) => { reads++; await hang; return await wholeFile.readWhole(...args) } }
  }) as { fileKeyring: typeof secureSession.fileKeyring }
  const store = fileKeyring(path)
  const asked = Array.from({ length: 20 }, async () => await store.read())
  await turns()
  t.equal(reads, 1)
  release()
  t.strictSame(await Promise.all(asked), Array.from({ length: 20 }, () => ring))
})

t.test('a keyring of thousands of keys is used and replaced, and one with too many is not', async t => {
  const time = fakeTime(t)
  const keys = Array.from({ length: 3600 }, (_, index) => keyOf(randomBytes(32), time.nowMs - 10_000 + index))
  const store = new MemoryStore(keys)
  const apps = await Promise.all([1, 2, 3].map(async () => await appOn(t, store)))
  rotate(store, time.nowMs)
  await time.pass(20_000)
  for (const app of apps) t.equal(await sealedWith(app), store.keys.at(-1)?.id)
  store.text = writeKeyring([...store.keys, ...Array.from({ length: 1000 }, () => keyOf(randomBytes(32), time.nowMs))])
  await time.pass(20_000)
  t.match(told(apps[0] as TestApp), [{ code: 'FST_SESSION_INVALID_KEYRING', msg: /prune it/ }])
})

t.test('reads that unknown keys cause are not logged, even if they fail', async t => {
  const time = fakeTime(t)
  const store = new MemoryStore([keyNumber(1, time.nowMs)])
  const app = await appOn(t, store, { reloadEvery: '1h' })
  const unknown = Buffer.alloc(100, 1).toString('base64url')
  for (const text of [null, '{', store.text]) {
    store.text = text
    await passUntil(time, app.inject({ url: '/get', headers: { cookie: `session=${unknown}` } }))
    await time.pass(20_000)
  }
  t.equal(store.reads, 4)
  t.strictSame(told(app), [])
})

t.test('no timer keeps the process alive', async t => {
  const store = new MemoryStore([keyNumber(1, Date.now())])
  const real = globalThis.setTimeout
  t.teardown(() => { globalThis.setTimeout = real })
  const timers: NodeJS.Timeout[] = []
  globalThis.setTimeout = ((...args: Parameters<typeof setTimeout>) => {
    const timer = real(...args)
    if (new Error().stack?.includes('live-keyring') === true) timers.push(timer)
    return timer
  }) as unknown as typeof setTimeout
  await appOn(t, store)
  t.ok(timers.length >= 1)
  t.notOk(timers.some(timer => timer.hasRef()))
})

t.test('keys that expire before their sessions cause one warning per change of the keyring', async t => {
  const time = fakeTime(t)
  const store = new MemoryStore([keyNumber(1, time.nowMs)])
  const app = await appOn(t, store, { absolute: '100d' })
  t.equal(told(app).length, 0)
  rotate(store, time.nowMs, 60_000)
  await time.pass(100_000)
  t.match(told(app), [{ level: WARN, keys: [store.keys[0]?.id], msg: /--keep-for/ }])
  t.equal(told(app).length, 1)
  store.keys = store.keys.map((key, index) => index === 0 ? { ...key, revokedAtMs: time.nowMs } : key)
  await time.pass(20_000)
  t.equal(told(app).length, 1, 'of a revoked key nothing is expected')
  rotate(store, time.nowMs, 60_000)
  await time.pass(20_000)
  t.strictSame(told(app).map(({ keys }) => keys), [[store.keys[0]?.id], [store.keys[1]?.id]], 'each is warned of once')
  time.advance(91 * DAY_MS)
  const later = await appOn(t, store, { absolute: '100d' })
  t.strictSame(told(later), [], 'the sessions of keys that have expired are lost already')
})

t.test('several sessions each follow their own keyring', async t => {
  const time = fakeTime(t)
  const [store, other] = [new MemoryStore([keyNumber(1, time.nowMs)]), new MemoryStore([keyNumber(2, time.nowMs)])]
  const app = await appWith(t, [{ keyring: store }, { keyring: other, sessionName: 'other' }])
  app.get('/', async (request: any) => { request.session.set('a', 1); request.other.set('a', 1); return {} })
  rotate(other, time.nowMs)
  await time.pass(10_000)
  const browser = new Browser(app)
  await browser.get('/')
  t.equal(keyIdOf(browser.cookies.get('session') as string), store.keys[0]?.id)
  t.equal(keyIdOf(browser.cookies.get('other') as string), other.keys[1]?.id)
})

t.test('cookies that @fastify/cookie signs for the app follow the keyring as well', async t => {
  const time = fakeTime(t)
  const store = new MemoryStore([keyNumber(1, time.nowMs)])
  const app = await appOn(t, store)
  const signed = app.signCookie('value')
  rotate(store, time.nowMs)
  await time.pass(10_000)
  t.match(app.unsignCookie(signed), { valid: true, value: 'value', renew: true })
  t.not(app.signCookie('value'), signed)
  t.match(app.unsignCookie(app.signCookie('value')), { valid: true, renew: false })
  store.keys = store.keys.map((key, index) => index === 0 ? { ...key, revokedAtMs: time.nowMs } : key)
  await time.pass(10_000)
  t.match(app.unsignCookie(signed), { valid: false })
})

t.test('signing cookies derives a key only once', async t => {
  const time = fakeTime(t)
  const store = new MemoryStore(Array.from({ length: 100 }, (_, index) => keyNumber(index + 1, time.nowMs - 1000 + index)))
  const app = await appOn(t, store)
  time.advance(1000 - time.nowMs % 1000)
  const signed = app.signCookie('value')
  let derived = 0
  const hash = sodium.crypto_generichash
  t.teardown(() => { sodium.crypto_generichash = hash })
  sodium.crypto_generichash = (...args) => { derived++; hash(...args) }
  for (let round = 0; round < 10; round++) t.match(app.unsignCookie(app.signCookie('value')), { valid: true })
  time.advance(999)
  t.equal(app.signCookie('value'), signed)
  t.equal(derived, 0)
  time.advance(1)
  t.equal(app.signCookie('value'), signed)
  t.equal(derived, 100, 'but once a second, since keys come and go with the time')
})
