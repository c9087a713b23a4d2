import type { Duration } from './sealing'

/**
 * Where a keyring is kept: one piece of text, which only this package reads and writes. Built in are `fileKeyring` and
 * `redisKeyring`; two methods make another, over Vault, a KMS or whatever you trust with keys.
 */
export interface KeyringStore {
  /**
   * The text; null where there is none yet. Rejects where that cannot be told: servers then keep the ring they have.
   */
  read (): Promise<string | null>
  /**
   * Compare and set, in one step that no other writer can come between: writes `next` and resolves to true if the
   * store still holds `expected` (null: nothing), and otherwise leaves it alone and resolves to false. Rejects where it
   * cannot write. Only what rotates keys calls it, so a store that is only read by servers may always reject.
   */
  update (expected: string | null, next: string): Promise<boolean>
  /** What messages call this store, such as `keyring file /etc/app/keys.json`. No secrets. */
  readonly name?: string | undefined
}

export interface FileKeyringOptions {
  /** Accept a file that other users than its owner may read, as Kubernetes mounts secrets. Default `false`. */
  othersMayRead?: boolean | undefined
}

/** What is used of a Redis or Valkey client. ioredis and iovalkey are such. */
export interface RedisKeyringClient {
  get (key: string): Promise<string | null>
  eval (script: string, keys: number, ...args: string[]): Promise<unknown>
}

export interface RedisKeyringOptions {
  /** Where the ring is. Default `'fastify-sealed-session:keyring'`. */
  key?: string | undefined
}

/** Servers that rotate by themselves. */
export interface Rotation {
  /** From one key's activation to the next one's, such as `'30d'`. */
  every: Duration
  /**
   * From a key's creation to its activation; by then every server must have reloaded the ring. Default `'1h'`, or half
   * of `every` if shorter.
   */
  activateIn?: Duration | undefined
  /** For how long a key opens sessions after it sealed the last one. Default: the longer of `'90d'` and `absolute`. */
  keepFor?: Duration | undefined
}
