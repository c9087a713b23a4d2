import { compileFunction } from 'node:vm'
import t from 'tap'
import { appWith } from '../helpers/app'

t.test('the session of a request cannot be replaced, in code that is not strict either', async t => {
  const app = await appWith(t)
  const assign = compileFunction('request.session = { user: "eve" }', ['request'])
  app.get('/', async request => { assign(request); return {} })
  t.match((await app.inject('/')).json(), { code: 'FST_SESSION_INVALID_OPTION', message: /cannot be assigned/ })
})
