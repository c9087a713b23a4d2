/** Finding a cookie in what an operator has at hand. */

export interface FoundCookies {
  /** The values of the cookies of the name, as they stand there. */
  readonly values: readonly string[]
  /** How many cookies of other names there are. */
  readonly others: number
}

// As a browser shows them, or `curl -v`.
const HEADER = /^[<>*\s]*(set-)?cookie\s*:\s*/i
const BARE = /^[\w-]+$/

/** The text of what was read. PowerShell writes UTF-16, with a mark; UTF-8 may have its own. */
export function textOf (bytes: Buffer): string {
  const isUtf16 = bytes[0] === 0xff && bytes[1] === 0xfe
  return bytes.toString(isUtf16 ? 'utf16le' : 'utf8').replace(/^\uFEFF/, '').trim()
}

/** Looks into a bare value, `name=value`, or lines of `Cookie:` and `Set-Cookie:`. */
export function findCookies (text: string, name: string): FoundCookies {
  if (BARE.test(text)) return { values: [text], others: 0 }
  const pairs = text.split(/[\r\n]+/).flatMap(pairsIn)
  return {
    values: pairs.filter(pair => pair.name === name).map(({ value }) => value),
    others: pairs.filter(pair => pair.name !== name).length
  }
}

function pairsIn (line: string): Array<{ name: string, value: string }> {
  const header = HEADER.exec(line)
  const pairs = line.slice(header?.[0].length).split(';')
  // What follows the first in a Set-Cookie line are attributes.
  return (header?.[1] === undefined ? pairs : pairs.slice(0, 1)).filter(pair => pair.includes('=')).map(pair => {
    const sign = pair.indexOf('=')
    return { name: pair.slice(0, sign).trim(), value: pair.slice(sign + 1).trim() }
  })
}
