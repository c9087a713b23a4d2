import { leadingNumber } from './bytes'
import { COOKIE_BYTES, MOST_PARTS, NOT_SPLIT, VERSION } from './format'

/** The values of the cookies of a name. */
export type Values = (cookieName: string) => readonly string[]

/** Characters of base64url that hold the first two bytes of a token, and two bits of the third. */
const LEADING_CHARACTERS = 3

/** Over which cookies the text of a token lies: `name`, `name.1` and `name.2`, each of them full before the next is begun. */
export class CookieParts {
  readonly names: readonly string[]
  /** How many characters of a token lie in the first so many cookies, at most. */
  readonly #ends: readonly number[]

  constructor (cookieName: string) {
    this.names = Array.from({ length: MOST_PARTS }, (_, part) => part === 0 ? cookieName : `${cookieName}.${part}`)
    let end = 0
    // RFC 6265bis section 5.6: name and value of a cookie take 4096 bytes together.
    this.#ends = [end, ...this.names.map(({ length }) => { end += COOKIE_BYTES - length; return end })]
  }

  /** Characters of the longest token that so many cookies carry. */
  longest (parts: number): number {
    return this.#ends[parts] as number
  }

  /** In how many cookies a token of so many characters lies: as few as carry it. More than MOST_PARTS for one that none can. */
  count (characters: number): number {
    let parts = NOT_SPLIT
    while (parts <= MOST_PARTS && characters > this.longest(parts)) parts++
    return parts
  }

  /** The text of each cookie, in the order of their names. */
  cut (token: string): readonly string[] {
    if (token.length <= this.longest(NOT_SPLIT)) return [token]
    return this.names.slice(0, this.count(token.length)).map((_, part) => token.slice(this.#ends[part], this.#ends[part + 1]))
  }

  /**
   * The tokens that lie in these cookies, to be tried in turn: there may be several cookies of one name, and nothing but the seal
   * tells which belong together. Whoever gives the values bounds how many there are. Null for a cookie that cannot be one of ours: it
   * is too long, or its other parts are not there.
   */
  join (values: Values): ReadonlyArray<string | null> {
    const firsts = values(this.names[0] as string)
    for (const { length } of firsts) {
      if (length >= this.longest(NOT_SPLIT)) return firsts.flatMap(first => this.#joined(first, values))
    }
    return firsts
  }

  /** The names of the further cookies in which the tokens go on that begin in the first. */
  further (values: Values): readonly string[] {
    return this.names.slice(NOT_SPLIT, Math.max(NOT_SPLIT, ...values(this.names[0] as string).map(first => this.#announced(first))))
  }

  /** Over how many cookies the token says it is split whose first part this is; 1 where it is no first part. */
  #announced (first: string): number {
    if (first.length !== this.longest(NOT_SPLIT)) return NOT_SPLIT
    const head = leadingNumber(first, LEADING_CHARACTERS) ?? 0
    const parts = (head >> 2) & 0xff
    return head >> 10 === VERSION && parts <= MOST_PARTS ? parts : NOT_SPLIT
  }

  #joined (first: string, values: Values): ReadonlyArray<string | null> {
    if (first.length > this.longest(NOT_SPLIT)) return [null]
    const parts = this.#announced(first)
    let texts: readonly string[] = [first]
    for (let part = 1; part < parts; part++) {
      const next = values(this.names[part] as string).filter(({ length }) => this.#fits(length, part, parts))
      texts = texts.flatMap(text => next.map(value => text + value))
    }
    return texts.length === 0 ? [null] : texts
  }

  /** All parts but the last are full. */
  #fits (length: number, part: number, parts: number): boolean {
    const room = this.longest(part + 1) - this.longest(part)
    return part === parts - 1 ? length <= room : length === room
  }
}
