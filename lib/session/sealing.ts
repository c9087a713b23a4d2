import { encodedLength } from '../core/bytes'
import { envelopeLength, readEnvelope, writeEnvelope, type Envelope, type EnvelopeFields } from '../core/envelope'
import { MOST_PARTS, TOKEN_OVERHEAD_BYTES } from '../core/format'
import { CookieParts } from '../core/parts'
import { MALFORMED, UNSUPPORTED, type Refusal } from '../core/refusal'
import { openToken, plaintext, sealToken, type OpenedToken, type TokenKeys } from '../core/token'
import { TokenCache } from '../core/token-cache'
import type { BindingState } from '../bound/status'
import { TooLargeError } from '../errors'
import { jsonCodec, type Codec, type SessionRecord } from './codec'
import { isRenewalDue, refusalByTime, withOwnLimits, type Limits } from './expiry'
import { readExtended, type Extended } from './extensions'
import { OpenedData, type OpenedSession, type PlainValues } from './opened'
import { SessionId } from './session-id'

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
  /** In how many cookies a token is written at most. Tokens in up to three are read, whatever this is. */
  readonly maxCookies: number
  /** Of the attributes in a Set-Cookie line, where a session has none of its own. */
  readonly attributesBytes: number
  /** How many opened tokens are kept; 0 for none. */
  readonly tokenCache: number
}

/** How they are sealed and opened. */
export interface Sealing extends SealingRules {
  readonly keys: TokenKeys
  /** A session that began this long ago may have a stamp that says when it was last checked. */
  readonly recheckMs: number
  readonly parts: CookieParts
  /** Null where none are kept. */
  readonly cache: TokenCache<TokenContent> | null
}

/** What a token holds. It depends on no time, and is shared by all requests that bring the token. */
export interface TokenContent extends Omit<EnvelopeFields, 'id'> {
  readonly id: SessionId
  readonly extended: Extended
  readonly codec: Codec
  /** Null where it is not what the codec writes: its time is checked first. */
  readonly serialized: string | Buffer | null
  /** Filled when a later request parses the text; see `OpenedData`. */
  readonly plain: PlainValues
}

/** The latest times that the stamps of a session say; 0 without a stamp. */
export interface StampedTimes {
  readonly renewedAtMs: number
  readonly checkedAtMs: number
}

/** The cookies beside the token of a session. */
export interface RelatedCookies {
  stampOf (id: Buffer): StampedTimes
  /** Null where no cookies can be seen, so that a session with a mark cannot be used. */
  bindingOf (mark: Buffer): BindingState | null
}

export const NOT_STAMPED: StampedTimes = Object.freeze({ renewedAtMs: 0, checkedAtMs: 0 })
/** A token alone. */
export const NO_RELATED_COOKIES: RelatedCookies = Object.freeze({ stampOf: () => NOT_STAMPED, bindingOf: () => null })
const LARGEST_KEYS_NAMED = 3

/**
 * @param recheckMs see `Sealing`
 * @param shared a cache that others use, too: its entries are of keys, and each has keys of its own. Null for a new one
 */
export function sealingWith (
  rules: SealingRules, keys: TokenKeys, recheckMs = Infinity, shared: Sealing['cache'] = null
): Sealing {
  const cache = shared ?? (rules.tokenCache === 0 ? null : new TokenCache<TokenContent>(rules.tokenCache))
  return { ...rules, keys, recheckMs, parts: new CookieParts(rules.cookieName), cache }
}

/** Opens a token, or says why not. Never throws. */
export function openSession (
  token: string, sealing: Sealing, nowMs: number, related: RelatedCookies
): OpenedSession | Refusal {
  const cached = sealing.cache?.get(token, sealing.keys, nowMs)
  if (cached !== undefined) return sessionIn(cached, true, sealing, nowMs, related)

  if (token.length > sealing.parts.longest(MOST_PARTS)) return MALFORMED
  const opened = openToken(token, sealing.keys, sealing.parts.partsOf(token), nowMs)
  if ('ok' in opened) return opened
  const content = contentOf(opened, sealing)
  if ('ok' in content) return content
  const session = sessionIn(content, false, sealing, nowMs, related)
  if (!('ok' in session) && sealing.cache?.openedBefore(token) === true) sealing.cache.set(token, opened.key, content)
  return session
}

