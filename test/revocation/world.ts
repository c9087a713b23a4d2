import secureSession from '../../index'
import type { SessionRef } from '../../lib/revocation/session-ref'
import { hashOfSubject, keyOf } from '../../lib/revocation/keys'
import { CircuitBreaker } from '../../lib/revocation/circuit-breaker'
import { Revocation, type RevocationContext } from '../../lib/revocation/revocation'

export const START_MS = Date.UTC(2026, 0, 1)
export const MINUTE_MS = 60_000
export const LIFE_MS = 3_600_000
export const AWAY = { code: 'FST_SESSION_STORE_UNAVAILABLE' }

export const ID = 'a'.repeat(32)
export const ADA = keyOf(hashOfSubject('session', 'ada'))

interface Asked {
  readonly answer: (cutOffs: readonly number[]) => void
  readonly fail: () => void
}

interface Raised {
  readonly key: string
  readonly cutOffMs: number
  readonly keepForMs: number
}

/** One store and one clock, for as many processes as a test begins. What the store is asked, it can be told to answer by hand. */
export class World implements secureSession.RevocationStore {
  nowMs = START_MS
  /** Questions are answered by hand from here on. */
  byHand = false
  isAway = false
  readonly asked: Asked[] = []
  readonly raised: Raised[] = []
  /** What another process does just before this one's cut-off of that key reaches the store. */
  justBefore: ((key: string) => Promise<unknown>) | null = null
  readonly now = (): number => this.nowMs
  readonly #held = secureSession.memoryRevocation({ now: this.now })

  async cutOffs (keys: readonly string[]): Promise<readonly number[]> {
    if (this.isAway) throw new Error('connection refused')
    const byHand = new Promise<readonly number[]>((resolve, reject) => {
      this.asked.push({ answer: resolve, fail: () => { reject(new Error('connection reset')) } })
    })
    return this.byHand ? await byHand : await this.#held.cutOffs(keys)
  }

  async raise (key: string, cutOffMs: number, keepForMs: number): Promise<number> {
    if (this.isAway) throw new Error('connection refused')
    const others = this.justBefore
    this.justBefore = null
    await others?.(key)
    this.raised.push({ key, cutOffMs, keepForMs })
    return await this.#held.raise(key, cutOffMs, keepForMs)
  }

  /** What one process knows of which sessions are over. */
  process (terms: Partial<RevocationContext> = {}): Revocation {
    const store = new CircuitBreaker(this, 10 * MINUTE_MS, { unavailable () {}, available () {} })
    return new Revocation({ sessionName: 'session', store, recheckMs: MINUTE_MS, trustsWhenUnavailable: false, longestLifeMs: LIFE_MS, now: this.now, ...terms })
  }
}

/** Ada's session, begun ten minutes ago, and not checked since. */
export function sessionRef (differing: Partial<SessionRef> = {}): SessionRef {
  return { id: ID, createdAtMs: START_MS - 10 * MINUTE_MS, checkedAtMs: 0, subjectKeys: [ADA], ...differing }
}
