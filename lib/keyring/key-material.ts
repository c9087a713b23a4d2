import { KEY_BYTES } from '../core/aead'
import { InvalidKeyError } from '../errors'

const HEX = /^[0-9a-f]{64}$/i
const BASE64 = /^[A-Za-z0-9+/]{43}=?$/
const BASE64URL = /^[A-Za-z0-9_-]{43}=?$/

/** What `@fastify/secure-session` says of the same faults, so that whoever looks for its words finds them: of one key, and of one in an array. */
const NO_KEY = 'key must be a string or a Buffer'
const NO_KEY_IN_ARRAY = 'Key must be string or buffer'

/** What is said of a key that is undefined: most come from the environment. */
export const UNSET = '; the value given is undefined: is the environment variable set? ' +
  'Node.js reads a .env file only with "node --env-file=.env"'

const WANTED = `key must be ${KEY_BYTES} bytes: a Buffer of that length, or text in base64, base64url or ${2 * KEY_BYTES} hex digits`

/**
 * The 32 bytes of a key given as bytes or as text. Text may end with the newline that a shell puts there, and may come
 * as the Buffer that a file was read into. Throws FST_SESSION_INVALID_KEY with the length found, never with the key.
 * @param where what to call this key in the message, such as `key[1]`
 */
export function keyBytes (key: unknown, where: string, otherwise = NO_KEY): Buffer {
  if (key instanceof Uint8Array) {
    const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength)
    const found = bytes.length === KEY_BYTES ? bytes : fromText(bytes.toString('latin1'))
    if (found === null) throw new InvalidKeyError(`${where}: ${WANTED}; found ${bytes.length} bytes${hint(bytes)}`)
    return found
  }
  if (typeof key !== 'string') {
    const found = key === undefined ? `undefined${UNSET}` : key === null ? 'null' : typeof key
    throw new InvalidKeyError(`${where}: ${otherwise}; found ${found}`)
  }
  const found = fromText(key)
  if (found === null) throw new InvalidKeyError(`${where}: ${WANTED}; found text of ${key.length} characters`)
  return found
}

/** The bytes of one key, or of an array of them. Throws FST_SESSION_INVALID_KEY where any is no good. */
export function keysBytes (key: unknown): [Buffer, ...Buffer[]] {
  if (!Array.isArray(key)) return [keyBytes(key, 'option "key"')]
  const [first, ...others] = key.map((one, index) => keyBytes(one, `option "key"[${index}]`, NO_KEY_IN_ARRAY))
  if (first === undefined) throw new InvalidKeyError('option "key" must hold one key at least; found an empty array')
  return [first, ...others]
}

/** True for text that could be a key, and so must not be shown. */
export function looksLikeKey (text: string): boolean {
  return fromText(text) !== null
}

function fromText (text: string): Buffer | null {
  const trimmed = text.trim()
  if (HEX.test(trimmed)) return Buffer.from(trimmed, 'hex')
  if (BASE64.test(trimmed) || BASE64URL.test(trimmed)) return Buffer.from(trimmed, 'base64')
  return null
}

function hint (bytes: Buffer): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return ' that start like UTF-16 text, as PowerShell writes it: save the file as ASCII'
  if (bytes.length === KEY_BYTES + 1 && bytes[KEY_BYTES] === 0x0a) return ', the last of them a newline'
  return ''
}
