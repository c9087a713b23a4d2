import { createServer, type AddressInfo, type Socket } from 'node:net'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Redis from 'ioredis'
import t, { type Test } from 'tap'
import { clientClass, connectTo } from '../../lib/cli/redis-client'
import { parseKeyring, type KeyRecord } from '../../lib/keyring/document'
import { fakeTime, passUntil } from '../helpers/clock'
import { startRedis, type TestRedis } from '../helpers/redis'
import { freshFolder } from '../helpers/installed'
import { Operator } from './operator'

async function startServer (t: Test): Promise<TestRedis> {
  const server = await startRedis()
  t.teardown(async () => { await server.remove() })
  return server
}

async function ringIn ({ url }: TestRedis, key = 'fastify-sealed-session:keyring'): Promise<KeyRecord[]> {
  const client = new Redis(url)
  try {
    return parseKeyring(await client.get(key) as string)
  } finally {
    client.disconnect()
  }
}

/** Sets a server up by a client of its own. */
async function configure ({ url }: TestRedis, work: (client: Redis) => Promise<unknown>): Promise<void> {
  const client = new Redis(url)
  await work(client)
  client.disconnect()
}

t.test('every command works with a keyring in Redis', async t => {
  const server = await startServer(t)
  const operator = new Operator(t)
  const redis = ['--redis', server.url]
  const remember = async (): Promise<void> => { operator.secrets.push(...(await ringIn(server)).map(({ material }) => material)) }

  const { id } = await operator.ask<{ id: string }>('init', ...redis)
  await remember()
  t.match(await operator.run('init', ...redis), { status: 1, out: '', err: /exists, and was not changed\n$/ })
  await operator.do('rotate', ...redis)
  await remember()
  t.match(await operator.do('list', ...redis), new RegExp(`\n${id}  active`))
  t.match(await operator.do('revoke', id, ...redis), `\n${id}  revoked`)
  t.match(await operator.do('prune', ...redis, '--revoked'), `Removed: ${id}.`)
  operator.input = 'AQFqy3ot'
  t.match(await operator.run('inspect', '--cookie-name', 'session', ...redis), { status: 1, err: /malformed/ })
  t.equal((await ringIn(server)).length, 1)
})

t.test('--redis-key separates keyrings in one Redis', async t => {
  const server = await startServer(t)
  const operator = new Operator(t)
  await operator.do('init', '--redis', server.url, '--redis-key', 'one')
  await operator.do('init', '--redis', `${server.url}/0`, '--redis-key', 'two')
  t.not((await ringIn(server, 'one'))[0]?.id, (await ringIn(server, 'two'))[0]?.id)
  t.match(await operator.run('list', '--redis', server.url), { status: 1, err: /keyring in Redis \(key "fastify-sealed-session:keyring"\) does not exist/ })
})

t.test('an unreachable Redis is one line with its address, and without the password', async t => {
  const server = await startServer(t)
  const operator = new Operator(t)
  await server.stop()
  const { status, out, err } = await operator.run('list', '--redis', `redis://user:s3cret@127.0.0.1:${server.port}`)
  t.match({ status, out, err }, { status: 1, out: '', err: new RegExp(`^fastify-sealed-session: Redis at 127\\.0\\.0\\.1:${server.port} cannot be reached: .*ECONNREFUSED.*\n$`) })
  t.notMatch(err, 's3cret')
  t.match(await operator.run('list', '--redis', `redis://localhost:${server.port}`), { status: 1, err: /ECONNREFUSED/ })
})

t.test('a wrong Redis password is one line without the password', async t => {
  const server = await startServer(t)
  await configure(server, async client => await client.config('SET', 'requirepass', 'right'))
  const operator = new Operator(t)
  const { status, err } = await operator.run('list', '--redis', `redis://:s3cret@127.0.0.1:${server.port}`)
  t.match({ status, err }, { status: 1, err: /^fastify-sealed-session: .*Redis.*\n$/ })
  t.notMatch(err, 's3cret')
  t.equal((await operator.run('init', '--redis', `redis://:right@127.0.0.1:${server.port}`)).status, 0)
})

t.test('a missing Redis password is one short line', async t => {
  const server = await startServer(t)
  await configure(server, async client => await client.config('SET', 'requirepass', 'right'))
  for (const url of [server.url, `${server.url}/3`]) {
    t.match(await new Operator(t).run('list', '--redis', url), { status: 1, out: '', err: /^fastify-sealed-session: .*Redis.*: NOAUTH .*\n$/ })
  }
})

t.test('with --redis-env the URL is in an environment variable, and is never printed', async t => {
  const server = await startServer(t)
  await configure(server, async client => await client.config('SET', 'requirepass', 's3cret'))
  const operator = new Operator(t)
  operator.env = { REDIS_URL: `redis://:s3cret@127.0.0.1:${server.port}`, WRONG: 'http://s3cret@host', AWAY: 'redis://:s3cret@127.0.0.1:1' }
  const { id } = await operator.ask<{ id: string }>('init', '--redis-env', 'REDIS_URL', '--redis-key', 'one')
  t.match(await operator.do('list', '--redis-env', 'REDIS_URL', '--redis-key', 'one'), `\n${id}  active`)
  operator.input = 'AQFqy3ot'
  t.match(await operator.run('inspect', '--cookie-name', 'session', '--redis-env', 'REDIS_URL', '--redis-key', 'one'), { status: 1, err: /malformed/ })
  for (const [name, told] of [
    ['MISSING', { status: 1, err: 'the environment variable MISSING is not set\n' }],
    ['WRONG', { status: 2, err: 'the environment variable WRONG must hold a URL such as redis://' }],
    ['AWAY', { status: 1, err: 'Redis at 127.0.0.1:1 cannot be reached' }],
    ['redis://:s3cret@host', { status: 2, err: '--redis-env takes the name' }]
  ] as const) {
    const { status, out, err } = await operator.run('list', '--redis-env', name)
    t.match({ status, out, err }, { ...told, out: '' }, name)
    t.notMatch(err, 's3cret')
  }
})

