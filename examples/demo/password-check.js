'use strict'

/** Checks passwords and slows down who guesses them, at the sign-in and wherever a password is asked for again. */
class PasswordCheck {
  #users
  #throttle

  constructor (users, throttle) {
    this.#users = users
    this.#throttle = throttle
  }

  /** The user with this password. Without one, `user` is null, and `refusal` is the reply. */
  async check (username, password, address) {
    const waitSeconds = this.#throttle.attempt(username, address, Date.now())
    if (waitSeconds > 0) {
      const problem = `Too many attempts. Please wait ${waitSeconds} seconds.`
      return { user: null, refusal: { status: 429, headers: { 'retry-after': waitSeconds }, problem } }
    }
    const user = await this.#users.verify(username, password)
    if (user === null) return { user, refusal: { status: 401, headers: {}, problem: 'That name and password do not belong together.' } }
    this.#throttle.forget(username, address)
    return { user, refusal: null }
  }
}

module.exports = { PasswordCheck }
