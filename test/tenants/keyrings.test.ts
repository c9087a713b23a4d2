import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import secureSession from '../../index'
import { writeKeyring } from '../../lib/keyring/document'
import { bareApp, DEBUG, KEY, WARN, type TestApp } from '../helpers/app'
import { fakeClock, fakeTime, passUntil } from '../helpers/clock'
import { keyIdOf, keyNumber, MemoryStore, rotate } from '../helpers/keyrings'
import { HostBrowser, loggedIn, siteWith, subject, type Options } from './site'

const DAY_MS = 86_400_000

/** A keyring in memory for each tenant, made when it is first asked for. */
class Stores {
  readonly all = new Map<string, MemoryStore>()
  readonly of = (tenant: string): MemoryStore => {
    const found = this.all.get(tenant) ?? new MemoryStore([keyNumber(this.all.size + 1, Date.now())])
    this.all.set(tenant, found)
    return found
  }

  reads (tenant: string): number { return this.of(tenant).reads }
}

async function site (t: Test, stores: Stores, options: Options = {}): Promise<TestApp> {
  return await siteWith(t, { keyring: stores.of, ...options })
}

const down = async (): Promise<never> => { throw new Error('the store is down at 10.0.0.1') }

t.test('each tenant has a keyring, which is read once, when a request first needs it', async t => {
  const stores = new Stores()
  const app = await site(t, stores)
  t.equal(stores.all.size, 0, 'nothing is read at boot')
  const { a, b } = await loggedIn(app)
  t.strictSame([stores.reads('a'), stores.reads('b')], [1, 1])
  t.not(keyIdOf(a.cookies.get('session') as string), keyIdOf(b.cookies.get('session') as string))
  t.strictSame(await a.json('/get'), { user: 'ada' })
  t.strictSame(await b.with(a).json('/get'), {})
  t.match(app.lines.find(({ msg }) => msg === 'keyring loaded'), { level: DEBUG, tenant: 'a' })
  await app.inject({ url: '/untouched', headers: { host: 'x.example' } })
  t.equal(stores.all.size, 2)
})

t.test('also with one key for all, a session of one tenant does not open at another', async t => {
  const shared = new MemoryStore([keyNumber(1, Date.now())])
  const app = await siteWith(t, { keyring: () => shared })
  const { a, b } = await loggedIn(app)
  t.strictSame(await b.with(a).json('/get'), {})
})

t.test('a keyring may be the path of a file', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'tenants-'))
  t.teardown(() => { rmSync(folder, { recursive: true }) })
  const path = (tenant: string): string => join(folder, `${tenant}.json`)
  for (const [index, tenant] of ['a', 'b'].entries()) {
    await secureSession.fileKeyring(path(tenant)).update(null, writeKeyring([keyNumber(index + 1, Date.now())]))
  }
  const app = await siteWith(t, { keyring: path })
  const { a, b } = await loggedIn(app)
  t.strictSame([await a.json('/get'), await b.json('/get')], [{ user: 'ada' }, { user: 'ada' }])
  t.equal((await new HostBrowser(app, 'c.example').get('/get')).statusCode, 503, 'it has no file')
})

t.test('fifty first requests at once read a keyring once', async t => {
  const stores = new Stores()
  const app = await site(t, stores)
  const browsers = Array.from({ length: 50 }, () => new HostBrowser(app, 'a.example'))
  const statuses = await Promise.all(browsers.map(async browser => (await browser.get('/set/user/ada')).statusCode))
  t.ok(statuses.every(status => status === 200))
  t.equal(stores.reads('a'), 1)
  t.ok((await Promise.all(browsers.map(async browser => await browser.json('/get')))).every(({ user }) => user === 'ada'))
})

t.test('a keyring that cannot be read is a 503 for its tenant alone, and is tried again later', async t => {
  const time = fakeTime(t)
  const stores = new Stores()
  const app = await site(t, stores)
  app.get('/guarded', { onRequest: app.requireSession({ when: () => true }) }, async () => ({}))
  const get = async (tenant: string, url = '/get'): Promise<number> => {
    return (await passUntil(time, new HostBrowser(app, `${tenant}.example`).get(url))).statusCode
  }
  const store = stores.of('a')
  store.insteadOfReading = down
  const response = await passUntil(time, new HostBrowser(app, 'a.example').get('/get'))
  t.match(response.json(), { statusCode: 503, code: 'FST_SESSION_STORE_UNAVAILABLE', message: 'the keyring is unavailable' })
  t.notMatch(response.body, '10.0.0.1')
  t.strictSame([await get('b'), await get('a', '/untouched'), await get('a', '/guarded')], [200, 200, 503])

  const pauses: number[] = []
  for (let pass = 0, second = 0; pass < 8; pass++) {
    const before = store.reads
    while (store.reads === before) {
      second++
      time.advance(1000)
      await app.inject({ url: '/get', headers: { host: 'a.example' } })
    }
    pauses.push(second)
    second = 0
  }
  t.strictSame(pauses, [1, 2, 4, 8, 16, 32, 60, 60], 'in seconds')
  const warnings = app.lines.filter(({ level }) => level === WARN)
  t.match(warnings, [{ session: 'session', tenant: 'a', keyring: 'keyring in memory', code: 'FST_SESSION_KEYRING_UNAVAILABLE' }])

  store.insteadOfReading = null
  await time.pass(60_000)
  t.equal(await get('a'), 200)
  t.ok(app.lines.some(({ msg, tenant }) => tenant === 'a' && msg.includes('can be reloaded again')))
  t.equal(await get('a', '/guarded'), 200)
})

