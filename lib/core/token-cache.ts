import type { TokenKey, TokenKeys } from './token'

/** The last characters of a token, which contain its whole tag. */
const TAG_CHARACTERS = 22
const MOST_CHARACTERS = 4 * 1024 * 1024
const FINGERPRINT_CHARACTERS = 10
const MOST_FINGERPRINTS = 65_536

interface Entry<Content> {
  readonly token: string
  readonly keyId: number
  readonly key: TokenKey
  readonly content: Content
}

/**
 * The content of opened tokens, for at most `mostTokens` tokens and MOST_CHARACTERS of text. The oldest entry is
 * removed first. Content must be immutable and must not depend on time: the caller repeats the checks that do.
 *
 * A token is kept when it opens the second time: many come once, and to keep one costs more than to open it.
 */
export class TokenCache<Content> {
  readonly #mostTokens: number
  /** By the last characters of the token. A Map keeps the order in which its entries were set. */
  readonly #entries = new Map<string, Entry<Content>>()
  #characters = 0
  /** Of about as many tokens that were opened as are kept: a newer one takes the place of an older one. */
  readonly #fingerprints: Uint32Array

  constructor (mostTokens: number) {
    this.#mostTokens = mostTokens
    this.#fingerprints = new Uint32Array(Math.min(mostTokens, MOST_FINGERPRINTS))
  }

  /** The content of a token, if the key that opened it is still in the keyring and opens at this time. */
  get (token: string, keys: TokenKeys, nowMs: number): Content | undefined {
    const entry = this.#entries.get(token.slice(-TAG_CHARACTERS))
    if (entry === undefined || entry.token !== token) return undefined
    return keys.find(entry.keyId, nowMs) === entry.key ? entry.content : undefined
  }

  /** Notes that a token opened. Returns true where it is to be kept: the note of an earlier time is still there. */
  openedBefore (token: string): boolean {
    const fingerprint = fingerprintOf(token)
    const place = fingerprint % this.#fingerprints.length
    if (this.#fingerprints[place] === fingerprint) return true
    this.#fingerprints[place] = fingerprint
    return false
  }

  set (text: string, key: TokenKey, content: Content): void {
    // Copied: a part of a header would keep the whole header in memory.
    const token = Buffer.from(text, 'latin1').toString('latin1')
    const name = token.slice(-TAG_CHARACTERS)
    this.#delete(name)
    this.#entries.set(name, { token, keyId: key.id, key, content })
    this.#characters += token.length
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#mostTokens && this.#characters <= MOST_CHARACTERS) break
      this.#delete(oldest)
    }
  }

  #delete (name: string): void {
    const entry = this.#entries.get(name)
    if (entry === undefined) return
    this.#entries.delete(name)
    this.#characters -= entry.token.length
  }
}

/** Of the tag, which is random: equal for two tokens in one of four thousand million cases. */
function fingerprintOf (token: string): number {
  let fingerprint = 0
  for (let at = Math.max(0, token.length - FINGERPRINT_CHARACTERS); at < token.length; at++) {
    fingerprint = Math.imul(fingerprint, 31) + token.charCodeAt(at)
  }
  return fingerprint >>> 0
}
