import t, { type Test } from 'tap'
import secureSession from '../../index'
import { addRoutes, appWith, KEY, type TestApp } from '../helpers/app'
import { Browser, setCookies } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'
import { SettledMoves } from '../../lib/plugin/settled-moves'
import { loggedInBefore } from './old-app'

const { secureSessionOpener } = secureSession
const OLD_KEY = Buffer.from('c3'.repeat(32), 'hex')

/** An app whose `/slow` reads the session at once, and answers when it is let go. */
async function slowApp (t: Test, options: object = {}): Promise<{ app: TestApp, letGo: () => void }> {
  const app = await appWith(t, { key: KEY, legacy: [secureSessionOpener({ key: OLD_KEY })], ...options })
  addRoutes(app)
  const waiting: Array<() => void> = []
  app.get('/slow', async ({ session }) => {
    const user = session.get('user')
    await new Promise<void>(resolve => { waiting.push(resolve) })
    return { user }
  })
  return { app, letGo: () => { for (const resolve of waiting) resolve() } }
}

/** The first requests of a browser, all with the old cookie; the slow one is answered last. */
async function race (t: Test, fast: string): Promise<Browser> {
  const { app, letGo } = await slowApp(t)
  const before = await loggedInBefore(t, { key: OLD_KEY })
  const browser = before.copy(app)
  const slow = before.copy(app).get('/slow')
  await browser.get(fast)
  letGo()
  const late = await slow
  t.strictSame(late.json(), { user: 'ada' })
  for (const line of setCookies(late)) browser.keep(line)
  return browser
}

t.test('a slow request that only reads does not migrate the old session over a change', async t => {
  const browser = await race(t, '/set/cart/tea')
  t.strictSame(await browser.json('/get'), { user: 'ada', cart: 'tea' })
})

t.test('a slow request that only reads does not migrate the old session over a logout', async t => {
  const browser = await race(t, '/delete')
  t.equal(browser.header, '')
})

t.test('a slow request that only reads does not migrate the old session over a login of another user', async t => {
  const browser = await race(t, '/regenerate')
  t.strictSame(await browser.json('/get'), {})
})

t.test('of two requests that only read, the slow one migrates the session, too', async t => {
  const browser = await race(t, '/get')
  t.match(browser.header, /^session=AQ/)
  t.strictSame(await browser.json('/get'), { user: 'ada' })
})

t.test('a slow request that only reads does not overwrite a change in the new cookie', async t => {
  for (const [fast, expected] of [['/set/cart/tea', { user: 'ada', cart: 'tea' }], ['/delete', {}], ['/regenerate', {}]] as const) {
    for (const options of [{}, { cookieName: '__Host-sid', legacy: [secureSessionOpener({ key: OLD_KEY, cookieName: 'session' })] }]) {
      const { app, letGo } = await slowApp(t, options)
      const before = await loggedInBefore(t, { key: OLD_KEY })
      const browser = before.copy(app)
      const slow = before.copy(app).get('/slow')
      await browser.get('/get')
      await browser.get(fast)
      letGo()
      for (const line of setCookies(await slow)) browser.keep(line)
      t.strictSame(await browser.json('/get'), expected, fast)
    }
  }
})

t.test('a change that could not be written does not prevent the migration', async t => {
  const { app } = await slowApp(t)
  app.get('/large', async ({ session }) => { session.set('fill', 'x'.repeat(5000)); return {} })
  const before = await loggedInBefore(t, { key: OLD_KEY })
  t.match((await before.copy(app).get('/large')).json(), { code: 'FST_SESSION_TOO_LARGE' })
  t.equal(setCookies(await before.copy(app).get('/get')).length, 1)
})

t.test('a slow request that changes the session is written, as always', async t => {
  const { app } = await slowApp(t)
  const before = await loggedInBefore(t, { key: OLD_KEY })
  await before.copy(app).get('/set/cart/tea')
  const browser = before.copy(app)
  await browser.get('/set/cart/milk')
  t.strictSame(await browser.json('/get'), { user: 'ada', cart: 'milk' })
})

t.test('a change prevents a migration for a minute, and then the old cookie is migrated again', async t => {
  const clock = fakeClock(t)
  const { app } = await slowApp(t)
  const before = await loggedInBefore(t, { key: OLD_KEY })
  await before.copy(app).get('/set/cart/tea')
  t.strictSame(setCookies(await before.copy(app).get('/get')), [])
  clock.advance(60_000)
  t.equal(setCookies(await before.copy(app).get('/get')).length, 1)
})

t.test('the list of recent changes is bounded', async t => {
  const moves = new SettledMoves()
  for (let number = 0; number < 10_001; number++) moves.add(String(number), 1000)
  t.notOk(moves.has('0', 1000))
  t.ok(moves.has('1', 1000))
  t.ok(moves.has('10000', 1000))
  t.notOk(moves.has('10000', 61_000), 'and counts for a minute')
})
