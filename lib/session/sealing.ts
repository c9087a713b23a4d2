import { encodedLength } from '../core/bytes'
import { envelopeLength, readEnvelope, writeEnvelope, type Envelope } from '../core/envelope'
import { COOKIE_BYTES, NOT_SPLIT, TOKEN_OVERHEAD_BYTES } from '../core/format'
import { MALFORMED, UNSUPPORTED, type Refusal } from '../core/refusal'
import { openToken, plaintext, sealToken, type TokenKeys } from '../core/token'
import { TooLargeError } from '../errors'
import { jsonCodec, type Codec, type SessionRecord } from './codec'
import { isRenewalDue, refusalByTime, withOwnIdle, type Limits } from './expiry'
import { readExtended } from './extensions'
import type { OpenedSession } from './policy'

/** What the sessions of one cookie name have in common. */
export interface SealingRules {
  readonly cookieName: string
  readonly codec: Codec
  readonly limits: Limits
  /** Pad the plaintext to a multiple of this; 0 for none. */
  readonly padTo: number
}

/** How they are sealed and opened. */
export interface Sealing extends SealingRules {
  readonly keys: TokenKeys
  /** A session that began this long ago may have a stamp that says when it was last checked. */
  readonly recheckMs: number
  /** Characters of the longest token that this cookie can carry. */
  readonly longestToken: number
}

/** The latest times that stamps say of a session; 0 where none does. */
export interface StampedTimes {
  readonly renewedAtMs: number
  readonly checkedAtMs: number
}

export type StampOf = (sessionId: string) => StampedTimes

export const NOT_STAMPED: StampedTimes = Object.freeze({ renewedAtMs: 0, checkedAtMs: 0 })
const NO_STAMP: StampOf = () => NOT_STAMPED
const LARGEST_KEYS_NAMED = 3

/** Opens a token, or says why not. Nothing in it makes this throw. */
export function openSession (token: string, sealing: Sealing, nowMs: number, stampOf: StampOf = NO_STAMP): OpenedSession | Refusal {
  if (token.length > sealing.longestToken) return MALFORMED
  const length = openToken(token, sealing.keys, NOT_SPLIT, nowMs)
  if (typeof length !== 'number') return length
  const envelope = readEnvelope(plaintext, length)
  if ('ok' in envelope) return envelope
  if (envelope.customSerializer && !sealing.codec.custom) return UNSUPPORTED
  const extended = readExtended(envelope.extensions)
  if (extended === null) return MALFORMED

  const { settings, subject } = extended
  const { createdAtMs } = envelope
  const limits = withOwnIdle(sealing.limits, settings.idleMs)
  const isDue = isRenewalDue(envelope.renewedAtMs, limits.renewAfterMs, nowMs)
  const isStamped = isDue || nowMs - createdAtMs >= sealing.recheckMs
  // Where a stamp may be opened next, this plaintext has to leave the place where all are opened.
  const bytes = isStamped ? Buffer.from(plaintext.subarray(0, length)) : plaintext
  const stamp = isStamped ? stampOf(envelope.id) : NOT_STAMPED
  const renewedAtMs = Math.max(envelope.renewedAtMs, stamp.renewedAtMs)
  const authenticatedAtMs = extended.authenticatedAtMs ?? createdAtMs
  const refusal = refusalByTime({ createdAtMs, authenticatedAtMs, renewedAtMs }, limits, nowMs)
  if (refusal !== null) return refusal

  const codec = envelope.customSerializer ? sealing.codec : jsonCodec
  const decoded = codec.decode(bytes, envelope.dataAt, envelope.dataEnd)
  if (decoded === null) return MALFORMED
  return {
    envelope,
    settings,
    formerSettings: [settings],
    decoded,
    codec,
    subject,
    authenticatedAtMs,
    renewedAtMs,
    checkedAtMs: stamp.checkedAtMs,
    isRenewalDue: isDue && isRenewalDue(renewedAtMs, limits.renewAfterMs, nowMs),
    isMoved: false,
    isUndated: false
  }
}

export function sealingWith ({ cookieName, codec, limits, padTo }: SealingRules, keys: TokenKeys, recheckMs = Infinity): Sealing {
  // Name and value of a cookie take 4096 bytes together; the token has what the name leaves.
  return { cookieName, codec, limits, padTo, keys, recheckMs, longestToken: COOKIE_BYTES - cookieName.length }
}

/**
 * Seals an envelope. Throws FST_SESSION_TOO_LARGE, which says how many bytes and which keys.
 * @param source where the data came from, asked only for that error
 */
export function sealSession (envelope: Envelope, sealing: Sealing, source: { data: () => SessionRecord }, nowMs: number): string {
  const length = encodedLength(TOKEN_OVERHEAD_BYTES + envelopeLength(envelope, sealing.padTo))
  if (length > sealing.longestToken) throw tooLarge(source.data(), length, sealing)
  return sealToken(writeEnvelope(envelope, sealing.padTo, plaintext), sealing.keys.sealing(nowMs), NOT_SPLIT)
}

function tooLarge (data: SessionRecord, length: number, { cookieName, longestToken }: Sealing): Error {
  const largest = Object.keys(data)
    .map(key => ({ key, bytes: jsonBytes(data[key]) }))
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, LARGEST_KEYS_NAMED)
    .map(({ key, bytes }) => `"${key}" ${bytes}`)
  return new TooLargeError(
    `the session needs ${length} bytes of cookie "${cookieName}" and ${longestToken} fit; its largest keys, in bytes of JSON: ${largest.join(', ')}`)
}

/** 0 for what only a custom serializer can write. */
function jsonBytes (value: unknown): number {
  try {
    return Buffer.byteLength(JSON.stringify(value))
  } catch {
    return 0
  }
}
