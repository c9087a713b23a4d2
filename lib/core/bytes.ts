/** Six bytes hold milliseconds until the year 10889. */
export const TIME_BYTES = 6
export const LATEST_MS = 2 ** (8 * TIME_BYTES)

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
/** The unused bits of the last character, by the length of the text modulo 4. */
const UNUSED_BITS = [0, 0, 0b1111, 0b11]
/** The value of each character of the alphabet, by character code; -1 for others. */
const VALUES: readonly number[] = Array.from({ length: 128 }, (_, code) => ALPHABET.indexOf(String.fromCharCode(code)))

/**
 * Decodes base64url without padding (RFC 4648 section 5) into `target`. Strict, so that each byte sequence has exactly
 * one encoding: returns null for other characters, padding, unused bits that are not 0, and text that does not fit.
 * Node's decoder alone is not strict: it skips other characters and stops at padding (too few bytes), and it accepts
 * the two characters of plain base64 and the low eight bits of wider characters. Encoding again to compare took 4 us
 * more for a token of 660 characters.
 * @returns the number of bytes written, or null
 */
export function decodeBase64url (text: string, target: Buffer): number | null {
  const length = target.write(text, 0, 'base64url')
  const isWhole = length === decodedLength(text.length) && text.length % 4 !== 1
  const isInAlphabet = isWhole && !text.includes('+') && !text.includes('/') && Buffer.byteLength(text) === text.length
  return isInAlphabet && unusedBits(text) === 0 ? length : null
}

/** The bits of the last character that belong to no byte. */
function unusedBits (text: string): number {
  const last = VALUES[text.charCodeAt(text.length - 1)] ?? 0
  return last & (UNUSED_BITS[text.length % 4] as number)
}

/** The number of bytes in this many characters of base64url without padding. */
export function decodedLength (characters: number): number {
  return Math.floor(characters * 3 / 4)
}

/** The number of characters of this many bytes in base64url without padding. */
export function encodedLength (bytes: number): number {
  return Math.ceil(bytes * 4 / 3)
}

/**
 * The first characters of a base64url text (8 at most) as one number; null if one of them is not in the alphabet. It is
 * called for every cookie: 0.3 us, with Node's decoder 1.0 us.
 */
export function leadingNumber (text: string, characters: number): number | null {
  let number = 0
  for (let at = 0; at < characters; at++) {
    const value = VALUES[text.charCodeAt(at)] ?? -1
    if (value === -1) return null
    number = number * ALPHABET.length + value
  }
  return number
}
