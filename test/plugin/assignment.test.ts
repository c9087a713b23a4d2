import { compileFunction } from 'node:vm'
import t from 'tap'
import { appWith } from '../helpers/app'

t.test('request.session cannot be replaced, also not in sloppy mode', async t => {
  const app = await appWith(t)
  const assign = compileFunction('request.session = { user: "eve" }', ['request'])
  app.get('/', async request => { assign(request); return {} })
  t.match((await app.inject('/')).json(), { code: 'FST_SESSION_INVALID_OPTION', message: /cannot be assigned/ })
})
