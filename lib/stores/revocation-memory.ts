import type { MemoryRevocationOptions, RevocationStore } from '../../types/revocation'
import { describe, integer, invalid, isObject, refuseUnknown } from '../checks'
import { MINUTE_MS } from '../time'

const DEFAULT_MAX = 100_000
/** Past that, requests would notice how long it takes to sweep: that is for Redis. */
const MOST = 1_000_000

interface CutOff {
  readonly cutOffMs: number
  /** When it was raised to that. */
  readonly madeAtMs: number
  readonly forgetAtMs: number
}

const NONE: CutOff = { cutOffMs: 0, madeAtMs: 0, forgetAtMs: 0 }

/**
 * Cut-offs in the memory of this process: for one process that may forget at a restart, and for tests. `size` is how many
 * there are. Throws FST_SESSION_INVALID_OPTION.
 */
export function memoryRevocation (options: MemoryRevocationOptions = {}): RevocationStore & { readonly size: number } {
  if (!isObject(options)) throw invalid(`the options of memoryRevocation() must be an object; found ${describe(options)}`)
  refuseUnknown(options, ['max', 'now'], 'memoryRevocation(): option')
  const { now = () => Date.now() }: MemoryRevocationOptions = options
  if (typeof now !== 'function') throw invalid(`option "now" must be a function; found ${describe(now)}`)
  return new MemoryRevocation(integer(options, 'max', DEFAULT_MAX, 1, MOST), now)
}

class MemoryRevocation implements RevocationStore {
  readonly name = 'revocations in memory'
  readonly #max: number
  readonly #now: () => number
  /** The longest untouched first. */
  readonly #cutOffs = new Map<string, CutOff>()
  /** What was created up to then is over, whatever its keys: an entry that still mattered had to be forgotten, and was made then. */
  #floorMs = 0
  #sweptAtMs = -Infinity
  /** None ends before. */
  #firstEndMs = Infinity

  constructor (max: number, now: () => number) {
    this.#max = max
    this.#now = now
  }

  get size (): number { return this.#cutOffs.size }

  async cutOffs (keys: readonly string[]): Promise<readonly number[]> {
    const nowMs = this.#now()
    return keys.map(key => Math.max(this.#floorMs, this.#held(key, nowMs).cutOffMs))
  }

  async raise (key: string, cutOffMs: number, keepForMs: number): Promise<number> {
    const nowMs = this.#now()
    const held = this.#held(key, nowMs)
    const before = Math.max(this.#floorMs, held.cutOffMs)
    this.#cutOffs.delete(key)
    this.#makeRoom(nowMs)
    const forgetAtMs = Math.max(held.forgetAtMs, nowMs + keepForMs)
    const { cutOffMs: raisedToMs, madeAtMs } = cutOffMs > held.cutOffMs ? { cutOffMs, madeAtMs: nowMs } : held
    this.#cutOffs.set(key, { cutOffMs: raisedToMs, madeAtMs, forgetAtMs })
    this.#firstEndMs = Math.min(this.#firstEndMs, forgetAtMs)
    return before
  }

  #held (key: string, nowMs: number): CutOff {
    const held = this.#cutOffs.get(key)
    return held === undefined || held.forgetAtMs <= nowMs ? NONE : held
  }

  #makeRoom (nowMs: number): void {
    const isSweepDue = this.#isFull ? nowMs >= this.#firstEndMs : nowMs - this.#sweptAtMs >= MINUTE_MS
    if (isSweepDue) this.#sweep(nowMs)
    if (this.#isFull) this.#forgetOldest()
  }

  get #isFull (): boolean { return this.#cutOffs.size >= this.#max }

  #sweep (nowMs: number): void {
    this.#sweptAtMs = nowMs
    this.#firstEndMs = Infinity
    for (const [key, { forgetAtMs }] of this.#cutOffs) {
      if (forgetAtMs <= nowMs) this.#cutOffs.delete(key)
      else this.#firstEndMs = Math.min(this.#firstEndMs, forgetAtMs)
    }
  }

  /**
   * What an entry ends began before the entry was made, so its time is enough: the cut-off of an id lies ahead of the clock, and
   * would end sessions that begin later.
   */
  #forgetOldest (): void {
    const oldest = this.#cutOffs.keys().next().value as string
    const { cutOffMs, madeAtMs } = this.#cutOffs.get(oldest) as CutOff
    this.#floorMs = Math.max(this.#floorMs, Math.min(cutOffMs, madeAtMs))
    this.#cutOffs.delete(oldest)
  }
}
