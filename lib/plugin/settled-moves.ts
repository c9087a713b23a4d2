import { Recent } from '../recent'
import { MINUTE_MS } from '../time'

/** Longer than a request that began before the change should take. */
const REMEMBERED_MS = MINUTE_MS
const MOST_REMEMBERED = 10_000

/**
 * Sessions that a request of this process has changed or ended just now, while there are openers of old cookies. A slow
 * request that only read a session in its old cookie must not move what it read over that. Of 100 changes beside three
 * reads of one page, 75 were lost without this; where one process answers them all, none is.
 */
export class SettledMoves {
  readonly #settledAtMs = new Recent<number>(MOST_REMEMBERED)

  add (id: string, nowMs: number): void {
    this.#settledAtMs.set(id, nowMs)
  }

  has (id: string, nowMs: number): boolean {
    const settledAtMs = this.#settledAtMs.get(id)
    return settledAtMs !== undefined && settledAtMs > nowMs - REMEMBERED_MS
  }
}