t.test('a keyring store that hangs delays requests for a second, and then none', async t => {
  const time = fakeTime(t)
  const stores = new Stores()
  const app = await site(t, stores)
  const store = stores.of('a')
  let answer = (): void => {}
  store.insteadOfReading = async () => await new Promise(resolve => { answer = () => { resolve(store.text) } })
  const get = async (url: string): Promise<[status: number, waitedS: number]> => {
    const atMs = time.nowMs
    const { statusCode } = await passUntil(time, new HostBrowser(app, 'a.example').get(url))
    return [statusCode, Math.floor((time.nowMs - atMs) / 1000)]
  }
  t.strictSame(await get('/untouched'), [200, 1])
  t.strictSame(await get('/untouched'), [200, 0])
  t.strictSame(await get('/get'), [503, 0])
  const control = app.secureSession.forTenant('a')
  answer()
  t.ok(await passUntil(time, control), 'a call outside of requests waits for the store')
  t.strictSame(await get('/get'), [200, 0])
  t.equal(store.reads, 1)
})

t.test('a clock that is set back does not keep a keyring from being read', async t => {
  const clock = fakeClock(t)
  const stores = new Stores()
  const app = await site(t, stores)
  stores.of('a').insteadOfReading = down
  const a = new HostBrowser(app, 'a.example')
  t.equal((await a.get('/get')).statusCode, 503)
  stores.of('a').insteadOfReading = null
  t.equal((await a.get('/get')).statusCode, 503)
  clock.advance(-3600_000)
  t.equal((await a.get('/get')).statusCode, 200)
})

t.test('an invalid keyring is a 503, and what the function returns wrongly is an error of the app', async t => {
  const stores = new Stores()
  const app = await siteWith(t, {
    keyring: (tenant: string) => {
      if (tenant === 'b') return 17 as never
      if (tenant === 'c') throw new Error('no such tenant')
      return stores.of(tenant)
    }
  })
  stores.of('a').text = '{}'
  const get = async (tenant: string): Promise<unknown> => await new HostBrowser(app, `${tenant}.example`).json('/get')
  t.match(await get('a'), { statusCode: 503, code: 'FST_SESSION_STORE_UNAVAILABLE' })
  t.match(await get('b'), { statusCode: 500, code: 'FST_SESSION_INVALID_OPTION' })
  t.match(await get('c'), { statusCode: 500, message: 'no such tenant' })
  await t.rejects(app.secureSession.forTenant('a'), { code: 'FST_SESSION_STORE_UNAVAILABLE', statusCode: 503 })
  await t.rejects(app.secureSession.forTenant('b'), { code: 'FST_SESSION_INVALID_OPTION' })
})

t.test('`rotation` adds keys to the keyring of each tenant that is in use', async t => {
  const time = fakeTime(t)
  const stores = new Stores()
  const rotation = { every: '10d', activateIn: '1d' }
  const app = await site(t, stores, { rotation, reloadEvery: '6h', idle: '20d' })
  const a = new HostBrowser(app, 'a.example')
  await passUntil(time, a.get('/set/user/ada'))
  stores.of('b')
  await time.pass(10.5 * DAY_MS)
  t.strictSame([stores.of('a').keys.length, stores.of('b').keys.length], [2, 1])
  const before = keyIdOf(a.cookies.get('session') as string)
  await passUntil(time, a.get('/set/user/eve'))
  t.not(keyIdOf(a.cookies.get('session') as string), before)
  t.ok(app.lines.some(({ msg, tenant }) => tenant === 'a' && msg === 'a key was added to the keyring'))
})

t.test('a key that another server has just added is read before the handler runs', async t => {
  const stores = new Stores()
  const [one, two] = [await site(t, stores), await site(t, stores)]
  const a = new HostBrowser(one, 'a.example')
  await new HostBrowser(two, 'a.example').get('/get')
  rotate(stores.of('a'), Date.now())
  const later = await site(t, stores)
  const browser = new HostBrowser(later, 'a.example')
  await browser.get('/set/user/ada')
  t.strictSame(await new HostBrowser(two, 'a.example').with(browser).json('/get'), { user: 'ada' })
  t.equal(stores.reads('a'), 3)
  const control = await one.secureSession.forTenant('a')
  t.equal((await control.decode(browser.cookies.get('session')))?.get('user'), 'ada')
  t.strictSame(await a.json('/get'), {})
})

