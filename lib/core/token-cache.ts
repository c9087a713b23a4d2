import type { TokenKey, TokenKeys } from './token'

/** Characters of a token's text that hold its whole tag. */
const TAG_CHARACTERS = 22
const MOST_CHARACTERS = 4 * 1024 * 1024

interface Entry<Content> {
  readonly token: string
  readonly keyId: number
  readonly key: TokenKey
  readonly content: Content
}

/**
 * What tokens held that opened: at most so many tokens, and MOST_CHARACTERS of text. The oldest entry makes room. A
 * content must not change and must not depend on time: the caller checks again what does.
 */
export class TokenCache<Content> {
  readonly #mostTokens: number
  /** By the end of the token. A Map keeps the order in which its entries were made. */
  readonly #entries = new Map<string, Entry<Content>>()
  #characters = 0

  constructor (mostTokens: number) {
    this.#mostTokens = mostTokens
  }

  /** The content of a token, if its key is still the one that opened it, and still opens. */
  get (token: string, keys: TokenKeys, nowMs: number): Content | undefined {
    const entry = this.#entries.get(token.slice(-TAG_CHARACTERS))
    if (entry === undefined || entry.token !== token) return undefined
    return keys.find(entry.keyId, nowMs) === entry.key ? entry.content : undefined
  }

  set (token: string, key: TokenKey, content: Content): void {
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
