import { encodedLength } from '../core/bytes'
import { readEnvelope, writeEnvelope, type Envelope } from '../core/envelope'
import { MOST_PARTS, TOKEN_OVERHEAD_BYTES } from '../core/format'
import { CookieParts } from '../core/parts'
import { MALFORMED, UNSUPPORTED, type Refusal } from '../core/refusal'
import { openToken, plaintext, sealToken, type TokenKeys } from '../core/token'
import { TooLargeError } from '../errors'
import { jsonCodec, type Codec, type SessionRecord } from './codec'
import { isRenewalDue, refusalByTime, withOwnLimits, type Limits } from './expiry'
import { readExtended } from './extensions'
import type { OpenedSession } from './policy'

/** What the sessions of one cookie name have in common. */
export interface SealingRules {
  readonly cookieName: string
  /** Writes sessions. */
  readonly codec: Codec
  /** Opens what a custom serializer wrote, here or on another server; null where none is configured. */
  readonly customCodec: Codec | null
  readonly limits: Limits
  /** Pad the plaintext to a multiple of this; 0 for none. */
  readonly padTo: number
  /** Over how many cookies a token may be split that is written. What is read may be split over as many as there can be. */
  readonly maxCookies: number
  /** Of the attributes in a Set-Cookie line, where a session has none of its own. */
  readonly attributesBytes: number
}

/** How they are sealed and opened. */
export interface Sealing extends SealingRules {
  readonly keys: TokenKeys
  /** A session that began this long ago may have a stamp that says when it was last checked. */
  readonly recheckMs: number
  readonly parts: CookieParts
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

/**
 * Opens a token, or says why not. Nothing in it makes this throw.
 */
export function openSession (
  token: string, sealing: Sealing, nowMs: number, stampOf: StampOf = NO_STAMP
): OpenedSession | Refusal {
  if (token.length > sealing.parts.longest(MOST_PARTS)) return MALFORMED
  const length = openToken(token, sealing.keys, sealing.parts.found(token), nowMs)
  if (typeof length !== 'number') return length
  const envelope = readEnvelope(plaintext, length)
  if ('ok' in envelope) return envelope
  const codec = envelope.customSerializer ? sealing.customCodec : jsonCodec
  if (codec === null) return UNSUPPORTED
  const extended = readExtended(envelope.extensions)
  if (extended === null) return MALFORMED

  const { settings, subject } = extended
  const { createdAtMs } = envelope
  const limits = withOwnLimits(sealing.limits, settings)
  const isDue = isRenewalDue(envelope.renewedAtMs, limits.renewAfterMs, nowMs)
  const isStamped = isDue || nowMs - createdAtMs >= sealing.recheckMs
  // Where a stamp may be opened next, this plaintext has to leave the place where all are opened.
  const bytes = isStamped ? Buffer.from(plaintext.subarray(0, length)) : plaintext
  const stamp = isStamped ? stampOf(envelope.id) : NOT_STAMPED
  const renewedAtMs = Math.max(envelope.renewedAtMs, stamp.renewedAtMs)
  const authenticatedAtMs = extended.authenticatedAtMs ?? createdAtMs
  const refusal = refusalByTime({ createdAtMs, authenticatedAtMs, renewedAtMs }, limits, nowMs)
  if (refusal !== null) return refusal

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

export function sealingWith (rules: SealingRules, keys: TokenKeys, recheckMs = Infinity): Sealing {
  return { ...rules, keys, recheckMs, parts: new CookieParts(rules.cookieName) }
}

/**
 * Seals an envelope. Throws FST_SESSION_TOO_LARGE, which says how many bytes and which keys.
 * @param source where the data came from, asked only for that error
 * @param attributesBytes of the attributes in each of its Set-Cookie lines
 */
export function sealSession (
  envelope: Envelope,
  sealing: Sealing,
  source: { data: () => SessionRecord },
  nowMs: number,
  attributesBytes = sealing.attributesBytes
): string {
  const { parts, maxCookies, padTo, keys } = sealing
  const plaintextBytes = writeEnvelope(envelope, padTo, plaintext)
  const length = encodedLength(TOKEN_OVERHEAD_BYTES + plaintextBytes)
  const limit = parts.longest(maxCookies, attributesBytes)
  if (length > limit) throw tooLarge(source.data(), length, limit, sealing)
  return sealToken(plaintextBytes, keys.sealing(nowMs), parts.count(length, attributesBytes))
}

function tooLarge (data: SessionRecord, length: number, limit: number, { cookieName, maxCookies }: Sealing): Error {
  const largest = Object.keys(data)
    .map(key => ({ key, bytes: jsonBytes(data[key]) }))
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, LARGEST_KEYS_NAMED)
  const room = maxCookies === 1 ? `${limit} fit` : `${limit} fit in ${maxCookies} cookies`
  const named = largest.map(({ key, bytes }) => `"${key}" ${bytes}`).join(', ')
  return new TooLargeError(
    `the session needs ${length} bytes of cookie "${cookieName}" and ${room}; ` +
      `its largest keys, in bytes of JSON: ${named}`,
    { bytes: length, limit, largest })
}

/** 0 for what only a custom serializer can write. */
function jsonBytes (value: unknown): number {
  try {
    return Buffer.byteLength(JSON.stringify(value))
  } catch {
    return 0
  }
}