t.test('the database number of the URL is used, and an unavailable one is refused', async t => {
  const server = await startServer(t)
  const operator = new Operator(t)
  const { id } = await operator.ask<{ id: string }>('init', '--redis', server.url)
  const fifteenth = await operator.ask<{ id: string }>('init', '--redis', `${server.url}/15`)
  t.match(await operator.do('list', '--redis', `${server.url}/15`), new RegExp(`^key .*\n${fifteenth.id} .*\n\n`))
  for (const database of ['16', '99', '99999999999999999999']) {
    for (const args of [['init'], ['list'], ['rotate'], ['revoke', id], ['prune', '--revoked']]) {
      const { status, out, err } = await operator.run(...args, '--redis', `${server.url}/${database}`)
      t.match({ status, out, err }, { status: 1, out: '', err: new RegExp(`^fastify-sealed-session: Redis at 127\\.0\\.0\\.1:${server.port} did not select database ${database}: .*\n$`) })
    }
  }
  t.match(await operator.run('rotate', '--redis', `${server.url}/abc`), { status: 2, out: '', err: /The last number is that of the database/ })
  t.strictSame((await ringIn(server)).map(({ id, revokedAtMs }) => ({ id, revokedAtMs })), [{ id, revokedAtMs: null }])
})

t.test('a Redis that closes the connection after the handshake is one line', async t => {
  class Closing {
    async connect (): Promise<void> {}
    async select (): Promise<never> { throw new Error('Connection is closed.') }
    disconnect (): void {}
    on (): void {}
  }
  await t.rejects(connectTo(new URL('redis://host/1'), Closing as never), { message: 'Redis at host:6379 did not select database 1: Connection is closed.' })
})

t.test('a Redis that does not answer is a failure after a timeout', async t => {
  const sockets: Socket[] = []
  const silent = createServer(socket => { sockets.push(socket) }).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.teardown(() => { for (const socket of sockets) socket.destroy(); silent.close() })
  const { port } = silent.address() as AddressInfo
  const time = fakeTime(t)
  const given = new Operator(t).run('list', '--redis', `redis://127.0.0.1:${port}`)
  t.match(await passUntil(time, given), { status: 1, err: /^fastify-sealed-session: Redis at .* cannot be reached: .*\n$/ })
})

t.test('the default port is that of Redis, and an error without a message is printed by its code', async t => {
  class Broken {
    connect: () => Promise<unknown> = async () => await Promise.reject(new Error('closed'))
    disconnect (): void {}
    on (_: string, listener: (error: Error) => void): void { listener(Object.assign(new Error(''), { code: 'EWHATEVER' })) }
  }
  await t.rejects(connectTo(new URL('redis://host'), Broken as never), { message: 'Redis at host:6379 cannot be reached: EWHATEVER' })
})

t.test('a value that is not a Redis URL is wrong use, and is not printed', async t => {
  const operator = new Operator(t)
  for (const url of ['localhost', 'http://s3cret@host', 'redis://:s3cret', 'redis:s3cret', 'redis://user:s3c/ret@host', 'redis://user:s3c#ret@host', 'redis://user:s3c?ret@host', 'redis:///s3cret', 'redis://user:63/s3cret@host', 'redis://user:63?s3cret@host', 'redis://host/s3cret', 'redis://host/1/s3cret', 'redis://host/-1', 'redis://host//', 'redis://host/1?db=s3cret', 'redis://host?db=2']) {
    const { status, out, err } = await operator.run('list', '--redis', url)
    t.match({ status, out, err }, { status: 2, out: '', err: /^fastify-sealed-session: --redis takes a URL.*\n$/ }, url)
    t.notMatch(err, /s3c/)
  }
})

t.test('the Redis client is the ioredis of the project, or iovalkey, or one line says what to install', async t => {
  const [none, valkey, both] = [freshFolder(t), freshFolder(t), freshFolder(t)]
  const install = (folder: string, name: string): void => {
    mkdirSync(join(folder, 'node_modules', name), { recursive: true })
    writeFileSync(join(folder, 'node_modules', name, 'index.js'), `module.exports = '${name}'`)
  }
  install(valkey, 'iovalkey')
  install(both, 'iovalkey')
  install(both, 'ioredis')
  t.equal(clientClass([valkey, __dirname]) as unknown, 'iovalkey')
  t.equal(clientClass([both]) as unknown, 'ioredis')
  t.equal(clientClass([none, __dirname]) as unknown, Redis)
  t.throws(() => clientClass([none]), { message: 'a keyring in Redis needs a client in your project: npm install ioredis' })
})
