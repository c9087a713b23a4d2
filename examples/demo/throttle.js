'use strict'

const MOST_ATTEMPTS = 5
const WINDOW_MS = 60_000
const MOST_ENTRIES = 1000

/**
 * Counts the attempts to sign in, per account and address, in this process's memory. They do not belong in the session:
 * a client can send an older cookie again, and the count would start anew.
 *
 * It stays small: the oldest count makes room. Pushing one out that way takes a thousand password checks.
 */
class Throttle {
  #counts = new Map()

  /** Counts an attempt before it is made, so that parallel ones count too. Returns the seconds to wait; 0 for go on. */
  attempt (account, address, nowMs) {
    const name = nameOf(account, address)
    let count = this.#counts.get(name)
    if (count === undefined || count.endsAtMs <= nowMs) {
      count = { attempts: 0, endsAtMs: nowMs + WINDOW_MS }
      this.#add(name, count)
    }
    if (count.attempts >= MOST_ATTEMPTS) return Math.ceil((count.endsAtMs - nowMs) / 1000)
    count.attempts++
    return 0
  }

  /** After a good password. */
  forget (account, address) {
    this.#counts.delete(nameOf(account, address))
  }

  #add (name, count) {
    this.#counts.delete(name)
    if (this.#counts.size >= MOST_ENTRIES) this.#counts.delete(this.#counts.keys().next().value)
    this.#counts.set(name, count)
  }
}

function nameOf (account, address) {
  return `${address} ${account}`
}

module.exports = { Throttle }
