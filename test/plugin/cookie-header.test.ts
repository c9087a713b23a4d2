import t from 'tap'
import { cookieValues, isCookieName, MOST_CANDIDATES } from '../../lib/cookies/header'
import { writeEnvelope } from '../../lib/core/envelope'
import { plaintext, sealToken } from '../../lib/core/token'
import { addRoutes, appWith } from '../helpers/app'
import { Browser, setCookies } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'
import { keysFor } from '../helpers/ring'

t.test('only cookies with exactly the configured name are read', async t => {
  const header = 'mysession=1; session=2; session.t=3; session-x=4; sessionX=5; a=session=6; b="session=7; session = 8; Session=9;session=10;\tsession=11 ; x; session; =session'
  t.strictSame(cookieValues(header, 'session'), ['2', '10', '11'])
  t.strictSame(cookieValues(header, 'session.t'), ['3'])
  t.strictSame(cookieValues(header, 'nothing'), [])
  t.strictSame(cookieValues(undefined, 'session'), [])
  t.strictSame(cookieValues('', 'session'), [])
  t.strictSame(cookieValues('session=', 'session'), [''])
  t.strictSame(cookieValues('a=b session=x', 'session'), [])
})

t.test('spaces and tabs around a value are removed, and other white space is kept', async t => {
  t.strictSame(cookieValues('session= \ta\t ;session=b\u00a0;session= ', 'session'), ['a', 'b\u00a0', ''])
})

t.test('of many cookies with the name a limited number is read', async t => {
  t.equal(cookieValues('session=x; '.repeat(100), 'session').length, MOST_CANDIDATES)
})

t.test('a cookie name must be a token', async t => {
  for (const name of ['session', '__Host-session', 'a.b', 'a!#$%&\'*+-.^_`|~']) t.ok(isCookieName(name), name)
  for (const name of ['', 'a b', 'a=b', 'a;b', 'a,b', '"a"', 'ä', 'a\n']) t.notOk(isCookieName(name), name)
})

t.test('a bad cookie of the same name does not hide the session, before or after it', async t => {
  const app = await appWith(t)
  addRoutes(app)
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  const good = browser.header
  const toss = `session=${'A'.repeat(200)}`
  for (const cookie of [`${toss}; ${good}`, `${good}; ${toss}`, `${toss}; ${toss}; ${good}`, `session=; ${good}`]) {
    const response = await app.inject({ url: '/get', headers: { cookie } })
    t.strictSame(response.json(), { user: 'ada' })
    t.strictSame(setCookies(response), [], 'and nothing is cleared')
  }
})

t.test('if two cookies of the name open, the one that was written last counts', async t => {
  const clock = fakeClock(t)
  const app = await appWith(t)
  addRoutes(app)
  const browser = new Browser(app)
  await browser.get('/set/user/old')
  const old = browser.header
  clock.advance(1000)
  await browser.get('/set/user/new')
  const later = new Browser(app)
  await later.get('/set/user/newer')
  for (const cookie of [`${old}; ${browser.header}`, `${browser.header}; ${old}`]) {
    t.strictSame((await app.inject({ url: '/get', headers: { cookie } })).json(), { user: 'new' })
  }
  for (const cookie of [`${later.header}; ${browser.header}`, `${browser.header}; ${later.header}`]) {
    t.strictSame((await app.inject({ url: '/get', headers: { cookie } })).json(), { user: 'newer' }, 'written in one millisecond: the one begun last')
  }
})

t.test('no hostile cookie throws; each is refused with a reason in the debug log', async t => {
  const app = await appWith(t)
  addRoutes(app)
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  const token = browser.cookies.get('session') as string
  const hostile = [
    '', 'x', 'a*b*c*d*e*f*g*h', '%', '%00', '%E0%A4%A', '"quoted"', '{}', 'null', '__proto__', 'A'.repeat(4096), 'A'.repeat(8000), 'AQ', 'AQE',
    `${token}=`, ` ${token}x`, `${token}%3D`, encodeURIComponent(`${token};`), token.toLowerCase(), token.replace(/./, 'B'), `"${token}"`, `${token},${token}`
  ]
  for (const value of hostile) {
    app.lines.length = 0
    const response = await app.inject({ url: '/get', headers: { cookie: `session=${value}` } })
    t.equal(response.statusCode, 200)
    t.strictSame(response.json(), {}, value.slice(0, 40))
    t.strictSame(setCookies(response), [])
    t.match(app.lines.find(({ reason }) => reason !== undefined), { level: 20, msg: 'session cookie refused', reason: /malformed|unknown-version|unknown-key|forged/ })
    t.notOk(app.lines.some(({ level }) => level > 30))
    t.ok(value.length < 10 || !JSON.stringify(app.lines).includes(value), 'and the log does not hold the cookie')
  }
})

t.test('a session is read only from the Cookie header, and from no other header', async t => {
  const app = await appWith(t)
  addRoutes(app)
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  const token = browser.cookies.get('session') as string
  for (const headers of [{ session: token }, { 'x-session': token }, { 'x-session-session': token }, { authorization: `Bearer ${token}` }]) {
    t.strictSame((await app.inject({ url: '/get', headers })).json(), {})
  }
})

t.test('a valid token with wrong data is refused: null, text, an array, broken JSON, broken UTF-8', async t => {
  const app = await appWith(t)
  addRoutes(app)
  const now = Date.now()
  const envelope = { id: Buffer.alloc(16), createdAtMs: now, renewedAtMs: now, extensions: new Map(), customSerializer: false }
  const seal = (more: object): string => sealToken(writeEnvelope({ ...envelope, data: '{"user":"ada"}', ...more }, 0, plaintext), keysFor().sealing(0), 1)
  const get = async (token: string): Promise<any> => (await app.inject({ url: '/get', headers: { cookie: `session=${token}` } })).json()
  t.strictSame(await get(seal({})), { user: 'ada' })
  for (const data of ['null', '', '42', '"text"', '[1]', '{', 'undefined', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])]) {
    t.strictSame(await get(seal({ data })), {}, String(data))
  }
  t.strictSame(await get(seal({ extensions: new Map([[1, Buffer.alloc(5)]]) })), {}, 'an idle limit of five bytes')
  t.strictSame(await get(seal({ extensions: new Map([[4, Buffer.from('{')]]) })), {}, 'attributes that are no JSON')
  t.strictSame(await get(seal({ extensions: new Map([[99, Buffer.from('later')]]) })), { user: 'ada' }, 'an extension of a later version')
})
