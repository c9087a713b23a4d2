import type { Duration } from './sealing'

/**
 * Where cut-offs are kept: "what bears this key, and was created up to then, is over". Built in are `memoryRevocation`
 * and `redisRevocation`; two methods make another. `fastify-sealed-session/revocation-contract` tests any of them.
 * Keys are hashes of session ids and of subjects (22 characters of base64url); times are in milliseconds since 1970.
 */
export interface RevocationStore {
  /**
   * The cut-off of each of these keys, in their order; 0 where there is none. It is asked for one to three keys, and
   * answers in one round trip. Rejects where it cannot tell.
   */
  cutOffs (keys: readonly string[]): Promise<readonly number[]>
  /**
   * Raises a key's cut-off to this time and never lowers it, in one step that no other writer can come between. A
   * cut-off may lie ahead of the clock; 0 ends nothing, and counts only for how long the entry is kept. The entry is
   * kept for `keepForMs` (a whole number above 0) from now on, and longer where it was to be kept longer already: one
   * that is kept without a limit stays so. After that it is not answered any more. Resolves to the cut-off that stood
   * before; 0 where there was none. Rejects where it cannot be sure that the cut-off stands.
   *
   * A store that has room for a number of entries only may forget one early if it then answers every key with at
   * least the earlier of that entry's cut-off and the time at which it was raised. That time is never ahead of the
   * clock, so it ends no session that begins later.
   */
  raise (key: string, cutOffMs: number, keepForMs: number): Promise<number>
  /** What messages call this store. No secrets. */
  readonly name?: string | undefined
}

export interface RevocationOptions {
  store: RevocationStore
  /** For how long a session is trusted without asking the store again; 0 asks at every request. Default `'5m'`. */
  recheck?: Duration | undefined
  /**
   * When the store is away. `'refuse'`: touching a session that is due to be checked throws
   * FST_SESSION_STORE_UNAVAILABLE (503). `'allow'`: the session is trusted, and the log says so. Default `'refuse'`.
   */
  onError?: 'refuse' | 'allow' | undefined
  /** A store that takes longer than this is away. Default `'500ms'`. */
  timeout?: Duration | undefined
  /**
   * The longest limit that `session.options()` may give one session, if longer than `absolute`. What is ended by its
   * id or its subject alone is remembered for that long, since nobody knows what limits those sessions have. Default:
   * 400 days.
   */
  longest?: Duration | undefined
}

export interface MemoryRevocationOptions {
  /**
   * How many cut-offs are kept at most. Past it the oldest is forgotten in the safe direction: all sessions created
   * before it was made are over. Default 100,000, which take some 20 MB.
   */
  max?: number | undefined
  /** Milliseconds since 1970. Default: the clock of the machine. */
  now?: (() => number) | undefined
}

/** What is used of a Redis or Valkey client. ioredis and iovalkey are such, and their clusters. */
export interface RedisRevocationClient {
  get (key: string): Promise<string | null>
  eval (script: string, keys: number, ...args: string[]): Promise<unknown>
}

export interface RedisRevocationOptions {
  /** What all keys begin with. Apps that share a Redis need one each. Default `'fastify-sealed-session:cut-off:'`. */
  prefix?: string | undefined
}
