import { MINUTE_MS } from '../time'
import type { TokenSet } from './token-set'

/** A refresh that waits for the provider, or for another server. */
export interface PendingRefresh {
  readonly result: Promise<TokenSet | null>
  /** Resolves when the provider has taken longer than `timeout`. */
  readonly late: Promise<void>
  isLate: boolean
}

/** What this process knows of one grant of a provider. */
export interface Grant {
  /** Undefined before the first refresh; null after the provider has ended the grant. */
  newest: TokenSet | null | undefined
  /** Null where none is under way. */
  refresh: PendingRefresh | null
  /** Until then a token that is still good is used: the provider was unavailable a moment ago. */
  retryAtMs: number
}

/** Requests that left the browser before the new cookie arrived bring the earlier tokens for this long. */
const KEEP_MS = 5 * MINUTE_MS
/** Each refresh takes two: that of the tokens before, and of those after. */
const MOST_NAMES = 20_000

/**
 * The grants that were refreshed lately. They are found by the hashes of their tokens, those of today and those before,
 * and only the newest tokens are kept in the clear.
 */
export class GrantMemory {
  /** In the order in which they end, if the clock was not set back. */
  readonly #entries = new Map<string, { readonly grant: Grant, readonly endsAtMs: number }>()

  isEmpty (nowMs: number): boolean {
    this.#forgetOld(nowMs)
    return this.#entries.size === 0
  }

  find (name: string, nowMs: number): Grant | undefined {
    this.#forgetOld(nowMs)
    const entry = this.#entries.get(name)
    // A clock that was set back leaves entries in another order than that of their ends.
    return entry !== undefined && entry.endsAtMs > nowMs ? entry.grant : undefined
  }

  remember (grant: Grant, name: string, nowMs: number): void {
    this.#entries.delete(name)
    this.#entries.set(name, { grant, endsAtMs: nowMs + KEEP_MS })
    if (this.#entries.size <= MOST_NAMES) return
    for (const [oldest, { grant }] of this.#entries) {
      if (grant.refresh !== null) continue
      this.#entries.delete(oldest)
      return
    }
  }

  #forgetOld (nowMs: number): void {
    for (const [name, { endsAtMs }] of this.#entries) {
      if (endsAtMs > nowMs) return
      this.#entries.delete(name)
    }
  }
}
