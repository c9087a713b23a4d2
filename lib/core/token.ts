import { decrypt, encrypt, randomize, TAG_BYTES } from './aead'
import { decodeBase64url, decodedLength } from './bytes'
import {
  CIPHERTEXT_AT, KEY_ID_AT, LONGEST_TOKEN, NONCE_AT, PARTS_AT, TOKEN_OVERHEAD_BYTES, VERSION, VERSION_AT
} from './format'
import { FORGED, MALFORMED, UNKNOWN_KEY, UNKNOWN_VERSION, type Refusal } from './refusal'

/** A key that seals tokens for one use and one cookie name. The bytes stay behind a private field, out of sight of any inspection. */
export class TokenKey {
  /** What tokens name this key by. */
  readonly id: number
  readonly #key: Buffer

  /** @param key taken over: it should lie in guarded memory */
  constructor (id: number, key: Buffer) {
    this.id = id
    this.#key = key
  }

  encrypt (token: Buffer): void {
    encrypt(token.subarray(CIPHERTEXT_AT), token.subarray(CIPHERTEXT_AT, -TAG_BYTES), head(token), nonce(token), this.#key)
  }

  /** The plaintext, in place of the ciphertext; null where the tag does not verify. */
  decrypt (token: Buffer): Buffer | null {
    const plaintext = token.subarray(CIPHERTEXT_AT, -TAG_BYTES)
    return decrypt(plaintext, token.subarray(CIPHERTEXT_AT), head(token), nonce(token), this.#key) ? plaintext : null
  }
}

/** The keys of one use and one cookie name. */
export interface TokenKeys {
  /** The key that seals now. */
  readonly sealing: TokenKey
  /** The key that an id names, whether it seals or not. */
  find (id: number): TokenKey | undefined
}

/** A token that is being made: room for all of it, with the plaintext written at CIPHERTEXT_AT before it is sealed. */
export function newToken (plaintextBytes: number): Buffer {
  return Buffer.allocUnsafe(plaintextBytes + TOKEN_OVERHEAD_BYTES)
}

/** Seals what was written into the token, in place, and spells it. Only test vectors give a nonce. */
export function sealToken (token: Buffer, keys: TokenKeys, parts: number, fixedNonce?: Buffer): string {
  token[VERSION_AT] = VERSION
  token[PARTS_AT] = parts
  token.writeUInt32BE(keys.sealing.id, KEY_ID_AT)
  if (fixedNonce === undefined) randomize(nonce(token))
  else fixedNonce.copy(nonce(token))
  keys.sealing.encrypt(token)
  return token.toString('base64url')
}

/**
 * The plaintext of a token, or the reason why there is none. Total: no text makes it throw.
 * `parts` is over how many cookies the text was found; the token must say the same.
 */
export function openToken (text: string, keys: TokenKeys, parts: number): Buffer | Refusal {
  if (text.length > LONGEST_TOKEN) return MALFORMED
  const token = Buffer.allocUnsafe(decodedLength(text.length))
  if (decodeBase64url(text, token) === null || token.length === 0) return MALFORMED
  if (token[VERSION_AT] !== VERSION) return UNKNOWN_VERSION
  if (token.length < TOKEN_OVERHEAD_BYTES || token[PARTS_AT] !== parts) return MALFORMED
  const key = keys.find(token.readUInt32BE(KEY_ID_AT))
  return key === undefined ? UNKNOWN_KEY : key.decrypt(token) ?? FORGED
}

function head (token: Buffer): Buffer {
  return token.subarray(0, NONCE_AT)
}

function nonce (token: Buffer): Buffer {
  return token.subarray(NONCE_AT, CIPHERTEXT_AT)
}
