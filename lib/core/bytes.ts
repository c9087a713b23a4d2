/** Six bytes hold milliseconds until the year 10889. */
export const TIME_BYTES = 6
export const LATEST_MS = 2 ** (8 * TIME_BYTES)

/**
 * Decodes base64url without padding (RFC 4648 section 5) into `target`. Strict: alien characters, padding, stray bits
 * at the end or more text than fits give null, so that one run of bytes has exactly one spelling.
 * Node's own decoder is lax; encoding again and comparing is cheap (0.4 us for 660 characters).
 */
export function decodeBase64url (text: string, target: Buffer): number | null {
  const length = target.write(text, 0, 'base64url')
  return target.toString('base64url', 0, length) === text ? length : null
}

/** Bytes that a base64url text without padding of this many characters stands for. */
export function decodedLength (characters: number): number {
  return Math.floor(characters * 3 / 4)
}

/** Characters that this many bytes take in base64url without padding. */
export function encodedLength (bytes: number): number {
  return Math.ceil(bytes * 4 / 3)
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
/** By character code. */
const VALUES: readonly number[] = Array.from({ length: 128 }, (_, code) => ALPHABET.indexOf(String.fromCharCode(code)))

/**
 * The first characters of a base64url text (8 at most) as one number; null where one of them is alien. For a look at
 * every cookie of every request: 0.3 us, where Node's decoder takes 1.0.
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
