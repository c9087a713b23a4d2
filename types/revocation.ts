import type { Duration } from './sealing'

/**
 * A store of cut-offs. A cut-off is a time: all sessions with this key that were created at or before it have ended.
 * `memoryRevocation` and `redisRevocation` are built in. Your own store needs two methods;
 * `fastify-sealed-session/revocation-contract` tests it. A key is a hash of a session id or of a subject (22 characters
 * of base64url). Times are in milliseconds since 1970.
 */
export interface RevocationStore {
  /**
   * The cut-offs of these keys, in the same order; 0 for a key that has none. It is called with one to three keys and
   * should need one round trip. Rejects if a cut-off is not known.
   */
  cutOffs (keys: readonly string[]): Promise<readonly number[]>
  /**
   * Raises the cut-off of a key to this time, atomically. It never lowers a cut-off. A cut-off may be in the future. 0
   * ends no session; it only extends the lifetime of the entry. The entry is kept for `keepForMs` (a whole number above
   * 0) from now on, or longer if it already has a later end. An entry without an end stays without one. After its end,
   * an entry counts as absent. Resolves to the previous cut-off; 0 if there was none. Rejects if it is not certain that
   * the cut-off was stored.
   *
   * A store with a maximum number of entries may drop an entry early. From then on, it must return for every key at
   * least the earlier of two times: the cut-off of the dropped entry, and the time at which this cut-off was raised.
   * That time is never in the future, so it ends no session that begins later.
   */
  raise (key: string, cutOffMs: number, keepForMs: number): Promise<number>
  /** The name of this store in messages. It must not contain secrets. */
  readonly name?: string | undefined
}

export interface RevocationOptions {
  store: RevocationStore
  /** How long a session is trusted before the store is asked again; 0 asks at every request. Default `'5m'`. */
  recheck?: Duration | undefined
  /**
   * What to do while the store is unavailable. `'refuse'`: accessing a session that is due for a check throws
   * FST_SESSION_STORE_UNAVAILABLE (503). `'allow'`: the session is trusted, and the log says so. Default `'refuse'`.
   */
  onError?: 'refuse' | 'allow' | undefined
  /** A store that takes longer than this counts as unavailable. At most a minute. Default `'500ms'`. */
  timeout?: Duration | undefined
  /**
   * The longest limit that `session.options()` may give one session, if longer than `absolute`. The limits of sessions
   * that are ended only by id or by subject are not known, so their cut-offs are kept for this long. Default: 400
   * days.
   */
  longest?: Duration | undefined
}

export interface MemoryRevocationOptions {
  /**
   * The maximum number of cut-offs. When it is exceeded, the oldest is dropped, and all sessions that were created
   * before this cut-off was made have ended. Default 100,000, which take about 20 MB.
   */
  max?: number | undefined
  /** The current time in milliseconds since 1970. Default: the clock of the machine. */
  now?: (() => number) | undefined
}

/** The methods that are used of a Redis or Valkey client, such as ioredis or iovalkey, or a cluster of them. */
export interface RedisRevocationClient {
  get (key: string): Promise<string | null>
  eval (script: string, keys: number, ...args: string[]): Promise<unknown>
}

export interface RedisRevocationOptions {
  /**
   * The prefix of all keys. Apps that share a Redis need different ones. Default `'fastify-sealed-session:cut-off:'`.
   */
  prefix?: string | undefined
}
