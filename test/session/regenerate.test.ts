import t from 'tap'
import { readEnvelope, writeEnvelope, type OpenedEnvelope } from '../../lib/core/envelope'
import { openToken, plaintext, sealToken, type OpenedToken } from '../../lib/core/token'
import { addRoutes, appWith } from '../helpers/app'
import { Browser } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'
import { keysFor } from '../helpers/ring'

t.test('regenerate gives a new id, restarts both limits and keeps only the named values', async t => {
  const clock = fakeClock(t)
  const app = await appWith(t)
  addRoutes(app)
  const browser = new Browser(app)
  for (const [key, value] of [['csrf', 'x'], ['lang', 'en'], ['role', 'guest']]) await browser.get(`/set/${key}/${value}`)
  const before = await browser.json('/info')
  clock.advance(60_000)
  await browser.get('/regenerate?keep=lang,never')
  const after = await browser.json('/info')
  t.not(after.id, before.id)
  t.match(after, { createdAt: before.createdAt + 60_000, renewedAt: before.createdAt + 60_000 })
  t.strictSame(await browser.json('/get'), { lang: 'en' })
})

t.test('regenerate without names keeps no value', async t => {
  const app = await appWith(t)
  addRoutes(app)
  const browser = new Browser(app)
  await browser.get('/set/a/b')
  await browser.get('/regenerate')
  t.strictSame(await browser.json('/get'), {})
})

t.test('an attacker who planted a session before the login does not have the session after it', async t => {
  const app = await appWith(t)
  addRoutes(app)
  app.get('/login', async ({ session }) => { session.regenerate(); session.set('user', 'ada'); return {} })
  const attacker = new Browser(app)
  await attacker.get('/set/fixed/yes')
  const victim = attacker.copy()
  await victim.get('/login')
  t.strictSame(await victim.json('/get'), { user: 'ada' })
  t.strictSame(await attacker.json('/get'), { fixed: 'yes' }, 'the fixed cookie holds what it held')
  t.not((await attacker.json('/info')).id, (await victim.json('/info')).id)
})

t.test('changes after regenerate belong to the new session', async t => {
  const app = await appWith(t)
  addRoutes(app)
  app.get('/login', async ({ session }) => {
    session.set('cart', { items: [] })
    session.regenerate(['cart'])
    session.get('cart').items.push('book')
    return { isNew: session.info.isNew, changed: session.changed }
  })
  const browser = new Browser(app)
  t.strictSame((await browser.get('/login')).json(), { isNew: true, changed: true })
  t.strictSame(await browser.json('/get'), { cart: { items: ['book'] } })
})

t.test('regenerate(null) keeps no value', async t => {
  const app = await appWith(t)
  addRoutes(app)
  app.get('/login', async ({ session }) => { session.regenerate(null as never); return session.data() })
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  t.strictSame(await browser.json('/login'), {})
})

t.test('regenerate throws for an argument that is not an array', async t => {
  const app = await appWith(t)
  app.get('/', async ({ session }) => { session.regenerate('language' as never); return {} })
  t.match((await app.inject('/')).json(), { code: 'FST_SESSION_INVALID_OPTION', message: /array/ })
})

t.test('regenerate keeps no extension of a later format version, because it may identify a user', async t => {
  const app = await appWith(t)
  addRoutes(app)
  const now = Date.now()
  const envelope = { id: Buffer.alloc(16), createdAtMs: now, renewedAtMs: now, extensions: new Map([[99, Buffer.from('alice')]]), customSerializer: false, data: '{}' }
  const browser = new Browser(app)
  browser.cookies.set('session', sealToken(writeEnvelope(envelope, 0, plaintext), keysFor().sealing(0), 1))
  await browser.get('/regenerate')
  const { plaintextBytes } = openToken(browser.cookies.get('session') as string, keysFor(), 1, 0) as OpenedToken
  t.equal((readEnvelope(plaintext, plaintextBytes) as OpenedEnvelope).extensions.size, 0)
})
