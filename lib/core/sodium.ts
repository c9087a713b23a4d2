import { SodiumUnavailableError } from '../errors'
import { nobleSodium } from './noble'

/** The functions of libsodium in use: an AEAD, a hash, a password hash, random bytes and guarded memory. */
export interface Sodium {
  crypto_aead_xchacha20poly1305_ietf_encrypt (
    ciphertext: Uint8Array, message: Uint8Array, ad: Buffer, nsec: null, nonce: Buffer, key: Buffer
  ): number
  /** Throws if the tag does not verify. */
  crypto_aead_xchacha20poly1305_ietf_decrypt (
    message: Uint8Array, nsec: null, ciphertext: Uint8Array, ad: Buffer, nonce: Buffer, key: Buffer
  ): number
  /** XSalsa20-Poly1305; false if the tag does not verify. Only for legacy cookies of `@fastify/secure-session`. */
  crypto_secretbox_open_easy (message: Uint8Array, ciphertext: Uint8Array, nonce: Buffer, key: Buffer): boolean
  crypto_generichash (output: Buffer, input: Buffer, key?: Buffer): void
  crypto_pwhash_async (
    output: Buffer, password: Buffer, salt: Buffer, opslimit: number, memlimit: number, algorithm: number
  ): Promise<void>
  readonly crypto_pwhash_OPSLIMIT_MODERATE: number
  readonly crypto_pwhash_MEMLIMIT_MODERATE: number
  readonly crypto_pwhash_ALG_ARGON2ID13: number
  randombytes_buf (target: Buffer): void
  sodium_malloc (bytes: number): Buffer
  sodium_mprotect_readonly (buffer: Buffer): void
  sodium_mprotect_readwrite (buffer: Buffer): void
}

// The vector of draft-irtf-cfrg-xchacha-03, appendix A.3.1: its first 16 bytes of ciphertext.
const SELF_TEST = {
  key: '808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f',
  nonce: '404142434445464748494a4b4c4d4e4f5051525354555657',
  plaintext: 'Ladies and Gentl',
  ciphertext: 'bd6d179d3e83d43b9576579493c0e939'
}

function unavailable (what: string, cause?: unknown): Error {
  return new SodiumUnavailableError(
    `${what} (${platform()}). There are two ways. 1: an image with glibc, "FROM node:22-slim" in place of ` +
    '"FROM node:22-alpine", and "RUN npm install sodium-native" in it: the binary of sodium-native must not be ' +
    'copied from another platform, nor be bundled (mark it as external). 2: on Alpine Linux, and where no binary ' +
    'can be loaded, "RUN npm install @noble/ciphers @noble/hashes": they are used in place of libsodium, are ' +
    'slower, and cannot protect the memory of keys', { cause })
}

function platform (): string {
  return `${process.platform}-${process.arch}, Node ${process.version}`
}

/** True if the cipher of libsodium gives the result of the test vector. */
export function computesTheKnownAnswer (sodium: Pick<Sodium, 'crypto_aead_xchacha20poly1305_ietf_encrypt'>): boolean {
  const message = Buffer.from(SELF_TEST.plaintext)
  const ciphertext = Buffer.alloc(message.length + 16)
  sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(
    ciphertext, message, Buffer.alloc(0), null, Buffer.from(SELF_TEST.nonce, 'hex'), Buffer.from(SELF_TEST.key, 'hex'))
  return ciphertext.toString('hex', 0, message.length) === SELF_TEST.ciphertext
}

/**
 * Loads libsodium and runs a self-test. Where it does not load, the packages of noble take its place, if they are
 * installed, and a warning of the process says so. Throws FST_SESSION_SODIUM_UNAVAILABLE, which says what to install.
 */
export function loadSodium (load: () => unknown, loadSubstitute: () => Sodium = nobleSodium): Sodium {
  let sodium: Sodium
  try {
    sodium = load() as Sodium
  } catch (cause) {
    const reason = (cause as Error).message.split('\n', 1)[0] as string
    const substitute = attempt(loadSubstitute)
    if (substitute === null) throw unavailable(`libsodium did not load: ${reason}`, cause)
    warnOfSubstitute(reason)
    sodium = substitute
  }
  if (!computesTheKnownAnswer(sodium)) throw unavailable('libsodium loaded, but its cipher gives a wrong result')
  return sodium
}

function attempt (load: () => Sodium): Sodium | null {
  try {
    return load()
  } catch {
    return null
  }
}

function warnOfSubstitute (reason: string): void {
  process.emitWarning(
    `fastify-sealed-session: sodium-native did not load (${platform()}: ${reason}), so @noble/ciphers and ` +
    '@noble/hashes are used. Keys are in ordinary memory, which may be swapped to disk or dumped. Sealing and ' +
    'opening take about 12 times as long, and a key from "secret" takes seconds at boot: use "key" or "keyring"',
    { code: 'FST_SESSION_WITHOUT_SODIUM' })
}

export const sodium: Sodium = loadSodium(() => require('sodium-native'))
