/** A Map with a maximum number of entries: when it is exceeded, the entry that was set first is removed. */
export class BoundedMap<Value> {
  readonly #max: number
  readonly #entries = new Map<string, Value>()

  constructor (max: number) {
    this.#max = max
  }

  get (name: string): Value | undefined {
    return this.#entries.get(name)
  }

  values (): Iterable<Value> {
    return this.#entries.values()
  }

  /** Returns the removed value, if the map was full. */
  set (name: string, value: Value): Value | undefined {
    this.#entries.delete(name)
    this.#entries.set(name, value)
    return this.#entries.size > this.#max ? this.#removeOldest() : undefined
  }

  /** A Map keeps the order in which its entries were set. */
  #removeOldest (): Value {
    const [[name, value]] = this.#entries as unknown as [[string, Value]]
    this.#entries.delete(name)
    return value
  }
}
