import { RedisInProcess } from './redis-in-process'
import { RedisServer } from './redis-server'

/** What tests that run against either need of a Redis. */
export type TestRedis = Pick<RedisServer, 'port' | 'url' | 'start' | 'stop' | 'remove'>

export function isRealRedis (): boolean {
  return process.env['TEST_REDIS'] === 'real'
}

/** A Redis: in the group `services` a real one, else one in this process that knows what the library sends. */
export async function startRedis (): Promise<TestRedis> {
  return isRealRedis() ? await RedisServer.start() : await RedisInProcess.start()
}
