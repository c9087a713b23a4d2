import { guard, keyedHash } from '../core/aead'
import { LABEL } from '../core/format'
import { TokenKey, type TokenKeys } from '../core/token'
import { InvalidKeyError } from '../errors'
import { idText, keyId } from './key-id'
import { ALWAYS, ONLY_OPENS, type Term } from './schedule'

/** What a derived key is for. A token made for one use does not open for another. */
export type KeyUse = 'cookie' | 'stamp' | 'signing'

/** A key and its term; 32 bytes, which are taken over and wiped. */
export interface TermedKey {
  readonly material: Buffer
  readonly term: Term
}

interface HeldKey {
  readonly id: number
  readonly material: Buffer
  readonly term: Term
}

/** The first seals, all open, for ever: what an array of keys means. The bytes are copied. */
export function fixedTerms (materials: readonly Buffer[]): TermedKey[] {
  return materials.map((material, index) => ({ material: Buffer.from(material), term: index === 0 ? ALWAYS : ONLY_OPENS }))
}

/**
 * The keys of a plugin or sealer. They lie in libsodium's guarded memory behind a private field, where no inspection,
 * serialization or log line reaches them. They may be replaced while tokens are sealed and opened.
 */
export class Keyring {
  #keys: ReadonlyMap<number, HeldKey> = new Map()
  /** By what they are derived from the keys with. */
  readonly #derived = new Map<string, DerivedKeys>()
  /** Another one each time that the keys are replaced. */
  version = 0

  /** The same key twice counts once; two keys with one id throw FST_SESSION_INVALID_KEY. One of them must seal at any time. Throws FST_SESSION_NO_GUARDED_MEMORY. */
  constructor (keys: readonly TermedKey[]) {
    this.replace(keys)
  }

  /** Puts other keys in the place of these. Throws as the constructor does, and then changes nothing. */
  replace (keys: readonly TermedKey[]): void {
    const kept = new Map<number, TermedKey>()
    for (const key of keys) {
      const id = keyId(key.material)
      const twin = kept.get(id)
      if (twin === undefined) kept.set(id, key)
      else if (!twin.material.equals(key.material)) throw new InvalidKeyError(`two different keys share the key id ${idText(id)}: generate a new key in place of one of them`)
    }
    const guarded = guard(Array.from(kept.values(), ({ material }) => material))
    const next = new Map(Array.from(kept, ([id, { term }], index) => [id, { id, material: guarded[index] as Buffer, term }]))
    const replacements = Array.from(this.#derived.values(), derived => derived.replacement(next))
    for (const { material } of keys) material.fill(0)
    for (const replace of replacements) replace()
    this.#keys = next
    this.version++
  }

  /** True where there is a key of this id, whether it still opens anything or not. */
  has (id: number): boolean {
    return this.#keys.has(id)
  }

  /** The keys of one use and one cookie name, derived once; they follow when the keys are replaced. */
  tokenKeys (use: KeyUse, cookieName: string): TokenKeys {
    const input = `${LABEL}${use}\0${cookieName}`
    const present = this.#derived.get(input)
    if (present !== undefined) return present
    const derived = new DerivedKeys(input)
    derived.replacement(this.#keys)()
    this.#derived.set(input, derived)
    return derived
  }

  /** Text secrets for signing cookies with `@fastify/cookie`: the first signs, all verify. */
  signingSecrets (nowMs: number): [string, ...string[]] {
    const input = `${LABEL}signing\0`
    const keys = [...this.#keys.values()].filter(({ term }) => nowMs < term.opensUntilMs).sort((a, b) => Number(seals(b.term, nowMs)) - Number(seals(a.term, nowMs)))
    return keys.map(({ material }) => keyedHash(material, input).toString('base64url')) as [string, ...string[]]
  }
}

interface DerivedKey {
  readonly key: TokenKey
  readonly term: Term
}

/** The keys of one use and one cookie name. Finding one costs the same with 1 key and with 100. */
class DerivedKeys implements TokenKeys {
  readonly #input: string
  #keys: ReadonlyMap<number, DerivedKey> = new Map()
  /** The key that sealed last, which mostly seals next. */
  #sealing: DerivedKey | undefined

  constructor (input: string) {
    this.#input = input
  }

  /** Derives keys from these, and returns what puts them in the place of those in use: that does not throw. */
  replacement (held: ReadonlyMap<number, HeldKey>): () => void {
    const guarded = guard(Array.from(held.values(), ({ material }) => keyedHash(material, this.#input)))
    const keys = new Map(Array.from(held.values(), ({ id, term }, index) => [id, { key: new TokenKey(id, guarded[index] as Buffer), term }]))
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
