import type { RevokedEvent } from '../../types/events'
import { about, revoked } from '../events'
import { CLOCK_SKEW_MS, type Clock } from '../time'
import type { CircuitBreaker } from './circuit-breaker'
import { IssueClock } from './issue-clock'
import { keyOfId, keyOfToken } from './keys'
import { RevocationCache } from './revocation-cache'
import { endIn, isRevoked, timeOfEnd, type End, type SessionRef } from './session-ref'

/** Unknown: the store must be asked. */
export type KnownStatus = 'active' | 'unknown' | End
/** Unavailable-trusted: the store is unavailable, and the app said to trust sessions then. */
export type CheckedStatus = 'active' | 'unavailable-trusted' | End

export interface RevocationContext {
  readonly sessionName: string
  /** In the events; null without tenants. */
  readonly tenant?: string | null
  readonly store: CircuitBreaker
  /** For how long a session is trusted after it began or was checked. */
  readonly recheckMs: number
  readonly trustsWhenUnavailable: boolean
  /** No session lives longer. */
  readonly longestLifeMs: number
  readonly now: Clock
}

interface Lookup {
  readonly atMs: number
  readonly answer: Promise<readonly number[]>
}

/** Which sessions were revoked. The store is asked once per session and `recheckMs`. */
export class Revocation {
  readonly #context: RevocationContext
  readonly #cache: RevocationCache
  readonly #clock: IssueClock
  /** Those under way, by session. */
  readonly #lookups: Map<string, Lookup>

  /** @param shared what it knows of the store, and uses, is that of another one */
  constructor (context: RevocationContext, shared: Revocation | null = null) {
    this.#context = context
    this.#cache = shared === null ? new RevocationCache() : shared.#cache
    this.#clock = shared === null ? new IssueClock(context.now) : shared.#clock
    this.#lookups = shared === null ? new Map() : shared.#lookups
  }

