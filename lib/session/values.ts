import type { Codec, Decoded, SessionRecord } from './codec'
import { JsonData } from './json-data'
import type { Watcher } from './policy'

const STARTS_WITH_DIGIT = /^\d/

/** The user's keys and values, apart from all fields of the library's own. */
export class Values {
  /** What was opened, while single values are taken from it; null where all are in the record. */
  #opened: JsonData | null
  /** Of what was opened, the values that were set or handed out. */
  #held: Map<string, unknown> | null = null
  #record: SessionRecord
  #handedOut = false
  readonly #watcher: Pick<Watcher, 'handedOut'> | undefined

  /**
   * @param opened its data is taken over, not copied
   * @param watcher told when the first object leaves
   */
  constructor (opened: Decoded | null = null, watcher?: Pick<Watcher, 'handedOut'>) {
    this.#opened = opened instanceof JsonData ? opened : null
    this.#record = opened === null || opened === this.#opened ? {} : opened.data
    this.#watcher = watcher
  }

  /** What `look` comes to. The objects it sees do not count as handed out: it is not to change them. */
  quietly<T> (look: () => T): T {
    const handedOut = this.#handedOut
    this.#handedOut = true
    try {
      return look()
    } finally {
      this.#handedOut = handedOut
    }
  }

  /** An object or array left our hands, and may have been changed in place since. */
  get handedOut (): boolean {
    return this.#handedOut
  }

  /** Undefined for what is not a key of the user's own, `constructor` and the like among it. */
  get (key: string): unknown {
    const value = this.#peek(key)
    if (typeof value === 'object' && value !== null && !this.#handedOut) {
      this.#handedOut = true
      this.#watcher?.handedOut()
    }
    return value
  }

  /** True where this very value is there. An object may have been changed in place since it was handed out. */
  holds (key: string, value: unknown): boolean {
    // An object that was not handed out is none that the caller could have.
    if (typeof value === 'object' && value !== null && this.#opened !== null) return this.#held?.get(key) === value
    return this.has(key) && this.#peek(key) === value
  }

  set (key: string, value: unknown): void {
    // An object puts keys that are numbers first, whenever they were set.
    if (STARTS_WITH_DIGIT.test(key)) this.#takeOut()
    if (this.#opened !== null) this.#hold(key, value)
    // Plain assignment would take `__proto__` for the prototype.
    else if (key === '__proto__') Object.defineProperty(this.#record, key, { value, writable: true, enumerable: true, configurable: true })
    else this.#record[key] = value
  }

  has (key: string): boolean {
    return this.#opened === null ? Object.hasOwn(this.#record, key) : this.#held?.has(key) === true || this.#opened.has(key)
  }

  unset (key: string): void {
    this.#takeOut()
    delete this.#record[key]
  }

  keys (): string[] {
    if (this.#opened === null) return Object.keys(this.#record)
    return [...new Set([...this.#opened.keys(), ...this.#held?.keys() ?? []])]
  }

  /** A shallow copy, with an ordinary prototype. */
  copy (): SessionRecord {
    for (const key of this.keys()) this.get(key)
    return { ...this.record }
  }

  /** All of them in one object. */
  get record (): SessionRecord {
    return this.#opened === null ? this.#record : Object.fromEntries(this.keys().map(key => [key, this.#peek(key)]))
  }

  /** New values: those of the named keys. */
  pick (keys: readonly string[]): Values {
    const kept = new Values(null, this.#watcher)
    for (const key of keys.map(keyText)) {
      if (key !== null && this.has(key)) kept.set(key, this.#peek(key))
    }
    return kept
  }

  /** Written down. Throws FST_SESSION_NOT_SERIALIZABLE, which names the key. */
  encode (codec: Codec): string | Buffer {
    if (this.#opened === null || codec.custom) return codec.encode(this.record)
    if (this.#held === null) return this.#opened.source
    return this.#opened.with(this.#held) ?? codec.encode(this.record)
  }

  #peek (key: string): unknown {
    if (this.#opened === null) return Object.hasOwn(this.#record, key) ? this.#record[key] : undefined
    if (this.#held?.has(key) === true) return this.#held.get(key)
    const value = this.#opened.get(key)
    // Whoever gets an object gets the same one again.
    if (typeof value === 'object' && value !== null) this.#hold(key, value)
    return value
  }

  #hold (key: string, value: unknown): void {
    this.#held ??= new Map()
    this.#held.set(key, value)
  }

  #takeOut (): void {
    this.#record = this.record
    this.#opened = null
    this.#held = null
  }
}

/** The text of a key, which is a string or a number; null for what is no key, so that no value has it. */
export function keyText (key: unknown): string | null {
  if (typeof key === 'string') return key
  return typeof key === 'number' ? String(key) : null
}
