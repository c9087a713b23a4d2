import t from 'tap'
import { appOfSizes } from '../splitting/sized'
import { nginxBefore } from '../helpers/nginx'

t.test('a session passes', async t => {
  const app = await appOfSizes(t)
  const { address } = await nginxBefore(t, { upstream: await app.listen({ host: '127.0.0.1', port: 0 }) })
  const response = await fetch(`${address}/fill/300`)
  t.equal(response.status, 200)
  t.equal(response.headers.getSetCookie().length, 1)
})
