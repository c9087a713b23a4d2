import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import secureSession from '../../index'
import { addRoutes, appWith, bareApp, DEBUG, ERROR, KEY, type TestApp } from '../helpers/app'
import { setCookies } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'

type Opener = secureSession.LegacyOpener
type Opened = secureSession.LegacySession

const DAY_MS = 86_400_000
const turn = promisify(setImmediate)

async function appFor (t: Test, openers: readonly Opener[], options: object = {}): Promise<TestApp> {
  const app = await appWith(t, { key: KEY, legacy: openers, ...options })
  addRoutes(app)
  return app
}

async function get (app: TestApp, cookie: string, url = '/get'): Promise<any> {
  return (await app.inject({ url, headers: { cookie } })).json()
}

/** An opener of cookies that say `user:NAME`, in whichever way `open` is to answer. */
function plain (more: Partial<Opener> = {}): Opener {
  return { cookieName: 'old', open: value => value.startsWith('user:') ? { data: { user: value.slice(5) } } : null, ...more }
}

t.test('an opener may return a result or a promise', async t => {
  for (const opener of [plain(), plain({ immediate: true }), plain({ open: async value => { await turn(); return { data: { user: value.slice(5) } } } })]) {
    const app = await appFor(t, [opener])
    t.strictSame(await get(app, 'old=user:ada'), { user: 'ada' })
    const response = await app.inject({ url: '/touch', headers: { cookie: 'old=user:ada' } })
    t.match(setCookies(response), [/^old=; Max-Age=0/, /^session=AQ/])
    t.strictSame(await get(app, 'other=1'), {})
    t.strictSame(await get(app, ''), {})
  }
})

t.test('an immediate opener is called when the session is used, others before the handler', async t => {
  for (const [immediate, asked] of [[true, 0], [false, 1]] as const) {
    let calls = 0
    const app = await appFor(t, [plain({ immediate, open: () => { calls++; return null } })])
    await get(app, 'old=user:ada', '/untouched')
    t.equal(calls, asked)
    t.notOk(app.lines.some(({ msg }) => /migrated/.test(msg)), 'nothing migrated')
    await get(app, 'other=1', '/untouched')
    t.equal(calls, asked, 'and never where its cookie is not there')
  }
})

t.test('no opener is called if the session\'s own cookie opens', async t => {
  let calls = 0
  for (const immediate of [true, false]) {
    const app = await appFor(t, [plain({ immediate, open: () => { calls++; return null } })])
    const own = setCookies(await app.inject('/set/user/grace'))[0]?.split(';')[0] as string
    t.strictSame(await get(app, `old=user:ada; ${own}`), { user: 'grace' })
  }
  t.equal(calls, 0)
})

t.test('with an asynchronous opener, a request without its cookie opens no session before a handler uses it', async t => {
  const app = await appFor(t, [plain()])
  await get(app, 'session=bad', '/untouched')
  t.notOk(app.lines.some(({ reason }) => reason !== undefined))
  await get(app, 'session=bad')
  t.ok(app.lines.some(({ reason }) => reason === 'malformed'))
})

t.test('openers are called in order, each with all its cookies, until one opens', async t => {
  const asked: string[] = []
  const opener = (name: string, promised: boolean): Opener => ({
    cookieName: name,
    open (value) {
      asked.push(`${name}=${value}`)
      const opened = value === 'good' ? { data: { from: name } } : null
      return promised ? Promise.resolve(opened) : opened
    }
  })
  const app = await appFor(t, [opener('a', true), opener('b', false), opener('c', true)])
  t.strictSame(await get(app, 'c=good; b=bad; b=good; a=bad; b=late'), { from: 'b' })
  t.strictSame(asked, ['a=bad', 'b=bad', 'b=good', 'b=late'])
})

t.test('at most four legacy cookies of a name are tried', async t => {
  let calls = 0
  const app = await appFor(t, [plain({ open: () => { calls++; return null } })])
  await get(app, Array.from({ length: 50 }, () => 'old=x').join('; '))
  t.equal(calls, 4)
})

t.test('an exception of an opener is a refusal, with the reason in the debug log', async t => {
  const failure = new Error('bad seal')
  for (const opener of [plain({ open: () => { throw failure } }), plain({ open: async () => { throw failure } }), plain({ immediate: true, open: () => { throw failure } })]) {
    const app = await appFor(t, [opener])
    t.strictSame(await get(app, 'old=user:ada'), {})
    t.match(app.lines.filter(({ level }) => level === DEBUG), [{ cookie: 'old', err: { message: 'bad seal' } }])
  }
})

