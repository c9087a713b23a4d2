import '../helpers/real-redis'
import './redis.test'
import { spawnSync, type SpawnSyncReturns } from 'node:child_process'
import { resolve } from 'node:path'
import t from 'tap'
import { plainEnv, TYPESCRIPT } from '../helpers/process'
import { clientOf, RedisServer } from '../helpers/redis-server'
import { Operator } from './operator'

function runCommand (args: string[]): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [...TYPESCRIPT, resolve(__dirname, '../../lib/cli/main.ts'), ...args], { encoding: 'utf8', env: plainEnv() })
}

t.test('the minimal Redis ACL of the docs is sufficient, without a warning of the client', async t => {
  const server = await RedisServer.start()
  t.teardown(async () => { await server.remove() })
  await clientOf(t, server).call('ACL', 'SETUSER', 'keeper', 'on', '>right', '~ring', '+get', '+set', '+eval')
  const redis = ['--redis', `redis://keeper:right@127.0.0.1:${server.port}`, '--redis-key', 'ring']
  const warned = t.capture(console, 'warn')
  const said = t.capture(process.stderr, 'write')
  const operator = new Operator(t)
  const { id } = await operator.ask<{ id: string }>('init', ...redis)
  t.match(await operator.do('rotate', ...redis), `\n${id}  active`)
  t.strictSame([...warned(), ...said()], [])
  t.match(await operator.run('list', '--redis', `redis://keeper:right@127.0.0.1:${server.port}/1`, '--redis-key', 'ring'), { status: 1, err: /did not select database 1: NOPERM/ })
})

t.test('a process that used Redis ends by itself', async t => {
  const server = await RedisServer.start()
  t.teardown(async () => { await server.remove() })
  t.match(runCommand(['init', '--redis', server.url]), { status: 0, stderr: '' })
  await server.stop()
  t.match(runCommand(['list', '--redis', server.url]), { status: 1, stdout: '', stderr: /^fastify-sealed-session: .*\n$/ })
})
