import { TIME_BYTES } from './bytes'
import {
  CIPHERTEXT_AT, CREATED_AT, EXTENSIONS_AT, EXTENSIONS_LENGTH_AT, EXTENSION_LENGTH_AT, EXTENSION_VALUE_AT,
  FIRST_CRITICAL_EXTENSION, FLAGS_AT, FLAG_CUSTOM_SERIALIZER, FLAG_PADDED, ID_AT, ID_BYTES, KNOWN_FLAGS, PADDING_MARK, RENEWED_AT
} from './format'
import { MALFORMED, UNSUPPORTED, type Refusal } from './refusal'
import { newToken } from './token'

/** Extensions by type. A Map keeps the order they were written in. */
export type Extensions = ReadonlyMap<number, Buffer>

export const NO_EXTENSIONS: Extensions = new Map()

/** What is sealed: the library's own fields, and beside them the user's data, written down. */
export interface Envelope {
  /** 16 random bytes, as 32 hex digits. */
  readonly id: string
  readonly createdAtMs: number
  readonly renewedAtMs: number
  readonly extensions: Extensions
  readonly customSerializer: boolean
  readonly data: Buffer | string
}

export interface OpenedEnvelope extends Envelope {
  readonly data: Buffer
}

/** Bytes of the plaintext that this envelope makes, padding included. */
export function envelopeLength ({ extensions, data }: Envelope, padTo: number): number {
  const length = EXTENSIONS_AT + extensionsLength(extensions) + Buffer.byteLength(data)
  return padTo > 0 ? paddedLength(length, padTo) : length
}

/** A token of the right size with the envelope written where the plaintext belongs, ready to be sealed. */
export function envelopeToken (envelope: Envelope, padTo: number): Buffer {
  const { data, extensions } = envelope
  const dataAt = EXTENSIONS_AT + extensionsLength(extensions)
  const end = envelopeLength(envelope, 0)
  const padded = padTo > 0
  const token = newToken(padded ? paddedLength(end, padTo) : end)
  const flags = (padded ? FLAG_PADDED : 0) | (envelope.customSerializer ? FLAG_CUSTOM_SERIALIZER : 0)

  token[CIPHERTEXT_AT + FLAGS_AT] = flags
  token.write(envelope.id, CIPHERTEXT_AT + ID_AT, 'hex')
  token.writeUIntBE(envelope.createdAtMs, CIPHERTEXT_AT + CREATED_AT, TIME_BYTES)
  token.writeUIntBE(envelope.renewedAtMs, CIPHERTEXT_AT + RENEWED_AT, TIME_BYTES)
  token.writeUInt16BE(dataAt - EXTENSIONS_AT, CIPHERTEXT_AT + EXTENSIONS_LENGTH_AT)
  writeExtensions(token, CIPHERTEXT_AT + EXTENSIONS_AT, extensions)
  if (typeof data === 'string') token.write(data, CIPHERTEXT_AT + dataAt)
  else data.copy(token, CIPHERTEXT_AT + dataAt)
  if (padded) {
    token.fill(0, CIPHERTEXT_AT + end)
    token[CIPHERTEXT_AT + end] = PADDING_MARK
  }
  return token
}

/** The envelope in a plaintext, or why it is none. The data is a view of the plaintext, not a copy. */
export function readEnvelope (plaintext: Buffer): OpenedEnvelope | Refusal {
  if (plaintext.length < EXTENSIONS_AT) return MALFORMED
  const flags = plaintext[FLAGS_AT] as number
  if ((flags & ~KNOWN_FLAGS) !== 0) return UNSUPPORTED
  const end = (flags & FLAG_PADDED) !== 0 ? unpaddedLength(plaintext) : plaintext.length
  const dataAt = EXTENSIONS_AT + plaintext.readUInt16BE(EXTENSIONS_LENGTH_AT)
  if (dataAt > end) return MALFORMED
  const extensions = dataAt === EXTENSIONS_AT ? NO_EXTENSIONS : readExtensions(plaintext, dataAt)
  if ('ok' in extensions) return extensions
  return {
    id: plaintext.toString('hex', ID_AT, ID_AT + ID_BYTES),
    createdAtMs: plaintext.readUIntBE(CREATED_AT, TIME_BYTES),
    renewedAtMs: plaintext.readUIntBE(RENEWED_AT, TIME_BYTES),
    extensions,
    customSerializer: (flags & FLAG_CUSTOM_SERIALIZER) !== 0,
    data: plaintext.subarray(dataAt, end)
  }
}

function extensionsLength (extensions: Extensions): number {
  let length = 0
  for (const value of extensions.values()) length += EXTENSION_VALUE_AT + value.length
  return length
}

function writeExtensions (target: Buffer, at: number, extensions: Extensions): void {
  for (const [type, value] of extensions) {
    target[at] = type
    target.writeUInt16BE(value.length, at + EXTENSION_LENGTH_AT)
    value.copy(target, at + EXTENSION_VALUE_AT)
    at += EXTENSION_VALUE_AT + value.length
  }
}

function readExtensions (plaintext: Buffer, end: number): Extensions | Refusal {
  const extensions = new Map<number, Buffer>()
  let at = EXTENSIONS_AT
  while (at < end) {
    if (at + EXTENSION_VALUE_AT > end) return MALFORMED
    const type = plaintext[at] as number
    const valueAt = at + EXTENSION_VALUE_AT
    at = valueAt + plaintext.readUInt16BE(at + EXTENSION_LENGTH_AT)
    if (at > end || extensions.has(type)) return MALFORMED
    if (type >= FIRST_CRITICAL_EXTENSION) return UNSUPPORTED
    extensions.set(type, Buffer.from(plaintext.subarray(valueAt, at)))
  }
  return extensions
}

/** At least one byte more, up to the next multiple. */
function paddedLength (length: number, padTo: number): number {
  return (Math.floor(length / padTo) + 1) * padTo
}

/** Where the padding starts; -1, which no data reaches, where the mark is missing. */
function unpaddedLength (plaintext: Buffer): number {
  let at = plaintext.length - 1
  while (at >= EXTENSIONS_AT && plaintext[at] === 0) at--
  return plaintext[at] === PADDING_MARK ? at : -1
}
