/** Chance that can be thrown again: the same seed gives the same throws. Mulberry32. */
export class Dice {
  #state: number

  constructor (seed: number) {
    this.#state = seed >>> 0
  }

  /** From 0 to below 1. */
  share (): number {
    this.#state = (this.#state + 0x6D2B79F5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  between (least: number, most: number): number {
    return least + this.share() * (most - least)
  }

  chance (share: number): boolean {
    return this.share() < share
  }

  /** One of these; there must be one. */
  oneOf<T> (items: readonly T[]): T {
    return items[Math.floor(this.share() * items.length)] as T
  }

  /** Dice of their own for one part of a program, whose throws do not depend on what the others do. */
  another (): Dice {
    return new Dice(Math.floor(this.share() * 2 ** 32))
  }
}
