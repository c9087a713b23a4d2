import type { Duration } from './sealing'

/**
 * A store of cut-offs. A cut-off is a time: all sessions with this key that were created at or before it are revoked.
 * `memoryRevocation` and `redisRevocation` are built in. Your own store needs two methods;
 * `fastify-sealed-session/revocation-contract` tests it. A key is a hash of a session id, of a subject or of the id of
 * a token that opens once (22 characters of base64url). Times are in milliseconds since 1970.
 */
export interface RevocationStore {
  /**
   * Reads the cut-offs of keys. It should need one round trip. Rejects if a cut-off is not known.
   * @param keys one to three keys
   * @returns the cut-offs in the order of the keys; 0 for a key that has none
   */
  cutOffs (keys: readonly string[]): Promise<readonly number[]>
  /**
   * Raises the cut-off of a key, atomically. It never lowers a cut-off. Rejects if it is not certain that the cut-off
   * was stored. Of parallel calls that raise a key to one cut-off, exactly one resolves to less: this uses up a token
   * that opens once.
   *
   * A store with a maximum number of entries may drop an entry early. From then on, it must return for every key at
   * least the earlier of two times: the cut-off of the dropped entry, and the time at which this cut-off was raised.
   * That time is never in the future, so it revokes no session that is created later.
   * @param key the key of the entry
   * @param cutOffMs milliseconds since 1970; may be in the future. 0 revokes no session; it only extends the lifetime
   * of the entry
   * @param keepForMs how long the entry is kept from now on, a whole number of milliseconds above 0; longer if it
   * already has a later end. An entry without an end stays without one. After its end, an entry counts as absent
   * @returns the previous cut-off; 0 if there was none
   */
  raise (key: string, cutOffMs: number, keepForMs: number): Promise<number>
  /** The name of this store in messages. It must not contain secrets. */
  readonly name?: string | undefined
}

/** The option `revocation`. Times are in seconds, or text with a unit. */
export interface RevocationOptions {
  /**
   * `memoryRevocation()`, `redisRevocation(client)`, or your own store.
   * @example
   * revocation: { store: secureSession.redisRevocation(redis) }
   */
  store: RevocationStore
  /**
   * How long a session is trusted before the store is asked again; 0 asks at every request.
   * @default '5m'
   * @example
   * revocation: { store, recheck: '1m' }
   */
  recheck?: Duration | undefined
  /**
   * What to do while the store is unavailable. `'refuse'`: accessing a session that is due for a check throws
   * FST_SESSION_STORE_UNAVAILABLE (503). `'allow'`: the session is trusted, and a warning is logged.
   * @default 'refuse'
   * @example
   * revocation: { store, onError: 'allow' }
   */
  onError?: 'refuse' | 'allow' | undefined
  /**
   * A store that takes longer than this counts as unavailable. At most a minute.
   * @default '500ms'
   * @example
   * revocation: { store, timeout: '200ms' }
   */
  timeout?: Duration | undefined
  /**
   * The longest limit that `session.options()` may give one session, if longer than `absolute`. The limits of sessions
   * that are revoked only by id or by subject are not known, so their cut-offs are kept for this long.
   * @default '400d'
   * @example
   * revocation: { store, longest: '90d' }
   */
  longest?: Duration | undefined
}

/** The options of `memoryRevocation`. */
export interface MemoryRevocationOptions {
  /**
   * The maximum number of cut-offs. When it is exceeded, the oldest is dropped, and all sessions that were created
   * before this cut-off was made are revoked.
   * @default 100_000, which take about 20 MB
   * @example
   * memoryRevocation({ max: 10_000 })
   */
  max?: number | undefined
  /**
   * Returns the current time in milliseconds since 1970.
   * @default Date.now
   * @example
   * memoryRevocation({ now: () => clock.nowMs })
   */
  now?: (() => number) | undefined
}

/** The methods that are used of a Redis or Valkey client, such as ioredis or iovalkey, or a cluster of them. */
export interface RedisRevocationClient {
  get (key: string): Promise<string | null>
  eval (script: string, keys: number, ...args: string[]): Promise<unknown>
}

/** The options of `redisRevocation`. */
export interface RedisRevocationOptions {
  /**
   * The prefix of all keys. Apps that share a Redis need different ones.
   * @default 'fastify-sealed-session:cut-off:'
   * @example
   * redisRevocation(redis, { prefix: 'shop:cut-off:' })
   */
  prefix?: string | undefined
}
