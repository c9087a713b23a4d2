import { setTimeout as pause } from 'node:timers/promises'
import { CLOCK_SKEW_MS, type Clock } from '../time'

/** The maximum number of pauses, in case the clock does not move. */
const MOST_PAUSES = 4

/** Orders the logins and revocations of this process that fall into one millisecond. */
export class IssueClock {
  readonly #now: Clock
  /** The latest time up to which this process revoked the sessions of a subject. */
  #revokedUpToMs = 0
  /** The latest `createdAt` that it issued. */
  #issuedAtMs = 0

  constructor (now: Clock) {
    this.#now = now
  }

  /**
   * The `createdAt` to issue: later than `revokedBeforeMs` and than any revocation made here, and never so far ahead
   * that the session would be refused as from the future.
   * @param begunAtMs when the session began
   * @param revokedBeforeMs of its subject, maybe made on another machine; 0 for none
   */
  createdAt (begunAtMs: number, revokedBeforeMs: number): number {
    const earliestMs = Math.max(begunAtMs, this.#revokedUpToMs + 1, revokedBeforeMs + 1)
    const createdAtMs = Math.min(earliestMs, this.#now() + CLOCK_SKEW_MS)
    this.#issuedAtMs = Math.max(this.#issuedAtMs, createdAtMs)
    return createdAtMs
  }

  /**
   * Revokes what began before this millisecond, so that a login in the same millisecond survives, whichever came first.
   * Waits until the clock has passed every `createdAt` issued here.
   */
  async revokeBeforeNow (): Promise<number> {
    for (let turn = 0; turn < MOST_PAUSES && this.#now() <= this.#issuedAtMs; turn++) await pause(1)
    return this.#revoke(this.#now() - 1)
  }

  /** Revokes what began up to now, and up to that time. */
  revokeUpTo (atMs: number): number {
    return this.#revoke(Math.max(this.#now(), atMs))
  }

  #revoke (upToMs: number): number {
    this.#revokedUpToMs = Math.max(this.#revokedUpToMs, upToMs)
    return upToMs
  }
}
