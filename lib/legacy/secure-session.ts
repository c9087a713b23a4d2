import { guard } from '../core/aead'
import { sodium } from '../core/sodium'
import { describe, duration, invalid, isObject, refuseUnknown } from '../checks'
import { UNSET } from '../keyring/key-material'
import { FIXED_KEY_NAMES, materialsOf, readFixedKeys, type FixedKeys } from '../keyring/fixed-keys'
import { MINUTE_MS, SECOND_MS } from '../time'
import type { LegacyCookie, LegacyOpener, LegacySession, SecureSessionOpenerOptions } from '../../types/legacy'
import { SHARED_OPTION_NAMES } from './sealed'

/** The tag of crypto_secretbox, XSalsa20-Poly1305: https://doc.libsodium.org/secret-key_cryptography/secretbox */
const MAC_BYTES = 16

/** The default salt of `@fastify/secure-session`. */
const DEFAULT_SALT = Buffer.from('mq9hDxBVDbspDR6nLfFT1g==', 'base64')
/** The default `expiry` of `@fastify/secure-session`. */
const DEFAULT_EXPIRY_MS = 86_401 * SECOND_MS
/** The key of the time of the last write, in seconds, among the values. */
const TIMESTAMP_KEY = '__ts'

// The format: ciphertext, a semicolon, a nonce of 24 bytes, and optionally the signature of `signed: true`. The
// signature is not checked: the ciphertext is authenticated. In a Cookie header the semicolon is percent-encoded;
// `@fastify/cookie` decodes it.
const SEPARATORS = ['%3B', ';']
const NONCE = /^([A-Za-z0-9+/]{32})(?:\.[A-Za-z0-9+/]{1,128})?$/
/** Browsers drop longer cookies: RFC 6265bis section 5.6. */
const LONGEST = 4096
/** The length of a nonce and a signature, with every character percent-encoded. */
const LONGEST_REST = 3 * (32 + 1 + 128)

/**
 * Opens cookies of `@fastify/secure-session`.
 * @throws {FST_SESSION_INVALID_OPTION} if an option is unknown or wrong
 * @throws {FST_SESSION_INVALID_KEY} if a key, secret or salt is invalid
 * @see https://github.com/fastify/fastify-secure-session
 * @example
 * const legacy = [secureSession.secureSessionOpener({ key: process.env['OLD_KEY'], cookieName: 'session' })]
 * await app.register(secureSession, { key: process.env['SESSION_KEY'], cookieName: '__Host-session', legacy })
 */
export function secureSessionOpener (options: SecureSessionOpenerOptions): LegacyOpener {
  return new SecureSessionLegacy(options)
}

export class SecureSessionLegacy implements LegacyOpener {
  readonly immediate = true
  readonly cookieName: string | undefined
  readonly cookie: LegacyCookie['cookie']
  readonly keep: boolean | undefined
  readonly tenant: string | undefined
  /** Null when the keys are in guarded memory. */
  #source: FixedKeys | null
  readonly #expiryMs: number
  #preparing: Promise<void> | null = null
  #keys: readonly Buffer[] = []

  constructor (options: SecureSessionOpenerOptions) {
    if (!isObject(options)) throw invalid(`secureSessionOpener() takes an object; found ${describe(options)}`)
    refuseUnknown(options, [...SHARED_OPTION_NAMES, ...FIXED_KEY_NAMES, 'expiry'], 'secureSessionOpener(): option')
    const { cookieName, cookie, keep, tenant, salt = DEFAULT_SALT, expiry }: SecureSessionOpenerOptions = options
    // `@fastify/secure-session` reads a text salt as latin1.
    const source = readFixedKeys({ ...options, salt: typeof salt === 'string' ? Buffer.from(salt, 'latin1') : salt })
    if (source === null) {
      const hint = 'key' in options || 'secret' in options ? UNSET : ''
      throw invalid('secureSessionOpener() needs the "key" or the "secret" of @fastify/secure-session; ' +
        `found neither${hint}`)
    }
    this.cookieName = cookieName
    this.cookie = cookie
    this.keep = keep
    this.tenant = tenant
    this.#source = source
    this.#expiryMs = duration(expiry, 'expiry', DEFAULT_EXPIRY_MS)
  }

  async prepare (): Promise<void> {
    if (this.#source !== null) this.#preparing ??= this.#loadKeys(this.#source)
    await this.#preparing
  }

  async #loadKeys (source: FixedKeys): Promise<void> {
    const materials = await materialsOf(source)
    this.#keys = guard(materials.map(material => Buffer.from(material)))
    this.#source = null
  }

  open (value: string, nowMs: number): LegacySession | null {
    const sealed = value.length > LONGEST ? null : partsOf(value)
    if (sealed === null) return null
    const { text, id } = sealed
    const ciphertext = Buffer.from(text, 'base64')
    if (ciphertext.length < MAC_BYTES) return null
    const nonce = Buffer.from(id, 'base64')
    const plaintext = Buffer.alloc(ciphertext.length - MAC_BYTES)
    const isOpen = this.#keys.some(key => sodium.crypto_secretbox_open_easy(plaintext, ciphertext, nonce, key))
    // Only the canonical base64 is accepted. Checked last: a forged cookie was refused before.
    return isOpen && ciphertext.toString('base64') === text ? sessionIn(plaintext, id, this.#expiryMs, nowMs) : null
  }
}

/**
 * The ciphertext as text, and the nonce, which identifies the cookie. The nonce is checked first, because it is short.
 */
function partsOf (value: string): { text: string, id: string } | null {
  const separator = SEPARATORS.find(one => value.includes(one))
  if (separator === undefined) return null
  const at = value.indexOf(separator)
  const rest = value.slice(at + separator.length)
  const id = rest.length > LONGEST_REST ? undefined : NONCE.exec(percentDecoded(rest))?.[1]
  return id === undefined ? null : { text: percentDecoded(value.slice(0, at)), id }
}

function sessionIn (plaintext: Buffer, id: string, expiryMs: number, nowMs: number): LegacySession | null {
  const { [TIMESTAMP_KEY]: timestamp, ...data } = recordIn(plaintext)
  // Without a time, or with another type of value under this key, the session would never expire.
  if (typeof timestamp !== 'number') return null
  const renewedAt = timestamp * SECOND_MS
  const isExpired = renewedAt + expiryMs <= nowMs
  const isFromTheFuture = renewedAt > nowMs + MINUTE_MS
  return isExpired || isFromTheFuture ? null : { data, renewedAt, id }
}

/** The JSON object in a plaintext; an empty object for any other text. */
function recordIn (plaintext: Buffer): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(plaintext.toString())
    return isObject(parsed) ? parsed : {}
  } catch {
    return {}
  }
}

function percentDecoded (value: string): string {
  try {
    return value.includes('%') ? decodeURIComponent(value) : value
  } catch {
    return ''
  }
}
