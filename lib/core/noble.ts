import { randomFillSync } from 'node:crypto'
import type { Sodium } from './sodium'

/** A cipher of `@noble/ciphers`. `decrypt` throws if the tag does not verify. */
interface Cipher {
  encrypt (message: Uint8Array): Uint8Array
  decrypt (ciphertext: Uint8Array): Uint8Array
}

/** What is used of `@noble/ciphers` and `@noble/hashes`. */
interface Noble {
  xchacha20poly1305 (key: Uint8Array, nonce: Uint8Array, associated: Uint8Array): Cipher
  xsalsa20poly1305 (key: Uint8Array, nonce: Uint8Array): Cipher
  blake2b (input: Uint8Array, options: { dkLen: number, key?: Uint8Array }): Uint8Array
  argon2idAsync (
    password: Uint8Array, salt: Uint8Array, options: { t: number, m: number, p: number, dkLen: number }
  ): Promise<Uint8Array>
}

const KIB = 1024
const MODERATE = { passes: 3, bytes: 256 * KIB * KIB }
const ARGON2ID13 = 2

/** Throws if the packages are not installed. */
function loadNoble (): Noble {
  return {
    ...require('@noble/ciphers/chacha.js'),
    ...require('@noble/ciphers/salsa.js'),
    ...require('@noble/hashes/blake2.js'),
    ...require('@noble/hashes/argon2.js')
  }
}

/**
 * The functions of libsodium in JavaScript, for platforms where sodium-native does not load. The results are the same;
 * keys are in ordinary memory, and the time that a computation takes may depend on the key. Throws if `@noble/ciphers`
 * or `@noble/hashes` is not installed.
 */
export function nobleSodium (): Sodium {
  const { xchacha20poly1305, xsalsa20poly1305, blake2b, argon2idAsync } = loadNoble()
  return {
    crypto_aead_xchacha20poly1305_ietf_encrypt (ciphertext, message, associated, _, nonce, key) {
      ciphertext.set(xchacha20poly1305(key, nonce, associated).encrypt(message))
      return ciphertext.length
    },
    crypto_aead_xchacha20poly1305_ietf_decrypt (message, _, ciphertext, associated, nonce, key) {
      message.set(xchacha20poly1305(key, nonce, associated).decrypt(ciphertext))
      return message.length
    },
    crypto_secretbox_open_easy (message, ciphertext, nonce, key) {
      try {
        message.set(xsalsa20poly1305(key, nonce).decrypt(ciphertext))
        return true
      } catch {
        return false
      }
    },
    crypto_generichash (output, input, key) {
      output.set(blake2b(input, { dkLen: output.length, ...(key !== undefined && { key }) }))
    },
    async crypto_pwhash_async (output, password, salt, passes, bytes) {
      output.set(await argon2idAsync(password, salt, { t: passes, m: bytes / KIB, p: 1, dkLen: output.length }))
    },
    crypto_pwhash_OPSLIMIT_MODERATE: MODERATE.passes,
    crypto_pwhash_MEMLIMIT_MODERATE: MODERATE.bytes,
    crypto_pwhash_ALG_ARGON2ID13: ARGON2ID13,
    randombytes_buf (target) { randomFillSync(target) },
    sodium_malloc: bytes => Buffer.alloc(bytes),
    sodium_mprotect_readonly () {},
    sodium_mprotect_readwrite () {}
  }
}
