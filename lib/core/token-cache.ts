import type { TokenKey, TokenKeys } from './token'

/** The last characters of a token, which contain its whole tag. */
const TAG_CHARACTERS = 22
const MOST_CHARACTERS = 4 * 1024 * 1024

interface Entry<Content> {
  readonly token: string
  readonly keyId: number
  readonly key: TokenKey
  readonly content: Content
}

/**
 * The content of opened tokens, for at most `mostTokens` tokens and MOST_CHARACTERS of text. The oldest entry is
 * removed first. Content must be immutable and must not depend on time: the caller repeats the checks that do.
 */
export class TokenCache<Content> {
  readonly #mostTokens: number
  /** By the last characters of the token. A Map keeps the order in which its entries were set. */
  readonly #entries = new Map<string, Entry<Content>>()
  #characters = 0

  constructor (mostTokens: number) {
    this.#mostTokens = mostTokens
  }

  /** The content of a token, if the key that opened it is still in the keyring and opens at this time. */
  get (token: string, keys: TokenKeys, nowMs: number): Content | undefined {
    const entry = this.#entries.get(token.slice(-TAG_CHARACTERS))
    if (entry === undefined || entry.token !== token) return undefined
    return keys.find(entry.keyId, nowMs) === entry.key ? entry.content : undefined
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
