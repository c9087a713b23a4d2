import type { RedisRevocationClient, RedisRevocationOptions, RevocationStore } from '../../types/revocation'
import { describe, invalid, isObject, refuseUnknown, text } from '../checks'
import { revocationStoreFailed } from '../store-failure'
import { checkClient, explained } from './redis-client'

const DEFAULT_PREFIX = 'fastify-sealed-session:cut-off:'

/**
 * Cut-offs are compared as numbers and kept as the text they came as: Lua writes a long number with fewer digits.
 * A key without an expiry (PTTL is -1) stays without one.
 */
const RAISE = `
local held = redis.call('GET', KEYS[1]) or '0'
if not held:find('^%d+$') then return redis.error_reply('ERR the value in Redis is not a cut-off') end
local largest = tonumber(held) < tonumber(ARGV[1]) and ARGV[1] or held
local leftMs = redis.call('PTTL', KEYS[1])
if leftMs == -1 then
  redis.call('SET', KEYS[1], largest)
else
  redis.call('SET', KEYS[1], largest, 'PX', math.max(leftMs, tonumber(ARGV[2])))
end
return held`

/**
 * Cut-offs in Redis or Valkey, through a client of yours: ioredis, iovalkey, their clusters, or what `@fastify/redis`
 * decorates. Each command has one key, so any cluster will do, and each key expires. Both methods reject with
 * FST_SESSION_STORE_UNAVAILABLE, whose cause says why. Throws FST_SESSION_INVALID_OPTION for what is no such client.
 */
export function redisRevocation (client: RedisRevocationClient, options: RedisRevocationOptions = {}): RevocationStore {
  checkClient(client, 'redisRevocation()')
  if (!isObject(options)) throw invalid(`the options of redisRevocation() must be an object; found ${describe(options)}`)
  refuseUnknown(options, ['prefix'], 'redisRevocation(): option')
  const prefix = text(options, 'prefix', DEFAULT_PREFIX)
  const name = `revocations in Redis (prefix "${prefix}")`
  const failed = (how: string) => (reason: string): Error => revocationStoreFailed(new Error(`${name} cannot be ${how}: ${reason}`))
  return {
    name,
    async cutOffs (keys) {
      // All are sent before any is answered: one round trip.
      const read = async (key: string): Promise<number> => cutOffIn(await client.get(prefix + key))
      return await explained(failed('read'), async () => await Promise.all(keys.map(read)))
    },
    async raise (key, cutOffMs, keepForMs) {
      const args = [prefix + key, String(cutOffMs), String(keepForMs)]
      return await explained(failed('raised'), async () => cutOffIn(await client.eval(RAISE, 1, ...args)))
    }
  }
}

function cutOffIn (reply: unknown): number {
  if (reply === null) return 0
  if (typeof reply !== 'string' || !/^\d+$/.test(reply)) throw new TypeError('the value in Redis is not a cut-off')
  return Number(reply)
}
