import type { RevocationStore } from '../../types/revocation'
import { reasonOf, revocationStoreFailed } from '../store-failure'
import { within } from '../timers'

/** After so many times without an answer it is not asked for a while: a client may keep in its memory what it could not send. */
const MOST_UNANSWERED = 3

const LATE = Symbol('late')

/** Told of each change: from answering to failing, and back. */
export interface StoreReporter {
  failed (reason: Error): void
  recovered (): void
}

/**
 * A store that is waited for so long and no longer. All it rejects with is FST_SESSION_STORE_UNAVAILABLE, whose cause is the
 * reason. While it does not answer it rests, for as long as an answer may take, and is then asked once, to see whether it is back.
 */
export class PatientStore {
  readonly #store: RevocationStore
  readonly #timeoutMs: number
  readonly #reporter: StoreReporter
  #unanswered = 0
  #isResting = false
  #rest: NodeJS.Timeout | undefined
  #isAway = false

  constructor (store: RevocationStore, timeoutMs: number, reporter: StoreReporter) {
    this.#store = store
    this.#timeoutMs = timeoutMs
    this.#reporter = reporter
  }

  async cutOffs (keys: readonly string[]): Promise<readonly number[]> {
    return await this.#ask(async () => {
      const cutOffs = await this.#store.cutOffs(keys)
      if (Array.isArray(cutOffs) && cutOffs.length === keys.length && cutOffs.every(isTime)) return cutOffs
      throw new TypeError('it did not return one time for each key')
    })
  }

  async raise (key: string, cutOffMs: number, keepForMs: number): Promise<number> {
    return await this.#ask(async () => {
      const before = await this.#store.raise(key, cutOffMs, keepForMs)
      if (isTime(before)) return before
      throw new TypeError('it did not return the previous time')
    })
  }

  async #ask<T> (work: () => Promise<T>): Promise<T> {
    if (this.#isResting) throw this.#failed('has not answered recently')
    // Whoever comes while this one waits is refused at once.
    if (this.#unanswered >= MOST_UNANSWERED) this.#isResting = true
    const answer = await within(this.#timeoutMs, work(), LATE).catch(rejection => { throw this.#rejected(rejection) })
    if (answer === LATE) throw this.#timedOut()
    this.#answered()
    return answer as T
  }

  #answered (): void {
    this.#unanswered = 0
    this.#isResting = false
    if (this.#isAway) this.#reporter.recovered()
    this.#isAway = false
  }

  /** An error is an answer, too: it was not waited for. */
  #rejected (rejection: unknown): Error {
    this.#unanswered = 0
    this.#isResting = false
    return this.#failed(`failed: ${reasonOf(rejection)}`)
  }

  #timedOut (): Error {
    this.#unanswered++
    if (this.#unanswered >= MOST_UNANSWERED && this.#rest === undefined) this.#beginRest()
    return this.#failed(`did not answer for ${this.#timeoutMs} ms`)
  }

  #beginRest (): void {
    this.#isResting = true
    this.#rest = setTimeout(() => {
      this.#rest = undefined
      this.#isResting = false
    }, this.#timeoutMs).unref()
  }

  #failed (how: string): Error {
    const reason = new Error(`${nameOf(this.#store)} ${how}`)
    if (!this.#isAway) this.#reporter.failed(reason)
    this.#isAway = true
    return revocationStoreFailed(reason)
  }
}

function isTime (value: unknown): boolean {
  return typeof value === 'number' && value >= 0
}

function nameOf ({ name }: RevocationStore): string {
  return typeof name === 'string' && name !== '' ? name : 'the revocation store'
}
