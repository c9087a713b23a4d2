import { KEY_BYTES } from './guarded-memory'
import { sodium } from './sodium'

export { guard, KEY_BYTES } from './guarded-memory'

// The sizes of XChaCha20-Poly1305-IETF:
// https://doc.libsodium.org/secret-key_cryptography/aead/chacha20-poly1305/xchacha20-poly1305_construction
export const NONCE_BYTES = 24
export const TAG_BYTES = 16

/** Fills `target` with random bytes from the operating system, and returns it. */
export function randomize (target: Buffer): Buffer {
  sodium.randombytes_buf(target)
  return target
}

/** Encrypts `plaintext` into `ciphertext`, which is TAG_BYTES longer; both may start at the same byte. */
export function encrypt (
  ciphertext: Uint8Array, plaintext: Uint8Array, associated: Buffer, nonce: Buffer, key: Buffer
): void {
  sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(ciphertext, plaintext, associated, null, nonce, key)
}

/** Decrypts. Returns false if the tag does not verify: `plaintext` must not be used then. */
export function decrypt (
  plaintext: Uint8Array, ciphertext: Uint8Array, associated: Buffer, nonce: Buffer, key: Buffer
): boolean {
  // sodium-native throws for a wrong tag. The stack of that error would cost ten times as much as the decryption.
  const { stackTraceLimit } = Error
  Reflect.set(Error, 'stackTraceLimit', 0)
  let isGenuine = true
  try {
    sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(plaintext, null, ciphertext, associated, nonce, key)
  } catch {
    isGenuine = false
  }
  Reflect.set(Error, 'stackTraceLimit', stackTraceLimit)
  return isGenuine
}

/** BLAKE2b-256 of `input` under `key`: https://doc.libsodium.org/hashing/generic_hashing */
export function keyedHash (key: Buffer, input: string): Buffer {
  const hash = Buffer.alloc(KEY_BYTES)
  sodium.crypto_generichash(hash, Buffer.from(input), key)
  return hash
}

/** The first `bytes` (16 or more) of BLAKE2b of `input`. */
export function fingerprint (input: string, bytes: number): Buffer {
  const hash = Buffer.alloc(bytes)
  sodium.crypto_generichash(hash, Buffer.from(input))
  return hash
}
