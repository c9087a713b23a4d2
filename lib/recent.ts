/** A Map of at most so many entries: what was set longest ago makes room. */
export class Recent<Value> {
  readonly #most: number
  readonly #entries = new Map<string, Value>()

  constructor (most: number) {
    this.#most = most
  }

  get (name: string): Value | undefined {
    return this.#entries.get(name)
  }

  set (name: string, value: Value): void {
    this.#entries.delete(name)
    this.#entries.set(name, value)
    if (this.#entries.size > this.#most) this.#entries.delete(this.#oldest())
  }

  /** A Map keeps the order in which its entries were made. */
  #oldest (): string {
    const [[name]] = this.#entries as unknown as [[string]]
    return name
  }
}