t.test('an opener that throws no error object has not opened the cookie', async t => {
  for (const thrown of [null, undefined, 'no']) {
    const throwing = plain({ open: () => { throw thrown } })
    const rejecting = plain({ open: async () => { throw thrown } })
    for (const opener of [throwing, rejecting]) t.strictSame(await get(await appFor(t, [opener]), 'old=user:ada'), {})
  }
})

t.test('a cookie that an opener does not open is a debug line with its name', async t => {
  const app = await appFor(t, [plain()])
  await get(app, 'old=x')
  t.match(app.lines.filter(({ level }) => level === DEBUG), [{ cookie: 'old', msg: 'legacy cookie not opened' }])
})

t.test('an opener whose store is unavailable fails the request, and nothing is lost', async t => {
  const away = Object.assign(new Error('no database'), { statusCode: 503 })
  for (const opener of [plain({ open: async () => { throw away } }), plain({ immediate: true, open: () => { throw away } })]) {
    const app = await appFor(t, [opener])
    const response = await app.inject({ url: '/set/flash/hi', headers: { cookie: 'old=user:ada' } })
    t.match(response.json(), { statusCode: 503, code: 'FST_SESSION_STORE_UNAVAILABLE', message: 'the store of legacy sessions is unavailable' })
    t.strictSame(setCookies(response), [])
    t.match(app.lines.filter(({ level }) => level === ERROR), [{ err: { message: 'the store of legacy sessions is unavailable: no database' } }])
  }
})

t.test('if an opener fails the request, request.session is null in the error handler', async t => {
  const away = Object.assign(new Error('no database'), { statusCode: 503 })
  for (const immediate of [true, false]) {
    const open = immediate ? () => { throw away } : async () => { throw away }
    const app = await appWith(t, { key: KEY, legacy: [plain({ immediate, open })] })
    app.setErrorHandler(async (error: Error, request) => ({ isCause: error.cause === away, session: request.session }))
    addRoutes(app)
    t.strictSame(await get(app, 'old=x'), { isCause: true, session: null })
  }
})

t.test('if one of several legacy cookies fails at once, rejections for the others are handled', async t => {
  const away = Object.assign(new Error('no database'), { statusCode: 503 })
  const left: unknown[] = []
  const leave = (reason: unknown): void => { left.push(reason) }
  process.on('unhandledRejection', leave)
  t.teardown(() => { process.off('unhandledRejection', leave) })
  const late = async (): Promise<never> => { await turn(); throw away }
  const mixed = await appFor(t, [plain({ open: value => { if (value === 'b') throw away; return late() } })])
  t.match(await get(mixed, 'old=a; old=b'), { statusCode: 503 })
  const promising = await appFor(t, [plain({ immediate: true, open: late })])
  t.match(await get(promising, 'old=a'), { code: 'FST_SESSION_INVALID_OPTION' })
  await turn()
  await turn()
  t.strictSame(left, [])
})

t.test('the limits of the server apply to the session that an opener returns', async t => {
  const { nowMs } = fakeClock(t)
  const of = (times: Partial<Opened>): Opener => plain({ open: () => ({ data: { user: 'ada' }, ...times }) })
  for (const times of [{}, { renewedAt: nowMs - DAY_MS + 1 }, { renewedAt: nowMs, createdAt: nowMs - 30 * DAY_MS + 1 }, { renewedAt: nowMs + 59_000 }]) {
    t.strictSame(await get(await appFor(t, [of(times)]), 'old=x'), { user: 'ada' }, JSON.stringify(times))
  }
  for (const [times, reason] of [
    [{ renewedAt: nowMs - DAY_MS }, 'expired'], [{ renewedAt: nowMs, createdAt: nowMs - 30 * DAY_MS }, 'expired'], [{ renewedAt: nowMs + 61_000 }, 'from-the-future'], [{ createdAt: nowMs + 61_000 }, 'from-the-future']
  ] as const) {
    const app = await appFor(t, [of(times)])
    t.strictSame(await get(app, 'old=x'), {}, JSON.stringify(times))
    t.match(app.lines.filter(line => line['reason'] !== undefined), [{ cookie: 'old', reason }])
  }
})