  /** For the sessions of a tenant: its events name the tenant. Ids, and the hashes of subjects, are unique. */
  forTenant (tenant: string): Revocation {
    return new Revocation({ ...this.#context, tenant }, this)
  }

  /** The status that is known without asking the store. */
  status (ref: SessionRef): KnownStatus {
    const end = this.#cache.endOf(ref)
    if (end !== null) return end
    const { recheckMs, now } = this.#context
    const nowMs = now()
    const checkedAtMs = Math.min(this.checkedAtMs(ref), nowMs)
    return nowMs - checkedAtMs < recheckMs && checkedAtMs > this.#cache.droppedAtMs ? 'active' : 'unknown'
  }

  /** Asks the store. Rejects with FST_SESSION_STORE_UNAVAILABLE, unless sessions are trusted then. */
  async check (ref: SessionRef): Promise<CheckedStatus> {
    try {
      const revokedBefore = await this.#lookUp(ref)
      return this.#cache.endOf(ref) ?? (isRevoked(ref, revokedBefore) ? 'revoked' : 'active')
    } catch (error) {
      const end = this.#cache.endOf(ref)
      if (end !== null) return end
      if (this.#context.trustsWhenUnavailable) return 'unavailable-trusted'
      throw error
    }
  }

  /** When the session was last known to be active: by the store, by its stamp, or because it began then. */
  checkedAtMs ({ id, createdAtMs, checkedAtMs }: SessionRef): number {
    return Math.max(createdAtMs, checkedAtMs, this.#cache.checkedAtMs(id))
  }

  /**
   * Revokes the session of this id. The time in the store is ahead of all clocks of the fleet: an id is never used
   * again, so no other login is affected. Rejects with FST_SESSION_STORE_UNAVAILABLE.
   * @param endsAtMs when the session expires; Infinity where that is not known
   */
  async revokeId (id: string, endsAtMs = Infinity): Promise<void> {
    await this.#end(id, 'revoked', endsAtMs)
    this.#publish('id', keyOfId(id))
  }

  /**
   * Revokes a session that was deleted, or that goes on under another id. False where it was revoked before. Where
   * sessions are trusted while the store is unavailable, this does not reject then either.
   * @param endsAtMs when the session expires; Infinity where that is not known
   */
  async revokeReplaced (ref: SessionRef, end: End, endsAtMs = Infinity): Promise<boolean> {
    if (this.#cache.endOf(ref) !== null) return false
    try {
      const before = await this.#end(ref.id, end, endsAtMs)
      this.#publish('id', keyOfId(ref.id))
      return !isRevoked(ref, [before])
    } catch (error) {
      if (!this.#context.trustsWhenUnavailable) throw error
      this.#cache.setEnd(ref.id, end, this.#context.now())
      return true
    }
  }

  /**
   * Keeps a revocation of this id until then: a copy of the session may live longer than the one that is revoked. Where
   * sessions are trusted while the store is unavailable, this does not reject then either.
   */
  async keepUntil (id: string, endsAtMs: number): Promise<void> {
    try {
      await this.#context.store.raise(keyOfId(id), 0, this.#keepForMs(endsAtMs))
    } catch (error) {
      if (!this.#context.trustsWhenUnavailable) throw error
    }
  }

  /** Revokes all sessions of a subject that began before now. Rejects with FST_SESSION_STORE_UNAVAILABLE. */
  async revokeSubject (key: string): Promise<void> {
    await this.#revokeBefore(key, await this.#clock.revokeBeforeNow())
    this.#publish('subject', key)
  }

  /**
   * Revokes a session that goes on under another id; the store is asked first. False where it was revoked before: of
   * two requests that do this at the same time with one session, the second gets false. Rejects with
   * FST_SESSION_STORE_UNAVAILABLE.
   */
  async revokeReissued (ref: SessionRef, endsAtMs: number): Promise<boolean> {
    if (isRevoked(ref, await this.#askStore(ref))) return false
    return !isRevoked(ref, [await this.#end(ref.id, 'replaced', endsAtMs)])
  }

  /**
   * Revokes all sessions of a subject that began up to now, and up to `createdAtMs`. Resolves to that time, and to the
   * one before in the store. Rejects with FST_SESSION_STORE_UNAVAILABLE.
   */
  async revokeOthers (key: string, createdAtMs: number): Promise<{ upToMs: number, before: number }> {
    const upToMs = this.#clock.revokeUpTo(createdAtMs)
    const before = await this.#revokeBefore(key, upToMs)
    this.#publish('others', key)
    return { upToMs, before }
  }

  /**
   * Up to when the sessions of a subject are revoked, for its login: the clock of another machine may be ahead. 0 where
   * it is not known.
   */
  async revokedBeforeOf (key: string): Promise<number> {
    try {
      const [timeMs] = await this.#context.store.revokedBefore([key]) as [number]
      return timeMs
    } catch {
      return 0
    }
  }

  /** As `revokedBeforeOf`. Rejects with FST_SESSION_STORE_UNAVAILABLE, unless sessions are trusted then. */
  async knownRevokedBefore (key: string): Promise<number> {
    if (this.#context.trustsWhenUnavailable) return await this.revokedBeforeOf(key)
    const [timeMs] = await this.#context.store.revokedBefore([key]) as [number]
    return timeMs
  }

  /**
   * Uses up a token that opens once. True for one of all calls with its id, on all servers: the store raises
   * atomically, and resolves to the time before. Rejects with FST_SESSION_STORE_UNAVAILABLE, also where sessions are
   * trusted then.
   */
  async useUp (id: Buffer, madeAtMs: number, expiresAtMs: number): Promise<boolean> {
    const before = await this.#context.store.raise(keyOfToken(id), expiresAtMs, this.#keepForMs(expiresAtMs))
    return !isRevoked({ createdAtMs: madeAtMs }, [before])
  }

  /** See `IssueClock`. */
  createdAt (begunAtMs: number, revokedBeforeMs: number): number {
    return this.#clock.createdAt(begunAtMs, revokedBeforeMs)
  }

  #publish (by: RevokedEvent['by'], id: string): void {
    if (!revoked.hasSubscribers) return
    const { sessionName, tenant = null } = this.#context
    revoked.publish({ ...about(sessionName, tenant), by, id })
  }

  /** Parallel requests with one session share one answer that is not older than `recheckMs`. */
  #lookUp (ref: SessionRef): Promise<readonly number[]> {
    const { recheckMs, now } = this.#context
    const name = [ref.id, ...ref.subjectKeys].join()
    const present = this.#lookups.get(name)
    if (present !== undefined && now() - present.atMs < recheckMs) return present.answer
    const answer = this.#askStore(ref).finally(() => {
      if (this.#lookups.get(name) === lookup) this.#lookups.delete(name)
    })
    const lookup = { atMs: now(), answer }
    if (recheckMs > 0) this.#lookups.set(name, lookup)
    return answer
  }

  async #askStore (ref: SessionRef): Promise<readonly number[]> {
    const { id, subjectKeys } = ref
    // The answer is as old as the question.
    const askedAtMs = this.#context.now()
    const revokedBefore = await this.#context.store.revokedBefore([keyOfId(id), ...subjectKeys])
    const [ofId, ...ofSubjects] = revokedBefore as [number, ...number[]]
    const nowMs = this.#context.now()
    if (isRevoked(ref, [ofId])) this.#cache.setEnd(id, endIn(ofId), nowMs)
    subjectKeys.forEach((key, index) => { this.#cache.setRevokedBefore(key, ofSubjects[index] as number, nowMs) })
    this.#cache.setChecked(id, askedAtMs)
    return revokedBefore
  }

  async #end (id: string, end: End, endsAtMs: number): Promise<number> {
    const { store, now } = this.#context
    const timeMs = timeOfEnd(end, now() + CLOCK_SKEW_MS)
    const before = await store.raise(keyOfId(id), timeMs, this.#keepForMs(endsAtMs))
    this.#cache.setEnd(id, end, now())
    return before
  }

  async #revokeBefore (key: string, timeMs: number): Promise<number> {
    const before = await this.#context.store.raise(key, timeMs, this.#keepForMs(Infinity))
    this.#cache.setRevokedBefore(key, Math.max(before, timeMs), this.#context.now())
    return before
  }

  /** Until the session has expired on all clocks of the fleet. */
  #keepForMs (endsAtMs: number): number {
    const { longestLifeMs, now } = this.#context
    return (endsAtMs === Infinity ? longestLifeMs : Math.max(0, endsAtMs - now())) + CLOCK_SKEW_MS
  }
}
