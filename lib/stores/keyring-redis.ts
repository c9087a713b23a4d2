import type { KeyringStore, RedisKeyringClient, RedisKeyringOptions } from '../../types/keyring'
import { text } from '../checks'
import { withReason } from '../keyring/stored-keyring'
import { checkClient } from './redis-client'

export const DEFAULT_REDIS_KEY = 'fastify-sealed-session:keyring'

/** It uses one key, so it works on a cluster. Without ARGV[2], the key must be absent: GET then returns false. */
const COMPARE_AND_SET = `
if redis.call('GET', KEYS[1]) ~= (ARGV[2] or false) then return 0 end
redis.call('SET', KEYS[1], ARGV[1])
return 1`

/**
 * A keyring in Redis or Valkey, through a client of yours: ioredis, iovalkey, or `app.redis` of `@fastify/redis`.
 * @param client is used for GET and EVAL; it is not closed
 * @throws {FST_SESSION_INVALID_OPTION} if `client` has no methods get and eval, or `key` is not a string or is empty
 * @throws {FST_SESSION_KEYRING_UNAVAILABLE} from `read` and `update`, if Redis fails
 * @example
 * const keyring = secureSession.redisKeyring(redis, { key: 'my-app:keyring' })
 * await app.register(secureSession, { keyring, rotation: { every: '30d' } })
 */
export function redisKeyring (
  client: RedisKeyringClient, options: RedisKeyringOptions = {}
): KeyringStore {
  checkClient(client, 'redisKeyring()')
  const key = text({ ...options }, 'key', DEFAULT_REDIS_KEY)
  const name = `keyring in Redis (key "${key}")`
  return {
    name,
    async read () {
      return await withReason(`${name} cannot be read`, async () => await client.get(key))
    },
    async update (expected, next) {
      const args = expected === null ? [next] : [next, expected]
      return await withReason(`${name} cannot be written`, async () => {
        return await client.eval(COMPARE_AND_SET, 1, key, ...args) === 1
      })
    }
  }
}
