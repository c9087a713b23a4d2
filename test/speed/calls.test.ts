import t, { type Test } from 'tap'
import secureSession from '../../index'
import { createSealer } from '../../lib/sealer'
import { appWith, KEY, OTHER_KEY } from '../helpers/app'
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

t.test('a request that does not touch the session costs no call and no cookie', async t => {
  const { by } = await counting(t)
  t.strictSame(await by(() => {}, '/untouched'), NOTHING)
})

t.test('a request with no cookie costs no call, though it looks at the session', async t => {
  const { browser, by } = await counting(t)
  browser.cookies.clear()
  t.strictSame(await by(session => session.get('page')), NOTHING)
})

t.test('reading strings opens the cookie once, and parses nothing', async t => {
  const { by } = await counting(t)
  t.strictSame(await by(session => session.get('page')), { ...NOTHING, sodium: OPEN })
  t.strictSame(await by(session => [session.get('page'), session.get('page'), session.has('user'), session.get('none'), session.info, session.changed]), { ...NOTHING, sodium: OPEN })
})

t.test('reading an object parses that alone, once, and writes that alone down to compare', async t => {
  const { by } = await counting(t)
  t.strictSame(await by(session => [session.get('user'), session.get('user')]), { ...NOTHING, sodium: OPEN, parsed: ['{"id":7,"roles":["customer"]}'], written: [USER] })
})

t.test('a session with other than ASCII is parsed whole, once', async t => {
  const { by } = await counting(t)
  await by(session => { session.set('name', 'Zoë') })
  t.match(await by(session => [session.get('page'), session.get('name')]), { sodium: OPEN, parsed: { length: 1 }, written: [], cookies: 0 })
})

t.test('writing a string opens once, draws one nonce and seals once; nothing else is written down', async t => {
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

t.test('renewal seals a stamp, and with a stamp one more small cookie is opened', async t => {
  const clock = fakeClock(t)
  const { by } = await counting(t)
  clock.advance(7 * 3600_000)
  t.strictSame(await by(session => session.get('page')), { ...NOTHING, sodium: [...OPEN, ...SEAL], cookies: 1 })
  t.strictSame(await by(session => session.get('page')), { ...NOTHING, sodium: [...OPEN, ...OPEN] })
})

t.test('a session within its window of trust is opened once, and its subject is not asked for', async t => {
  const options = { subject: (session: any) => session.get('user')?.id, revocation: { store: secureSession.memoryRevocation(), recheck: '5m' } }
  const { by } = await counting(t, options)
  t.strictSame(await by(session => session.get('page')), { ...NOTHING, sodium: OPEN })
})

t.test('a forged cookie costs one look at its tag, and any other stranger\'s cookie no call at all', async t => {
  const clock = fakeClock(t)
  const { browser, by } = await counting(t)
  const own = browser.cookies.get('session') as string
  const other = createSealer({ key: OTHER_KEY }).seal({ page: '/' })
  const strangers = {
    forged: [own.slice(0, -4) + (own.endsWith('AAAA') ? 'BBBB' : 'AAAA'), OPEN],
    'junk of 15 KB': ['QUJD'.repeat(3800), []],
    'under an unknown key': [other, []],
    'of another version': ['B' + own.slice(1), []],
    'one character too long': [own + 'A', []],
    'with an alien character': [own.replace(/.$/, '*'), []],
    'plain base64': [own.replace(/.$/, '+'), []]
  } as const
  for (const [what, [cookie, sodium]] of Object.entries(strangers)) {
    browser.cookies.clear()
    t.strictSame(await by(session => session.get('page'), '/use', { cookie: `session=${cookie}` }), { ...NOTHING, sodium }, what)
  }
  clock.advance(40 * 86_400_000)
  t.strictSame(await by(session => session.get('page'), '/use', { cookie: `session=${own}` }), { ...NOTHING, sodium: OPEN }, 'expired')
})

t.test('of many cookies of one name, four are tried', async t => {
  const { browser, by } = await counting(t)
  const own = browser.cookies.get('session') as string
  const forged = `session=${own.slice(0, -4)}AAAA; `
  t.strictSame(await by(session => session.get('page'), '/use', { cookie: forged.repeat(20) }), { ...NOTHING, sodium: [...OPEN, ...OPEN, ...OPEN, ...OPEN] })
})

t.test('a session over two or three cookies is opened once, and sealed once', async t => {
  for (const parts of [2, 3]) {
    const { by } = await counting(t, { maxCookies: 3 })
    await by(session => { session.set('long', 'x'.repeat(parts === 2 ? 4000 : 7000)) })
    t.strictSame(await by(session => session.get('page')), { ...NOTHING, sodium: OPEN })
    t.strictSame(await by(session => { session.set('page', '/') }), { sodium: [...OPEN, ...SEAL], parsed: [], written: ['/'], cookies: parts })
  }
})

t.test('a hundred keys cost no more calls than one', async t => {
  const others = Array.from({ length: 99 }, (_, index) => Buffer.alloc(32, index + 1))
  const { browser, by } = await counting(t, { key: [KEY, ...others] })
  t.strictSame(await by(session => session.get('page')), { ...NOTHING, sodium: OPEN })
  const cookie = `session=${createSealer({ key: others[98] as Buffer }).seal({ page: '/' })}`
  t.strictSame(await by(session => session.get('page'), '/use', { cookie }), { ...NOTHING, sodium: OPEN })
  const forged = `session=${(browser.cookies.get('session') as string).slice(0, -4)}AAAA`
  t.strictSame(await by(session => session.get('page'), '/use', { cookie: forged }), { ...NOTHING, sodium: OPEN })
})
