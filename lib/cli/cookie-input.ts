/** Finding a cookie in what an operator has at hand. */

export interface FoundCookies {
  /** The values of the cookies of the name, as they stand there. */
  readonly values: readonly string[]
  /** How many cookies of other names there are. */
  readonly others: number
  /** There is no name: the text is one value, which may be a whole token, whatever its parts. */
  readonly isBare: boolean
}

interface Pair {
  readonly name: string
  readonly value: string
}

// As a browser shows them, or `curl -v`.
const HEADER = /^[<>*\s]*(set-)?cookie\s*:\s*/i
// As a browser copies it from its table of cookies: name, value, and much more.
const ROW = /^([^\t;=]+)\t([^\t]*)/
const BARE = /^[\w-]+$/

/** The text of what was read. PowerShell writes UTF-16, with a mark or without; UTF-8 may have its own. */
export function textOf (bytes: Buffer): string {
  return bytes.toString(isUtf16(bytes) ? 'utf16le' : 'utf8').replace(/^\uFEFF/, '').trim()
}

/** Looks into a bare value, `name=value`, lines of `Cookie:` and `Set-Cookie:`, or rows of a table. */
export function findCookies (text: string, name: string): FoundCookies {
  const bare = unquoted(text)
  if (BARE.test(bare)) return { values: [bare], others: 0, isBare: true }
  const pairs = text.split(/[\r\n]+/).flatMap(pairsIn)
  return {
    values: pairs.filter(pair => pair.name === name).map(({ value }) => value),
    others: pairs.filter(pair => pair.name !== name).length,
    isBare: false
  }
}

function pairsIn (line: string): Pair[] {
  const header = HEADER.exec(line)
  const row = header === null ? ROW.exec(line) : null
  if (row !== null) return [pairOf(row[1] as string, row[2] as string)]
  const pairs = line.slice(header?.[0].length).split(';')
  // What follows the first in a Set-Cookie line are attributes.
  return (header?.[1] === undefined ? pairs : pairs.slice(0, 1)).filter(pair => pair.includes('=')).map(pair => {
    const sign = pair.indexOf('=')
    return pairOf(pair.slice(0, sign), pair.slice(sign + 1))
  })
}

function pairOf (name: string, value: string): Pair {
  return { name: name.trim(), value: unquoted(value.trim()) }
}

/** RFC 6265 section 4.1.1: a value may stand in double quotes. */
function unquoted (text: string): string {
  return text.replace(/^"(.*)"$/, '$1')
}

/** Without a mark, by the high byte of every character, which is 0 in all that a cookie may be made of. */
function isUtf16 (bytes: Buffer): boolean {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return true
  return bytes.length > 1 && bytes.every((byte, index) => index % 2 === 0 || byte === 0)
}
