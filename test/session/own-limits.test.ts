import t, { type Test } from 'tap'
import secureSession from '../../index'
import { addRoutes, appWith, KEY } from '../helpers/app'
import { Browser, setCookies } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** A browser that has logged in by a session with these options of its own. */
async function loggedIn (
  t: Test, own: object, options: Partial<secureSession.SessionOptions> = {}
): Promise<{ browser: Browser, line: string }> {
  const app = await appWith(t, { key: KEY, ...options })
  addRoutes(app)
  app.post('/login', async ({ session, body }) => {
    session.regenerate()
    session.options(body as object)
    session.set('user', 'ada')
    return {}
  })
  const browser = new Browser(app)
  const response = await browser.get('/login', { method: 'POST', payload: own })
  t.equal(response.statusCode, 200, response.body)
  return { browser, line: setCookies(response)[0] as string }
}

/** The error that these options make. */
async function refusalOf (
  t: Test, own: object, options: Partial<secureSession.SessionOptions> = {}
): Promise<{ code: string, message: string }> {
  const app = await appWith(t, { key: KEY, ...options })
  app.post('/login', async ({ session, body }) => { session.options(body as object); return {} })
  return (await app.inject({ method: 'POST', url: '/login', payload: own })).json()
}

t.test('a session can have its own idle limit, shorter or longer than the configured one', async t => {
  const clock = fakeClock(t)
  for (const [idle, idleMs] of [['15m', 15 * MINUTE], [3600, HOUR], ['7d', 7 * DAY]] as const) {
    const { browser } = await loggedIn(t, { idle })
    t.equal((await browser.json('/info')).expiresAt, clock.nowMs + idleMs)
    const copy = browser.copy()
    clock.advance(idleMs - 1)
    t.strictSame(await copy.json('/get'), { user: 'ada' })
    clock.advance(1)
    t.strictSame(await browser.json('/get'), {})
  }
})

t.test('an own idle limit stays through later writes, and renewal is in proportion to it', async t => {
  const clock = fakeClock(t)
  const { browser } = await loggedIn(t, { idle: '8d' })
  clock.advance(2 * DAY - 1)
  t.strictSame(setCookies(await browser.get('/get')), [])
  clock.advance(1)
  t.match(setCookies(await browser.get('/get')), [/^session\.t=/])
  clock.advance(7 * DAY)
  t.match(setCookies(await browser.get('/set/a/b')), [/^session=/])
  clock.advance(8 * DAY - 1)
  t.match(await browser.json('/get'), { user: 'ada' })
})

t.test('an own absolute limit ends the session even if it is used, shorter or longer than configured', async t => {
  const clock = fakeClock(t)
  for (const [own, stepMs, lifeMs] of [
    [{ absolute: '8h' }, HOUR, 8 * HOUR], [{ idle: '10d', absolute: '90d' }, 9 * DAY, 90 * DAY]
  ] as const) {
    const { browser } = await loggedIn(t, own)
    for (let aged = stepMs; aged < lifeMs; aged += stepMs) {
      clock.advance(stepMs)
      t.match(await browser.json('/get'), { user: 'ada' })
      await browser.get('/set/a/b')
    }
    clock.advance(stepMs - 1)
    t.match(await browser.copy().json('/get'), { user: 'ada' })
    clock.advance(1)
    t.strictSame(await browser.json('/get'), {})
  }
})

t.test('own limits alone do not change the cookie: it still ends with the browser', async t => {
  const { browser, line } = await loggedIn(t, { idle: '15m', absolute: '8h' })
  t.match(line, /^session=[\w-]+; Path=\/; HttpOnly; SameSite=Lax$/)
  t.notMatch(setCookies(await browser.get('/set/a/b'))[0], /Max-Age|Expires/)
})

t.test('with persistent, Max-Age is the time to the own absolute end', async t => {
  const clock = fakeClock(t)
  const { browser, line } = await loggedIn(t, { idle: '20d', absolute: '90d', persistent: true })
  t.match(line, /; Max-Age=7776000;/)
  clock.advance(10 * DAY)
  t.match(setCookies(await browser.get('/get')), [/^session\.t=.*; Max-Age=6912000;/])
  clock.advance(10 * DAY)
  t.match(setCookies(await browser.get('/set/a/b')), [/^session=.*; Max-Age=6048000;/])
})

t.test('a user who only reads from time to time stays logged in until the own absolute limit', async t => {
  const clock = fakeClock(t)
  const { browser, line } = await loggedIn(t, { idle: '1h', absolute: '2d', persistent: true })
  const droppedAtMs = clock.nowMs + Number(/Max-Age=(\d+)/.exec(line)?.[1]) * 1000
  const endsAtMs = clock.nowMs + 2 * DAY
  while (clock.nowMs + 40 * MINUTE < endsAtMs) {
    clock.advance(40 * MINUTE)
    t.match(await browser.json('/get'), { user: 'ada' })
  }
  t.equal(droppedAtMs, endsAtMs)
})

t.test('if all sessions are persistent, Max-Age follows the own limits of a session', async t => {
  for (const options of [
    { persistent: true }, { cookie: { maxAge: 3600 } }, { cookie: { expires: new Date(Date.now() + 3_600_000) } }
  ]) {
    const { line } = await loggedIn(t, { idle: '10d', absolute: '60d' }, options)
    t.match(line, /; Max-Age=5184000;/)
    t.notMatch(line, /Expires/)
  }
})

