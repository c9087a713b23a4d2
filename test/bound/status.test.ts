import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import secureSession from '../../index'
import { appWith, KEY, WARN, type LogLine, type TestApp } from '../helpers/app'
import { setCookies } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'
import { hearAll, hasHeard, take } from '../events/subscribed'
import { boundBrowser, cookieLines, HOUR_MS, LINK, loggedIn, MINUTE_MS, OPTIONS, addPages, shopOf } from './site'

/** Whether a session with a mark may be used, by the cookies beside it and by the request. */

interface Vector {
  name: string
  key: string
  cookieName: string
  now: number
  idle: number
  absolute: number
  proofFor: number
  header: string
  binding: 'bound' | 'unbound' | 'unproven'
  provenAt?: number
}

function vectors<T> (name: string): T[] {
  return JSON.parse(readFileSync(join(__dirname, `../vectors/${name}.json`), 'utf8')).vectors
}

for (const vector of vectors<Vector>('bindings')) {
  t.test(`a session with a mark, and beside it ${vector.name}: ${vector.binding}`, async t => {
    const { key, cookieName, now, idle, absolute, proofFor, header, binding, provenAt = null } = vector
    fakeClock(t, now)
    const keys = vectors<{ name: string, key: string }>('keys')
    const app = await appWith(t, {
      key: keys.find(({ name }) => name === key)?.key as string,
      cookieName,
      idle: idle / 1000,
      absolute: absolute / 1000,
      deviceBound: { proofFor: proofFor / 1000, when: () => true }
    })
    addPages(app)
    const expected = binding === 'unproven'
      ? { user: null, isNew: true, bound: false, provenAt: null }
      : { user: 'ada', isNew: false, bound: binding === 'bound', provenAt }
    t.match((await app.inject({ url: '/me', headers: { cookie: header } })).json(), expected)
    if (proofFor !== 600_000) return
    const other = await appWith(t, { key: keys.find(({ name }) => name === key)?.key as string })
    addPages(other)
    t.match((await other.inject({ url: '/me', headers: { cookie: header } })).json(), expected, 'without the option as well')
    t.match(await other.secureSession.open(header), binding === 'unproven' ? null : { info: { provenAt } }, 'and without a request')
  })
}

t.test('an unproven session is refused with the reason unproven, and the handler may write another one', async t => {
  const clock = fakeClock(t)
  const app = await shopOf(t)
  const thief = (await boundBrowser(app)).copy()
  clock.advance(HOUR_MS)
  const heard = hearAll(t)
  const reply = await thief.get('/write/page')
  t.strictSame(cookieLines(reply), ['+session'])
  t.match(app.lines.find(({ reason }) => reason === 'unproven'), { level: 20, cookie: 'session' })
  hasHeard(t, heard, [
    { event: 'refused', session: 'session', cookie: 'session', reason: 'unproven', id: /^[\w-]{22}$/ },
    { event: 'sealed', isNew: true }
  ])
  t.match(await thief.ask('/me'), { user: null, isNew: false })
})

t.test('a proof that is a minute ahead of the clock counts, and one of a server whose clock is slower', async t => {
  const clock = fakeClock(t)
  const app = await shopOf(t)
  const browser = await boundBrowser(app)
  for (const [ms, bound] of [[-MINUTE_MS, true], [-MINUTE_MS - 1, false], [11 * MINUTE_MS - 1, true], [11 * MINUTE_MS, false]] as const) {
    clock.advance(ms)
    t.match(await browser.copy().ask('/me'), { bound }, String(ms))
    clock.advance(-ms)
  }
})

t.test('of several proofs of a session the latest counts, whatever their order', async t => {
  const clock = fakeClock(t)
  const app = await shopOf(t)
  const browser = await boundBrowser(app)
  const session = `session=${browser.cookies.get('session')}`
  const early = `session.d=${browser.cookies.get('session.d')}`
  clock.advance(MINUTE_MS)
  await browser.prove()
  const late = `session.d=${browser.cookies.get('session.d')}`
  for (const cookies of [[session, early, late], [session, late, early]]) {
    const reply = await app.inject({ url: '/me', headers: { cookie: cookies.join('; ') } })
    t.match(reply.json(), { bound: true, provenAt: clock.nowMs })
  }
})

const SKIPPED = { 'secure-session-skipped': 'server_error;session_identifier="x"' }

