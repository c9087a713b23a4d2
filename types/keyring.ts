import type { Duration } from './sealing'

/**
 * Storage for a keyring. A keyring is one text, which only this package interprets. `fileKeyring` and `redisKeyring`
 * are built in. Your own store, for example for Vault or a KMS, needs two methods.
 */
export interface KeyringStore {
  /**
   * The text; null if there is no keyring yet. Rejects if this is not known: servers then keep the keyring they have.
   */
  read (): Promise<string | null>
  /**
   * Atomic compare-and-set. If the store still holds `expected` (null: no keyring), it writes `next` and resolves to
   * true. Otherwise it changes nothing and resolves to false. Rejects if it cannot write. Only key rotation calls it,
   * so a store that servers only read from may always reject.
   */
  update (expected: string | null, next: string): Promise<boolean>
  /** The name of this store in messages, such as `keyring file /etc/app/keys.json`. It must not contain secrets. */
  readonly name?: string | undefined
}

export interface FileKeyringOptions {
  /** Accept a file that is readable by other users than its owner, as Kubernetes mounts secrets. Default `false`. */
  othersMayRead?: boolean | undefined
}

/** The methods that are used of a Redis or Valkey client, such as ioredis or iovalkey. */
export interface RedisKeyringClient {
  get (key: string): Promise<string | null>
  eval (script: string, keys: number, ...args: string[]): Promise<unknown>
}

export interface RedisKeyringOptions {
  /** The Redis key of the keyring. Default `'fastify-sealed-session:keyring'`. */
  key?: string | undefined
}

/** Key rotation by the servers. */
export interface Rotation {
  /** The time from the activation of one key to the activation of the next, such as `'30d'`. */
  every: Duration
  /**
   * The time from the creation of a key to its activation. Within this time, every server must reload the keyring.
   * Default `'1h'`, or half of `every` if that is shorter.
   */
  activateIn?: Duration | undefined
  /** How long a key opens sessions after the next key was activated. Default: the longer of `'90d'` and `absolute`. */
  keepFor?: Duration | undefined
}
