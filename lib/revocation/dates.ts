import { setTimeout as pause } from 'node:timers/promises'
import { CLOCK_SKEW_MS, type Clock } from '../time'

/** A clock that stands still is not waited for. */
const MOST_PAUSES = 4

/** Keeps apart, in one process, the times of logins and of cut-offs, which may fall into one millisecond. */
export class Dates {
  readonly #now: Clock
  /** The latest cut-off that this process made of a subject. */
  #cutOffMs = 0
  /** The latest time that it gave a new session. */
  #issuedAtMs = 0

  constructor (now: Clock) {
    this.#now = now
  }

  /**
   * When a session that would have begun then is to have begun: never at or before a cut-off that this process made, and
   * never so far ahead that it would be refused.
   * @param cutOffMs of its subject, as another machine may have made it
   */
  ofLogin (begunAtMs: number, cutOffMs: number): number {
    const earliestMs = Math.max(begunAtMs, this.#cutOffMs + 1, cutOffMs + 1)
    const createdAtMs = Math.min(earliestMs, this.#now() + CLOCK_SKEW_MS)
    this.#issuedAtMs = Math.max(this.#issuedAtMs, createdAtMs)
    return createdAtMs
  }

  /**
   * A cut-off for all that began before this millisecond, so that a login in the same one survives it, whichever came first. What
   * this process has issued by now is before it: the clock moves on while it waits.
   */
  async cutOffBeforeNow (): Promise<number> {
    for (let turn = 0; turn < MOST_PAUSES && this.#now() <= this.#issuedAtMs; turn++) await pause(1)
    return this.#made(this.#now() - 1)
  }

  /** A cut-off for all that began up to now, and up to that time. */
  cutOffUpTo (atMs: number): number {
    return this.#made(Math.max(this.#now(), atMs))
  }

  #made (cutOffMs: number): number {
    this.#cutOffMs = Math.max(this.#cutOffMs, cutOffMs)
    return cutOffMs
  }
}
