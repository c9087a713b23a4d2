import t from 'tap'
import { openChallenge, openDeviceKey } from '../../lib/bound/tokens'
import { setCookies } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'
import { keysFor } from '../helpers/ring'
import { boundBrowser, cookieLines, DeviceBrowser, loggedIn, MINUTE_MS, shopOf } from './site'

t.test('a login gives the session a pass, and asks the browser to register a key', async t => {
  const app = await shopOf(t)
  const browser = new DeviceBrowser(app)
  const login = await browser.get('/login/ada')
  t.strictSame(cookieLines(login), ['-session.d', '+session', '+session.u'])
  const [, , pass] = setCookies(login)
  t.match(pass, /^session\.u=[\w-]{22}; Max-Age=34560000; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
  t.match(login.headers['secure-session-registration'], /^\(ES256\);path="\/dbsc\/session\/register";challenge="[\w-]{92}"$/)
  t.equal(login.headers['cache-control'], 'no-store')
  t.match(login.json(), { bound: false, provenAt: null })
  t.match(await browser.ask('/me'), { user: 'ada', bound: false, provenAt: null, isNew: false })
})

t.test('a browser registers a key, and its first refresh clears the pass', async t => {
  const clock = fakeClock(t)
  const app = await shopOf(t)
  const browser = await loggedIn(app)
  const registered = await browser.register()
  t.equal(registered.statusCode, 200)
  t.strictSame(registered.json(), {
    session_identifier: browser.identifier,
    refresh_url: '/dbsc/session/refresh',
    scope: { include_site: false, scope_specification: [{ type: 'exclude', domain: '*', path: '/dbsc/session' }] },
    credentials: [{ type: 'cookie', name: 'session.d', attributes: 'Path=/; HttpOnly; Secure; SameSite=Lax' }]
  })
  t.match(registered.headers, { 'content-type': /^application\/json/, 'cache-control': 'no-store' })
  t.match(registered.headers['secure-session-challenge'], /^"[\w-]{92}";id="[\w-]{168}"$/)
  t.match(setCookies(registered), [/^session\.d=[\w-]{91}; Max-Age=60; Path=\/; HttpOnly; Secure; SameSite=Lax$/])
  t.equal(setCookies(registered).length, 1)
  t.ok(openDeviceKey(browser.identifier as string, keysFor('session.d', 'device'), clock.nowMs))
  t.match(openChallenge(browser.challenge as string, keysFor('session.d', 'challenge'), clock.nowMs), { purpose: 2 })
  t.match(await browser.ask('/me'), { user: 'ada', bound: true, provenAt: clock.nowMs })

  clock.advance(MINUTE_MS)
  browser.dropProof()
  const identifier = browser.identifier
  const refreshed = await browser.refresh()
  t.equal(refreshed.statusCode, 204)
  t.equal(refreshed.body, '')
  t.match(setCookies(refreshed), [/^session\.d=[\w-]{91}; Max-Age=600; Path=\/; HttpOnly; Secure; SameSite=Lax$/, /^session\.u=; Max-Age=0/])
  t.equal(refreshed.headers['cache-control'], 'no-store')
  t.equal(browser.identifier, identifier, 'the identifier stays')
  t.match(await browser.ask('/me'), { user: 'ada', bound: true, provenAt: clock.nowMs })
  t.strictSame([...browser.cookies.keys()].sort(), ['session', 'session.d'])

  clock.advance(10 * MINUTE_MS)
  const again = await browser.refresh()
  t.strictSame([again.statusCode, cookieLines(again)], [204, ['+session.d']])
})

t.test('a copy of the cookies of a bound session is refused when its proof is over', async t => {
  const clock = fakeClock(t)
  const app = await shopOf(t)
  const user = await boundBrowser(app)
  const thief = user.copy()
  clock.advance(11 * MINUTE_MS - 1)
  t.match(await thief.ask('/me'), { user: 'ada', bound: true })
  clock.advance(1)
  t.match(await thief.ask('/me'), { user: null, isNew: true })
  await user.refresh()
  t.match(await user.ask('/me'), { user: 'ada', bound: true })
})
