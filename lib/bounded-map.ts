/** A Map of at most so many entries: the one that was set first makes room. */
export class BoundedMap<Value> {
  readonly #most: number
  readonly #entries = new Map<string, Value>()

  constructor (most: number) {
    this.#most = most
  }

  get (name: string): Value | undefined {
    return this.#entries.get(name)
  }

  /** Returns the value that made room, if one had to. */
  set (name: string, value: Value): Value | undefined {
    this.#entries.delete(name)
    this.#entries.set(name, value)
    return this.#entries.size > this.#most ? this.#takeOldest() : undefined
  }

  /** A Map keeps the order in which its entries were made. */
  #takeOldest (): Value {
    const [[name, value]] = this.#entries as unknown as [[string, Value]]
    this.#entries.delete(name)
    return value
  }
}
