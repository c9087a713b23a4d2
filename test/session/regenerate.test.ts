import t from 'tap'
import { addRoutes, appWith } from '../helpers/app'
import { Browser } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'

t.test('regenerate gives a new id, starts both clocks again and keeps only what it is told to', async t => {
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

t.test('regenerate with nothing to keep keeps nothing', async t => {
  const app = await appWith(t)
  addRoutes(app)
  const browser = new Browser(app)
  await browser.get('/set/a/b')
  await browser.get('/regenerate')
  t.strictSame(await browser.json('/get'), {})
})

t.test('a session fixed before the login is not the one after it', async t => {
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

t.test('what is changed after regenerate is changed in the new session', async t => {
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
