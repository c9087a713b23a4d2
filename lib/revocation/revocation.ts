import type { RevokedEvent } from '../../types/events'
import { revoked } from '../events'
import { CLOCK_SKEW_MS, type Clock } from '../time'
import { cutOffBy, endIn, isOver, type Bearer, type End } from './bearer'
import { Dates } from './dates'
import { keyOfId } from './keys'
import { Memory } from './memory'
import type { PatientStore } from './patient-store'

/** Unknown: the store is to be asked. Unchecked: it was, in vain, and the app said to trust then. */
export type Standing = 'good' | 'unknown' | End
export type Verdict = 'good' | 'unchecked' | End

export interface RevocationTerms {
  readonly sessionName: string
  readonly store: PatientStore
  /** For how long a session is trusted after it was begun or checked. */
  readonly recheckMs: number
  readonly trustsWhenAway: boolean
  /** No session lives longer. */
  readonly longestLifeMs: number
  readonly now: Clock
}

interface Question {
  readonly atMs: number
  readonly answer: Promise<readonly number[]>
}

/** Which sessions are over. What the store said is remembered in this process, so that it is asked once a session and window. */
export class Revocation {
  readonly #terms: RevocationTerms
  readonly #memory = new Memory()
  readonly #dates: Dates
  readonly #asking = new Map<string, Question>()

  constructor (terms: RevocationTerms) {
    this.#terms = terms
    this.#dates = new Dates(terms.now)
  }

  /** What can be said at once. */
  standing (bearer: Bearer): Standing {
    const end = this.#memory.endOf(bearer)
    if (end !== null) return end
    const { recheckMs, now } = this.#terms
    const nowMs = now()
    const checkedAtMs = Math.min(this.checkedAtMs(bearer), nowMs)
    return nowMs - checkedAtMs < recheckMs && checkedAtMs > this.#memory.forgottenAtMs ? 'good' : 'unknown'
  }

