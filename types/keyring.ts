import type { Duration } from './sealing'

/**
 * Storage for a keyring. A keyring is one text, which only this package interprets. `fileKeyring` and `redisKeyring`
 * are built in. Your own store, for example for Vault or a KMS, needs two methods.
 */
export interface KeyringStore {
  /**
   * Reads the text.
   * @returns the text; null if there is no keyring yet. Rejects if this is not known: servers then keep the keyring
   * that they have
   */
  read (): Promise<string | null>
  /**
   * Atomic compare-and-set: if the store still holds `expected`, it writes `next`. Otherwise it changes nothing. Only
   * key rotation calls it, so a store that servers only read from may always reject.
   * @param expected the text that was read; null: no keyring
   * @param next the text to write
   * @returns true if `next` was written, else false. Rejects if the store cannot write
   */
  update (expected: string | null, next: string): Promise<boolean>
  /** The name of this store in messages, such as `keyring file /etc/app/keys.json`. It must not contain secrets. */
  readonly name?: string | undefined
}

/** The options of `fileKeyring`. */
export interface FileKeyringOptions {
  /**
   * Accept a file that is readable by other users than its owner, as Kubernetes mounts secrets.
   * @default false
   * @example
   * fileKeyring('/etc/app/keys.json', { othersMayRead: true })
   */
  othersMayRead?: boolean | undefined
}

/** The methods that are used of a Redis or Valkey client, such as ioredis or iovalkey. */
export interface RedisKeyringClient {
  get (key: string): Promise<string | null>
  eval (script: string, keys: number, ...args: string[]): Promise<unknown>
}

/** The options of `redisKeyring`. */
export interface RedisKeyringOptions {
  /**
   * The Redis key of the keyring.
   * @default 'fastify-sealed-session:keyring'
   * @example
   * redisKeyring(redis, { key: 'shop:keyring' })
   */
  key?: string | undefined
}

/**
 * The key of `wrappedKeyring`, which you keep elsewhere: in a KMS, say.
 * @example
 * const wrapping: secureSession.KeyWrapping = {
 *   wrap: async dataKey => await kms.encrypt(dataKey),
 *   unwrap: async wrapped => await kms.decrypt(wrapped)
 * }
 */
export interface KeyWrapping {
  /**
   * Encrypts a data key. It is called for each write of the keyring.
   * @param dataKey 32 random bytes
   * @returns the wrapped key, as bytes or text of at most 16 KB. Rejects if the key cannot be wrapped
   */
  wrap (dataKey: Buffer): Promise<Uint8Array | string> | Uint8Array | string
  /**
   * Decrypts what `wrap` returned, also what it returned under an earlier wrapping key. It is called once for each
   * change of the keyring that a server reads.
   * @param wrapped the bytes; of text, its bytes in UTF-8
   * @returns the 32 bytes of the data key. Rejects if the key cannot be unwrapped
   */
  unwrap (wrapped: Buffer): Promise<Uint8Array> | Uint8Array
}

/** Key rotation by the servers. Each time is in seconds, or text with a unit. */
export interface Rotation {
  /**
   * The time from the activation of one key to the activation of the next, such as `'30d'`.
   * @example
   * rotation: { every: '30d' }
   */
  every: Duration
  /**
   * The time from the creation of a key to its activation. Within this time, every server must reload the keyring.
   * @default '1h', or half of `every` if that is shorter
   * @example
   * rotation: { every: '30d', activateIn: '2h' }
   */
  activateIn?: Duration | undefined
  /**
   * How long a key opens sessions after the next key was activated.
   * @default the longer of '90d' and `absolute`
   * @example
   * rotation: { every: '30d', keepFor: '60d' }
   */
  keepFor?: Duration | undefined
}
