import { isUtf8 } from 'node:buffer'
import { TIME_BYTES } from '../core/bytes'
import { readEnvelope, type EnvelopeHead } from '../core/envelope'
import { COOKIE_BYTES, EXTENSION_COOKIE_ATTRIBUTES, EXTENSION_IDLE_LIMIT, EXTENSIONS_AT, FLAG_PADDED, FLAGS_AT, NOT_SPLIT } from '../core/format'
import { MALFORMED, type Refusal } from '../core/refusal'
import { readStamp, type Stamp } from '../core/stamp'
import { openToken, plaintext, type TokenKeys } from '../core/token'

/** What is in a token, looked at without the limits and the serializer of any server. */

export interface SealedSession extends EnvelopeHead {
  readonly padded: boolean
  readonly data: Buffer
  /** What the data says; null where only the application's own serializer can tell. */
  readonly values: Readonly<Record<string, unknown>> | null
  /** In bytes. */
  readonly sizes: { readonly plaintext: number, readonly head: number, readonly extensions: number, readonly data: number, readonly padding: number }
}

export function openSealedSession (token: string, name: string, keys: TokenKeys, nowMs: number): SealedSession | Refusal {
  const length = openWhole(token, name, keys, nowMs)
  if (typeof length !== 'number') return length
  const envelope = readEnvelope(plaintext, length)
  if ('ok' in envelope) return envelope
  const { dataAt, dataEnd, ...head } = envelope
  const data = Buffer.from(plaintext.subarray(dataAt, dataEnd))
  const values = head.customSerializer ? null : jsonObject(data)
  if (values === undefined || ![...head.extensions].every(isWellFormed)) return MALFORMED
  return {
    ...head,
    padded: ((plaintext[FLAGS_AT] as number) & FLAG_PADDED) !== 0,
    data,
    values,
    sizes: { plaintext: length, head: EXTENSIONS_AT, extensions: dataAt - EXTENSIONS_AT, data: data.length, padding: length - dataEnd }
  }
}

export function openStamp (token: string, name: string, keys: TokenKeys, nowMs: number): Stamp | Refusal {
  const length = openWhole(token, name, keys, nowMs)
  return typeof length === 'number' ? readStamp(plaintext, length) : length
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

/** Name and value of a cookie share its 4096 bytes: what is longer was never issued. */
function openWhole (token: string, name: string, keys: TokenKeys, nowMs: number): number | Refusal {
  return token.length > COOKIE_BYTES - name.length ? MALFORMED : openToken(token, keys, NOT_SPLIT, nowMs)
}

function isWellFormed ([type, value]: [number, Buffer]): boolean {
  if (type === EXTENSION_IDLE_LIMIT) return value.length === TIME_BYTES
  return type !== EXTENSION_COOKIE_ATTRIBUTES || jsonObject(value) !== undefined
}