  /** Asks the store. Rejects with FST_SESSION_STORE_UNAVAILABLE where it is away and the app did not say to trust then. */
  async check (bearer: Bearer): Promise<Verdict> {
    try {
      const cutOffs = await this.#lookUp(bearer)
      return this.#memory.endOf(bearer) ?? (isOver(bearer, cutOffs) ? 'over' : 'good')
    } catch (error) {
      const end = this.#memory.endOf(bearer)
      if (end !== null) return end
      if (this.#terms.trustsWhenAway) return 'unchecked'
      throw error
    }
  }

  /** When it was last known to be good: by the store, by its stamp, or by having just begun. */
  checkedAtMs ({ id, createdAtMs, checkedAtMs }: Bearer): number {
    return Math.max(createdAtMs, checkedAtMs, this.#memory.checkedAtMs(id))
  }

  /**
   * Ends the session of this id. The cut-off lies ahead of all clocks of the fleet: an id is never used again, so no other
   * login can be hurt. Rejects with FST_SESSION_STORE_UNAVAILABLE.
   */
  async endSession (id: string): Promise<void> {
    await this.#endId(id, 'over')
    this.#tell('id', keyOfId(id))
  }

  /**
   * Ends a session because of what became of it: it was deleted, or goes on under another id. Resolves to false where it was over
   * before. What the app said of a store that is away holds for this: it may go on without.
   */
  async endReplaced (bearer: Bearer, end: End): Promise<boolean> {
    if (this.#memory.endOf(bearer) !== null) return false
    try {
      const before = await this.#endId(bearer.id, end)
      this.#tell('id', keyOfId(bearer.id))
      return !isOver(bearer, [before])
    } catch (error) {
      if (!this.#terms.trustsWhenAway) throw error
      this.#memory.end(bearer.id, end, this.#terms.now())
      return true
    }
  }

  /** Ends all sessions of a subject that began before now. Rejects with FST_SESSION_STORE_UNAVAILABLE. */
  async endSubject (key: string): Promise<void> {
    await this.#raise(key, await this.#dates.cutOffBeforeNow())
    this.#tell('subject', key)
  }

  /**
   * Ends all sessions of a subject, this one as it is among them, and resolves to the time from which it may go on
   * under another id; null where it was over before. Rejects with FST_SESSION_STORE_UNAVAILABLE.
   * @param bearer null for a session that no cookie holds yet
   */
  async endOthers (bearer: Bearer | null, key: string): Promise<number | null> {
    if (bearer !== null && !await this.#endForOthers(bearer)) return null
    const cutOffMs = this.#dates.cutOffUpTo(bearer?.createdAtMs ?? 0)
    const before = await this.#raise(key, cutOffMs)
    this.#tell('others', key)
    return bearer !== null && isOver(bearer, [before]) ? null : cutOffMs + 1
  }

  /** Of two that do this at once with one session, the second learns here that the first was quicker. */
  async #endForOthers (bearer: Bearer): Promise<boolean> {
    if (isOver(bearer, await this.#ask(bearer))) return false
    return !isOver(bearer, [await this.#endId(bearer.id, 'replaced')])
  }

  /** The cut-off of a subject who logs in: another machine may have made it, whose clock is ahead. 0 where it cannot be told. */
  async cutOffOf (key: string): Promise<number> {
    try {
      const [cutOffMs] = await this.#terms.store.cutOffs([key]) as [number]
      return cutOffMs
    } catch {
      return 0
    }
  }

  /** When a session that would have begun then is to have begun: after that cut-off of its subject, and after all that this process made. */
  issue (begunAtMs: number, cutOffMs: number): number {
    return this.#dates.ofLogin(begunAtMs, cutOffMs)
  }

  #tell (by: RevokedEvent['by'], id: string): void {
    if (revoked.hasSubscribers) revoked.publish({ session: this.#terms.sessionName, by, id })
  }

  /** Parallel requests of one session share one answer, as long as it is no older than what would be trusted unasked. */
  #lookUp (bearer: Bearer): Promise<readonly number[]> {
    const { recheckMs, now } = this.#terms
    const name = [bearer.id, ...bearer.subjectKeys].join()
    const asked = this.#asking.get(name)
    if (asked !== undefined && now() - asked.atMs < recheckMs) return asked.answer
    const question = { atMs: now(), answer: this.#ask(bearer).finally(() => { if (this.#asking.get(name) === question) this.#asking.delete(name) }) }
    if (recheckMs > 0) this.#asking.set(name, question)
    return question.answer
  }

  async #ask (bearer: Bearer): Promise<readonly number[]> {
    const { id, subjectKeys } = bearer
    // The answer is as old as the question.
    const askedAtMs = this.#terms.now()
    const cutOffs = await this.#terms.store.cutOffs([keyOfId(id), ...subjectKeys])
    const [ofId, ...ofSubjects] = cutOffs as [number, ...number[]]
    const heardAtMs = this.#terms.now()
    if (isOver(bearer, [ofId])) this.#memory.end(id, endIn(ofId), heardAtMs)
    subjectKeys.forEach((key, index) => { this.#memory.cutOff(key, ofSubjects[index] as number, heardAtMs) })
    this.#memory.checked(id, askedAtMs)
    return cutOffs
  }

  async #endId (id: string, end: End): Promise<number> {
    const { store, now, longestLifeMs } = this.#terms
    const before = await store.raise(keyOfId(id), cutOffBy(end, now() + CLOCK_SKEW_MS), longestLifeMs + CLOCK_SKEW_MS)
    this.#memory.end(id, end, now())
    return before
  }

  async #raise (key: string, cutOffMs: number): Promise<number> {
    const { store, longestLifeMs, now } = this.#terms
    const before = await store.raise(key, cutOffMs, longestLifeMs + CLOCK_SKEW_MS)
    this.#memory.cutOff(key, Math.max(before, cutOffMs), now())
    return before
  }
}
