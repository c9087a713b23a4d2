import { parseLine } from '../helpers/browser'
import type { Dice } from './dice'

/** Of so many earlier cookies a visitor remembers the values. */
const MOST_REMEMBERED = 40

interface Cookie {
  readonly name: string
  readonly value: string
}

/** Marks what is of a visitor's session, so that it can be found in the answers to others. */
const MARK = /visitor-\d+-/g

/** A user whose cookies a stranger has, too: they come back as they were issued, and in every other way. */
export class HostileVisitor {
  readonly mark: string
  readonly #cookies = new Map<string, string>()
  /** What it was given once, and what it brought from elsewhere. */
  readonly #past: Cookie[] = []

  constructor (number: number) {
    this.mark = `visitor-${number}-`
  }

  /** A cookie of an older library, or of an earlier name. */
  bring (name: string, value: string): void {
    this.#past.push({ name, value })
    this.#cookies.set(name, value)
  }

  /** Keeps what a Set-Cookie line says. */
  keep (line: string): void {
    if (!line.includes('=')) return
    const { name, value } = parseLine(line)
    if (/; Max-Age=0(;|$)/.test(line)) {
      this.#cookies.delete(name)
      return
    }
    this.#cookies.set(name, value)
    this.#past.push({ name, value })
    if (this.#past.length > MOST_REMEMBERED) this.#past.shift()
  }

  /** Marks of others in an answer to this one. */
  marksOfOthers (text: string): string[] {
    return (text.match(MARK) ?? []).filter(mark => mark !== this.mark)
  }

  /** The Cookie header as a browser sends it; null where there is nothing to send. */
  get header (): string | null {
    return this.#cookies.size === 0 ? null : write(Array.from(this.#cookies, ([name, value]) => ({ name, value })))
  }

  /** Values for Cookie headers: mostly as a browser sends them, else as no browser would. */
  drawHeaders (dice: Dice): string[] {
    const header = this.header
    const plain = header === null ? [] : [header]
    if (dice.chance(0.55)) return plain
    if (dice.chance(0.1)) return []
    return dice.oneOf<() => string[]>([
      () => [write(this.#mutated(dice))],
      () => [write(this.#mutated(dice))],
      () => [write(this.#mutated(dice)), ...plain],
      () => [dice.oneOf(JUNK)(this.#some(dice))]
    ])()
  }

  #some (dice: Dice): Cookie {
    return this.#past.length === 0 ? { name: 'session', value: 'AQEAAA' } : dice.oneOf(this.#past)
  }

  #mutated (dice: Dice): Cookie[] {
    const cookies = Array.from(this.#cookies, ([name, value]) => ({ name, value }))
    const times = Math.floor(dice.between(1, 4))
    for (let time = 0; time < times; time++) dice.oneOf(MUTATIONS)(cookies, this.#some(dice), dice)
    return cookies
  }
}

function write (cookies: readonly Cookie[]): string {
  return cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
}

type Mutation = (cookies: Cookie[], past: Cookie, dice: Dice) => void
type Change = (cookie: Cookie, past: Cookie, dice: Dice) => Cookie

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const BEHIND = ['A', '=', ' ', '"', '%', 'A'.repeat(300), 'A'.repeat(5000)]
const SUFFIXES = ['1', '2', '3', 't', '1.t']
/** Values of other versions and parts, and such as are none. */
const VALUES = [
  '', 'AQE', 'AQEAAAAA', 'null', '\u00e9\u00ff', `AQH_____${'A'.repeat(120)}`, `AgE${'A'.repeat(200)}`,
  `AQM${'A'.repeat(4086)}`
]

/** What becomes of one cookie. */
const CHANGES: readonly Change[] = [
  // The value of one under the name of another.
  ({ name }, { value }) => ({ name, value }),
  ({ value }, { name }) => ({ name, value }),
  ({ name, value }, _past, dice) => ({ name, value: flipped(value, dice) }),
  ({ name, value }, _past, dice) => ({ name, value: flipped(value, dice) }),
  ({ name, value }, _past, dice) => ({ name, value: value.slice(0, dice.share() * value.length) }),
  ({ name, value }, _past, dice) => ({ name, value: value + dice.oneOf(BEHIND) }),
  ({ name, value }) => ({ name, value: value + value }),
  ({ name, value }) => ({ name, value: `"${value}"` }),
  ({ name, value }) => ({ name, value: `${encodeURIComponent(value)}%` }),
  ({ name, value }, _past, dice) => ({ name: `${name}.${dice.oneOf(SUFFIXES)}`, value }),
  ({ name }, _past, dice) => ({ name, value: dice.oneOf(VALUES) })
]

const changeOne: Mutation = (cookies, past, dice) => {
  if (cookies.length === 0) return
  const index = Math.floor(dice.share() * cookies.length)
  cookies[index] = dice.oneOf(CHANGES)(cookies[index] as Cookie, past, dice)
}

/** What happens to cookies on their way, or in a stranger's hands. */
const MUTATIONS: readonly Mutation[] = [
  changeOne,
  changeOne,
  changeOne,
  // One that was issued before, beside the current one.
  (cookies, past) => { cookies.unshift(past) },
  (cookies, past) => { cookies.push(past) },
  (cookies, past) => { for (let count = 0; count < 25; count++) cookies.push(past) },
  (cookies, _past, dice) => { cookies.splice(Math.floor(dice.share() * cookies.length), 1) }
]

function flipped (value: string, dice: Dice): string {
  const at = Math.floor(dice.share() * value.length)
  return value.slice(0, at) + BASE64URL[Math.floor(dice.share() * BASE64URL.length)] + value.slice(at + 1)
}

/** Cookie headers that no grammar allows. */
const JUNK: ReadonlyArray<(cookie: Cookie) => string> = [
  () => '',
  () => '=',
  () => ';;;;',
  () => '__proto__=x; constructor=y',
  ({ name }) => `${name}`,
  ({ name, value }) => ` ; ${name} = ${value} ;\t`,
  ({ name, value }) => `=${value}; ${name}==${value}`,
  ({ name, value }) => `${name}=${value},${name}=${value}`,
  ({ name }) => Array.from({ length: 300 }, (_, index) => `${name}.${index}=x`).join(';'),
  ({ name, value }) => `${name}=${value}; `.repeat(4) + 'a=\u0080\u00ff'
]
