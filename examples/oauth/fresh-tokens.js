'use strict'

const { createHash } = require('node:crypto')

/**
 * Access tokens that are still good, for sessions that live in cookies. This file needs nothing else of this folder.
 *
 * A cookie has no lock: when the access token is over, all requests that a page sends at once bring the same refresh
 * token. Only one of them may spend it, for many providers give a new one each time and end the whole grant when an old
 * one comes again. So an exchange under way is shared by all who bring the same tokens, and what came of it is kept for a
 * while, for requests that left the browser before the new cookie arrived.
 *
 * The session's value `tokens` is `{ access, refresh, expiresAt }`, the last in milliseconds since 1970.
 */
class FreshTokens {
  #refresh
  #now
  #earlyMs
  #keepMs
  // In the order of their beginning, under a hash, so that no spent token is kept in the clear.
  #exchanges = new Map()

  /**
   * @param refresh `async refreshToken => tokens`; null where the provider says that the grant has ended (`invalid_grant`).
   *   What it throws is taken for a failure that passes: the session stays as it is, and the next request tries again.
   *   It should throw after a few seconds at the latest.
   * @param earlyMs a token that ends so soon is taken for over: it has to last until the API has read it
   * @param keepMs how long what came of an exchange is kept
   */
  constructor ({ refresh, now = Date.now, earlyMs = 10_000, keepMs = 5 * 60_000 }) {
    this.#refresh = refresh
    this.#now = now
    this.#earlyMs = earlyMs
    this.#keepMs = keepMs
  }

  /**
   * An access token that is good for a moment yet; where that takes a new one, the new ones are put into the session.
   * Null where the grant has ended: then end the session. Throws what `refresh` throws.
   * @param refused an access token that the API did not take, whatever its time
   */
  async accessTokenOf (session, refused) {
    const held = session.get('tokens')
    const tokens = held === undefined ? null : await this.#freshAfter(held, refused)
    if (tokens === null) return null
    if (tokens !== held) session.set('tokens', tokens)
    return tokens.access
  }

  /** The newest tokens that came of the session's own, for revoking them; null where they have ended. */
  async newestOf (session) {
    const held = session.get('tokens')
    return held === undefined ? null : this.#newestAfter(held)
  }

  /**
   * To be called right before a session is written. A request that began before an exchange, and writes the session after
   * it, would otherwise put the spent refresh token back into the browser. Most requests pass without a look at their session.
   */
  adopt (request) {
    this.#forgetOld()
    if (this.#exchanges.size === 0) return
    const { session } = request
    if (!session.changed || !session.has('tokens')) return
    const held = session.get('tokens')
    let tokens = held
    for (let next; (next = this.#exchangeOf(tokens)?.tokens);) tokens = next
    if (tokens !== held) session.set('tokens', tokens)
  }

  async #freshAfter (held, refused) {
    let tokens = held
    try {
      tokens = await this.#newestAfter(held)
      return tokens === null || this.#isFresh(tokens, refused) ? tokens : await this.#exchanged(tokens)
    } catch (error) {
      // The provider is unavailable: a token that was to be exchanged early can still be used.
      if (tokens.access === refused || tokens.expiresAt <= this.#now()) throw error
      return tokens
    }
  }

  #isFresh ({ access, expiresAt }, refused) {
    return access !== refused && expiresAt - this.#now() > this.#earlyMs
  }

  /** Null where they have ended. Waits for an exchange that is under way, and throws if it fails. */
  async #newestAfter (held) {
    this.#forgetOld()
    let tokens = held
    for (let next; tokens !== null && (next = this.#exchangeOf(tokens));) tokens = await next.promise
    return tokens
  }

  /** Nothing is awaited between asking whether an exchange is under way and beginning one. */
  #exchanged (tokens) {
    return this.#exchangeOf(tokens)?.promise ?? this.#begin(tokens)
  }

  async #begin (tokens) {
    const name = nameOf(tokens)
    const exchange = { promise: this.#refresh(tokens.refresh), tokens: null, endsAtMs: Infinity }
    this.#exchanges.set(name, exchange)
    try {
      exchange.tokens = await exchange.promise
      exchange.endsAtMs = this.#now() + this.#keepMs
      // A provider may answer with the same tokens and a later end: there is nothing to lead anybody to.
      if (exchange.tokens !== null && nameOf(exchange.tokens) === name) this.#exchanges.delete(name)
      return exchange.tokens
    } catch (error) {
      this.#exchanges.delete(name)
      throw error
    }
  }

  #exchangeOf (tokens) {
    const exchange = this.#exchanges.get(nameOf(tokens))
    return exchange?.endsAtMs > this.#now() ? exchange : undefined
  }

  #forgetOld () {
    for (const [name, { endsAtMs }] of this.#exchanges) {
      if (endsAtMs > this.#now()) return
      this.#exchanges.delete(name)
    }
  }
}

/** Of both tokens, for not every provider gives a new refresh token with each access token. */
function nameOf ({ access, refresh }) {
  return createHash('sha256').update(`${refresh} ${access}`).digest('base64url')
}

module.exports = { FreshTokens }
