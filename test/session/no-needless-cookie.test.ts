import t, { type Test } from 'tap'
import { sodium } from '../../lib/core/sodium'
import { addRoutes, appWith, KEY } from '../helpers/app'
import { Browser, setCookies } from '../helpers/browser'

/** Counts calls into libsodium and JSON until the test ends. */
function count (t: Test): { sodium: number, parse: number } {
  const counts = { sodium: 0, parse: 0 }
  for (const functions of [sodium]) {
    for (const [name, original] of Object.entries<unknown>(functions as object as Record<string, unknown>)) {
      if (typeof original !== 'function') continue
      Object.assign(functions, { [name]: (...args: unknown[]) => { counts.sodium++; return original(...args) } })
      t.teardown(() => { Object.assign(functions, { [name]: original }) })
    }
  }
  const { parse } = JSON
  JSON.parse = (...args: any[]) => { counts.parse++; return parse(...args as [string]) }
  t.teardown(() => { JSON.parse = parse })
  return counts
}

t.test('a request whose handler does not access the session decrypts nothing and sets no cookie', async t => {
  const app = await appWith(t, { key: KEY }, { logger: false })
  addRoutes(app)
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  const counts = count(t)
  for (const url of ['/untouched', '/nowhere']) {
    const response = await browser.get(url)
    t.strictSame(setCookies(response), [])
    t.equal(response.headers['cache-control'], undefined)
  }
  t.strictSame(counts, { sodium: 0, parse: 0 })
})

t.test('a request opens the cookie once, for any number of reads', async t => {
  const app = await appWith(t, { key: KEY }, { logger: false })
  addRoutes(app)
  app.get('/often', async request => [request.session.get('user'), request.session.get('user'), request.session.has('a'), request.session.data()])
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  const counts = count(t)
  const response = await browser.get('/often')
  t.strictSame(counts, { sodium: 1, parse: 1 })
  t.strictSame(setCookies(response), [])
})

t.test('a request that writes draws one nonce and seals once', async t => {
  const app = await appWith(t, { key: KEY }, { logger: false })
  addRoutes(app)
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  const counts = count(t)
  t.equal(setCookies(await browser.get('/set/user/grace')).length, 1)
  t.strictSame(counts, { sodium: 3, parse: 1 })
})

t.test('reading never writes the cookie, at any age of the session', async t => {
  const app = await appWith(t)
  addRoutes(app)
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  const before = browser.cookies.get('session')
  for (const url of ['/get', '/info', '/get']) t.strictSame(setCookies(await browser.get(url)), [])
  t.equal(browser.cookies.get('session'), before)
})

t.test('unsetting an absent value, or options that change nothing, write nothing', async t => {
  const app = await appWith(t)
  addRoutes(app)
  app.get('/nothing', async ({ session }) => {
    session.unset('never')
    session.set('never', undefined)
    session.options({})
    session.options({ foreign: 'to a neighbour' } as object)
    return { changed: session.changed }
  })
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  const response = await browser.get('/nothing')
  t.strictSame(response.json(), { changed: false })
  t.strictSame(setCookies(response), [])
})
