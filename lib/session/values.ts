import type { SessionRecord } from './codec'
import { NO_OBSERVER, type SessionObserver } from './context'
import type { OpenedData } from './opened'

/** The user's keys and values. They are parsed when the first of them is needed. */
export class Values {
  readonly #opened: OpenedData | null
  #record: SessionRecord | null
  readonly #observer: Pick<SessionObserver, 'mayBeMutated'>
  /** An object or array was handed out: the app may have changed it in place since. */
  mayBeMutated = false

  /** @param observer called when the first object is handed out */
  constructor (opened: OpenedData | null, observer: Pick<SessionObserver, 'mayBeMutated'> = NO_OBSERVER) {
    this.#opened = opened
    this.#record = opened === null ? {} : null
    this.#observer = observer
  }

  get record (): SessionRecord {
    this.#record ??= (this.#opened as OpenedData).freshRecord()
    return this.#record
  }

  /** Undefined for what is not an own key, such as `constructor`. */
  get (key: string): unknown {
    if (this.#record === null) {
      const plain = (this.#opened as OpenedData).plain(key)
      if (plain !== undefined) return plain
    }
    const { record } = this
    if (!Object.hasOwn(record, key)) return undefined
    const value = record[key]
    if (typeof value === 'object' && value !== null && !this.mayBeMutated) {
      this.mayBeMutated = true
      this.#observer.mayBeMutated()
    }
    return value
  }

  /** True where this very value is there. */
  holds (key: string, value: unknown): boolean {
    return this.has(key) && this.record[key] === value
  }

  set (key: string, value: unknown): void {
    // A plain assignment to `__proto__` would set the prototype.
    if (key !== '__proto__') this.record[key] = value
    else Object.defineProperty(this.record, key, { value, writable: true, enumerable: true, configurable: true })
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

  /** New values: those of these keys. */
  pick (keys: readonly string[]): Values {
    const picked = new Values(null, this.#observer)
    for (const key of keys.map(keyText)) {
      if (key !== null && this.has(key)) picked.set(key, this.record[key])
    }
    return picked
  }

  /** Runs `look`. The objects that it reads do not count as handed out: it must not change them. */
  untracked<T> (look: () => T): T {
    const { mayBeMutated } = this
    this.mayBeMutated = true
    try {
      return look()
    } finally {
      this.mayBeMutated = mayBeMutated
    }
  }
}

/** A key as text: a string or a number. Null for anything else, which is never a key. */
export function keyText (key: unknown): string | null {
  if (typeof key === 'string') return key
  return typeof key === 'number' ? String(key) : null
}
