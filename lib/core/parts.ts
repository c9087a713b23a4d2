import { leadingNumber } from './bytes'
import { LEAST_PER_PART, LINE_BYTES, MOST_PARTS, NOT_SPLIT, VERSION } from './format'

/** The values of the cookies of a name. */
export type Values = (cookieName: string) => readonly string[]

/** Characters of base64url that hold the first two bytes of a token, and two bits of the third. */
const LEADING_CHARACTERS = 3

/** The maximum number of tokens to try when the parts of one request are joined. */
const MOST_JOINED = 16

/**
 * The cookies that a token is split over: `name`, `name.1` and `name.2`. All parts have the same length; only the last
 * may be shorter, by fewer characters than there are parts. So the text and its byte `parts` determine the offsets of
 * the parts.
 */
export class CookieParts {
  readonly names: readonly string[]

  constructor (cookieName: string) {
    this.names = Array.from({ length: MOST_PARTS }, (_, part) => part === 0 ? cookieName : `${cookieName}.${part}`)
  }

  /**
   * The length of the longest token in this many cookies.
   * @param attributesBytes the bytes of the attributes in each Set-Cookie line; 0 for a reader
   */
  longest (parts: number, attributesBytes = 0): number {
    return parts * this.#room(parts, attributesBytes)
  }

  /** The smallest number of cookies for a token. The caller checks that the token fits in some number of cookies. */
  count (characters: number, attributesBytes: number): number {
    let parts = NOT_SPLIT
    while (characters > this.longest(parts, attributesBytes)) parts++
    return parts
  }

  /** The number of parts in the token's byte `parts`; null if no writer splits a text of this length so. */
  partsOf (token: string): number | null {
    if (token.length < LEAST_PER_PART) return NOT_SPLIT
    const parts = partsIn(token)
    if (parts === NOT_SPLIT) return token.length <= this.longest(parts) ? parts : null
    return this.#isSplit(parts, Math.ceil(token.length / parts)) ? parts : null
  }

  /** The value of each cookie, in the order of the names. */
  cut (token: string): readonly string[] {
    const parts = this.partsOf(token) as number
    const length = Math.ceil(token.length / parts)
    return this.names.slice(0, parts).map((_, part) => token.slice(part * length, (part + 1) * length))
  }

  /**
   * The tokens that these cookies may contain, at most MOST_JOINED, to try in this order: a name may have several
   * values, and only the tag shows which parts belong together. Null for a cookie without a token: it is too long, or
   * its other parts are missing. The caller limits the number of values per name.
   */
  tokensIn (values: Values): ReadonlyArray<string | null> {
    const firsts = values(this.names[0] as string)
    for (const { length } of firsts) {
      if (length >= LEAST_PER_PART) return firsts.flatMap(first => this.#joined(first, values)).slice(0, MOST_JOINED)
    }
    return firsts
  }

  /** The names of the further cookies, by the byte `parts` of the tokens that begin in the first. */
  furtherNames (values: Values): readonly string[] {
    const firsts = values(this.names[0] as string)
    return this.names.slice(NOT_SPLIT, Math.max(NOT_SPLIT, ...firsts.map(first => this.#announced(first))))
  }

  #joined (first: string, values: Values): ReadonlyArray<string | null> {
    const parts = first.length < LEAST_PER_PART ? NOT_SPLIT : partsIn(first)
    if (parts <= NOT_SPLIT || parts > MOST_PARTS) return [first.length <= this.longest(NOT_SPLIT) ? first : null]
    let texts: readonly string[] = this.#isSplit(parts, first.length) ? [first] : []
    for (let part = 1; part < parts; part++) {
      const shortest = part === parts - 1 ? first.length - parts + 1 : first.length
      const all = values(this.names[part] as string)
      const next = all.filter(({ length }) => length >= shortest && length <= first.length)
      texts = texts.flatMap(text => next.map(value => text + value))
    }
    return texts.length === 0 ? [null] : texts
  }

  /** The number of parts of the token that begins with this text; 1 if it is not a first part. */
  #announced (first: string): number {
    const parts = partsIn(first)
    return this.#isSplit(parts, first.length) ? parts : NOT_SPLIT
  }

  /** True if a token can have this many parts, of this length each but the last. */
  #isSplit (parts: number, length: number): boolean {
    return parts > NOT_SPLIT && parts <= MOST_PARTS && length >= LEAST_PER_PART && length <= this.#room(parts, 0)
  }

  /** The length of the longest value in a Set-Cookie line with its name, an equals sign and the attributes. */
  #room (parts: number, attributesBytes: number): number {
    const longestName = this.names[parts === NOT_SPLIT ? 0 : 1] as string
    return LINE_BYTES - longestName.length - 1 - attributesBytes
  }
}

/** The byte `parts` in the text of a token; 0 if the text is not of this version. */
function partsIn (token: string): number {
  const head = leadingNumber(token, LEADING_CHARACTERS) ?? 0
  return head >> 10 === VERSION ? head >> 2 & 0xff : 0
}
