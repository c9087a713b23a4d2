import type { FastifyBaseLogger } from 'fastify'
import type { Touched } from './touched'

/**
 * What could not be written in one pass over the sessions of a request. The first failure is thrown, others are logged; so is one of
 * a session that was changed again by whoever answers an earlier one.
 */
export class Failures {
  readonly #log: FastifyBaseLogger
  readonly #thrown: unknown[] = []

  constructor (log: FastifyBaseLogger) {
    this.#log = log
  }

  get areNone (): boolean {
    return this.#thrown.length === 0
  }

  /** What the work came to; undefined where it failed. */
  guard<T> (touched: Touched, work: () => T): T | undefined {
    try {
      return work()
    } catch (failure) {
      this.add(touched, failure)
      return undefined
    }
  }

  add (touched: Touched, failure: unknown): void {
    if (this.#thrown.length > 0 || touched.state === 'changed again') this.#log.error({ err: failure }, 'another session could not be written')
    else this.#thrown.push(failure)
    touched.state = 'failed'
  }

  throwFirst (): void {
    if (this.#thrown.length > 0) throw this.#thrown[0]
  }
}