t.test('one keyring for all tenants is read again for a key that is new', async t => {
  const store = new MemoryStore([keyNumber(1, Date.now())])
  const cookies = [{ namePrefix: '' }, { namePrefix: 'x-' }]
  const options = { keyring: store, cookies, cookie: ({ headers }: { headers: object }) => 'x-other' in headers ? { namePrefix: 'x-' } : {} }
  const one = await siteWith(t, options)
  rotate(store, Date.now())
  const two = await siteWith(t, options)
  const headers = { 'x-other': '1' }
  const browser = new HostBrowser(two, 'a.example')
  await browser.get('/set/user/ada', { headers })
  t.strictSame([...browser.cookies.keys()], ['x-session'])
  t.strictSame(await new HostBrowser(one, 'a.example').with(browser).json('/get', { headers }), { user: 'ada' })
  t.equal(store.reads, 3)
})

t.test('a keyring that was not used for long is no longer read, and requests that have it go on', async t => {
  const time = fakeTime(t)
  const stores = new Stores()
  const app = await siteWith(t, { tenant: request => request.hostname.split('.')[0] ?? null, keyring: stores.of, reloadEvery: '1h' })
  let proceed = (): void => {}
  app.get('/slow', async ({ session }) => {
    await new Promise<void>(resolve => { proceed = resolve })
    session.set('user', 'eve')
    return {}
  })
  const a = new HostBrowser(app, 'a.example')
  await passUntil(time, a.get('/set/user/ada'))
  const slow = a.get('/slow')
  await passUntil(time, new HostBrowser(app, 'b.example').get('/get'))
  for (let index = 0; index < 998; index++) await app.secureSession.forTenant(`t${index}`)
  await app.secureSession.forTenant('b')
  t.equal(time.waiting, 1000)
  await app.secureSession.forTenant('one-more')
  t.equal(time.waiting, 1000, 'the timer of one has stopped')
  proceed()
  t.equal((await passUntil(time, slow)).statusCode, 200)
  t.strictSame([stores.reads('a'), stores.reads('b')], [1, 1])
  t.strictSame(await passUntil(time, a.json('/get')), { user: 'eve' })
  t.strictSame([stores.reads('a'), stores.reads('b')], [2, 1], 'it is opened again, and the other was used last')
  t.equal(time.waiting, 1000)
  await app.close()
  t.equal(time.waiting, 0)
})

t.test('a keyring that is read while the app closes is not read again', async t => {
  const time = fakeTime(t)
  const stores = new Stores()
  const app = await site(t, stores)
  let answer = (): void => {}
  const store = stores.of('a')
  store.insteadOfReading = async () => await new Promise(resolve => { answer = () => { resolve(store.text) } })
  await app.ready()
  const opening = app.secureSession.forTenant('a')
  await app.close()
  answer()
  await passUntil(time, opening)
  t.equal(time.waiting, 0)
})

t.test('with a keyring for each tenant, the session is null where its keys were not read', async t => {
  const app = bareApp(t)
  const seen: unknown[] = []
  app.addHook('onRequest', async request => { seen.push(request.session) })
  await app.register(secureSession, { keyring: new Stores().of, tenant: () => 'a', subject, revocation: { store: secureSession.memoryRevocation() } })
  app.get('/off', { config: { session: false } }, async request => ({ session: request.session as object | null }))
  app.get('/on', async request => request.session.data())
  t.strictSame((await app.inject('/on')).json(), {})
  t.strictSame((await app.inject('/off')).json(), { session: null })
  t.strictSame(seen, [null, null])
})

t.test('`@fastify/cookie` is there without a secret, where no key is of the whole app', async t => {
  const app = await site(t, new Stores())
  app.get('/cookie', async (_request, reply) => reply.setCookie('x', 'y').send({}))
  t.equal((await app.inject({ url: '/cookie', headers: { host: 'a.example' } })).headers['set-cookie'], 'x=y; SameSite=Lax')
})

t.test('scopes side by side may share keyrings of tenants, by the same function', async t => {
  for (const isSame of [true, false]) {
    const app = bareApp(t)
    const stores = new Stores()
    const tenant = (): string => 'a'
    for (const keyring of [stores.of, isSame ? stores.of : (id: string) => stores.of(id)]) {
      app.register(async scope => { await scope.register(secureSession, { keyring, tenant }) })
    }
    if (isSame) await t.resolves(async () => await app.ready())
    else await t.rejects(async () => await app.ready(), { code: 'FST_SESSION_INVALID_OPTION' })
  }
})

t.test('functions of tenants need the option `tenant`', async t => {
  for (const options of [{ keyring: () => 'x' }, { key: KEY, cookie: () => ({}) }, { key: KEY, cookies: [{}] }, { key: KEY, tenant: 'a' }]) {
    await t.rejects(async () => await bareApp(t).register(secureSession, options as never), { code: 'FST_SESSION_INVALID_OPTION', message: /"tenant"/ })
  }
})
