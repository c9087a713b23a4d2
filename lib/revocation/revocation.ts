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
   * @param endsAtMs when the session is over by itself; Infinity where that is not known
   */
  async endSession (id: string, endsAtMs = Infinity): Promise<void> {
    await this.#endId(id, 'over', endsAtMs)
    this.#tell('id', keyOfId(id))
  }

  /**
   * Ends a session because of what became of it: it was deleted, or goes on under another id. Resolves to false where it was over
   * before. What the app said of a store that is away holds for this: it may go on without.
   * @param endsAtMs as above
   */
  async endReplaced (bearer: Bearer, end: End, endsAtMs = Infinity): Promise<boolean> {
    if (this.#memory.endOf(bearer) !== null) return false
    try {
      const before = await this.#endId(bearer.id, end, endsAtMs)
      this.#tell('id', keyOfId(bearer.id))
      return !isOver(bearer, [before])
    } catch (error) {
      if (!this.#terms.trustsWhenAway) throw error
      this.#memory.end(bearer.id, end, this.#terms.now())
      return true
    }
  }

  /**
   * Says that a copy of this session lives until then, so that its end is remembered for as long, however much shorter the life of
   * the copy is that is ended. What the app said of a store that is away holds for this, too.
   */
  async keepUntil (id: string, endsAtMs: number): Promise<void> {
    try {
      await this.#terms.store.raise(keyOfId(id), 0, this.#keepForMs(endsAtMs))
    } catch (error) {
      if (!this.#terms.trustsWhenAway) throw error
    }
  }

  /** Ends all sessions of a subject that began before now. Rejects with FST_SESSION_STORE_UNAVAILABLE. */
  async endSubject (key: string): Promise<void> {
    await this.#raise(key, await this.#dates.cutOffBeforeNow())
    this.#tell('subject', key)
  }

  /**
   * Ends a session that is to go on under another id. The store is asked first. Resolves to false where it was over; of two requests that do this at
   * once with one session, the second learns here that the first was quicker. Rejects with FST_SESSION_STORE_UNAVAILABLE.
   */
  async endIfGood (bearer: Bearer, endsAtMs: number): Promise<boolean> {
    if (isOver(bearer, await this.#ask(bearer))) return false
    return !isOver(bearer, [await this.#endId(bearer.id, 'replaced', endsAtMs)])
  }

  /**
   * Ends all sessions of a subject that began up to now, and up to `createdAtMs`. Resolves to the cut-off, and to the one that stood before.
   * Rejects with FST_SESSION_STORE_UNAVAILABLE.
   */
  async endOthers (key: string, createdAtMs: number): Promise<{ cutOffMs: number, before: number }> {
    const cutOffMs = this.#dates.cutOffUpTo(createdAtMs)
    const before = await this.#raise(key, cutOffMs)
    this.#tell('others', key)
    return { cutOffMs, before }
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

  async #endId (id: string, end: End, endsAtMs: number): Promise<number> {
    const { store, now } = this.#terms
    const before = await store.raise(keyOfId(id), cutOffBy(end, now() + CLOCK_SKEW_MS), this.#keepForMs(endsAtMs))
    this.#memory.end(id, end, now())
    return before
  }

  async #raise (key: string, cutOffMs: number): Promise<number> {
    const before = await this.#terms.store.raise(key, cutOffMs, this.#keepForMs(Infinity))
    this.#memory.cutOff(key, Math.max(before, cutOffMs), this.#terms.now())
    return before
  }

  /** Until the session is over by itself on all clocks of the fleet. */
  #keepForMs (endsAtMs: number): number {
    const { longestLifeMs, now } = this.#terms
    return (endsAtMs === Infinity ? longestLifeMs : Math.max(0, endsAtMs - now())) + CLOCK_SKEW_MS
  }
}
