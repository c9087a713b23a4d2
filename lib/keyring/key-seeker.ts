import { SECOND_MS, type Clock } from '../time'
import { pause, within } from '../timers'

/**
 * What a stranger's cookies can cost: five reads of the store a second, and a wait of a quarter of one. Reads come more
 * often than anyone waits, so whoever asks sees one that began after they came: with one read a second a fleet lost 50
 * sessions to strangers with random key ids, and with five none.
 */
const SEEK_EVERY_MS = 200
const PATIENCE_MS = 250

/** A key that was sought in vain is not sought again so soon: cookies of keys long gone come with every request. */
const ABSENT_FOR_MS = 10 * SECOND_MS
const MOST_ABSENT = 1000

interface SeekableKeys {
  readonly keyring: { has (id: number): boolean }
  /** True where the store could be read. */
  reload (): Promise<boolean>
}

/**
 * Looks for keys that a cookie names and this server does not know: another server may have sealed it with a key that
 * was added since the last reload.
 */
export class KeySeeker {
  readonly #keys: SeekableKeys
  readonly #now: Clock
  /** The read to come, for all who ask before it begins. */
  #next: Promise<boolean> | null = null
  /** The read under way. */
  #current: Promise<boolean> | null = null
  #soughtAtMs = -Infinity
  readonly #absentUntilMs = new Map<number, number>()

  constructor (keys: SeekableKeys, now: Clock) {
    this.#keys = keys
    this.#now = now
  }

  /** True where it could be worth waiting for `seek`. */
  isWorthSeeking (id: number): boolean {
    if (this.#keys.keyring.has(id)) return false
    const absentUntilMs = this.#absentUntilMs.get(id)
    return absentUntilMs === undefined || this.#now() >= absentUntilMs
  }

  /** Resolves once the key is known, or known not to be there, or when it takes too long. Never rejects. */
  async seek (id: number): Promise<void> {
    await within(PATIENCE_MS, this.#seek(id), null)
  }

  async #seek (id: number): Promise<void> {
    // A read that is under way may bring the key. It began too early to say that there is none.
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

  /** A clock that was set back must not stop it. */
  #dueInMs (): number {
    const sinceMs = this.#now() - this.#soughtAtMs
    return sinceMs < 0 ? 0 : Math.max(0, SEEK_EVERY_MS - sinceMs)
  }

  #rememberAbsent (id: number): void {
    if (this.#absentUntilMs.size >= MOST_ABSENT) this.#absentUntilMs.clear()
    this.#absentUntilMs.set(id, this.#now() + ABSENT_FOR_MS)
  }
}