/** What the plaintext of a token holds. Copied: `plaintext` belongs to the next token. */
function contentOf ({ plaintextBytes }: OpenedToken, { customCodec }: Sealing): TokenContent | Refusal {
  const envelope = readEnvelope(plaintext, plaintextBytes)
  if ('ok' in envelope) return envelope
  const { id, createdAtMs, renewedAtMs, extensions, customSerializer, dataAt, dataEnd } = envelope
  const codec = customSerializer ? customCodec : jsonCodec
  if (codec === null) return UNSUPPORTED
  const extended = readExtended(extensions)
  const serialized = codec.read(plaintext.subarray(dataAt, dataEnd))
  if (extended === null) return MALFORMED
  return {
    id: new SessionId(id),
    createdAtMs,
    renewedAtMs,
    extensions,
    customSerializer,
    extended,
    codec,
    serialized,
    plain: new Map()
  }
}

/** @param isCached it was opened before, so its JSON is known to be good and can be parsed when it is needed */
function sessionIn (
  content: TokenContent, isCached: boolean, sealing: Sealing, nowMs: number, related: RelatedCookies
): OpenedSession | Refusal {
  const { id, createdAtMs, renewedAtMs: sealedAtMs, extensions, codec, serialized } = content
  const { settings, subject, mark, authenticatedAtMs = createdAtMs } = content.extended
  const limits = withOwnLimits(sealing.limits, settings)
  const isDue = isRenewalDue(sealedAtMs, limits.renewAfterMs, nowMs)
  const stamp = isDue || nowMs - createdAtMs >= sealing.recheckMs ? related.stampOf(id.bytes) : NOT_STAMPED
  const renewedAtMs = Math.max(sealedAtMs, stamp.renewedAtMs)
  const refusal = refusalByTime({ createdAtMs, authenticatedAtMs, renewedAtMs }, limits, nowMs)
  if (refusal !== null) return refusal
  if (serialized === null) return MALFORMED

  // A custom deserializer may fail the second time.
  const mustParse = !isCached || codec.custom
  const parsed = mustParse ? codec.parse(serialized) : null
  if (mustParse && parsed === null) return MALFORMED
  const binding = mark === null ? null : related.bindingOf(mark)
  if (mark !== null && binding === null) return UNSUPPORTED
  return {
    id,
    createdAtMs,
    authenticatedAtMs,
    renewedAtMs,
    sealedAtMs,
    checkedAtMs: stamp.checkedAtMs,
    subject,
    settings,
    mark,
    binding,
    extensions,
    data: new OpenedData(serialized, codec, parsed, mustParse ? null : content.plain),
    isRenewalDue: isDue && isRenewalDue(renewedAtMs, limits.renewAfterMs, nowMs),
    isLegacy: false,
    isUndated: false,
    cookieSettings: [settings]
  }
}

/**
 * In how many cookies the token of an envelope will be. Throws FST_SESSION_TOO_LARGE, which names the largest keys.
 * @param attributesBytes of the attributes in each Set-Cookie line
 * @param data of the session
 */
export function countParts (
  envelope: Envelope,
  { parts, maxCookies, padTo, cookieName }: Sealing,
  attributesBytes: number,
  data: () => SessionRecord
): number {
  const length = encodedLength(TOKEN_OVERHEAD_BYTES + envelopeLength(envelope, padTo))
  const limit = parts.longest(maxCookies, attributesBytes)
  if (length > limit) throw tooLarge(data(), length, limit, cookieName, maxCookies)
  return parts.count(length, attributesBytes)
}

/** @param parts as `countParts` returns it for this envelope */
export function sealSession (envelope: Envelope, { padTo, keys }: Sealing, parts: number, nowMs: number): string {
  return sealToken(writeEnvelope(envelope, padTo, plaintext), keys.sealing(nowMs), parts)
}

function tooLarge (
  data: SessionRecord, length: number, limit: number, cookieName: string, maxCookies: number
): Error {
  const room = maxCookies === 1 ? `${limit} fit` : `${limit} fit in ${maxCookies} cookies`
  return tooLargeError('session', `the session needs ${length} bytes of cookie "${cookieName}" and ${room}`, {
    data, bytes: length, limit
  })
}

/** FST_SESSION_TOO_LARGE, which names the largest keys of `data`. */
export function tooLargeError (
  what: string, found: string, { data, bytes, limit }: { data: SessionRecord, bytes: number, limit: number }
): Error {
  const largest = Object.keys(data)
    .map(key => ({ key, bytes: jsonBytes(data[key]) }))
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, LARGEST_KEYS_NAMED)
  const named = largest.map(({ key, bytes }) => `"${key}" ${bytes}`).join(', ')
  const detail = `${found}; its largest keys, in bytes of JSON: ${named}`
  return new TooLargeError(detail, { bytes, limit, largest }, what)
}

/** 0 for what only a custom serializer can write. */
function jsonBytes (value: unknown): number {
  try {
    return Buffer.byteLength(JSON.stringify(value))
  } catch {
    return 0
  }
}
