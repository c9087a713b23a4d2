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
