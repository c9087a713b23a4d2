import { guard, keyedHash } from '../core/aead'
import { LABEL } from '../core/format'
import { TokenKey, type TokenKeys } from '../core/token'
import { InvalidKeyError } from '../errors'
import { idText, keyId } from './key-id'
import { ALWAYS, ONLY_OPENS, type Term } from './schedule'

/** What a derived key is for. A token made for one use does not open for another. */
export type KeyUse = 'cookie' | 'stamp' | 'proof' | 'device' | 'challenge' | 'purpose' | 'hand-over' | 'signing'

/** A key of 32 bytes and its term. The keyring copies the bytes and wipes the originals. */
export interface TermedKey {
  readonly material: Buffer
  readonly term: Term
}

interface GuardedKey {
  readonly id: number
  readonly material: Buffer
  readonly term: Term
}

/** The keys of an array, without an end: the first seals, all open. The bytes are copied. */
export function fixedTerms (materials: readonly Buffer[]): TermedKey[] {
  return materials.map((material, index) => {
    return { material: Buffer.from(material), term: index === 0 ? ALWAYS : ONLY_OPENS }
  })
}

/**
 * The keys of a plugin or sealer, in libsodium's guarded memory. They are in private fields, so that inspection,
 * serialization and log lines cannot show them. They can be replaced while tokens are sealed and opened.
 */
export class Keyring {
  #keys: ReadonlyMap<number, GuardedKey> = new Map()
  /** Derived keys, by the input of their derivation. */
  readonly #derived = new Map<string, DerivedKeys>()
  /** Incremented each time the keys are replaced. */
  version = 0

  /**
   * Equal keys count once. At any time, one key must seal.
   * @throws FST_SESSION_INVALID_KEY if two different keys have the same id
   * @throws FST_SESSION_NO_GUARDED_MEMORY
   */
  constructor (keys: readonly TermedKey[]) {
    this.replace(keys)
  }

  /** Replaces the keys. Throws the same errors as the constructor; the keyring is then unchanged. */
  replace (keys: readonly TermedKey[]): void {
    const kept = new Map<number, TermedKey>()
    for (const key of keys) {
      const id = keyId(key.material)
      const sameId = kept.get(id)
      if (sameId === undefined) {
        kept.set(id, key)
      } else if (!sameId.material.equals(key.material)) {
        const fix = 'generate a new key in place of one of them'
        throw new InvalidKeyError(`two different keys share the key id ${idText(id)}: ${fix}`)
      }
    }
    const guarded = guard(Array.from(kept.values(), ({ material }) => material))
    const next = new Map(Array.from(kept, ([id, { term }], index) => {
      return [id, { id, material: guarded[index] as Buffer, term }]
    }))
    const replacements = Array.from(this.#derived.values(), derived => derived.replacement(next))
    for (const { material } of keys) material.fill(0)
    for (const replace of replacements) replace()
    this.#keys = next
    this.version++
  }

  /** True if the keyring has a key with this id, also an expired or revoked one. */
  has (id: number): boolean {
    return this.#keys.has(id)
  }

  /** The keys of one use and one cookie name, derived once. They are updated when the keys are replaced. */
  tokenKeys (use: KeyUse, cookieName: string): TokenKeys {
    const input = `${LABEL}${use}\0${cookieName}`
    const existing = this.#derived.get(input)
    if (existing !== undefined) return existing
    const derived = new DerivedKeys(input)
    derived.replacement(this.#keys)()
    this.#derived.set(input, derived)
    return derived
  }

  /** Text secrets for signing cookies with `@fastify/cookie`: the first signs, all verify. */
  signingSecrets (nowMs: number): [string, ...string[]] {
    const input = `${LABEL}signing\0`
    const keys = [...this.#keys.values()]
      .filter(({ term }) => nowMs < term.opensUntilMs)
      .sort((a, b) => Number(seals(b.term, nowMs)) - Number(seals(a.term, nowMs)))
    return keys.map(({ material }) => keyedHash(material, input).toString('base64url')) as [string, ...string[]]
  }
}

/** Derives the keys of each use and cookie name. */
export type KeyDerivation = Pick<Keyring, 'tokenKeys'>

interface DerivedKey {
  readonly key: TokenKey
  readonly term: Term
}

/** The keys of one use and one cookie name. Finding a key takes the same time with 1 key and with 100. */
class DerivedKeys implements TokenKeys {
  readonly #input: string
  #keys: ReadonlyMap<number, DerivedKey> = new Map()
  /** The key that sealed last: usually the next one, too. */
  #sealing: DerivedKey | undefined

  constructor (input: string) {
    this.#input = input
  }

  /** Derives keys from `masters`. Returns a function that replaces the keys in use by them and does not throw. */
  replacement (masters: ReadonlyMap<number, GuardedKey>): () => void {
    const guarded = guard(Array.from(masters.values(), ({ material }) => keyedHash(material, this.#input)))
    const keys = new Map(Array.from(masters.values(), ({ id, term }, index) => {
      return [id, { key: new TokenKey(id, guarded[index] as Buffer), term }]
    }))
    return () => {
      this.#keys = keys
      this.#sealing = undefined
    }
  }

  sealing (nowMs: number): TokenKey {
    if (this.#sealing === undefined || !seals(this.#sealing.term, nowMs)) {
      for (const derived of this.#keys.values()) {
        if (seals(derived.term, nowMs)) this.#sealing = derived
      }
    }
    return (this.#sealing as DerivedKey).key
  }

  find (id: number, nowMs: number): TokenKey | undefined {
    const found = this.#keys.get(id)
    return found !== undefined && nowMs < found.term.opensUntilMs ? found.key : undefined
  }
}

function seals ({ sealsFromMs, sealsUntilMs }: Term, nowMs: number): boolean {
  return nowMs >= sealsFromMs && nowMs < sealsUntilMs
}