for (const [what, headers, status, more] of [
  ['the browser says that it could not sign', SKIPPED, 503, { 'retry-after': '10' }],
  ['the browser says so of a request from another site', { ...SKIPPED, ...LINK }, 503, { 'retry-after': '10' }],
  ['the browser skips it for another reason', { 'secure-session-skipped': 'unreachable' }, 503, { 'retry-after': '10' }],
  ['another site caused the request', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }, 401, { 'www-authenticate': 'Cookie realm="session", cookie-name=session' }],
  ['another origin of the site caused the request', { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors' }, 401, {}]
] as const) {
  t.test(`where ${what}, an unproven session may be good: using it fails with ${status}, and nothing is written over it`, async t => {
    const clock = fakeClock(t)
    const app = await shopOf(t)
    app.get('/catch', async request => {
      try {
        request.session.set('page', '1')
        return { isNull: false }
      } catch (error) {
        return { code: (error as { code: string }).code, isNull: request.session === null }
      }
    })
    const browser = await boundBrowser(app)
    clock.advance(HOUR_MS)
    browser.dropProof()
    for (const url of ['/write/page', '/login/eve', '/logout', '/me']) {
      const reply = await browser.get(url, { headers })
      t.match(reply.json(), { statusCode: status, code: 'FST_SESSION_UNPROVEN' }, url)
      t.match(reply.headers, more)
      t.strictSame(setCookies(reply), [])
    }
    const caught = await browser.get('/catch', { headers })
    t.strictSame([caught.statusCode, caught.json(), setCookies(caught)], [200, { code: 'FST_SESSION_UNPROVEN', isNull: true }, []])
    t.equal(caught.headers['vary'], 'Cookie', 'a page that can do without depends on the cookie')
    t.equal((await browser.get('/public', { headers })).statusCode, 200, 'a page that does not use it is there')
    await browser.prove()
    t.match(await browser.ask('/me'), { user: 'ada', bound: true })
  })
}

t.test('a request that a user typed, or of a client that says nothing, is refused without an error', async t => {
  const clock = fakeClock(t)
  const app = await shopOf(t)
  const browser = await boundBrowser(app)
  clock.advance(HOUR_MS)
  browser.dropProof()
  for (const headers of [{}, { 'sec-fetch-site': 'none' }, { 'sec-fetch-site': 'same-origin' }, { 'sec-fetch-site': 'junk' }]) {
    const reply = await browser.copy().get('/me', { headers })
    t.match([reply.statusCode, reply.json()], [200, { user: null, isNew: true }])
  }
})

t.test('a proof of another mark is cleared, since a browser that holds it makes no other; nothing else is', async t => {
  const clock = fakeClock(t)
  const app = await shopOf(t)
  const ada = await boundBrowser(app)
  const foreign = (await boundBrowser(app, 'eve')).cookies.get('session.d') as string
  clock.advance(HOUR_MS)
  for (const headers of [{}, SKIPPED, { 'sec-fetch-site': 'cross-site' }]) {
    const browser = ada.copy()
    browser.cookies.set('session.d', foreign)
    const reply = await browser.get('/me', { headers })
    t.strictSame(cookieLines(reply), ['-session.d'], JSON.stringify(headers))
    t.match(setCookies(reply), [/^session\.d=; Max-Age=0; .*Path=\/; HttpOnly; Secure; SameSite=Lax$/])
    await browser.prove()
    t.match(await browser.ask('/me'), { user: 'ada', bound: true })
  }
  const own = ada.copy()
  t.strictSame(cookieLines(await own.get('/me')), [], 'a proof of its own that is too old stays')
  const forged = ada.copy()
  forged.cookies.set('session.d', `${foreign.slice(0, -2)}AA`)
  t.strictSame(cookieLines(await forged.get('/me')), [], 'a forged one stays')
  const untouched = ada.copy()
  untouched.cookies.set('session.d', foreign)
  t.strictSame(cookieLines(await untouched.get('/public')), [], 'a request that does not use the session costs nothing')
})

t.test('a proof of another mark beside the pass is left alone', async t => {
  const app = await shopOf(t)
  const browser = await loggedIn(app)
  browser.cookies.set('session.d', (await boundBrowser(app, 'eve')).cookies.get('session.d') as string)
  const reply = await browser.get('/me')
  t.match([reply.json(), cookieLines(reply)], [{ user: 'ada', bound: false }, []])
})

t.test('a write of an unproven request clears a proof of another mark with it', async t => {
  const app = await shopOf(t)
  const thief = (await boundBrowser(app)).copy()
  thief.cookies.set('session.d', (await boundBrowser(app, 'eve')).cookies.get('session.d') as string)
  t.strictSame(cookieLines(await thief.get('/write/page')), ['-session.d', '+session'])
})

t.test('without enforce an unproven session passes, and the events tell what would be refused', async t => {
  const clock = fakeClock(t)
  const app = await shopOf(t, { deviceBound: { enforce: false } })
  const thief = (await boundBrowser(app)).copy()
  thief.dropProof()
  clock.advance(MINUTE_MS)
  const heard = hearAll(t)
  for (const headers of [{}, SKIPPED, { 'sec-fetch-site': 'cross-site' }]) {
    t.match((await thief.get('/me', { headers })).json(), { user: 'ada', bound: false, provenAt: null })
    hasHeard(t, heard, [{ event: 'refused', reason: 'unproven', id: /./ }, { event: 'opened' }])
  }
  t.match(app.lines.filter(({ reason }) => reason === 'unproven'), Array(3).fill({ level: 20, msg: /without pass or proof was accepted/ }))
  const browser = await loggedIn(app)
  await browser.ask('/me')
  t.notOk(take(heard).some(({ reason }) => reason === 'unproven'), 'while a session with its pass is no news')
  thief.cookies.set('session.d', (await boundBrowser(app, 'eve')).cookies.get('session.d') as string)
  t.match(cookieLines(await thief.get('/me')), ['-session.d'])
})

t.test('a session that is proven, or has its pass, is good where the browser skipped a proof or another site asks', async t => {
  const app = await shopOf(t, { revocation: { store: secureSession.memoryRevocation() } })
  for (const browser of [await boundBrowser(app), await loggedIn(app)]) {
    for (const headers of [SKIPPED, { 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }]) {
      const reply = await browser.copy().get('/me', { headers })
      t.match([reply.statusCode, reply.json()], [200, { user: 'ada', isNew: false }], JSON.stringify(headers))
    }
  }
})

t.test('of several sessions each that is unproven is reported once, and a good one beside them is not', async t => {
  const clock = fakeClock(t)
  const app = await shopOf(t)
  const old = await loggedIn(await shopOf(t, { deviceBound: undefined }), 'old')
  const unproven: string[] = []
  for (const user of ['ada', 'eve']) {
    clock.advance(1000)
    unproven.push(`session=${(await boundBrowser(app, user)).cookies.get('session')}`)
  }
  const refusedOf = async (cookie: string, headers: object = {}): Promise<number> => {
    app.lines.length = 0
    await app.inject({ url: '/me', headers: { cookie, ...headers } })
    return app.lines.filter(({ reason }) => reason === 'unproven').length
  }
  t.equal(await refusedOf([...unproven, old.header].join('; ')), 2)
  t.equal(await refusedOf(unproven.join('; ')), 2)
  t.equal(await refusedOf(unproven.join('; '), SKIPPED), 1, 'the newest, which may be good')
})

t.test('of several sessions the newest that is not refused counts', async t => {
  const clock = fakeClock(t)
  const app = await shopOf(t)
  const unmarked = await shopOf(t, { deviceBound: undefined })
  const old = await loggedIn(unmarked, 'old')
  clock.advance(1000)
  const ada = await boundBrowser(app)
  ada.dropProof()
  clock.advance(1000)
  const cookie = `session=${ada.cookies.get('session')}; session=${old.cookies.get('session')}`
  const ask = async (headers: object = {}): Promise<any> => (await app.inject({ url: '/me', headers: { cookie, ...headers } })).json()
  t.match(await ask(), { user: 'old' }, 'the other one is refused')
  t.match(await ask(SKIPPED), { code: 'FST_SESSION_UNPROVEN' }, 'the newest may be good, and would be written over')
  await old.get('/touch')
  const newer = `session=${ada.cookies.get('session')}; session=${old.cookies.get('session')}`
  t.match((await app.inject({ url: '/me', headers: { cookie: newer, ...SKIPPED } })).json(), { user: 'old' }, 'an older one is not waited for')
})

t.test('the first browser whose refresh failed with an error of the server is a warning, once', async t => {
  const app = await shopOf(t)
  const browser = await loggedIn(app)
  const warningsOf = ({ lines }: TestApp): LogLine[] => lines.filter(({ level }) => level === WARN)
  await browser.get('/me', { headers: { 'secure-session-skipped': 'unreachable' } })
  t.strictSame(warningsOf(app), [])
  const plainApp = await shopOf(t, { deviceBound: undefined })
  const plain = await loggedIn(plainApp)
  for (let turn = 0; turn < 3; turn++) await browser.get('/me', { headers: SKIPPED })
  t.match(warningsOf(app), [{ session: 'session', route: '/dbsc/session/refresh' }])
  t.equal(warningsOf(app).length, 1)
  t.equal((await plain.get('/me', { headers: SKIPPED })).statusCode, 200, 'a session without a mark is good without')
  t.strictSame(warningsOf(plainApp), [], 'and causes no warning')
  const other = await shopOf(t, { deviceBound: undefined })
  await browser.copy(other).get('/me', { headers: SKIPPED })
  t.match(warningsOf(other), [{ route: '/refresh' }])
})

t.test('behind a proxy that is not trusted, nothing is offered, and a warning says so once', async t => {
  const app = await appWith(t, { ...OPTIONS, key: KEY })
  addPages(app)
  for (let turn = 0; turn < 3; turn++) {
    const reply = await app.inject({ url: '/login/ada', headers: { 'x-forwarded-proto': 'https' } })
    t.strictSame([reply.headers['secure-session-registration'], cookieLines(reply)], [undefined, ['+session']])
  }
  const warnings = app.lines.filter(({ level, msg }) => level === 40 && msg.includes('deviceBound'))
  t.match(warnings, [{ session: 'session' }])
  t.equal(warnings.length, 1)
})

t.test('over plain http a login has no mark: the browser would drop its pass', async t => {
  const app = await appWith(t, { ...OPTIONS, key: KEY })
  addPages(app)
  const reply = await app.inject('/login/ada')
  t.strictSame([reply.headers['secure-session-registration'], cookieLines(reply)], [undefined, ['+session']])
  t.equal(app.lines.filter(({ level }) => level === 40).length, 0)
})
