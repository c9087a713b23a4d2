import { InvalidOptionError, NotSerializableError } from '../errors'
import type { SessionRecord } from './codec'
import type { Watcher } from './policy'

/** The user's keys and values, in a record of their own that no field of the library's enters. */
export class Values {
  readonly record: SessionRecord
  #handedOut = false

  readonly #watcher: Pick<Watcher, 'handedOut'> | undefined

  /**
   * @param record taken over, not copied
   * @param watcher told when the first object leaves
   */
  constructor (record: SessionRecord = {}, watcher?: Pick<Watcher, 'handedOut'>) {
    this.record = record
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
    const value = Object.hasOwn(this.record, key) ? this.record[key] : undefined
    if (typeof value === 'object' && value !== null && !this.#handedOut) {
      this.#handedOut = true
      this.#watcher?.handedOut()
    }
    return value
  }

  set (key: string, value: unknown): void {
    // Plain assignment would take `__proto__` for the prototype.
    if (key === '__proto__') Object.defineProperty(this.record, key, { value, writable: true, enumerable: true, configurable: true })
    else this.record[key] = value
  }

  has (key: string): boolean {
    return Object.hasOwn(this.record, key)
  }

  unset (key: string): void {
    delete this.record[key]
  }

  keys (): string[] {
    return Object.keys(this.record)
  }

  /** A shallow copy, with an ordinary prototype. */
  copy (): SessionRecord {
    for (const key of this.keys()) this.get(key)
    return { ...this.record }
  }

  /** New values: those of the named keys. */
  pick (keys: readonly string[]): Values {
    const kept = new Values({}, this.#watcher)
    for (const key of keys) {
      if (this.has(key)) kept.set(key, this.record[key])
    }
    return kept
  }
}

/** Throws FST_SESSION_NOT_SERIALIZABLE for what JSON cannot write, or would drop in silence; what is nested is found when it is written. */
export function refuseUnwritable (key: unknown, value: unknown): void {
  if (typeof key !== 'string' && typeof key !== 'number') throw new InvalidOptionError(`the key of a session's value must be a string; found ${typeof key}`)
  if (typeof value === 'function' || typeof value === 'symbol' || typeof value === 'bigint') {
    throw new NotSerializableError(`the value of "${key}" is a ${typeof value}, which cannot be written down`)
  }
}
