/** Seconds as a number, or text with a unit such as `'15m'`, `'1d'`. */
export type Duration = number | string

/** 32 bytes, or text of them in base64, base64url or 64 hex digits. */
export type KeyInput = Buffer | Uint8Array | string

/**
 * The key, or keys: the first seals, all open. `undefined` fits the type, so that `process.env.SESSION_KEY` can be
 * given as it is; at boot it is refused with FST_SESSION_INVALID_OPTION or FST_SESSION_INVALID_KEY.
 */
export type KeyInputs = KeyInput | ReadonlyArray<KeyInput | undefined>

/** Writes a session's data down and reads it again. It must be deterministic: one data, one spelling. */
export interface Serializer {
  serialize (data: Record<string, unknown>): string | Buffer
  /** May throw: the cookie is then refused as malformed. */
  deserialize (bytes: Buffer): Record<string, unknown>
  /**
   * `false`: it opens the sessions that it wrote elsewhere, and JSON writes. For the first step of a rollout over many
   * servers, and for the way back to JSON. Default `true`.
   */
  readonly writes?: boolean | undefined
}
