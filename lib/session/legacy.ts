import { fingerprint } from '../core/aead'
import { LATEST_MS } from '../core/bytes'
import { NO_EXTENSIONS } from '../core/envelope'
import { ID_BYTES } from '../core/format'
import { MALFORMED, type Refusal } from '../core/refusal'
import { describe, invalid, isObject } from '../checks'
import type { LegacySession } from '../../types/legacy'
import { isRenewalDue, refusalByTime } from './expiry'
import { OpenedData, type OpenedSession } from './opened'
import type { SealingRules } from './sealing'
import { SessionId } from './session-id'
import { NO_SETTINGS } from './settings'

/** Times below it are in seconds: as milliseconds they would lie before 1973. */
const LEAST_MS = 1e11

/**
 * The session of another library, as one of ours. Its id is derived from the legacy cookie, so that parallel requests
 * migrate to the same session.
 * @param value of the legacy cookie
 * @param cookieName of the legacy cookie
 * Throws FST_SESSION_INVALID_OPTION where the opener returned something else, FST_SESSION_NOT_SERIALIZABLE for values
 * that cannot be written.
 */
export function openLegacy (
  found: LegacySession,
  value: string,
  { cookieName, codec, limits }: Pick<SealingRules, 'cookieName' | 'codec' | 'limits'>,
  nowMs: number
): OpenedSession | Refusal {
  const { data, id = value, renewedAt = nowMs, createdAt = renewedAt } = checked(found)
  const [createdAtMs, renewedAtMs] = [Math.floor(createdAt), Math.floor(renewedAt)]
  const refusal = refusalByTime({ createdAtMs, authenticatedAtMs: createdAtMs, renewedAtMs }, limits, nowMs)
  if (refusal !== null) return refusal

  // Serialized and parsed again, so that the session does not share objects with the opener.
  const written = codec.serialize(data)
  const serialized = codec.custom ? Buffer.from(written as Buffer) : written
  const parsed = codec.parse(serialized)
  if (parsed === null) return MALFORMED
  return {
    id: new SessionId(fingerprint(`${cookieName}\0${id}`, ID_BYTES)),
    createdAtMs,
    authenticatedAtMs: createdAtMs,
    renewedAtMs,
    sealedAtMs: renewedAtMs,
    checkedAtMs: 0,
    subject: null,
    settings: NO_SETTINGS,
    mark: null,
    binding: null,
    extensions: NO_EXTENSIONS,
    data: new OpenedData(serialized, codec, parsed),
    isRenewalDue: isRenewalDue(renewedAtMs, limits.renewAfterMs, nowMs),
    isLegacy: true,
    isUndated: found.createdAt === undefined && found.renewedAt === undefined,
    cookieSettings: []
  }
}

function checked (found: unknown): LegacySession {
  if (!isObject(found)) throw invalid(`an opener in "legacy" must return { data } or null; found ${describe(found)}`)
  const { data, createdAt, renewedAt, id } = found
  if (!isObject(data)) throw invalid(`an opener in "legacy" must return "data" as an object; found ${describe(data)}`)
  for (const [name, time] of Object.entries({ createdAt, renewedAt })) {
    if (time === undefined || isTime(time)) continue
    throw invalid(`an opener in "legacy" must return "${name}" in milliseconds since 1970; found ${describe(time)}`)
  }
  if (id !== undefined && typeof id !== 'string') {
    throw invalid(`an opener in "legacy" must return "id" as a string; found ${describe(id)}`)
  }
  return found as unknown as LegacySession
}

function isTime (value: unknown): boolean {
  return typeof value === 'number' && value >= LEAST_MS && value < LATEST_MS
}
