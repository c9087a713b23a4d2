import t from 'tap'
import { addRoutes, appWith } from '../helpers/app'
import { Browser, setCookies } from '../helpers/browser'

t.test('a value that one request sets, the next one gets', async t => {
  const app = await appWith(t)
  addRoutes(app)
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  t.strictSame(await browser.json('/get'), { user: 'ada' })
})

t.test('a stranger has no values', async t => {
  const app = await appWith(t)
  addRoutes(app)
  const response = await app.inject('/get')
  t.strictSame(response.json(), {})
  t.strictSame(setCookies(response), [])
})
