import type { MemoryRevocationOptions, RevocationStore } from '../../types/revocation'
import { describe, integer, invalid, isObject, refuseUnknown } from '../checks'
import { MINUTE_MS } from '../time'

const DEFAULT_MAX = 100_000
/** With more entries, a sweep would delay requests noticeably: use Redis. */
const MOST = 1_000_000

interface CutOff {
  readonly cutOffMs: number
  /** When the cut-off was raised to this value. */
  readonly raisedAtMs: number
  readonly expiresAtMs: number
}

const NONE: CutOff = { cutOffMs: 0, raisedAtMs: 0, expiresAtMs: 0 }

/**
 * A revocation store in the memory of this process, for tests, and for a single process that may lose its revocations
 * at a restart.
 * @returns the store; its `size` is the number of entries
 * @throws {FST_SESSION_INVALID_OPTION} if an option is unknown or wrong
 * @example
 * const revocation = { store: secureSession.memoryRevocation() }
 * await app.register(secureSession, { key: process.env['SESSION_KEY'], revocation })
 */
export function memoryRevocation (options: MemoryRevocationOptions = {}): RevocationStore & { readonly size: number } {
  if (!isObject(options)) {
    throw invalid(`the options of memoryRevocation() must be an object; found ${describe(options)}`)
  }
  refuseUnknown(options, ['max', 'now'], 'memoryRevocation(): option')
  const { now = () => Date.now() }: MemoryRevocationOptions = options
  if (typeof now !== 'function') throw invalid(`option "now" must be a function; found ${describe(now)}`)
  return new MemoryRevocation(integer(options, 'max', DEFAULT_MAX, 1, MOST), now)
}

class MemoryRevocation implements RevocationStore {
  readonly name = 'revocations in memory'
  readonly #max: number
  readonly #now: () => number
  /** In the order of the last raise, oldest first. */
  readonly #cutOffs = new Map<string, CutOff>()
  /** Sessions created up to this time are revoked, for every key: an entry of this time was dropped before its end. */
  #floorMs = 0
  #sweptAtMs = -Infinity
  /** No entry expires before this time. */
  #firstExpiryMs = Infinity

  constructor (max: number, now: () => number) {
    this.#max = max
    this.#now = now
  }

  get size (): number { return this.#cutOffs.size }

  async cutOffs (keys: readonly string[]): Promise<readonly number[]> {
    const nowMs = this.#now()
    return keys.map(key => Math.max(this.#floorMs, this.#entry(key, nowMs).cutOffMs))
  }

  async raise (key: string, cutOffMs: number, keepForMs: number): Promise<number> {
    const nowMs = this.#now()
    const entry = this.#entry(key, nowMs)
    const previous = Math.max(this.#floorMs, entry.cutOffMs)
    this.#cutOffs.delete(key)
    this.#freeEntry(nowMs)
    const expiresAtMs = Math.max(entry.expiresAtMs, nowMs + keepForMs)
    const { cutOffMs: newCutOffMs, raisedAtMs } = cutOffMs > entry.cutOffMs ? { cutOffMs, raisedAtMs: nowMs } : entry
    this.#cutOffs.set(key, { cutOffMs: newCutOffMs, raisedAtMs, expiresAtMs })
    this.#firstExpiryMs = Math.min(this.#firstExpiryMs, expiresAtMs)
    return previous
  }

  #entry (key: string, nowMs: number): CutOff {
    const entry = this.#cutOffs.get(key)
    return entry === undefined || entry.expiresAtMs <= nowMs ? NONE : entry
  }

  #freeEntry (nowMs: number): void {
    const isSweepDue = this.#isFull ? nowMs >= this.#firstExpiryMs : nowMs - this.#sweptAtMs >= MINUTE_MS
    if (isSweepDue) this.#sweep(nowMs)
    if (this.#isFull) this.#dropOldest()
  }

  get #isFull (): boolean { return this.#cutOffs.size >= this.#max }

  #sweep (nowMs: number): void {
    this.#sweptAtMs = nowMs
    this.#firstExpiryMs = Infinity
    for (const [key, { expiresAtMs }] of this.#cutOffs) {
      if (expiresAtMs <= nowMs) this.#cutOffs.delete(key)
      else this.#firstExpiryMs = Math.min(this.#firstExpiryMs, expiresAtMs)
    }
  }

  /**
   * Drops the oldest entry and raises the floor. The sessions that the entry revokes were created before it was raised,
   * so the floor is at most that time. A cut-off of an id is in the future, and would revoke sessions created later.
   */
  #dropOldest (): void {
    const oldest = this.#cutOffs.keys().next().value as string
    const { cutOffMs, raisedAtMs } = this.#cutOffs.get(oldest) as CutOff
    this.#floorMs = Math.max(this.#floorMs, Math.min(cutOffMs, raisedAtMs))
    this.#cutOffs.delete(oldest)
  }
}
