import { TIME_BYTES } from './bytes'
import {
  CREATED_AT, EXTENSIONS_AT, EXTENSIONS_LENGTH_AT, EXTENSION_LENGTH_AT, EXTENSION_VALUE_AT, FIRST_CRITICAL_EXTENSION,
  FLAGS_AT, FLAG_CUSTOM_SERIALIZER, FLAG_PADDED, ID_AT, ID_BYTES, KNOWN_CRITICAL, KNOWN_FLAGS, PADDING_MARK, RENEWED_AT
} from './format'
import { MALFORMED, UNSUPPORTED, type Refusal } from './refusal'

/** Extensions by type. A Map keeps the order in which they were written. */
export type Extensions = ReadonlyMap<number, Buffer>

export const NO_EXTENSIONS: Extensions = new Map()

/** The library's own fields of a session. */
export interface EnvelopeFields {
  /** ID_BYTES random bytes. */
  readonly id: Buffer
  readonly createdAtMs: number
  readonly renewedAtMs: number
  readonly extensions: Extensions
  readonly customSerializer: boolean
}

/** The content to seal: the library's own fields and the user's serialized data. */
export interface Envelope extends EnvelopeFields {
  readonly data: Buffer | string
}

/** An opened envelope: the library's own fields, and the offsets of the data in the plaintext. */
export interface OpenedEnvelope extends EnvelopeFields {
  readonly dataAt: number
  readonly dataEnd: number
}

/** The number of bytes of the plaintext, with padding. */
export function envelopeLength ({ extensions, data }: Envelope, padTo: number): number {
  return paddedLength(EXTENSIONS_AT + extensionsLength(extensions) + Buffer.byteLength(data), padTo)
}

/** Writes the plaintext of an envelope to the start of `target`, which must have room for it. Returns its length. */
export function writeEnvelope (envelope: Envelope, padTo: number, target: Buffer): number {
  const { data, extensions } = envelope
  const dataAt = EXTENSIONS_AT + extensionsLength(extensions)

  target[FLAGS_AT] = (padTo > 0 ? FLAG_PADDED : 0) | (envelope.customSerializer ? FLAG_CUSTOM_SERIALIZER : 0)
  envelope.id.copy(target, ID_AT)
  target.writeUIntBE(envelope.createdAtMs, CREATED_AT, TIME_BYTES)
  target.writeUIntBE(envelope.renewedAtMs, RENEWED_AT, TIME_BYTES)
  target.writeUInt16BE(dataAt - EXTENSIONS_AT, EXTENSIONS_LENGTH_AT)
  writeExtensions(target, EXTENSIONS_AT, extensions)
  const end = dataAt + (typeof data === 'string' ? target.write(data, dataAt) : data.copy(target, dataAt))
  if (padTo === 0) return end
  const paddedEnd = paddedLength(end, padTo)
  target.fill(0, end, paddedEnd)
  target[end] = PADDING_MARK
  return paddedEnd
}

/** The envelope in the first `length` bytes of a plaintext, or the refusal. */
export function readEnvelope (plaintext: Buffer, length: number): OpenedEnvelope | Refusal {
  if (length < EXTENSIONS_AT) return MALFORMED
  const flags = plaintext[FLAGS_AT] as number
  if ((flags & ~KNOWN_FLAGS) !== 0) return UNSUPPORTED
  const dataEnd = (flags & FLAG_PADDED) !== 0 ? unpaddedLength(plaintext, length) : length
  const dataAt = EXTENSIONS_AT + plaintext.readUInt16BE(EXTENSIONS_LENGTH_AT)
  if (dataAt > dataEnd) return MALFORMED
  const extensions = dataAt === EXTENSIONS_AT ? NO_EXTENSIONS : readExtensions(plaintext, dataAt)
  if ('ok' in extensions) return extensions
  return {
    id: Buffer.from(plaintext.subarray(ID_AT, ID_AT + ID_BYTES)),
    createdAtMs: plaintext.readUIntBE(CREATED_AT, TIME_BYTES),
    renewedAtMs: plaintext.readUIntBE(RENEWED_AT, TIME_BYTES),
    extensions,
    customSerializer: (flags & FLAG_CUSTOM_SERIALIZER) !== 0,
    dataAt,
    dataEnd
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
    if (type >= FIRST_CRITICAL_EXTENSION && !KNOWN_CRITICAL.includes(type)) return UNSUPPORTED
    extensions.set(type, Buffer.from(plaintext.subarray(valueAt, at)))
  }
  return extensions
}

/** The next multiple of `padTo` above `length`; `length` if `padTo` is 0. */
export function paddedLength (length: number, padTo: number): number {
  return padTo === 0 ? length : (Math.floor(length / padTo) + 1) * padTo
}

/** The offset of the padding; -1 if its mark is missing. The loop ends at the first byte, whose padding flag is set. */
function unpaddedLength (plaintext: Buffer, length: number): number {
  let at = length - 1
  while (plaintext[at] === 0) at--
  return plaintext[at] === PADDING_MARK ? at : -1
}
