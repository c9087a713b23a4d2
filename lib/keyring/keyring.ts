import { guard, keyedHash } from '../core/aead'
import { KEY_ID_BYTES, LABEL } from '../core/format'
import { TokenKey, type TokenKeys } from '../core/token'
import { InvalidKeyError } from '../errors'

/** What a derived key is for. A token made for one use does not open for another. */
export type KeyUse = 'cookie' | 'stamp' | 'signing'

interface RingKey {
  readonly id: number
  readonly material: Buffer
}

/**
 * The keys of a plugin or sealer: the first seals, all open. They lie in libsodium's guarded memory behind a private
 * field, where no inspection, serialization or log line reaches them.
 */
export class Keyring {
  readonly #keys = new Map<number, RingKey>()
  readonly #first: RingKey

  /** @param materials 32 bytes each, copied. The same key twice counts once; two keys with one id throw FST_SESSION_INVALID_KEY. */
  constructor (materials: readonly [Buffer, ...Buffer[]]) {
    for (const material of materials) this.#add(material)
    this.#first = this.#keys.values().next().value as RingKey
  }

  #add (material: Buffer): void {
    const id = keyId(material)
    const present = this.#keys.get(id)
    if (present === undefined) {
      this.#keys.set(id, { id, material: guard(Buffer.from(material)) })
    } else if (!present.material.equals(material)) {
      throw new InvalidKeyError(`two different keys share the key id ${id.toString(16).padStart(2 * KEY_ID_BYTES, '0')}: generate one of them anew`)
    }
  }

  /** The keys derived for one use and one cookie name. */
  tokenKeys (use: KeyUse, cookieName: string): TokenKeys {
    const derived = new Map<number, TokenKey>()
    for (const { id, material } of this.#keys.values()) {
      derived.set(id, new TokenKey(id, guard(keyedHash(material, subkeyInput(use, cookieName)))))
    }
    const sealing = derived.get(this.#first.id) as TokenKey
    return { sealing, find: id => derived.get(id) }
  }

  /** Text secrets for signing cookies with `@fastify/cookie`: the first signs, all verify. */
  signingSecrets (): string[] {
    return Array.from(this.#keys.values(), ({ material }) => keyedHash(material, subkeyInput('signing', '')).toString('base64url'))
  }
}

function subkeyInput (use: KeyUse, cookieName: string): string {
  return `${LABEL}${use}\0${cookieName}`
}

function keyId (material: Buffer): number {
  return keyedHash(material, `${LABEL}key-id`).readUInt32BE(0)
}
