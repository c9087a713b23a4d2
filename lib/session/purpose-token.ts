import { encodedLength, TIME_BYTES } from '../core/bytes'
import {
  EXPIRES_AT, FLAG_ONCE, FLAGS_AT, ID_AT, ID_BYTES, LONGEST_PURPOSE_TOKEN, MADE_AT, NOT_SPLIT, PURPOSE_DATA_AT,
  TOKEN_OVERHEAD_BYTES
} from '../core/format'
import { EXPIRED, FROM_THE_FUTURE, MALFORMED, UNSUPPORTED, type Refusal } from '../core/refusal'
import { openToken, plaintext, sealToken, type TokenKeys } from '../core/token'
import { jsonCodec, type SessionRecord } from './codec'
import { isFromTheFuture } from './expiry'
import { tooLargeError } from './sealing'

/** Tokens for a purpose, such as a link in a mail. */

/** What a token for a purpose contains. */
export interface PurposeToken {
  /** ID_BYTES random bytes. */
  readonly id: Buffer
  readonly madeAtMs: number
  readonly expiresAtMs: number
  /** It opens once. */
  readonly once: boolean
  /** A JSON object. */
  readonly json: string
}

export interface OpenedPurposeToken extends Omit<PurposeToken, 'json'> {
  readonly data: SessionRecord
}

/** `{"data":` and `}` are written around the data. */
const DATA_FROM = '{"data":'.length

/**
 * The JSON of the data of a token; null if it is not that of an object. Throws FST_SESSION_NOT_SERIALIZABLE, and
 * FST_SESSION_TOO_LARGE, which names the largest keys.
 * @param mostCharacters of the token
 */
export function jsonOfData (data: unknown, mostCharacters = LONGEST_PURPOSE_TOKEN): string | null {
  const json = (jsonCodec.serialize({ data }) as string).slice(DATA_FROM, -1)
  if (!json.startsWith('{')) return null
  const bytes = encodedLength(TOKEN_OVERHEAD_BYTES + PURPOSE_DATA_AT + Buffer.byteLength(json))
  if (bytes <= mostCharacters) return json
  const why = mostCharacters === LONGEST_PURPOSE_TOKEN ? 'fit in a URL' : 'are the option "maxLength"'
  const found = `the token needs ${bytes} characters, and ${mostCharacters} ${why}`
  throw tooLargeError('token', found, { data: JSON.parse(json), bytes, limit: mostCharacters })
}

/** What a token is bound to, as bytes. @param audience empty for none */
export function contextOf (purpose: string, audience: string): Buffer {
  return Buffer.from(`${purpose}\0${audience}`)
}

/** Writes the plaintext to the start of `target`, and returns its length. */
export function writePurposeToken (
  { id, madeAtMs, expiresAtMs, once, json }: PurposeToken, target: Buffer
): number {
  target[FLAGS_AT] = once ? FLAG_ONCE : 0
  id.copy(target, ID_AT)
  target.writeUIntBE(madeAtMs, MADE_AT, TIME_BYTES)
  target.writeUIntBE(expiresAtMs, EXPIRES_AT, TIME_BYTES)
  return PURPOSE_DATA_AT + target.write(json, PURPOSE_DATA_AT)
}

export function sealPurposeToken (token: PurposeToken, keys: TokenKeys, context: Buffer): string {
  return sealToken(writePurposeToken(token, plaintext), keys.sealing(token.madeAtMs), NOT_SPLIT, undefined, context)
}

/**
 * Opens a token, or says why not. Never throws. Whether it was used before is not known here.
 * @param mostCharacters a longer token is malformed
 */
export function openPurposeToken (
  text: string, keys: TokenKeys, context: Buffer, nowMs: number, mostCharacters = LONGEST_PURPOSE_TOKEN
): OpenedPurposeToken | Refusal {
  if (text.length > mostCharacters) return MALFORMED
  const opened = openToken(text, keys, NOT_SPLIT, nowMs, context)
  if ('ok' in opened) return opened
  const { plaintextBytes } = opened
  if (plaintextBytes < PURPOSE_DATA_AT) return MALFORMED
  const flags = plaintext[FLAGS_AT] as number
  if ((flags & ~FLAG_ONCE) !== 0) return UNSUPPORTED
  const madeAtMs = plaintext.readUIntBE(MADE_AT, TIME_BYTES)
  const expiresAtMs = plaintext.readUIntBE(EXPIRES_AT, TIME_BYTES)
  // If it expired before it was made, the time in the store of a used token would count as too early.
  if (expiresAtMs <= madeAtMs) return MALFORMED
  if (isFromTheFuture(madeAtMs, nowMs)) return FROM_THE_FUTURE
  if (nowMs >= expiresAtMs) return EXPIRED
  const data = jsonCodec.parse(jsonCodec.read(plaintext.subarray(PURPOSE_DATA_AT, plaintextBytes)) ?? '')
  if (data === null) return MALFORMED
  const id = Buffer.from(plaintext.subarray(ID_AT, ID_AT + ID_BYTES))
  return { id, madeAtMs, expiresAtMs, once: flags === FLAG_ONCE, data }
}
