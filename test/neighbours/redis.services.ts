import redis from '@fastify/redis'
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import type { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import secureSession from '../../index'
import { Operator } from '../cli/operator'
import { addRoutes, bareApp, WARN, type TestApp } from '../helpers/app'
import { keyIdOf } from '../helpers/keyrings'
import { RedisServer } from '../helpers/redis-server'
import { listen, Visitor } from './helpers'

const { redisKeyring } = secureSession

/** Somebody who looks after the ring in this Redis from the command line, at this time. */
async function operatorOf (t: Test, { url }: RedisServer): Promise<(command: string, ...args: string[]) => Promise<any>> {
  const operator = new Operator(t)
  return async (command, ...args) => {
    operator.nowMs = Date.now()
    return await operator.ask(command, ...args, '--redis', url)
  }
}

/** A server of a fleet: its ring comes through the client that @fastify/redis made. */
async function server (t: Test, { url }: RedisServer): Promise<TestApp> {
  const app = bareApp(t)
  await app.register(redis, { url })
  await app.register(secureSession, { keyring: redisKeyring(app.redis) })
  addRoutes(app)
  return app
}

/** What a session holds; asked again, since a busy machine can take longer than a server waits for a key that it seeks. */
async function opened (visitor: Visitor): Promise<Record<string, unknown>> {
  for (let attempt = 1; ; attempt++) {
    const data = await visitor.json('/get')
    if ('user' in data || attempt === 40) return data
  }
}

function keyIdAt (visitor: Visitor): string {
  return keyIdOf(visitor.cookie()?.split('=')[1] as string)
}

function warningsOf ({ lines }: TestApp): unknown[] {
  return lines.filter(({ level }) => level >= WARN)
}

t.test('with a real Redis', async t => {
  const store = await RedisServer.start()
  t.teardown(async () => { await store.remove() })
  const operate = await operatorOf(t, store)

  t.test('a server boots when there is a keyring in Redis', async t => {
    const early = bareApp(t)
    await early.register(redis, { url: store.url })
    await t.rejects(async () => await early.register(secureSession, { keyring: redisKeyring(early.redis) }), { code: 'FST_SESSION_KEYRING_UNAVAILABLE' })
    t.match(await operate('init'), { id: /^[\da-f]{8}$/ })
    const app = await server(t, store)
    const ada = new Visitor(await listen(app))
    await ada.send('/set/user/ada')
    t.strictSame(await ada.json('/get'), { user: 'ada' })
    await app.close()
    t.strictSame(warningsOf(app), [])
  })

  t.test('a rotation logs no user out, with sessions of the old key on new servers and the reverse', async t => {
    const before = await server(t, store)
    const addressBefore = await listen(before)
    const ada = new Visitor(addressBefore)
    await ada.send('/set/user/ada')
    const oldId = keyIdAt(ada)

    const { seals: newId } = await operate('rotate', '--now')
    t.not(newId, oldId)
    const after = await server(t, store)
    const later = ada.at(await listen(after))
    t.strictSame(await later.json('/get'), { user: 'ada' })
    t.equal(keyIdAt(later), oldId, 'what is only read is not sealed again')
    await later.send('/set/language/en')
    t.equal(keyIdAt(later), newId)

    const back = later.at(addressBefore)
    t.strictSame(await opened(back), { user: 'ada', language: 'en' }, 'a server that did not know the key has looked for it')
    await back.send('/set/seen/yes')
    t.equal(keyIdAt(back), newId, 'and seals with it')
    for (const app of [before, after]) {
      await app.close()
      t.strictSame(warningsOf(app), [])
    }
  })

  t.test('revoking a key ends its sessions, and the login after it works', async t => {
    const app = await server(t, store)
    const ada = new Visitor(await listen(app))
    await ada.send('/set/user/ada')
    const leaked = keyIdAt(ada)
    await operate('rotate', '--now')
    await operate('revoke', leaked)
    const restarted = ada.at(await listen(await server(t, store)))
    t.strictSame(await restarted.json('/get'), {})
    await restarted.send('/set/user/ada')
    t.strictSame(await restarted.json('/get'), { user: 'ada' })
  })

  t.test('a client with its own name works, and so do options that are made when the client exists', async t => {
    const named = bareApp(t)
    await named.register(redis, { url: store.url, namespace: 'keys' })
    await named.register(secureSession, { keyring: redisKeyring((named.redis as unknown as Record<string, Redis>)['keys'] as Redis) })
    const unawaited = bareApp(t)
    unawaited.register(redis, { url: store.url })
    unawaited.register(secureSession, parent => ({ keyring: redisKeyring(parent.redis) }))
    for (const app of [named, unawaited]) {
      app.after(() => { addRoutes(app) })
      const ada = new Visitor(await listen(app))
      await ada.send('/set/user/ada')
      t.strictSame(await ada.json('/get'), { user: 'ada' })
    }
  })

  t.test('an app that closes while it looks for a key closes the keyring first and then the client', async t => {
    const app = bareApp(t)
    const arrived = new Promise<void>(resolve => { app.addHook('onRequest', async () => { resolve() }) })
    await app.register(redis, { url: store.url })
    await app.register(secureSession, { keyring: redisKeyring(app.redis) })
    addRoutes(app)
    const unknown = Buffer.concat([Buffer.from([1, 1, 0, 0, 0, 7]), Buffer.alloc(60)]).toString('base64url')
    // Fastify waits at closing for a connection that is kept alive, so this one is not.
    const request = get(`${await listen(app)}/get`, { agent: false, headers: { cookie: `session=${unknown}` } })
    const [response, ended] = [once(request, 'response'), once(app.redis, 'end')]
    await arrived
    await app.close()
    const [answer] = await response as [IncomingMessage]
    answer.resume()
    await ended
    t.strictSame([answer.statusCode, warningsOf(app)], [200, []])
  })
})
