import { randomUUID } from 'node:crypto'
import type { RefreshLockClient } from '../../types/fresh-tokens'
import { checkClient } from './redis-client'

/** A lock by name over a fleet of servers. Its holder leaves a result in its place. */
export interface RefreshLock {
  /**
   * Takes the lock. It expires by itself.
   * @returns null if it was taken; else what is there, see `resultIn`
   */
  take (name: string, holder: string, forMs: number): Promise<string | null>
  /** What is there, or null. */
  read (name: string): Promise<string | null>
  /** Puts a result in the place of the lock, unless another server holds it. */
  put (name: string, holder: string, result: string, forMs: number): Promise<void>
  /** Lets the lock expire later, unless another server holds it. */
  extend (name: string, holder: string, forMs: number): Promise<void>
  /** Frees the lock, unless another server holds it. */
  release (name: string, holder: string): Promise<void>
}

const PREFIX = 'fastify-sealed-session:refresh:'
/** The value of a lock begins so. No result does. */
const LOCKED = 'lock:'

/** Each script has one key, so it works on a cluster. */
const TAKE = `
local held = redis.call('GET', KEYS[1])
if not held then redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end
return held`
const PUT = `
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`
const EXTEND = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`
const RELEASE = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`

export function newHolder (): string {
  return LOCKED + randomUUID()
}

/** The result; null where the lock is held. */
export function resultIn (value: string): string | null {
  return value.startsWith(LOCKED) ? null : value
}

/** Throws FST_SESSION_INVALID_OPTION if the client has no methods get and eval. Each method rejects if Redis fails. */
export function redisLock (client: RefreshLockClient): RefreshLock {
  checkClient(client, 'freshTokens(): option "lock"')
  return {
    async take (name, holder, forMs) {
      return textIn(await client.eval(TAKE, 1, PREFIX + name, holder, String(forMs)))
    },
    async read (name) {
      return textIn(await client.get(PREFIX + name))
    },
    async put (name, holder, result, forMs) {
      await client.eval(PUT, 1, PREFIX + name, holder, result, String(forMs))
    },
    async extend (name, holder, forMs) {
      await client.eval(EXTEND, 1, PREFIX + name, holder, String(forMs))
    },
    async release (name, holder) {
      await client.eval(RELEASE, 1, PREFIX + name, holder)
    }
  }
}

function textIn (reply: unknown): string | null {
  if (reply === null || typeof reply === 'string') return reply
  throw new TypeError('the value in Redis is no lock')
}
