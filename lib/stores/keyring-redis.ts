import type { KeyringStore, RedisKeyringClient, RedisKeyringOptions } from '../../types/keyring'
import { InvalidOptionError, KeyringUnavailableError } from '../errors'
import { checkClient, explained } from './redis-client'

export const DEFAULT_REDIS_KEY = 'fastify-sealed-session:keyring'

/** One key only, so it works on a cluster too. Without a second argument nothing is expected, which GET tells by false. */
const COMPARE_AND_SET = `
if redis.call('GET', KEYS[1]) ~= (ARGV[2] or false) then return 0 end
redis.call('SET', KEYS[1], ARGV[1])
return 1`

/**
 * A keyring in Redis or Valkey, through a client of yours: ioredis, iovalkey, or what `@fastify/redis` decorates.
 * Throws FST_SESSION_INVALID_OPTION for what is no such client.
 */
export function redisKeyring (client: RedisKeyringClient, { key = DEFAULT_REDIS_KEY }: RedisKeyringOptions = {}): KeyringStore {
  checkClient(client, 'redisKeyring()')
  if (typeof key !== 'string' || key === '') throw new InvalidOptionError('fastify-sealed-session: option "key" of redisKeyring() must be a string that is not empty')
  const name = `keyring in Redis (key "${key}")`
  const failed = (how: string) => (reason: string): Error => new KeyringUnavailableError(`${name} cannot be ${how}: ${reason}`)
  return {
    name,
    async read () {
      return await explained(failed('read'), async () => await client.get(key))
    },
    async update (expected, next) {
      const args = expected === null ? [next] : [next, expected]
      return await explained(failed('written'), async () => await client.eval(COMPARE_AND_SET, 1, key, ...args) === 1)
    }
  }
}