t.test('the id of a session is derived from its legacy cookie, or from the id that the opener returns', async t => {
  const app = await appFor(t, [plain()])
  const id = async (cookie: string, from = app): Promise<string> => (await get(from, cookie, '/info')).id
  t.equal(await id('old=user:ada'), await id('old=user:ada'))
  t.not(await id('old=user:ada'), await id('old=user:eve'))
  const named = await appFor(t, [plain({ open: () => ({ data: {}, id: 'one' }) })])
  t.equal(await id('old=user:ada', named), await id('old=user:eve', named))
  const elsewhere = await appFor(t, [plain({ cookieName: 'other' })])
  t.not(await id('other=user:ada', elsewhere), await id('old=user:ada'), 'the name of the cookie counts')
})

t.test('the object that an opener returned is not changed', async t => {
  const shared = Object.freeze({ user: 'ada', cart: ['tea'] })
  const app = await appFor(t, [plain({ open: () => ({ data: shared }) })])
  app.get('/change', async ({ session }) => { session.set('user', 'eve'); session.get('cart').push('milk'); return session.data() })
  t.strictSame(await get(app, 'old=x', '/change'), { user: 'eve', cart: ['tea', 'milk'] })
  t.strictSame(shared, { user: 'ada', cart: ['tea'] })
})

t.test('if there are several legacy cookies of the name, the session that was written last is used', async t => {
  const nowMs = Date.now()
  for (const promised of [false, true]) {
    const open = (value: string): ReturnType<Opener['open']> => {
      const answer = value === 'x' ? null : { data: { user: value }, renewedAt: nowMs - Number(value) }
      return promised ? Promise.resolve(answer) : answer
    }
    const app = await appFor(t, [plain({ open })])
    t.strictSame(await get(app, 'old=300; old=100; old=x; old=200'), { user: '100' })
  }
})

t.test('the openers of one request are called in parallel', async t => {
  let asked = 0
  let release = (): void => {}
  const all = new Promise<void>(resolve => { release = resolve })
  const app = await appFor(t, [plain({ open: async () => { if (++asked === 3) release(); await all; return null } })])
  t.strictSame(await get(app, 'old=a; old=b; old=c'), {})
})

t.test('request.session is null in a hook that runs before async openers were called', async t => {
  const app = bareApp(t)
  const seen: unknown[] = []
  app.addHook('onRequest', async ({ session }) => { seen.push(session === null ? null : session.get('user')) })
  await app.register(secureSession, { key: KEY, legacy: [plain()] })
  addRoutes(app)
  t.strictSame(await get(app, 'old=user:ada'), { user: 'ada' })
  t.strictSame(await get(app, 'other=1'), {}, 'where there is nothing to ask, there is nothing to wait for')
  const own = setCookies(await app.inject('/set/user/grace'))[0]?.split(';')[0] as string
  t.strictSame(await get(app, `old=user:ada; ${own}`), { user: 'grace' })
  t.strictSame(seen, [null, undefined, undefined, 'grace'])
})

t.test('a wrong result of an opener is no session, and the log says what is required', async t => {
  const nowS = Math.floor(Date.now() / 1000)
  for (const answer of [undefined, 'ada', 42, [], {}, { data: null }, { data: 'x' }, { data: [] }, { data: {}, createdAt: nowS }, { data: {}, renewedAt: 'now' }, { data: {}, renewedAt: NaN }, { data: {}, createdAt: String(Date.now()) }, { data: {}, createdAt: 2 ** 48 }, { data: {}, id: 7 }]) {
    for (const opener of [plain({ open: () => answer as Opened }), plain({ open: async () => answer as Opened }), plain({ immediate: true, open: () => answer as Opened })]) {
      const app = await appFor(t, [opener])
      t.strictSame(await get(app, 'old=x'), {}, JSON.stringify(answer) ?? 'undefined')
      t.match(app.lines.filter(({ level }) => level === ERROR), [{ cookie: 'old', err: { code: 'FST_SESSION_INVALID_OPTION' } }])
    }
  }
  const promising = await appFor(t, [plain({ immediate: true, open: async () => null })])
  t.match(await get(promising, 'old=x'), { code: 'FST_SESSION_INVALID_OPTION', message: /immediate.*promise/ })
  const unwritable = await appFor(t, [plain({ open: () => ({ data: { big: 1n } }) })])
  t.strictSame(await get(unwritable, 'old=x'), {})
  t.match(unwritable.lines.filter(({ level }) => level === ERROR), [{ err: { code: 'FST_SESSION_NOT_SERIALIZABLE' } }])
})

