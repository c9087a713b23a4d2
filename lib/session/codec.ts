import { isUtf8 } from 'node:buffer'
import type { Serializer } from '../../types/sealing'
import { NotSerializableError } from '../errors'
import { JsonData } from './json-data'
import { jsonOf, refuseAltered } from './serializable'

export type SessionRecord = Record<string, unknown>

/** How a session's data is written down, and read again. */
export interface Codec {
  readonly custom: boolean
  /** Throws FST_SESSION_NOT_SERIALIZABLE, which names the key. */
  encode (data: SessionRecord): string | Buffer
  /** The data in the bytes from `start` to `end`; null where they are none of a session. The bytes are not kept. */
  decode (bytes: Buffer, start: number, end: number): Decoded | null
}

/** The data of a session as it was sealed. */
export interface Decoded {
  readonly data: SessionRecord
  /** What `encode` is compared with, to see a change inside a nested value. */
  readonly source: string | Buffer
}

export const jsonCodec: Codec = {
  custom: false,
  encode (data) {
    const json = stringified(data)
    for (const key of Object.keys(data)) refuseAltered(key, data[key])
    return json
  },
  decode (bytes, start, end) {
    const members = JsonData.in(bytes, start, end)
    if (members !== null) return members
    const source = bytes.toString('utf8', start, end)
    // What is not UTF-8 becomes this character; it may stand there by right, too.
    if (source.includes('\ufffd') && !isUtf8(bytes.subarray(start, end))) return null
    try {
      const data: unknown = JSON.parse(source)
      return isRecord(data) ? { data, source } : null
    } catch {
      return null
    }
  }
}

export function customCodec (serializer: Serializer): Codec {
  return {
    custom: true,
    encode (data) {
      let encoded: unknown
      try {
        encoded = serializer.serialize(data)
      } catch (cause) {
        throw new NotSerializableError('the serializer threw while it wrote the session', null, cause)
      }
      if (typeof encoded === 'string') return encoded
      // A copy with no method of its own: none of the caller's code runs while a token is being made.
      if (encoded instanceof Uint8Array) return Buffer.from(new Uint8Array(encoded))
      throw new NotSerializableError(`the serializer must return a string or a Buffer; found ${typeof encoded}`)
    },
    decode (bytes, start, end) {
      const source = Buffer.from(bytes.subarray(start, end))
      try {
        const data: unknown = serializer.deserialize(Buffer.from(source))
        return isRecord(data) ? { data, source } : null
      } catch {
        return null
      }
    }
  }
}

export function isSame (a: string | Buffer, b: string | Buffer): boolean {
  return typeof a === 'string' && typeof b === 'string' ? a === b : Buffer.from(a as Buffer).equals(Buffer.from(b as Buffer))
}

function isRecord (value: unknown): value is SessionRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Throws FST_SESSION_NOT_SERIALIZABLE, which names the first key that cannot be written. */
function stringified (data: SessionRecord): string {
  try {
    return JSON.stringify(data)
  } catch (cause) {
    for (const key of Object.keys(data)) jsonOf(key, data[key])
    throw new NotSerializableError('the session cannot be written as JSON', null, cause)
  }
}
