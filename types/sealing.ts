/** A number of seconds above 0, or text with a unit such as `'15m'` or `'1d'`. */
export type Duration = number | string

/** 32 bytes, or the same as text in base64, base64url or 64 hex digits. */
export type KeyInput = Buffer | Uint8Array | string

/**
 * One key or several: the first seals, all open. The type allows `undefined`, so that `process.env.SESSION_KEY` can be
 * passed directly. At boot, `undefined` is refused with FST_SESSION_INVALID_OPTION or FST_SESSION_INVALID_KEY.
 */
export type KeyInputs = KeyInput | ReadonlyArray<KeyInput | undefined>

/**
 * Writes and reads the data of a session. It must be deterministic: equal data is written as equal bytes.
 * @example
 * const serializer: secureSession.Serializer = {
 *   serialize: data => JSON.stringify(data),
 *   deserialize: bytes => JSON.parse(bytes.toString())
 * }
 */
export interface Serializer {
  /**
   * Writes the data. It may throw: the write of the session then fails with FST_SESSION_NOT_SERIALIZABLE.
   * @param data all values of the session
   */
  serialize (data: Record<string, unknown>): string | Buffer
  /**
   * Reads what `serialize` wrote. It may throw: the cookie is then refused as malformed.
   * @param bytes the bytes of the data; a string is its UTF-8
   */
  deserialize (bytes: Buffer): Record<string, unknown>
  /**
   * `false`: this serializer opens sessions that it wrote on another server, and JSON is used to write. For the first
   * step of a rollout over many servers, and for the change back to JSON.
   * @default true
   * @example
   * serializer: { serialize, deserialize, writes: false }
   */
  readonly writes?: boolean | undefined
}
