import { isUtf8 } from 'node:buffer'
import { TIME_BYTES } from '../core/bytes'
import { readEnvelope, type EnvelopeFields } from '../core/envelope'
import {
  EXTENSION_ABSOLUTE_LIMIT, EXTENSION_AUTHENTICATED_AT, EXTENSION_COOKIE_ATTRIBUTES, EXTENSION_IDLE_LIMIT, EXTENSION_MAX_AGE,
  EXTENSION_PERSISTENT, EXTENSION_SUBJECT, EXTENSIONS_AT, FLAG_PADDED, FLAGS_AT, MOST_PARTS, SUBJECT_BYTES
} from '../core/format'
import { CookieParts } from '../core/parts'
import { MALFORMED, type Refusal } from '../core/refusal'
import { readStamp, type Stamp } from '../core/stamp'
import { openToken, plaintext, type OpenedToken, type TokenKeys } from '../core/token'

/** What is in a token, looked at without the limits and the serializer of any server. */

export interface SealedSession extends EnvelopeFields {
  /** Over how many cookies it is split. */
  readonly parts: number
  readonly padded: boolean
  readonly data: Buffer
  /** What the data says; null where only the application's own serializer can tell. */
  readonly values: Readonly<Record<string, unknown>> | null
  /** In bytes. */
  readonly sizes: { readonly plaintext: number, readonly head: number, readonly extensions: number, readonly data: number, readonly padding: number }
}

export function openSealedSession (token: string, name: string, keys: TokenKeys, nowMs: number): SealedSession | Refusal {
  const opened = openWhole(token, name, keys, nowMs)
  if ('ok' in opened) return opened
  const length = opened.plaintextBytes
  const envelope = readEnvelope(plaintext, length)
  if ('ok' in envelope) return envelope
  const { id, createdAtMs, renewedAtMs, extensions, customSerializer, dataAt, dataEnd } = envelope
  const data = Buffer.from(plaintext.subarray(dataAt, dataEnd))
  const values = customSerializer ? null : jsonObject(data)
  if (values === undefined || ![...extensions].every(isWellFormed)) return MALFORMED
  return {
    id,
    createdAtMs,
    renewedAtMs,
    extensions,
    customSerializer,
    parts: new CookieParts(name).found(token) as number,
    padded: ((plaintext[FLAGS_AT] as number) & FLAG_PADDED) !== 0,
    data,
    values,
    sizes: { plaintext: length, head: EXTENSIONS_AT, extensions: dataAt - EXTENSIONS_AT, data: data.length, padding: length - dataEnd }
  }
}

export function openStamp (token: string, name: string, keys: TokenKeys, nowMs: number): Stamp | Refusal {
  const opened = openWhole(token, name, keys, nowMs)
  return 'ok' in opened ? opened : readStamp(plaintext, opened.plaintextBytes)
}

/** The object that JSON stands for; undefined where it is not one. */
export function jsonObject (bytes: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = isUtf8(bytes) ? JSON.parse(bytes.toString()) : undefined
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value as Record<string, unknown> : undefined
  } catch {
    return undefined
  }
}

/** What is longer than all the cookies of a session carry was never issued. */
function openWhole (token: string, name: string, keys: TokenKeys, nowMs: number): OpenedToken | Refusal {
  const parts = new CookieParts(name)
  return token.length > parts.longest(MOST_PARTS) ? MALFORMED : openToken(token, keys, parts.found(token), nowMs)
}

function isWellFormed ([type, value]: [number, Buffer]): boolean {
  switch (type) {
    case EXTENSION_IDLE_LIMIT:
    case EXTENSION_ABSOLUTE_LIMIT:
    case EXTENSION_MAX_AGE:
    case EXTENSION_AUTHENTICATED_AT: return value.length === TIME_BYTES
    case EXTENSION_PERSISTENT: return value.length === 1 && (value[0] as number) <= 1
    case EXTENSION_SUBJECT: return value.length === 0 || value.length === SUBJECT_BYTES
    case EXTENSION_COOKIE_ATTRIBUTES: return jsonObject(value) !== undefined
    default: return true
  }
}
