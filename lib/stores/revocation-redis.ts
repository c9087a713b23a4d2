import type { RedisRevocationClient, RedisRevocationOptions, RevocationStore } from '../../types/revocation'
import { describe, invalid, isObject, refuseUnknown, text } from '../checks'
import { reasonOf, revocationStoreFailed } from '../store-failure'
import { checkClient } from './redis-client'

const DEFAULT_PREFIX = 'fastify-sealed-session:cut-off:'

/**
 * Cut-offs are compared as numbers and stored as the given text: Lua writes a long number with fewer digits.
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
 * A revocation store in Redis or Valkey, through a client of yours: ioredis, iovalkey, their clusters, or `app.redis`
 * of `@fastify/redis`. Each command has one key, so it works on a cluster. Each key expires.
 * @param client is used for GET and EVAL; it is not closed
 * @throws {FST_SESSION_INVALID_OPTION} if `client` has no methods get and eval, or an option is wrong
 * @throws {FST_SESSION_STORE_UNAVAILABLE} from `cutOffs` and `raise`, if Redis fails; the reason is the `cause`
 * @example
 * const revocation = { store: secureSession.redisRevocation(redis), recheck: '1m' }
 * await app.register(secureSession, { key: process.env['SESSION_KEY'], revocation })
 */
export function redisRevocation (
  client: RedisRevocationClient, options: RedisRevocationOptions = {}
): RevocationStore {
  checkClient(client, 'redisRevocation()')
  if (!isObject(options)) {
    throw invalid(`the options of redisRevocation() must be an object; found ${describe(options)}`)
  }
  refuseUnknown(options, ['prefix'], 'redisRevocation(): option')
  const prefix = text(options, 'prefix', DEFAULT_PREFIX)
  const name = `revocations in Redis (prefix "${prefix}")`
  // Only the text of the error: it may contain the command, and the command contains keys.
  const failed = (how: string) => (error: unknown): never => {
    throw revocationStoreFailed(new Error(`${name} cannot be ${how}: ${reasonOf(error)}`))
  }
  return {
    name,
    async cutOffs (keys) {
      // The commands are sent together: one round trip.
      const read = async (key: string): Promise<number> => cutOffIn(await client.get(prefix + key))
      return await Promise.all(keys.map(read)).catch(failed('read'))
    },
    async raise (key, cutOffMs, keepForMs) {
      const args = [prefix + key, String(cutOffMs), String(keepForMs)]
      const raise = async (): Promise<number> => cutOffIn(await client.eval(RAISE, 1, ...args))
      return await raise().catch(failed('raised'))
    }
  }
}

function cutOffIn (reply: unknown): number {
  if (reply === null) return 0
  if (typeof reply !== 'string' || !/^\d+$/.test(reply)) throw new TypeError('the value in Redis is not a cut-off')
  return Number(reply)
}
