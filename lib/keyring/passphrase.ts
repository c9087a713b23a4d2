import { KEY_BYTES } from '../core/aead'
import { sodium } from '../core/sodium'
import { InvalidKeyError } from '../errors'

const LEAST_SECRET_BYTES = 32
const SALT_BYTES = 16

/** The default salt: every server derives the same key. It is the same for all sites, so a warning is logged. */
const FIXED_SALT = Buffer.from('sealed-session-1')

/**
 * A key from a passphrase: Argon2id with libsodium's "moderate" limits (3 passes over 256 MiB), off the main thread.
 * https://doc.libsodium.org/password_hashing/default_phf
 */
export async function keyFromPassphrase (secret: Buffer, salt: Buffer = FIXED_SALT): Promise<Buffer> {
  const key = Buffer.alloc(KEY_BYTES)
  await sodium.crypto_pwhash_async(
    key, secret, salt,
    sodium.crypto_pwhash_OPSLIMIT_MODERATE, sodium.crypto_pwhash_MEMLIMIT_MODERATE, sodium.crypto_pwhash_ALG_ARGON2ID13)
  return key
}

/** The bytes of a secret. Throws FST_SESSION_INVALID_KEY if it is not text or bytes, or shorter than 32 bytes. */
export function secretBytes (secret: unknown): Buffer {
  const bytes = bytesOf(secret, 'secret')
  if (bytes.length < LEAST_SECRET_BYTES) {
    throw new InvalidKeyError(`secret must be at least ${LEAST_SECRET_BYTES} bytes`, { cause: found(bytes) })
  }
  return bytes
}

/** The bytes of a salt. Throws FST_SESSION_INVALID_KEY if it is not text or bytes of exactly 16 bytes. */
export function saltBytes (salt: unknown): Buffer {
  const bytes = bytesOf(salt, 'salt')
  if (bytes.length !== SALT_BYTES) {
    throw new InvalidKeyError(`salt must be length ${SALT_BYTES}`, { cause: found(bytes) })
  }
  return bytes
}

/** The length found is the cause: the message is exactly that of `@fastify/secure-session`. */
function found ({ length }: Buffer): Error {
  return new Error(`found ${length} bytes`)
}

function bytesOf (value: unknown, name: string): Buffer {
  if (typeof value === 'string') return Buffer.from(value)
  if (value instanceof Uint8Array) return Buffer.from(value)
  throw new InvalidKeyError(`${name} must be a string or a Buffer; found ${value === null ? 'null' : typeof value}`)
}
