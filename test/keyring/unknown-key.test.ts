import t, { type Test } from 'tap'
import { sodium } from '../../lib/core/sodium'
import secureSession from '../../index'
import { addRoutes, appWith, bareApp, KEY, type TestApp } from '../helpers/app'
import { Browser } from '../helpers/browser'
import { fakeTime, passUntil, type FakeTime } from '../helpers/clock'
import { keyNumber, MemoryStore, rotate } from '../helpers/keyrings'

async function appOn (t: Test, store: MemoryStore, more: object = {}): Promise<TestApp> {
  // No reload but those that this test is about.
  const app = await appWith(t, { keyring: store, reloadEvery: '1d', ...more })
  addRoutes(app)
  return app
}

/** Two servers on one ring, and a browser that has logged in under a key that only the first knows. */
async function oneAhead (t: Test, time: FakeTime): Promise<{ store: MemoryStore, behind: TestApp, ahead: TestApp, browser: Browser }> {
  const store = new MemoryStore([keyNumber(1, time.nowMs - 1000)])
  const behind = await appOn(t, store)
  return { store, behind, ...await logInAhead(t, time, store) }
}

/** A new key, a server that has read it, and a browser that has logged in there. */
async function logInAhead (t: Test, time: FakeTime, store: MemoryStore): Promise<{ ahead: TestApp, browser: Browser }> {
  rotate(store, time.nowMs)
  const ahead = await appOn(t, store)
  const browser = new Browser(ahead)
  await browser.get('/set/user/ada')
  return { ahead, browser }
}

function headersOf (browser: Browser): { headers: { cookie: string } } {
  return { headers: { cookie: browser.header } }
}

function junk (number: number): string {
  const bytes = Buffer.alloc(100, 7)
  bytes[0] = 1
  bytes[1] = 1
  bytes.writeUInt32BE(number, 2)
  return bytes.toString('base64url')
}

t.test('a session with a key that is new to this server opens: the keyring is read before the handler', async t => {
  const time = fakeTime(t)
  const { store, behind, browser } = await oneAhead(t, time)
  const reads = store.reads
  t.strictSame((await passUntil(time, behind.inject({ url: '/get', ...headersOf(browser) }))).json(), { user: 'ada' })
  t.equal(store.reads, reads + 1)
  t.strictSame((await behind.inject({ url: '/get', ...headersOf(browser) })).json(), { user: 'ada' })
  t.equal(store.reads, reads + 1, 'from then on it is known')
})

t.test('secureSession.decode and open read the keyring for a key that is new to this server', async t => {
  const time = fakeTime(t)
  for (const method of ['decode', 'open'] as const) {
    const { store, behind, browser } = await oneAhead(t, time)
    const given = method === 'open' ? browser.header : browser.cookies.get('session')
    const reads = store.reads
    for (let call = 0; call < 2; call++) {
      const session = await passUntil(time, behind.secureSession[method](given))
      t.equal(session?.get('user'), 'ada', method)
    }
    t.equal(store.reads, reads + 1)
    t.equal(await behind.secureSession[method](undefined), null)
    t.equal(await behind.secureSession[method]('session=junk'), null)
  }
})

t.test('a route with `session: false` does not wait for an unknown key', async t => {
  const time = fakeTime(t)
  const { store, behind, browser } = await oneAhead(t, time)
  behind.get('/health', { config: { session: false } }, async () => ({ ok: true }))
  const reads = store.reads
  t.equal((await behind.inject({ url: '/health', ...headersOf(browser) })).statusCode, 200)
  t.equal(store.reads, reads)
})

t.test('a stamp with an unknown key counts after the keyring was read', async t => {
  const time = fakeTime(t)
  const store = new MemoryStore([keyNumber(1, time.nowMs - 1000)])
  const behind = await appOn(t, store, { idle: '1h' })
  const browser = new Browser(behind)
  await browser.get('/set/user/ada')
  rotate(store, time.nowMs)
  const ahead = await appOn(t, store, { idle: '1h' })
  time.advance(50 * 60_000)
  const stamp = await ahead.inject({ url: '/get', ...headersOf(browser) })
  browser.keep(String(stamp.headers['set-cookie']))
  t.ok(browser.cookies.has('session.t'))
  time.advance(50 * 60_000)
  t.strictSame((await passUntil(time, behind.inject({ url: '/get', ...headersOf(browser) }))).json(), { user: 'ada' })
})

t.test('parallel requests with an unknown key share one read', async t => {
  const time = fakeTime(t)
  const { store, behind, browser } = await oneAhead(t, time)
  const reads = store.reads
  const all = Promise.all(Array.from({ length: 50 }, async () => (await behind.inject({ url: '/get', ...headersOf(browser) })).json()))
  t.strictSame(await passUntil(time, all), Array.from({ length: 50 }, () => ({ user: 'ada' })))
  t.equal(store.reads, reads + 1)
})

