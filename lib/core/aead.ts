import { cipher } from './cipher'
import { KEY_BYTES } from './guarded-memory'
import { sodium } from './sodium'

export { guard, KEY_BYTES } from './guarded-memory'

// Of XChaCha20-Poly1305-IETF.
export const NONCE_BYTES = 24
export const TAG_BYTES = 16

/** Fills with random bytes of the operating system, and returns what it was given. */
export function randomize (target: Buffer): Buffer {
  sodium.randombytes_buf(target)
  return target
}

/** Encrypts `plaintext` into `ciphertext`, which is TAG_BYTES longer; the two may start at the same byte. */
export function encrypt (ciphertext: Uint8Array, plaintext: Uint8Array, associated: Buffer, nonce: Buffer, key: Buffer): void {
  cipher.encrypt(ciphertext, plaintext, associated, nonce, key)
}

/** Decrypts; false where the tag does not verify, and `plaintext` is then not to be used. */
export function decrypt (plaintext: Uint8Array, ciphertext: Uint8Array, associated: Buffer, nonce: Buffer, key: Buffer): boolean {
  return cipher.decrypt(plaintext, ciphertext, associated, nonce, key)
}

/** BLAKE2b-256 of `input` under `key`: https://doc.libsodium.org/hashing/generic_hashing */
export function keyedHash (key: Buffer, input: string): Buffer {
  const hash = Buffer.alloc(KEY_BYTES)
  sodium.crypto_generichash(hash, Buffer.from(input), key)
  return hash
}

/** The first `bytes` (16 or more) of BLAKE2b of `input`: tells inputs apart, and says nothing of one that cannot be guessed. */
export function fingerprint (input: string, bytes: number): Buffer {
  const hash = Buffer.alloc(bytes)
  sodium.crypto_generichash(hash, Buffer.from(input))
  return hash
}
