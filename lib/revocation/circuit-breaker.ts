import type { RevocationStore } from '../../types/revocation'
import { reasonOf, revocationStoreFailed } from '../store-failure'
import { within } from '../timers'

/** After so many timeouts in a row the circuit opens: a client may queue what it could not send. */
const MOST_TIMEOUTS = 3

const LATE = Symbol('late')

/** Called at each change from available to unavailable, and back. */
export interface StoreReporter {
  unavailable (reason: Error): void
  available (): void
}

/**
 * A revocation store with a timeout. It rejects only with FST_SESSION_STORE_UNAVAILABLE, whose `cause` is the reason.
 * After MOST_TIMEOUTS the circuit is open for one timeout: calls fail at once. Then it is half open: one call is let
 * through, and decides whether it closes.
 */
export class CircuitBreaker {
  readonly #store: RevocationStore
  readonly #timeoutMs: number
  readonly #reporter: StoreReporter
  #timeouts = 0
  #isOpen = false
  #openTimer: NodeJS.Timeout | undefined
  #isUnavailable = false

  constructor (store: RevocationStore, timeoutMs: number, reporter: StoreReporter) {
    this.#store = store
    this.#timeoutMs = timeoutMs
    this.#reporter = reporter
  }

  /** Up to when the sessions of these keys are revoked, in their order; 0 for none. */
  async revokedBefore (keys: readonly string[]): Promise<readonly number[]> {
    return await this.#call(async () => {
      const times = await this.#store.cutOffs(keys)
      if (Array.isArray(times) && times.length === keys.length && times.every(isTime)) return times
      throw new TypeError('it did not return one time for each key')
    })
  }

  /** Raises the time of a key, and resolves to the time before. */
  async raise (key: string, timeMs: number, keepForMs: number): Promise<number> {
    return await this.#call(async () => {
      const before = await this.#store.raise(key, timeMs, keepForMs)
      if (isTime(before)) return before
      throw new TypeError('it did not return the previous time')
    })
  }

  async #call<T> (work: () => Promise<T>): Promise<T> {
    if (this.#isOpen) throw this.#failed('has not answered recently')
    // Half open: while this call waits, others fail at once.
    if (this.#timeouts >= MOST_TIMEOUTS) this.#isOpen = true
    const answer = await within(this.#timeoutMs, work(), LATE).catch(rejection => { throw this.#rejected(rejection) })
    if (answer === LATE) throw this.#timedOut()
    this.#answered()
    return answer as T
  }

  #answered (): void {
    this.#close()
    if (this.#isUnavailable) this.#reporter.available()
    this.#isUnavailable = false
  }

  /** A rejection is an answer too: nothing was waited for. */
  #rejected (rejection: unknown): Error {
    this.#close()
    return this.#failed(`failed: ${reasonOf(rejection)}`)
  }

  #close (): void {
    this.#timeouts = 0
    this.#isOpen = false
  }

  #timedOut (): Error {
    this.#timeouts++
    if (this.#timeouts >= MOST_TIMEOUTS && this.#openTimer === undefined) this.#open()
    return this.#failed(`did not answer for ${this.#timeoutMs} ms`)
  }

  #open (): void {
    this.#isOpen = true
    this.#openTimer = setTimeout(() => {
      this.#openTimer = undefined
      this.#isOpen = false
    }, this.#timeoutMs).unref()
  }

  #failed (how: string): Error {
    const reason = new Error(`${nameOf(this.#store)} ${how}`)
    if (!this.#isUnavailable) this.#reporter.unavailable(reason)
    this.#isUnavailable = true
    return revocationStoreFailed(reason)
  }
}

function isTime (value: unknown): boolean {
  return typeof value === 'number' && value >= 0
}

function nameOf ({ name }: RevocationStore): string {
  return typeof name === 'string' && name !== '' ? name : 'the revocation store'
}
