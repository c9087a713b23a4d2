import t, { type Test } from 'tap'
import secureSession from '../../index'
import { OTHER_KEY, KEY } from '../helpers/app'
import { setCookies } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'
import { hasHeard, hearAll } from '../events/subscribed'
import { boundBrowser, cookieLines, DeviceBrowser, HOUR_MS, loggedIn, shopOf } from './site'
import type { TestApp } from '../helpers/app'

const { sealedOpener, secureSessionOpener } = secureSession

async function renamed (t: Test, more: object = {}, opener: object = {}): Promise<TestApp> {
  return await shopOf(t, { cookieName: 'new', legacy: [sealedOpener({ cookieName: 'session', ...opener })], ...more })
}

t.test('a session with a mark migrates with its pass, and has a pass under the new name', async t => {
  const before = await shopOf(t)
  const app = await renamed(t)
  const old = await loggedIn(before)
  const browser = old.copy(app)
  t.match(await browser.ask('/me'), { user: 'ada', bound: false })
  const reply = await browser.get('/touch')
  t.strictSame(cookieLines(reply), ['-session', '-session.u', '-new.d', '+new', '+new.u'])
  t.match(reply.headers['secure-session-registration'], /path="\/dbsc\/session\/register"/)
  t.equal(browser.cookies.get('new.u'), old.cookies.get('session.u'))
  t.match(await browser.ask('/me'), { user: 'ada', bound: false })
  const named = Object.assign(new DeviceBrowser(app), { keys: browser.keys, offered: browser.offered })
  for (const [name, value] of browser.cookies) named.cookies.set(name, value)
  t.equal((await named.register()).statusCode, 200)
  t.equal((await named.refresh()).statusCode, 204)
  t.match(await named.ask('/me'), { bound: true })
})

t.test('a legacy session that is bound, or whose pass is missing, is refused as unproven', async t => {
  const before = await shopOf(t)
  const app = await renamed(t)
  const bound = (await boundBrowser(before)).copy(app)
  const heard = hearAll(t)
  t.match(await bound.ask('/me'), { user: null, isNew: true })
  hasHeard(t, heard, [{ event: 'refused', cookie: 'session', reason: 'unproven', id: /./ }])
  const unbound = (await loggedIn(before)).copy(app)
  unbound.cookies.delete('session.u')
  t.match(await unbound.ask('/me'), { user: null })
})

t.test('a legacy session is offered nothing before it migrates', async t => {
  const clock = fakeClock(t)
  const before = await shopOf(t)
  const app = await renamed(t)
  const browser = (await loggedIn(before)).copy(app)
  clock.advance(7 * HOUR_MS)
  const reply = await browser.get('/me')
  t.strictSame(cookieLines(reply), ['-session', '-session.u', '-new.d', '+new', '+new.u'], 'a use that renews migrates it')
})

t.test('a session that migrates to another key under its own name keeps its pass', async t => {
  const before = await shopOf(t)
  const app = await shopOf(t, { key: OTHER_KEY, legacy: [sealedOpener({ cookieName: 'session', key: KEY })] })
  const browser = (await loggedIn(before)).copy(app)
  const reply = await browser.get('/touch')
  t.strictSame(cookieLines(reply), ['-session.d', '+session', '+session.u'])
  t.match(await browser.ask('/me'), { user: 'ada', bound: false })
})

t.test('on a server without the option, or with a session that is not marked, it migrates as before', async t => {
  const app = await renamed(t, { deviceBound: undefined })
  const marked = (await loggedIn(await shopOf(t))).copy(app)
  const reply = await marked.get('/touch')
  t.strictSame([cookieLines(reply), reply.headers['secure-session-registration']], [['-session', '-session.u', '-new.d', '+new', '+new.u'], undefined])
  t.match(setCookies(reply).at(-1), /^new\.u=[\w-]{22}; /)
  const plain = (await loggedIn(await shopOf(t, { deviceBound: undefined }))).copy(app)
  t.strictSame(cookieLines(await plain.get('/touch')), ['-session', '+new'])
})

t.test('a cookie of another library has no mark until a login', async t => {
  const app = await shopOf(t, { legacy: [{ cookieName: 'old', immediate: true, open: (user: string) => ({ data: { user } }) }, secureSessionOpener({ key: OTHER_KEY, cookieName: 'older' })] })
  const browser = new DeviceBrowser(app)
  browser.cookies.set('old', 'ada')
  t.match(await browser.ask('/me'), { user: 'ada', bound: false })
  t.strictSame(cookieLines(await browser.get('/touch')), ['-old', '+session'])
  t.match(cookieLines(await browser.get('/login/ada')), ['-old', '-older', '-session.d', '+session', '+session.u'])
})

t.test('a session that migrates and stays in its legacy cookie has no pass there any more', async t => {
  const before = await shopOf(t)
  const app = await renamed(t, {}, { keep: true })
  const old = await loggedIn(before)
  const browser = old.copy(app)
  t.strictSame(cookieLines(await browser.get('/touch')), ['-new.d', '-session.u', '+new', '+new.u'])
  t.strictSame([...browser.cookies.keys()].sort(), ['new', 'new.u', 'session'])
  browser.cookies.delete('new')
  t.match(await browser.ask('/me'), { user: null })
})
