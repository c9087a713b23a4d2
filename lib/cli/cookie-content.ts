import { isUtf8 } from 'node:buffer'
import { TIME_BYTES } from '../core/bytes'
import { readEnvelope } from '../core/envelope'
import {
  EXTENSION_ABSOLUTE_LIMIT, EXTENSION_AUTHENTICATED_AT, EXTENSION_COOKIE_ATTRIBUTES, EXTENSION_IDLE_LIMIT,
  EXTENSION_MARK, EXTENSION_MAX_AGE, EXTENSION_PERSISTENT, EXTENSION_SUBJECT, EXTENSIONS_AT, MARK_BYTES, PROOF_BYTES,
  PROVEN_AT, SUBJECT_BYTES
} from '../core/format'
import { MALFORMED, type Refusal } from '../core/refusal'
import { readStamp } from '../core/stamp'
import { plaintext } from '../core/token'
import { isoTime } from '../keyring/document'

/** The content of an opened token as JSON, without the limits and the serializer of a server. */
export type Json = Readonly<Record<string, unknown>>

/** The stamp in the first `length` bytes of `plaintext`. */
export function stampContent (length: number, characters: number): Json | Refusal {
  const stamp = readStamp(plaintext, length)
  if ('ok' in stamp) return stamp
  const { id, renewedAtMs, checkedAtMs } = stamp
  return {
    kind: 'stamp',
    session: id.toString('hex'),
    renewedAt: isoTime(renewedAtMs),
    checkedAt: checkedAtMs === 0 ? null : isoTime(checkedAtMs),
    sizes: { token: characters }
  }
}

/** The proof in the first `length` bytes of `plaintext`. Its mark is not shown: it is the pass of the session. */
export function proofContent (length: number, characters: number): Json | Refusal {
  if (length !== PROOF_BYTES) return MALFORMED
  const provenAt = isoTime(plaintext.readUIntBE(PROVEN_AT, TIME_BYTES))
  return { kind: 'proof', provenAt, sizes: { token: characters } }
}

/** The session in the first `length` bytes of `plaintext`; with `show`, its data. */
export function sessionContent (length: number, characters: number, cookies: number, show: boolean): Json | Refusal {
  const envelope = readEnvelope(plaintext, length)
  if ('ok' in envelope) return envelope
  const { id, createdAtMs, renewedAtMs, customSerializer, dataAt, dataEnd } = envelope
  const bytes = Buffer.from(plaintext.subarray(dataAt, dataEnd))
  const values = customSerializer ? null : jsonObject(bytes)
  const extensions = [...envelope.extensions].map(readExtension)
  if (values === undefined || extensions.includes(undefined)) return MALFORMED
  const padding = length - dataEnd
  const sizes = { head: EXTENSIONS_AT, extensions: dataAt - EXTENSIONS_AT, data: bytes.length, padding }
  return {
    kind: 'session',
    session: id.toString('hex'),
    createdAt: isoTime(createdAtMs),
    renewedAt: isoTime(renewedAtMs),
    padded: padding > 0,
    customSerializer,
    cookies,
    sizes: { token: characters, plaintext: length, ...sizes },
    extensions,
    keys: values === null ? null : Object.keys(values).length,
    ...show ? { data: values ?? (isUtf8(bytes) ? { text: `${bytes}` } : { base64: bytes.toString('base64') }) } : {}
  }
}

/** Undefined if it is malformed. */
type ReadExtension = (value: Buffer) => unknown

const readMs: ReadExtension = value => value.length === TIME_BYTES ? value.readUIntBE(0, TIME_BYTES) : undefined
const readTime: ReadExtension = value => {
  return value.length === TIME_BYTES ? isoTime(value.readUIntBE(0, TIME_BYTES)) : undefined
}
const readBoolean: ReadExtension = value => new Map([['00', false], ['01', true]]).get(value.toString('hex'))
/** The mark itself is not shown: it is the pass of the session. */
const readMark: ReadExtension = value => value.length === MARK_BYTES ? value.length : undefined
const readHash: ReadExtension = value => {
  if (value.length === 0) return null
  return value.length === SUBJECT_BYTES ? value.toString('base64url') : undefined
}

/** The name of each extension, its field in JSON, and how its value is read. */
const EXTENSIONS: Readonly<Record<number, readonly [name: string, field: string, read: ReadExtension]>> = {
  [EXTENSION_IDLE_LIMIT]: ['idle limit', 'idleMs', readMs],
  [EXTENSION_ABSOLUTE_LIMIT]: ['absolute limit', 'absoluteMs', readMs],
  [EXTENSION_MAX_AGE]: ['max-age', 'maxAgeMs', readMs],
  [EXTENSION_PERSISTENT]: ['persistent', 'persistent', readBoolean],
  [EXTENSION_COOKIE_ATTRIBUTES]: ['cookie attributes', 'attributes', jsonObject],
  [EXTENSION_SUBJECT]: ['subject', 'hash', readHash],
  [EXTENSION_AUTHENTICATED_AT]: ['authenticated at', 'authenticatedAt', readTime],
  [EXTENSION_MARK]: ['mark', 'bytes', readMark]
}

function readExtension ([type, value]: [number, Buffer]): Json | undefined {
  const extension = EXTENSIONS[type]
  if (extension === undefined) return { type, name: null, bytes: value.length }
  const [name, field, read] = extension
  const content = read(value)
  return content === undefined ? undefined : { type, name, [field]: content }
}

/** Undefined for anything else than the JSON of an object. */
function jsonObject (bytes: Buffer): Json | undefined {
  try {
    const value: unknown = isUtf8(bytes) ? JSON.parse(bytes.toString()) : undefined
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value as Json : undefined
  } catch {
    return undefined
  }
}
