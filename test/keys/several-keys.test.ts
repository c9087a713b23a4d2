import t from 'tap'
import { addRoutes, appWith, KEY, OTHER_KEY } from '../helpers/app'
import { Browser, setCookies } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'

const THIRD_KEY = Buffer.alloc(32, 3)

function keyIdOf (browser: Browser): string {
  return Buffer.from(browser.cookies.get('session') as string, 'base64url').toString('hex', 2, 6)
}

t.test('a cookie of an older key opens, and is sealed with the first key when it is next written', async t => {
  const before = await appWith(t, { key: KEY })
  const after = await appWith(t, { key: [OTHER_KEY, THIRD_KEY, KEY] })
  for (const app of [before, after]) addRoutes(app)
  const old = new Browser(before)
  await old.get('/set/user/ada')

  const browser = new Browser(after)
  browser.cookies.set('session', old.cookies.get('session') as string)
  const read = await browser.get('/get')
  t.strictSame(read.json(), { user: 'ada' })
  t.strictSame(setCookies(read), [], 'a read does not write it again')
  t.equal(keyIdOf(browser), keyIdOf(old))

  const id = (await browser.json('/info')).id
  await browser.get('/set/a/b')
  t.not(keyIdOf(browser), keyIdOf(old))
  t.strictSame(await browser.json('/get'), { user: 'ada', a: 'b' })
  t.equal((await browser.json('/info')).id, id, 'it is still the same session')
})

t.test('a stamp of an older key still renews', async t => {
  const clock = fakeClock(t)
  const before = await appWith(t, { key: KEY, idle: '1h' })
  const after = await appWith(t, { key: [OTHER_KEY, KEY], idle: '1h' })
  for (const app of [before, after]) addRoutes(app)
  const browser = new Browser(before)
  await browser.get('/set/user/ada')
  clock.advance(30 * 60_000)
  await browser.get('/get')
  t.ok(browser.cookies.has('session.t'))
  clock.advance(50 * 60_000)
  t.strictSame((await after.inject({ url: '/get', headers: { cookie: browser.header } })).json(), { user: 'ada' })
  t.strictSame((await after.inject({ url: '/get', headers: { cookie: `session=${browser.cookies.get('session') as string}` } })).json(), {}, 'without it the session is over')
})

t.test('a cookie whose key was removed does not open', async t => {
  const before = await appWith(t, { key: KEY })
  const after = await appWith(t, { key: OTHER_KEY })
  for (const app of [before, after]) addRoutes(app)
  const browser = new Browser(before)
  await browser.get('/set/user/ada')
  const response = await after.inject({ url: '/get', headers: { cookie: browser.header } })
  t.strictSame(response.json(), {})
  t.strictSame(setCookies(response), [], 'and it is left alone')
  t.match(after.lines.find(({ reason }) => reason !== undefined), { reason: 'unknown-key' })
})
