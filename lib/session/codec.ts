import { isUtf8 } from 'node:buffer'
import type { Serializer } from '../../types/sealing'
import { isObject } from '../checks'
import { NotSerializableError } from '../errors'
import { refuseAltered, refuseUnserializable } from './serializable'

export type SessionRecord = Record<string, unknown>

/** Serializes a session's data. */
export interface Codec {
  readonly custom: boolean
  /** Throws FST_SESSION_NOT_SERIALIZABLE, which names the key. */
  serialize (data: SessionRecord): string | Buffer
  /** The serialized data in these bytes, copied; null for what `serialize` does not return. */
  read (bytes: Buffer): string | Buffer | null
  /** Null where it is not the data of a session. What parsed once parses again. */
  parse (serialized: string | Buffer): SessionRecord | null
}

export const jsonCodec: Codec = {
  custom: false,
  serialize (data) {
    const json = stringified(data)
    for (const key of Object.keys(data)) refuseAltered(key, data[key])
    return json
  },
  read (bytes) {
    const json = bytes.toString()
    // Bytes that are not UTF-8 become this character. It may also stand there itself.
    return json.includes('\ufffd') && !isUtf8(bytes) ? null : json
  },
  parse (json) {
    try {
      const data: unknown = JSON.parse(json as string)
      return isObject(data) ? data : null
    } catch {
      return null
    }
  }
}

export function customCodec (serializer: Serializer): Codec {
  return {
    custom: true,
    serialize (data) {
      let serialized: unknown
      try {
        serialized = serializer.serialize(data)
      } catch (cause) {
        throw new NotSerializableError('the serializer threw while it wrote the session', null, cause)
      }
      if (typeof serialized === 'string') return serialized
      // A copy without methods of the caller's: none of its code runs while a token is sealed.
      if (serialized instanceof Uint8Array) return Buffer.from(new Uint8Array(serialized))
      throw new NotSerializableError(`the serializer must return a string or a Buffer; found ${typeof serialized}`)
    },
    read (bytes) {
      return Buffer.from(bytes)
    },
    parse (serialized) {
      try {
        const data: unknown = serializer.deserialize(Buffer.from(serialized as Buffer))
        return isObject(data) ? data : null
      } catch {
        return null
      }
    }
  }
}

/** True where both are the same bytes. */
export function isSame (a: string | Buffer, b: string | Buffer): boolean {
  if (typeof a === 'string' && typeof b === 'string') return a === b
  return Buffer.from(a as Buffer).equals(Buffer.from(b as Buffer))
}

/** Throws FST_SESSION_NOT_SERIALIZABLE, which names the first key that cannot be written. */
function stringified (data: SessionRecord): string {
  try {
    return JSON.stringify(data)
  } catch (cause) {
    for (const key of Object.keys(data)) refuseUnserializable(key, data[key])
    throw new NotSerializableError('the session cannot be written as JSON', null, cause)
  }
}