t.test('with a custom serializer, the values of an opener must be accepted by it', async t => {
  const serializer = { serialize: (data: object) => JSON.stringify(data).toUpperCase(), deserialize: (bytes: Buffer) => JSON.parse(bytes.toString()) }
  t.strictSame(await get(await appFor(t, [plain()], { serializer }), 'old=user:ada'), { USER: 'ADA' })
  const binary = { ...serializer, serialize: (data: object) => Buffer.from(JSON.stringify(data)) }
  t.strictSame(await get(await appFor(t, [plain()], { serializer: binary }), 'old=user:ada'), { user: 'ada' })
  const oneWay = { ...serializer, deserialize: () => { throw new Error('never') } }
  const refusing = await appFor(t, [plain()], { serializer: oneWay })
  t.strictSame(await get(refusing, 'old=user:ada'), {})
  t.match(refusing.lines.filter(line => line['reason'] !== undefined), [{ cookie: 'old', reason: 'malformed' }])
})

t.test('prepare() of an opener is awaited once at boot, and its error fails the boot', async t => {
  let prepared = 0
  await appFor(t, [plain({ prepare: async () => { await turn(); prepared++ } })])
  t.equal(prepared, 1)
  await t.rejects(appFor(t, [plain({ prepare: async () => { throw new Error('no database') } })]), { message: 'no database' })
})

t.test('decodeSecureSession calls only immediate openers', async t => {
  const app = await appFor(t, [plain({ open: async () => ({ data: { late: true } }) }), plain({ immediate: true })])
  t.equal(app.decodeSecureSession('user:ada')?.get('user'), 'ada')
  t.equal(app.decodeSecureSession('bogus'), null)
})

t.test('two sessions of one app have their own openers', async t => {
  const options = ['guest', 'staff'].map(sessionName => ({ key: KEY, sessionName, legacy: [plain({ cookieName: `old-${sessionName}` })] }))
  const app = await appWith(t, options)
  app.get('/', async request => { const { guest, staff } = request as unknown as Record<string, secureSession.Session>; return [guest?.get('user'), staff?.get('user')] })
  t.strictSame(await get(app, 'old-guest=user:ada; old-staff=user:grace', '/'), ['ada', 'grace'])
})

t.test('an invalid opener, or one with wrong options, is refused at boot', async t => {
  const boot = async (legacy: unknown, more: object = {}): Promise<unknown> => await appWith(t, { key: KEY, legacy, ...more } as secureSession.Options)
  for (const legacy of ['x', {}, [null], [{}], [() => null], [{ open: 'x' }], [plain({ cookieName: 'a b' })], [plain({ cookieName: '' })], [plain({ keep: 'yes' as unknown as true })], [plain({ immediate: 1 as unknown as true })],
    [plain({ prepare: 'x' as unknown as () => Promise<void> })], [plain({ cookie: 'x' as unknown as {} })], [plain({ cookie: { path: 'x' } })], [plain({ cookieName: '__Host-old', cookie: { domain: 'example.org' } })]]) {
    await t.rejects(boot(legacy), { code: 'FST_SESSION_INVALID_OPTION', message: /legacy/ })
  }
  await boot([])
  await t.rejects(boot([plain({ cookieName: 'session', keep: true })]), { code: 'FST_SESSION_INVALID_OPTION', message: /keep/ })
  await t.rejects(boot([plain({ cookieName: 'session.t' })]), { code: 'FST_SESSION_INVALID_OPTION', message: /stamp/ })
  await t.rejects(appWith(t, ['a', 'b'].map(sessionName => ({ key: KEY, sessionName, legacy: [plain({ cookieName: 'old' })] }))), { code: 'FST_SESSION_INVALID_OPTION', message: /another session/ })
  await t.rejects(appWith(t, [{ key: KEY, sessionName: 'a' }, { key: KEY, sessionName: 'b', legacy: [plain({ cookieName: 'a' })] }]), { code: 'FST_SESSION_INVALID_OPTION', message: /another session/ })
  await t.rejects(appWith(t, [{ key: KEY, sessionName: 'a' }, { key: KEY, sessionName: 'b', legacy: [plain({ cookieName: 'a.t' })] }]), { code: 'FST_SESSION_INVALID_OPTION', message: /another session/ })
})
