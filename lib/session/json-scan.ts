const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_BRACKET = 0x5b
const BACKSLASH = 0x5c
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const SPACE = 0x20
const LAST_ASCII = 0x7f
const [MINUS, PLUS, DOT, ZERO, NINE, EXPONENT] = Buffer.from('-+.09e') as unknown as [number, number, number, number, number, number]
const LITERALS = ['true', 'false', 'null'].map(literal => Buffer.from(literal))

/** By code: 1 for what stands for itself between quotes. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, code) => Number(code >= SPACE && code <= LAST_ASCII && code !== QUOTE && code !== BACKSLASH))

/** What is nested deeper, or has more members, is left to JSON.parse. */
const DEEPEST = 16
const MOST_MEMBERS = 64
/** Of a member: where its key starts and ends, between the quotes, and where its value does. */
export const PLACES_EACH = 4

/**
 * The places of the members of a JSON object that is all there is from `start` to `end`, counted from `start`. Null for whatever
 * JSON.stringify does not write in plain ASCII: white space, escapes, a key twice; and for keys that begin with a digit, for an object
 * puts its numbers first. What is not null, JSON.parse reads to the same members.
 */
export function membersIn (bytes: Uint8Array, start: number, end: number): readonly number[] | null {
  const places: number[] = []
  if (bytes[start] !== OPEN_BRACE) return null
  let at = start + 1
  if (bytes[at] === CLOSE_BRACE) return at + 1 === end ? places : null
  while (places.length < MOST_MEMBERS * PLACES_EACH) {
    const valueAt = keyEnd(bytes, at, end)
    const valueEnds = valueAt === -1 || isDigit(bytes[at + 1]) ? -1 : valueEnd(bytes, valueAt, end, DEEPEST)
    if (valueEnds === -1 || isAmong(bytes, start, places, at + 1, valueAt - 2)) return null
    places.push(at + 1 - start, valueAt - 2 - start, valueAt - start, valueEnds - start)
    if (bytes[valueEnds] === CLOSE_BRACE) return valueEnds + 1 === end ? places : null
    if (bytes[valueEnds] !== COMMA) return null
    at = valueEnds + 1
  }
  return null
}

// Each of these returns where what starts at `at` ends, or -1 where it is something else.

function valueEnd (bytes: Uint8Array, at: number, end: number, depth: number): number {
  const first = bytes[at]
  if (first === QUOTE) return stringEnd(bytes, at, end)
  if (depth === 0) return -1
  if (first === OPEN_BRACE) return listEnd(bytes, at, end, depth, CLOSE_BRACE)
  if (first === OPEN_BRACKET) return listEnd(bytes, at, end, depth, CLOSE_BRACKET)
  if (first === MINUS || isDigit(first)) return numberEnd(bytes, at)
  for (const literal of LITERALS) {
    if (first === literal[0]) return literal.every((code, index) => bytes[at + index] === code) ? at + literal.length : -1
  }
  return -1
}

function stringEnd (bytes: Uint8Array, at: number, end: number): number {
  if (bytes[at] !== QUOTE) return -1
  at++
  while (at < end && PLAIN[bytes[at] as number] === 1) at++
  return at < end && bytes[at] === QUOTE ? at + 1 : -1
}

function keyEnd (bytes: Uint8Array, at: number, end: number): number {
  const stringEnds = stringEnd(bytes, at, end)
  return stringEnds !== -1 && bytes[stringEnds] === COLON ? stringEnds + 1 : -1
}

/** An object or an array. */
function listEnd (bytes: Uint8Array, at: number, end: number, depth: number, close: number): number {
  at++
  if (bytes[at] === close) return at + 1
  while (at !== -1 && at < end) {
    const valueAt = close === CLOSE_BRACE ? keyEnd(bytes, at, end) : at
    at = valueAt === -1 ? -1 : valueEnd(bytes, valueAt, end, depth - 1)
    if (bytes[at] === close) return at + 1
    at = bytes[at] === COMMA ? at + 1 : -1
  }
  return -1
}

function numberEnd (bytes: Uint8Array, at: number): number {
  if (bytes[at] === MINUS) at++
  at = bytes[at] === ZERO ? at + 1 : digitsEnd(bytes, at)
  if (at !== -1 && bytes[at] === DOT) at = digitsEnd(bytes, at + 1)
  if (at === -1 || bytes[at] !== EXPONENT) return at
  const isSigned = bytes[at + 1] === PLUS || bytes[at + 1] === MINUS
  return isSigned ? digitsEnd(bytes, at + 2) : -1
}

function digitsEnd (bytes: Uint8Array, at: number): number {
  if (!isDigit(bytes[at])) return -1
  while (isDigit(bytes[at])) at++
  return at
}

function isDigit (code: number | undefined): boolean {
  return code !== undefined && code >= ZERO && code <= NINE
}

/** Whether the key in these bytes is one of those before it. */
function isAmong (bytes: Uint8Array, start: number, places: readonly number[], keyAt: number, keyEnds: number): boolean {
  for (let place = 0; place < places.length; place += PLACES_EACH) {
    const otherAt = start + (places[place] as number)
    const otherEnds = start + (places[place + 1] as number)
    if (otherEnds - otherAt !== keyEnds - keyAt) continue
    let at = 0
    while (keyAt + at < keyEnds && bytes[keyAt + at] === bytes[otherAt + at]) at++
    if (keyAt + at === keyEnds) return true
  }
  return false
}
