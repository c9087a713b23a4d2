import { KEY_BYTES } from '../core/aead'
import { InvalidKeyError } from '../errors'

const HEX = /^[0-9a-f]{64}$/i
const BASE64 = /^[A-Za-z0-9+/]{43}=?$/
const BASE64URL = /^[A-Za-z0-9_-]{43}=?$/

/** The messages of `@fastify/secure-session` for one key and for a key in an array: users search for them. */
const NO_KEY = 'key must be a string or a Buffer'
const NO_KEY_IN_ARRAY = 'Key must be string or buffer'

/** The hint for a key that is undefined: most keys come from the environment. */
export const UNSET = '; the value given is undefined: is the environment variable set? ' +
  'Node.js reads a .env file only with "node --env-file=.env"'

const WANTED = `key must be ${KEY_BYTES} bytes: a Buffer of that length, or text in base64, base64url ` +
  `or ${2 * KEY_BYTES} hex digits`

/**
 * The 32 bytes of a key given as bytes or as text. Text may end with a newline, and may be in a Buffer, as a file is
 * read.
 * @param where the name of this key in the message, such as `key[1]`
 * @param typeMessage the message for a value that is neither text nor bytes
 * @throws FST_SESSION_INVALID_KEY with the length that was found, never with the key
 */
export function keyBytes (key: unknown, where: string, typeMessage = NO_KEY): Buffer {
  if (key instanceof Uint8Array) {
    const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength)
    const found = bytes.length === KEY_BYTES ? bytes : fromText(bytes.toString('latin1'))
    if (found === null) throw new InvalidKeyError(`${where}: ${WANTED}; found ${bytes.length} bytes${hint(bytes)}`)
    return found
  }
  if (typeof key !== 'string') {
    const found = key === undefined ? `undefined${UNSET}` : key === null ? 'null' : typeof key
    throw new InvalidKeyError(`${where}: ${typeMessage}; found ${found}`)
  }
  const found = fromText(key)
  if (found === null) throw new InvalidKeyError(`${where}: ${WANTED}; found text of ${key.length} characters`)
  return found
}

/** The bytes of one key or of an array of keys. Throws FST_SESSION_INVALID_KEY if one of them is invalid. */
export function keysBytes (key: unknown, where = 'option "key"'): [Buffer, ...Buffer[]] {
  if (!Array.isArray(key)) return [keyBytes(key, where)]
  const [first, ...others] = key.map((one, index) => keyBytes(one, `${where}[${index}]`, NO_KEY_IN_ARRAY))
  if (first === undefined) throw new InvalidKeyError(`${where} must hold one key at least; found an empty array`)
  return [first, ...others]
}

/** True for text that could be a key: messages must not quote it. */
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
  if (bytes[0] === 0xff && bytes[1] === 0xfe) {
    return ' that start like UTF-16 text, as PowerShell writes it: save the file as ASCII'
  }
  if (bytes.length === KEY_BYTES + 1 && bytes[KEY_BYTES] === 0x0a) return ', the last of them a newline'
  return ''
}
