import t, { type Test } from 'tap'
import type secureSession from '../../index'
import { appWith, KEY } from '../helpers/app'
import { Browser, setCookies } from '../helpers/browser'
import { recordCalls } from '../helpers/calls'
import { fakeClock } from '../helpers/clock'

// What a request may cost, counted: a test that timed it would say something else on each machine.

const USER = { id: 7, roles: ['customer'] }
const OPEN = ['decrypt']
const SEAL = ['randombytes_buf', 'encrypt']
const NOTHING = { sodium: [] as string[], parsed: 0, written: 0, cookies: 0 }

type Use = (session: secureSession.Session) => unknown

/** A browser with a session, and what a request of it that does this costs. */
async function counting (t: Test, options: object = {}) {
  const app = await appWith(t, { key: KEY, ...options }, { logger: false })
  let use: Use = () => {}
  app.get('/use', async request => { use(request.session); return 'x' })
  app.get('/untouched', async () => 'x')
  const browser = new Browser(app)
  const record = recordCalls(t)
  const by = async (work: Use, url = '/use', headers = {}) => {
    use = work
    const { result, sodium, parsed, written } = await record(async () => await browser.get(url, { headers }))
    t.equal(result.statusCode, 200)
    return { sodium, parsed: parsed.length, written: written.length, cookies: setCookies(result).length }
  }
  await by(session => {
    session.set('page', '/orders')
    session.set('user', USER)
  })
  return { browser, by }
}

t.test('a request that does not access the session costs no call and no cookie', async t => {
  const { by } = await counting(t)
  t.strictSame(await by(() => {}, '/untouched'), NOTHING)
})

t.test('a request without a cookie costs no call, also if it reads the session', async t => {
  const { browser, by } = await counting(t)
  browser.cookies.clear()
  t.strictSame(await by(session => session.get('page')), NOTHING)
})

t.test('reading opens the cookie and parses it once, whatever is read', async t => {
  const { by } = await counting(t, { tokenCache: 0 })
  const opened = { sodium: OPEN, parsed: 1, written: 0, cookies: 0 }
  t.strictSame(await by(session => session.get('page')), opened)
  t.strictSame(await by(session => [session.get('page'), session.has('user'), session.info, session.changed]), opened)
  t.strictSame(await by(session => [session.get('user'), session.get('user')]), { ...opened, written: 1 })
})

t.test('of a cookie that was opened twice, nothing is decrypted, and its values are parsed when one is read', async t => {
  const { by } = await counting(t)
  await by(session => session.get('page'))
  await by(session => session.get('page'))
  t.strictSame(await by(session => session.info), NOTHING)
  t.strictSame(await by(session => session.get('page')), { ...NOTHING, parsed: 1 })
  t.strictSame(await by(session => session.get('user')), { ...NOTHING, parsed: 1, written: 1 })
})

t.test('writing draws one nonce, writes the session once and seals once', async t => {
  const { by } = await counting(t, { tokenCache: 0 })
  const sealed = { sodium: [...OPEN, ...SEAL], parsed: 1, written: 1, cookies: 1 }
  t.strictSame(await by(session => { session.set('page', '/basket') }), sealed)
  t.strictSame(await by(session => { session.set('page', '/a'); session.set('page', '/c') }), sealed)
  t.strictSame(await by(session => { session.set('user', { id: 8 }) }), sealed)
})

t.test('a new session draws an id and a nonce', async t => {
  const { browser, by } = await counting(t)
  browser.cookies.clear()
  t.strictSame(await by(session => { session.set('page', '/') }),
    { sodium: ['randombytes_buf', ...SEAL], parsed: 0, written: 1, cookies: 1 })
})

t.test('deleting a session seals nothing', async t => {
  const { by } = await counting(t, { tokenCache: 0 })
  t.strictSame(await by(session => { session.delete() }), { ...NOTHING, sodium: OPEN, parsed: 1, cookies: 1 })
})

t.test('renewal seals a stamp, and a request with a stamp opens one more small cookie', async t => {
  const clock = fakeClock(t)
  const { by } = await counting(t, { tokenCache: 0 })
  clock.advance(7 * 3600_000)
  const read = { ...NOTHING, parsed: 1 }
  t.strictSame(await by(session => session.get('page')), { ...read, sodium: [...OPEN, ...SEAL], cookies: 1 })
  t.strictSame(await by(session => session.get('page')), { ...read, sodium: [...OPEN, ...OPEN] })
})
