import '../helpers/real-redis'
import './refresh-tokens.test'
import Redis from 'ioredis'
import t from 'tap'
import { appOf, blocks, loggedIn, post, startRedis, status, Users } from './refresh-tokens-page'

t.test('docs/refresh-tokens.md: the ACL is sufficient and minimal', async t => {
  const { redis, server } = await startRedis()
  const [line = ''] = blocks('sh')
  const words = Array.from(line.trim().replace('redis-cli ', '').matchAll(/'([^']*)'|(\S+)/g), ([, quoted, plain]) => quoted ?? plain as string)
  await redis.call(...words as [string, ...string[]])
  const limited = new Redis(server.port, { username: 'sessions', password: 'a-long-password' })
  t.teardown(() => { limited.disconnect() })
  const app = await appOf(t, { redis: limited, users: new Users() }, '/logout/everywhere')
  const [here, there] = [await loggedIn(app), await loggedIn(app)]
  t.equal((await post(here, '/logout/others')).status, 200)
  t.strictSame([await status(here, '/me'), await status(there, '/me')], [200, 401])
  for (const command of [['get', 'something else'], ['keys', '*'], ['flushall']] as Array<[string, ...string[]]>) await t.rejects(limited.call(...command), /NOPERM/)
})
