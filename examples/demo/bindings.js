'use strict'

const MOST_ENTRIES = 1000

/**
 * Since when sessions are bound to their browsers' keys, in this process's memory: the time of the first proof that was
 * seen. A binding lasts as long as a login, so it is named by the user and the time of the login.
 */
class Bindings {
  #firsts = new Map()

  /** @returns milliseconds since 1970; null for a session that is not bound */
  since (userId, { authenticatedAt, provenAt }) {
    if (provenAt === null) return null
    const name = `${authenticatedAt} ${userId}`
    if (!this.#firsts.has(name)) {
      if (this.#firsts.size >= MOST_ENTRIES) this.#firsts.delete(this.#firsts.keys().next().value)
      this.#firsts.set(name, provenAt)
    }
    return this.#firsts.get(name)
  }
}

module.exports = { Bindings }
