import Redis from 'ioredis'
import t from 'tap'
import type secureSession from '../../index'
import { parseKeyring } from '../../lib/keyring/document'
import { rotated } from '../../lib/keyring/lifecycle'
import { changeKeyring } from '../../lib/keyring/stored-keyring'
import { DEFAULT_REDIS_KEY } from '../../lib/stores/keyring-redis'
import { bareApp } from '../helpers/app'
import { Browser } from '../helpers/browser'
import { RedisServer } from '../helpers/redis-server'
import { appOf, block, blocks, linesOf, ROOT, ROTATION, run, shell } from './keys-page'

t.test('docs/keys.md: Redis works with the command, ioredis, and node-redis with adapted arguments', async t => {
  const server = await RedisServer.start()
  t.teardown(async () => { await server.remove() })
  const { sh } = shell(t)
  process.env['REDIS_URL'] = server.url
  const client = new Redis(server.url)
  t.teardown(() => { client.disconnect() })

  sh(block(t, 'sh', 'init --redis'), { REDIS_URL: server.url }, ROOT)
  const clients: Redis[] = []
  t.teardown(() => { for (const one of clients) one.disconnect() })
  function Client (url: string): Redis {
    const one = new Redis(url)
    clients.push(one)
    return one
  }
  const app = await appOf(t, block(t, 'js', 'new Redis('), { ioredis: Client })
  await new Browser(app).get('/set/a/1')

  // As node-redis has it: https://github.com/redis/node-redis
  const nodeRedis = {
    get: async (key: string) => await client.get(key),
    eval: async (script: string, { keys, arguments: args }: { keys: string[], arguments: string[] }) => await client.eval(script, keys.length, ...keys, ...args)
  }
  const snippet = block(t, 'js', 'arguments: rest')
  const other = await appOf(t, snippet, { client: nodeRedis })
  const store = run(snippet, { app: bareApp(t), client: nodeRedis }, 'keyring') as secureSession.KeyringStore
  t.equal((await changeKeyring(store, keys => rotated(keys, Date.now(), ROTATION)))?.length, 2)
  t.equal(await store.update('something else', 'x'), false)
  t.equal(parseKeyring(await client.get(DEFAULT_REDIS_KEY) as string).length, 2)
  for (const script of blocks('yaml').flatMap(yaml => linesOf(yaml, /^\s+(?:- )?(npx .* --redis-env .*)$/gm))) {
    sh(script, { REDIS_URL: server.url, SESSION_REDIS_URL: server.url }, ROOT)
  }
  t.equal(parseKeyring(await client.get(DEFAULT_REDIS_KEY) as string).length, 4, 'GitHub and GitLab have added one each')
  t.ok(other.hasRequestDecorator('session'))
})