t.test('cookies with unknown keys cause at most five reads a second, and each waits at most 250 ms', async t => {
  const time = fakeTime(t)
  const store = new MemoryStore([keyNumber(1, time.nowMs - 1000)])
  const app = await appOn(t, store)
  const waits: number[] = []
  for (let number = 0; number < 200; number++) {
    const begun = time.nowMs
    app.inject({ url: '/get', headers: { cookie: `session=${junk(number)}` } }).then(() => { waits.push(time.nowMs - begun) }, t.error)
    await time.pass(50)
  }
  await time.pass(1000)
  t.equal(waits.length, 200)
  t.ok(Math.max(...waits) <= 251, String(Math.max(...waits)))
  t.ok(store.reads >= 40 && store.reads <= 52, `${store.reads} reads in 10 seconds`)
})

t.test('if the store is slow, a request with an unknown key waits 250 ms and continues without the key', async t => {
  const time = fakeTime(t)
  const { store, behind, browser } = await oneAhead(t, time)
  store.insteadOfReading = async () => await new Promise(() => {})
  const begun = time.nowMs
  const answer = behind.inject({ url: '/get', ...headersOf(browser) }).then(response => ({ response, ms: time.nowMs - begun }))
  await time.pass(250)
  const { response, ms } = await answer
  t.equal(ms, 250)
  t.strictSame(response.json(), {})
  t.notOk(response.headers['set-cookie'], 'the cookie is left alone, and opens when the store is back')
  await time.pass(10_000)
  store.insteadOfReading = null
  t.strictSame((await passUntil(time, behind.inject({ url: '/get', ...headersOf(browser) }))).json(), { user: 'ada' })
})

t.test('a read that began before the request does not count: another read follows', async t => {
  const time = fakeTime(t)
  const store = new MemoryStore([keyNumber(1, time.nowMs - 1000)])
  const behind = await appOn(t, store, { reloadEvery: '10s' })
  let answer = (): void => {}
  const stale = store.text
  store.insteadOfReading = async () => await new Promise(resolve => { answer = () => { resolve(stale) } })
  await time.pass(10_000)
  store.insteadOfReading = null
  const { browser } = await logInAhead(t, time, store)
  const response = behind.inject({ url: '/get', ...headersOf(browser) })
  await time.pass(10)
  answer()
  t.strictSame((await passUntil(time, response)).json(), { user: 'ada' })
})

t.test('a request with an unknown key that arrives during a read waits for it', async t => {
  const time = fakeTime(t)
  const { store, behind, browser } = await oneAhead(t, time)
  const answers: Array<() => void> = []
  const reads = store.reads
  store.insteadOfReading = async () => await new Promise(resolve => { answers.push(() => { resolve(store.text) }) })
  const responses = []
  for (let second = 0; second < 4; second++) {
    responses.push(behind.inject({ url: '/get', ...headersOf(browser) }))
    await time.pass(1000)
  }
  t.equal(store.reads, reads + 1, 'a store that does not answer is not asked again and again')
  answers[0]?.()
  await time.pass(10)
  t.equal(store.reads, reads + 1, 'it brought the key')
  await passUntil(time, Promise.all(responses))
})

t.test('a request that arrives during a read that began too early waits for the next read', async t => {
  const time = fakeTime(t)
  const store = new MemoryStore([keyNumber(1, time.nowMs - 1000)])
  const behind = await appOn(t, store)
  const old = store.text
  const answers: Array<() => void> = []
  store.insteadOfReading = async () => await new Promise(resolve => { answers.push(() => { resolve(old) }) })
  behind.inject({ url: '/get', headers: { cookie: `session=${junk(1)}` } }).catch(t.error)
  await time.pass(10)
  store.insteadOfReading = null
  const { browser } = await logInAhead(t, time, store)
  const response = behind.inject({ url: '/get', ...headersOf(browser) })
  await time.pass(20)
  answers[0]?.()
  t.strictSame((await passUntil(time, response)).json(), { user: 'ada' })
})

t.test('during a flood of unknown keys, a new key is still found within the wait of a request', async t => {
  const time = fakeTime(t)
  const store = new MemoryStore([keyNumber(1, time.nowMs - 1000)])
  const [behind, ahead] = [await appOn(t, store), await appOn(t, store, { reloadEvery: '10ms' })]
  let number = 0
  for (let round = 0; round < 30; round++) {
    for (let step = 0; step < 7; step++) {
      behind.inject({ url: '/get', headers: { cookie: `session=${junk(number++)}` } }).catch(t.error)
      await time.pass(17)
    }
    rotate(store, time.nowMs)
    await time.pass(20)
    const browser = new Browser(ahead)
    await browser.get('/set/user/ada')
    t.strictSame((await passUntil(time, behind.inject({ url: '/get', ...headersOf(browser) }))).json(), { user: 'ada' })
  }
})

