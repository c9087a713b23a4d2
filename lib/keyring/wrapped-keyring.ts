import type { KeyringStore, KeyWrapping } from '../../types/keyring'
import { describe, invalid, isObject, type Input } from '../checks'
import { decrypt, encrypt, guard, KEY_BYTES, NONCE_BYTES, randomize, TAG_BYTES } from '../core/aead'
import { decodeBase64url, decodedLength } from '../core/bytes'
import { InvalidKeyringError, KeyringUnavailableError } from '../errors'
import { parseKeyring } from './document'
import { nameOf, readKeyring, withReason } from './stored-keyring'

/**
 * The stored text: JSON with the wrapped data key and the keyring, which that key has sealed. Each write has a data key
 * of its own, so it seals once.
 */
interface Document {
  readonly version: number
  /** What `wrap` returned for the data key, in base64url. */
  readonly wrappedKey: string
  /** Nonce, ciphertext and tag of XChaCha20-Poly1305, in base64url. */
  readonly sealed: string
}

const VERSION = 1
const MOST_WRAPPED_BYTES = 16 * 1024
const MOST_ATTEMPTS = 100
const ASSOCIATED = Buffer.from('fastify-sealed-session keyring 1')

/**
 * A keyring that is stored encrypted, in any store. A random data key encrypts the keyring, and a key that you keep
 * elsewhere, such as in a KMS, encrypts (wraps) the data key. So a copy of the file or of Redis contains no usable key.
 * @param store the store of the encrypted text, such as `fileKeyring(path)` or `redisKeyring(client)`
 * @param wrapping `wrap` and `unwrap` of the key that you keep elsewhere
 * @throws {FST_SESSION_INVALID_OPTION} if `store` has no `read` and `update`, or `wrapping` no `wrap` and `unwrap`
 * @throws {FST_SESSION_KEYRING_UNAVAILABLE} from `read` and `update`, if the store fails, or `wrap` or `unwrap` rejects
 * @throws {FST_SESSION_INVALID_KEYRING} from `read` and `update`, if the text is not a wrapped keyring, or was altered
 * @example
 * const keyring = secureSession.wrappedKeyring(secureSession.fileKeyring('/etc/app/keys.json'), {
 *   wrap: async key => await kms.encrypt(key),
 *   unwrap: async wrapped => await kms.decrypt(wrapped)
 * })
 * await app.register(secureSession, { keyring })
 */
export function wrappedKeyring (store: KeyringStore, wrapping: KeyWrapping): KeyringStore {
  if (typeof store?.read !== 'function' || typeof store.update !== 'function') {
    throw invalid(`wrappedKeyring() takes a keyring store with read and update; found ${describe(store)}`)
  }
  return new WrappedKeyring(store, checkWrapping(wrapping, 'wrappedKeyring() takes'))
}

/**
 * Encrypts a stored keyring anew, with the wrapping key of now; also one that is not wrapped yet.
 * @throws FST_SESSION_KEYRING_UNAVAILABLE, FST_SESSION_INVALID_KEYRING; the store is then unchanged
 */
export async function rewrap (store: KeyringStore, wrapping: KeyWrapping): Promise<void> {
  const wrapped = new WrappedKeyring(store, wrapping)
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    if (await wrapped.rewrap(await readKeyring(store))) return
  }
  throw new KeyringUnavailableError(`${nameOf(store)} was changed by another writer at each attempt`)
}

/** Throws FST_SESSION_INVALID_OPTION. */
export function checkWrapping (wrapping: unknown, where: string): KeyWrapping {
  const { wrap, unwrap } = isObject(wrapping) ? wrapping : {}
  if (typeof wrap === 'function' && typeof unwrap === 'function') return wrapping as KeyWrapping
  throw invalid(`${where} an object with the functions wrap and unwrap; found ${describe(wrapping)}`)
}

class WrappedKeyring implements KeyringStore {
  readonly name: string
  readonly #store: KeyringStore
  readonly #wrapping: KeyWrapping
  /** The data key of the last text, so that a read of the same text needs no call of `unwrap`. */
  #known: { readonly wrappedKey: string, readonly dataKey: Buffer } | null = null

  constructor (store: KeyringStore, wrapping: KeyWrapping) {
    this.name = `wrapped ${nameOf(store)}`
    this.#store = store
    this.#wrapping = wrapping
  }

  async read (): Promise<string | null> {
    const text = await this.#store.read()
    return text === null ? null : await this.#open(text)
  }

  async update (expected: string | null, next: string): Promise<boolean> {
    const stored = await this.#store.read()
    const current = stored === null ? null : await this.#open(stored)
    if (current !== expected) return false
    return await this.#store.update(stored, await this.#seal(next))
  }

