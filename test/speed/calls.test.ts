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
const NOTHING = { sodium: [], parsed: [], written: [], cookies: 0 }

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
    const { result, ...calls } = await record(async () => await browser.get(url, { headers }))
    t.equal(result.statusCode, 200)
    return { ...calls, cookies: setCookies(result).length }
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

t.test('reading strings opens the cookie once, and parses nothing', async t => {
  const { by } = await counting(t)
  t.strictSame(await by(session => session.get('page')), { ...NOTHING, sodium: OPEN })
  t.strictSame(await by(session => [session.get('page'), session.get('page'), session.has('user'), session.get('none'), session.info, session.changed]), { ...NOTHING, sodium: OPEN })
})

t.test('reading an object parses only that object, once, and serializes only it to compare', async t => {
  const { by } = await counting(t)
  t.strictSame(await by(session => [session.get('user'), session.get('user')]), { ...NOTHING, sodium: OPEN, parsed: ['{"id":7,"roles":["customer"]}'], written: [USER] })
})

t.test('a session with text other than ASCII is parsed completely, once', async t => {
  const { by } = await counting(t)
  await by(session => { session.set('name', 'Zoë') })
  t.match(await by(session => [session.get('page'), session.get('name')]), { sodium: OPEN, parsed: { length: 1 }, written: [], cookies: 0 })
})

t.test('writing a string opens once, draws one nonce, seals once, and serializes nothing else', async t => {
  const { by } = await counting(t)
  t.strictSame(await by(session => { session.set('page', '/basket') }), { sodium: [...OPEN, ...SEAL], parsed: [], written: ['/basket'], cookies: 1 })
  t.strictSame(await by(session => { session.set('page', '/a'); session.set('page', '/c') }), { sodium: [...OPEN, ...SEAL], parsed: [], written: ['/c'], cookies: 1 })
  t.strictSame(await by(session => { session.set('user', { id: 8 }) }), { sodium: [...OPEN, ...SEAL], parsed: [], written: [{ id: 8 }], cookies: 1 })
})

t.test('a new session draws an id and a nonce', async t => {
  const { browser, by } = await counting(t)
  browser.cookies.clear()
  t.strictSame(await by(session => { session.set('page', '/') }), { sodium: ['randombytes_buf', ...SEAL], parsed: [], written: [{ page: '/' }], cookies: 1 })
})

t.test('deleting a session seals nothing', async t => {
  const { by } = await counting(t)
  t.strictSame(await by(session => { session.delete() }), { ...NOTHING, sodium: OPEN, cookies: 1 })
})

t.test('renewal seals a stamp, and a request with a stamp opens one more small cookie', async t => {
  const clock = fakeClock(t)
  const { by } = await counting(t)
  clock.advance(7 * 3600_000)
  t.strictSame(await by(session => session.get('page')), { ...NOTHING, sodium: [...OPEN, ...SEAL], cookies: 1 })
  t.strictSame(await by(session => session.get('page')), { ...NOTHING, sodium: [...OPEN, ...OPEN] })
})