t.test('after the clock was set back, unknown keys are still looked for', async t => {
  const time = fakeTime(t)
  const { store, behind } = await oneAhead(t, time)
  const reads = store.reads
  for (const number of [1, 2]) {
    await passUntil(time, behind.inject({ url: '/get', headers: { cookie: `session=${junk(number)}` } }))
    time.advance(-3_600_000)
  }
  t.equal(store.reads, reads + 2)
})

t.test('a key that was not found is not looked for again for ten seconds', async t => {
  const time = fakeTime(t)
  const store = new MemoryStore([keyNumber(1, time.nowMs - 1000)])
  const app = await appOn(t, store)
  const ask = async (number: number): Promise<unknown> => await passUntil(time, app.inject({ url: '/get', headers: { cookie: `session=${junk(number)}` } }))
  await ask(1)
  t.equal(store.reads, 2)
  await time.pass(5000)
  await ask(1)
  t.equal(store.reads, 2)
  await time.pass(5000)
  await ask(1)
  t.equal(store.reads, 3)
  store.insteadOfReading = async () => { throw new Error('away') }
  await time.pass(1000)
  await ask(2)
  await time.pass(1000)
  await ask(2)
  t.equal(store.reads, 5, 'but one that could not be sought is')
})

t.test('the list of keys that were not found is bounded', async t => {
  const time = fakeTime(t)
  const store = new MemoryStore([keyNumber(1, time.nowMs - 1000)])
  const app = await appOn(t, store)
  const ask = async (...numbers: number[]): Promise<void> => {
    await passUntil(time, Promise.all(numbers.map(async number => await app.inject({ url: '/get', headers: { cookie: `session=${junk(number)}` } }))))
    await time.pass(1000)
  }
  await ask(...Array.from({ length: 1000 }, (_, index) => index))
  const reads = store.reads
  await ask(0)
  t.equal(store.reads, reads, 'a thousand are remembered')
  await ask(1000)
  t.equal(store.reads, reads + 1)
  await ask(0)
  t.equal(store.reads, reads + 2, 'then all are forgotten')
})

t.test('known keys, random text and requests without a cookie cause no read and no decryption', async t => {
  const time = fakeTime(t)
  const { store, ahead, browser } = await oneAhead(t, time)
  const reads = store.reads
  const { crypto_aead_xchacha20poly1305_ietf_decrypt: decrypt } = sodium
  t.teardown(() => { sodium.crypto_aead_xchacha20poly1305_ietf_decrypt = decrypt })
  let decryptions = 0
  sodium.crypto_aead_xchacha20poly1305_ietf_decrypt = (...args) => { decryptions++; return decrypt(...args) }
  const forged = `${browser.cookies.get('session')?.slice(0, -4)}AAAA`
  for (const cookie of ['', browser.header, `session=${forged}`, 'session=', 'session=AQEAAAAA', `session=${'A'.repeat(100)}`, `session=${'!'.repeat(100)}`, `session=${junk(1)}${'A'.repeat(15_000)}`, `other=${junk(1)}`]) {
    t.equal((await ahead.inject({ url: '/untouched', headers: { cookie } })).statusCode, 200)
  }
  t.equal((await ahead.inject('/untouched')).statusCode, 200)
  t.equal(store.reads, reads)
  t.equal(decryptions, 0)
})

t.test('a key of the keyring that no longer opens is not looked for', async t => {
  const time = fakeTime(t)
  const store = new MemoryStore([keyNumber(1, time.nowMs - 1000)])
  const app = await appOn(t, store, { reloadEvery: '10s' })
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  rotate(store, time.nowMs)
  store.keys = store.keys.map((key, index) => index === 0 ? { ...key, revokedAtMs: time.nowMs } : key)
  await time.pass(10_000)
  const { reads } = store
  t.strictSame(await browser.json('/get'), {})
  t.equal(store.reads, reads)
})

t.test('without a keyring, unknown keys are not looked for', async t => {
  const app = await appWith(t, { key: KEY })
  addRoutes(app)
  t.strictSame((await app.inject({ url: '/get', headers: { cookie: `session=${junk(1)}` } })).json(), {})
})

t.test('a session of an inner scope finds its new key as well', async t => {
  const time = fakeTime(t)
  const store = new MemoryStore([keyNumber(1, time.nowMs - 1000)])
  const build = async (): Promise<TestApp> => {
    const app = bareApp(t)
    await app.register(secureSession, { key: KEY, sessionName: 'outer' })
    app.register(async scope => {
      await scope.register(secureSession, { keyring: store, reloadEvery: '1d' })
      addRoutes(scope)
    })
    await app.ready()
    return app
  }
  const behind = await build()
  rotate(store, time.nowMs)
  const browser = new Browser(await build())
  await browser.get('/set/user/ada')
  t.strictSame((await passUntil(time, behind.inject({ url: '/get', ...headersOf(browser) }))).json(), { user: 'ada' })
})
