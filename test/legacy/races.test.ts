import t, { type Test } from 'tap'
import secureSession from '../../index'
import { addRoutes, appWith, KEY, type TestApp } from '../helpers/app'
import { Browser, setCookies } from '../helpers/browser'
import { loggedInBefore } from './old-app'

const { secureSessionOpener } = secureSession
const OLD_KEY = Buffer.from('c3'.repeat(32), 'hex')

/** An app whose `/slow` reads the session at once, and replies when it is released. */
async function slowApp (t: Test, options: object = {}): Promise<{ app: TestApp, release: () => void }> {
  const app = await appWith(t, { key: KEY, legacy: [secureSessionOpener({ key: OLD_KEY })], ...options })
  addRoutes(app)
  const waiting: Array<() => void> = []
  app.get('/slow', async ({ session }) => {
    const user = session.get('user')
    await new Promise<void>(resolve => { waiting.push(resolve) })
    return { user }
  })
  return { app, release: () => { for (const resolve of waiting) resolve() } }
}

/** Two requests of one browser with a legacy cookie. The slow one, which only reads, is answered last. */
async function race (t: Test, fast: string, options: object = {}): Promise<Browser> {
  const { app, release } = await slowApp(t, options)
  const before = await loggedInBefore(t, { key: OLD_KEY })
  const browser = before.copy(app)
  const slow = before.copy(app).get('/slow')
  await browser.get(fast)
  release()
  const late = await slow
  t.strictSame(late.json(), { user: 'ada' })
  t.strictSame(setCookies(late), [])
  return browser
}

t.test('a slow request that only reads a legacy cookie does not undo a change of a parallel request', async t => {
  const browser = await race(t, '/set/cart/tea')
  t.strictSame(await browser.json('/get'), { user: 'ada', cart: 'tea' })
})

t.test('a slow request that only reads a legacy cookie does not undo a logout by a parallel request', async t => {
  const browser = await race(t, '/delete')
  t.equal(browser.header, '')
})

t.test('a slow request that only reads a legacy cookie does not undo a login by a parallel request', async t => {
  const browser = await race(t, '/regenerate')
  t.strictSame(await browser.json('/get'), {})
})

t.test('a slow request that only reads undoes nothing where the legacy cookie has another name', async t => {
  const options = { cookieName: '__Host-sid', legacy: [secureSessionOpener({ key: OLD_KEY, cookieName: 'session' })] }
  for (const [fast, expected] of [['/set/cart/tea', { user: 'ada', cart: 'tea' }], ['/delete', {}], ['/regenerate', {}]] as const) {
    const browser = await race(t, fast, options)
    t.strictSame(await browser.json('/get'), expected, fast)
  }
})

t.test('requests that only read a legacy cookie leave the session there', async t => {
  const browser = await race(t, '/get')
  t.notMatch(browser.header, /^session=AQ/)
  t.strictSame(await browser.json('/get'), { user: 'ada' })
})

t.test('of two parallel changes of a legacy session the later reply wins, as with any cookie', async t => {
  const { app } = await slowApp(t)
  const before = await loggedInBefore(t, { key: OLD_KEY })
  await before.copy(app).get('/set/cart/tea')
  const browser = before.copy(app)
  await browser.get('/set/cart/milk')
  t.strictSame(await browser.json('/get'), { user: 'ada', cart: 'milk' })
})