  /** False if the store no longer holds `stored`. */
  async rewrap (stored: string): Promise<boolean> {
    const keyring = isPlain(stored) ? stored : await this.#open(stored)
    parseKeyring(keyring, this.name)
    return await this.#store.update(stored, await this.#seal(keyring))
  }

  async #open (text: string): Promise<string> {
    const { wrappedKey, sealed } = this.#parsed(text)
    const sealedBytes = this.#bytes(sealed, 'sealed')
    if (sealedBytes.length < NONCE_BYTES + TAG_BYTES) throw this.#invalid('its "sealed" is too short')
    const dataKey = this.#known?.wrappedKey === wrappedKey ? this.#known.dataKey : await this.#unwrapped(wrappedKey)
    const plaintext = Buffer.alloc(sealedBytes.length - NONCE_BYTES - TAG_BYTES)
    const nonce = sealedBytes.subarray(0, NONCE_BYTES)
    if (!decrypt(plaintext, sealedBytes.subarray(NONCE_BYTES), ASSOCIATED, nonce, dataKey)) {
      throw this.#invalid('its data key does not open it: one of the two was altered')
    }
    this.#known = { wrappedKey, dataKey }
    const keyring = plaintext.toString()
    plaintext.fill(0)
    return keyring
  }

  async #seal (keyring: string): Promise<string> {
    const dataKey = randomize(Buffer.alloc(KEY_BYTES))
    const plaintext = Buffer.from(keyring)
    const sealed = Buffer.alloc(NONCE_BYTES + plaintext.length + TAG_BYTES)
    const nonce = randomize(sealed.subarray(0, NONCE_BYTES))
    encrypt(sealed.subarray(NONCE_BYTES), plaintext, ASSOCIATED, nonce, dataKey)
    plaintext.fill(0)
    try {
      const wrapped = await withReason(`the data key of ${this.name} cannot be wrapped`, async () => {
        return asBytes(await this.#wrapping.wrap(Buffer.from(dataKey)), 'wrap()')
      })
      const document: Document = {
        version: VERSION, wrappedKey: wrapped.toString('base64url'), sealed: sealed.toString('base64url')
      }
      return `${JSON.stringify(document, null, 2)}\n`
    } finally {
      dataKey.fill(0)
    }
  }

  async #unwrapped (wrappedKey: string): Promise<Buffer> {
    const wrapped = this.#bytes(wrappedKey, 'wrappedKey')
    const dataKey = await withReason(`the data key of ${this.name} cannot be unwrapped`, async () => {
      const bytes = asBytes(await this.#wrapping.unwrap(wrapped), 'unwrap()')
      if (bytes.length !== KEY_BYTES) throw new Error(`unwrap() must return ${KEY_BYTES} bytes; found ${bytes.length}`)
      return bytes
    })
    return guard([dataKey])[0] as Buffer
  }

  #parsed (text: string): Document {
    if (isPlain(text)) {
      throw this.#invalid('it is not wrapped yet: wrap it with "npx fastify-sealed-session rewrap --wrapping FILE"')
    }
    const { version, wrappedKey, sealed } = parsedObject(text)
    if (version !== VERSION || typeof wrappedKey !== 'string' || typeof sealed !== 'string') {
      throw this.#invalid(`it must be JSON with "version" ${VERSION}, "wrappedKey" and "sealed"`)
    }
    return { version, wrappedKey, sealed }
  }

  #bytes (text: string, name: string): Buffer {
    const bytes = Buffer.alloc(decodedLength(text.length))
    if (decodeBase64url(text, bytes) === bytes.length) return bytes
    throw this.#invalid(`its "${name}" is not base64url`)
  }

  #invalid (reason: string): Error {
    return new InvalidKeyringError(`${this.name} is invalid: ${reason}`)
  }
}

/** A keyring that is not wrapped. */
function isPlain (text: string): boolean {
  return parsedObject(text)['keys'] !== undefined
}

/** Empty for a text that is no JSON object. */
function parsedObject (text: string): Input {
  try {
    const document: unknown = JSON.parse(text)
    return isObject(document) ? document : {}
  } catch {
    return {}
  }
}

/** A copy, which the caller may wipe. */
function asBytes (value: unknown, what: string): Buffer {
  const isText = typeof value === 'string'
  if (!isText && !(value instanceof Uint8Array)) {
    throw new Error(`${what} must return bytes or a string; found ${describe(value)}`)
  }
  const bytes = isText ? Buffer.from(value) : Buffer.from(new Uint8Array(value))
  if (bytes.length > 0 && bytes.length <= MOST_WRAPPED_BYTES) return bytes
  throw new Error(`${what} must return from 1 to ${MOST_WRAPPED_BYTES} bytes; found ${bytes.length}`)
}
