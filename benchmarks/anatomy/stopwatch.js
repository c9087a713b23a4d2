'use strict'

/** What is no step: all that runs while nothing is timed. */
const NOTHING = 0

/**
 * Says where the time of a stretch of code goes: each moment belongs to the innermost step that runs. Steps are numbers from 1.
 * What a call of a step adds by being timed is measured on an empty one, which lies in another: `calibrate`.
 */
class Stopwatch {
  #spent
  #calls
  #inner
  #step = NOTHING
  #since = 0
  #empty

  /** @param steps how many there are; two more follow them, which calibrate */
  constructor (steps) {
    const slots = steps + 3
    this.#spent = new Float64Array(slots)
    this.#calls = new Float64Array(slots)
    this.#inner = new Float64Array(slots)
    const empty = this.timed(steps + 2, () => {})
    this.#empty = this.timed(steps + 1, () => { empty() })
  }

  /** Milliseconds by step since the last reset. */
  get spent () {
    return this.#spent
  }

  /** How often each step was entered since the last reset, and how often others were entered from it. */
  get counts () {
    return { calls: this.#calls, inner: this.#inner }
  }

  reset () {
    this.#spent.fill(0)
    this.#calls.fill(0)
    this.#inner.fill(0)
  }

  /** Returns what is to be given to `leave`. */
  enter (step) {
    const now = performance.now()
    const outer = this.#step
    this.#spent[outer] += now - this.#since
    this.#inner[outer]++
    this.#calls[step]++
    this.#step = step
    this.#since = now
    return outer
  }

  leave (outer) {
    const now = performance.now()
    this.#spent[this.#step] += now - this.#since
    this.#step = outer
    this.#since = now
  }

  calibrate () {
    this.#empty()
  }

  /** The function as a step. It takes five arguments at most, and must not throw. */
  timed (step, original) {
    const stopwatch = this
    return function (a, b, c, d, e) {
      const outer = stopwatch.enter(step)
      const result = original.call(this, a, b, c, d, e)
      stopwatch.leave(outer)
      return result
    }
  }
}

module.exports = { Stopwatch }
