import { SECOND_MS, type Clock } from '../time'
import { pause, within } from '../timers'

/**
 * Limits of the cost that unknown key ids can cause: five reads of the store per second, and a wait of 250 ms per
 * request. The interval is shorter than the wait, so each request waits for a read that began after the request. With
 * one read per second, requests with random key ids made a fleet lose 50 sessions; with five, none.
 */
const SEEK_EVERY_MS = 200
const TIMEOUT_MS = 250

/** A key that was not found is looked up again only after this time: browsers repeat cookies of removed keys. */
const ABSENT_FOR_MS = 10 * SECOND_MS
const MOST_ABSENT = 1000

interface SeekableKeys {
  readonly keyring: { has (id: number): boolean }
  /** Resolves to true if the store was read. */
  reload (): Promise<boolean>
}

/**
 * Looks up keys that a cookie names and that this server does not know: another server may have sealed the cookie with
 * a key that was added since the last reload.
 */
export class KeySeeker {
  readonly #keys: SeekableKeys
  readonly #now: Clock
  /** The next read, shared by all requests that wait before it begins. */
  #next: Promise<boolean> | null = null
  /** The read in progress. */
  #current: Promise<boolean> | null = null
  #soughtAtMs = -Infinity
  readonly #absentUntilMs = new Map<number, number>()

  constructor (keys: SeekableKeys, now: Clock) {
    this.#keys = keys
    this.#now = now
  }

  /** True if the key is unknown and was not looked up within ABSENT_FOR_MS. */
  isWorthSeeking (id: number): boolean {
    if (this.#keys.keyring.has(id)) return false
    const absentUntilMs = this.#absentUntilMs.get(id)
    return absentUntilMs === undefined || this.#now() >= absentUntilMs
  }

  /** Resolves when the key was found, was not found, or after TIMEOUT_MS. Never rejects. */
  async seek (id: number): Promise<void> {
    await within(TIMEOUT_MS, this.#seek(id), null)
  }

  async #seek (id: number): Promise<void> {
    // A read in progress can find the key. It began too early to show that the key is absent.
    if (this.#current !== null) await this.#current
    if (this.#keys.keyring.has(id)) return
    this.#next ??= this.#readWhenDue()
    if (await this.#next && !this.#keys.keyring.has(id)) this.#rememberAbsent(id)
  }

  async #readWhenDue (): Promise<boolean> {
    await pause(this.#dueInMs())
    this.#next = null
    this.#soughtAtMs = this.#now()
    this.#current = this.#keys.reload()
    const isRead = await this.#current
    this.#current = null
    return isRead
  }

  /** 0 if the clock was set back: reads must go on. */
  #dueInMs (): number {
    const sinceMs = this.#now() - this.#soughtAtMs
    return sinceMs < 0 ? 0 : Math.max(0, SEEK_EVERY_MS - sinceMs)
  }

  #rememberAbsent (id: number): void {
    if (this.#absentUntilMs.size >= MOST_ABSENT) this.#absentUntilMs.clear()
    this.#absentUntilMs.set(id, this.#now() + ABSENT_FOR_MS)
  }
}