t.test('a session can set persistent for itself if a Max-Age is configured', async t => {
  const { line } = await loggedIn(t, { persistent: true }, { idle: '1h', absolute: '2d', cookie: { maxAge: 3600 } })
  t.match(line, /; Max-Age=172800;/)
})

t.test('an own idle limit replaces an earlier maxAge and its Max-Age', async t => {
  const clock = fakeClock(t)
  const app = await appWith(t)
  app.get('/first', async ({ session }) => {
    session.set('user', 'ada')
    session.options({ maxAge: 60 })
    return session.info
  })
  app.get('/second', async ({ session }) => { session.options({ idle: '2h' }); return session.info })
  const browser = new Browser(app)
  t.match(setCookies(await browser.get('/first')), [/; Max-Age=60;/])
  const response = await browser.get('/second')
  t.notMatch(setCookies(response)[0], /Max-Age/)
  t.equal(response.json().expiresAt, clock.nowMs + 2 * HOUR)
})

t.test('maxAge together with an own absolute limit does not raise that limit', async t => {
  const clock = fakeClock(t)
  const { browser, line } = await loggedIn(t, { maxAge: 3600, absolute: '90m' })
  t.match(line, /; Max-Age=3600;/)
  clock.advance(50 * MINUTE)
  t.match(setCookies(await browser.get('/set/a/b')), [/; Max-Age=3600;/])
  clock.advance(40 * MINUTE)
  t.strictSame(await browser.json('/get'), {})
})

t.test('setting the same limits again is no change', async t => {
  const app = await appWith(t)
  app.get('/', async ({ session }) => {
    session.set('user', 'ada')
    session.options({ idle: '1h', absolute: '2h' })
    return {}
  })
  app.get('/again', async ({ session }) => { session.options({ idle: 3600, absolute: 7200 }); return {} })
  const browser = new Browser(app)
  await browser.get('/')
  t.strictSame(setCookies(await browser.get('/again')), [])
})

t.test('limits that are invalid, too long or contradictory throw at the call, with the reason', async t => {
  for (const [own, message] of [
    [{ idle: 0 }, /session\.options\(\)\.idle must be seconds above 0, or text such as "15m"; found 0/],
    [{ idle: 'soon' }, /\.idle .*found a string of 4 characters/],
    [{ idle: null }, /\.idle .*found null/],
    [{ absolute: -1 }, /\.absolute .*found -1/],
    [{ idle: '401d', absolute: '401d' }, /\.absolute must be 400 days at most.*found 401 days/],
    [{ idle: '401d' }, /\.idle must be 400 days at most/],
    [{ idle: '31d' },
      /\.idle: 2678400 seconds are longer than .* absolute limit of 2592000 seconds: give a longer "absolute"/],
    [{ idle: '2h', absolute: '1h' }, /\.idle: 7200 seconds are longer than .* 3600 seconds/],
    [{ maxAge: 7200, absolute: '1h' },
      /\.maxAge: 7200 seconds are longer than .* 3600 seconds: give a longer "absolute" or none/],
    [{ maxAge: 3600, idle: '1h' }, /"idle" and "maxAge".*two ways/]
  ] as const) {
    t.match(await refusalOf(t, own), { code: 'FST_SESSION_INVALID_OPTION', message })
  }
})

t.test('with revocation, no session can live longer than its revocation is remembered', async t => {
  const revocation = { store: secureSession.memoryRevocation(), longest: '60d' }
  for (const own of [{ absolute: '61d' }, { idle: '61d', absolute: '62d' }, { maxAge: 61 * 86_400 }]) {
    t.match(await refusalOf(t, own, { revocation }),
      { code: 'FST_SESSION_INVALID_OPTION', message: /at most 5184000 seconds, which is "revocation.longest"/ })
  }
  t.strictSame(await refusalOf(t, { idle: '60d', absolute: '60d' }, { revocation }), {})
})

t.test('limits that are set by several calls in one request are checked together', async t => {
  const app = await appWith(t)
  app.get('/longer', async ({ session }) => {
    session.options({ absolute: '90d' })
    session.options({ idle: '60d' })
    session.set('a', 1)
    return session.info
  })
  app.get('/shorter', async ({ session }) => {
    session.options({ idle: '10d' })
    session.options({ absolute: '1d' })
    return {}
  })
  const clock = fakeClock(t)
  t.match((await app.inject('/longer')).json(), { expiresAt: clock.nowMs + 60 * DAY })
  t.match((await app.inject('/shorter')).json(),
    { code: 'FST_SESSION_INVALID_OPTION', message: /longer than the session's absolute limit/ })
})

t.test('whether limits are refused does not depend on the session that the request had', async t => {
  const { browser } = await loggedIn(t, { idle: '60d', absolute: '90d' })
  t.equal((await browser.get('/login', { method: 'POST', payload: { absolute: '8h' } })).statusCode, 200)
  const app = await appWith(t)
  app.get('/long', async ({ session }) => {
    session.set('a', 1)
    session.options({ idle: '60d', absolute: '90d' })
    return {}
  })
  app.get('/idle', async ({ session }) => { session.options({ idle: '60d' }); return {} })
  app.get('/absolute', async ({ session }) => { session.options({ absolute: '8h' }); return {} })
  const other = new Browser(app)
  await other.get('/long')
  t.equal((await other.get('/idle')).statusCode, 500, 'refused, though the session itself would have the room')
  t.equal((await other.get('/absolute')).statusCode, 200, 'taken, though the session has a longer idle limit')
})
