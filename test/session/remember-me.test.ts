import t, { type Test } from 'tap'
import secureSession from '../../index'
import { addRoutes, appWith, KEY, type TestApp } from '../helpers/app'
import { Browser, setCookies } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'

const DAY_S = 86_400
const DAY_MS = DAY_S * 1000

async function site (t: Test, options: Partial<secureSession.SessionOptions> = {}): Promise<TestApp> {
  const app = await appWith(t, { key: KEY, ...options })
  addRoutes(app)
  app.post('/login', async ({ session, body }) => {
    session.regenerate()
    session.options(body as object)
    session.set('user', 'ada')
    return {}
  })
  return app
}

async function login (app: TestApp, options: object): Promise<{ browser: Browser, line: string }> {
  const browser = new Browser(app)
  const response = await browser.get('/login', { method: 'POST', payload: options })
  return { browser, line: setCookies(response)[0] as string }
}

t.test('a remembered session has its own limit, and keeps it through every write and renewal', async t => {
  const clock = fakeClock(t)
  const { browser, line } = await login(await site(t), { maxAge: 90 * DAY_S })
  t.match(line, /; Max-Age=7776000;/)
  for (let days = 0; days < 80; days += 20) {
    clock.advance(20 * DAY_MS)
    t.match(setCookies(await browser.get(`/set/day/${days}`))[0], /^session=.*; Max-Age=7776000;/)
  }
  clock.advance(89 * DAY_MS)
  t.equal((await browser.json('/get')).user, undefined, 'not beyond its absolute limit')
})

t.test('with persistent in options(), the cookie survives the browser for as long as the session may live', async t => {
  const clock = fakeClock(t)
  const { browser, line } = await login(await site(t, { idle: '7d', absolute: '30d' }), { persistent: true })
  t.match(line, new RegExp(`; Max-Age=${30 * DAY_S};`))
  clock.advance(3 * DAY_MS)
  t.match(setCookies(await browser.get('/get'))[0], new RegExp(`^session\\.t=.*; Max-Age=${27 * DAY_S};`), 'and so does its stamp')
  t.match(setCookies(await browser.get('/set/a/b'))[0], new RegExp(`; Max-Age=${27 * DAY_S};`))
})

t.test('with persistent: false in options(), the cookie ends with the browser in every configuration', async t => {
  for (const options of [{ persistent: true }, { cookie: { maxAge: DAY_S } }]) {
    const { browser, line } = await login(await site(t, options), { persistent: false })
    t.notMatch(line, /Max-Age|Expires/)
    t.notMatch(setCookies(await browser.get('/set/a/b'))[0], /Max-Age|Expires/)
    t.match(setCookies(await browser.get('/set/a/c'))[0], /^session=/)
  }
})

t.test('a session can end with the browser and have its own idle limit', async t => {
  const clock = fakeClock(t)
  const { browser, line } = await login(await site(t), { persistent: false, maxAge: 3600 })
  t.notMatch(line, /Max-Age|Expires/)
  clock.advance(3_600_000)
  t.same(await browser.json('/get'), {})
})

t.test('no cookie has a longer lifetime than browsers allow', async t => {
  const { line } = await login(await site(t, { absolute: '500d' }), { persistent: true })
  t.match(line, new RegExp(`; Max-Age=${400 * DAY_S};`))
})

t.test('the login after a remembered session is not remembered', async t => {
  const app = await site(t)
  const { browser } = await login(app, { persistent: true, maxAge: 90 * DAY_S })
  await browser.get('/delete')
  t.notMatch(setCookies(await browser.get('/set/user/grace'))[0], /Max-Age=[1-9]/)
})

t.test('persistent must be true or false', async t => {
  const app = await site(t)
  const response = await app.inject({ method: 'POST', url: '/login', payload: { persistent: 'yes' } })
  t.equal(response.json().code, 'FST_SESSION_INVALID_OPTION')
})
