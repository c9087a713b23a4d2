import { fingerprint } from '../core/aead'
import { LATEST_MS } from '../core/bytes'
import { NO_EXTENSIONS } from '../core/envelope'
import { ID_BYTES } from '../core/format'
import { MALFORMED, type Refusal } from '../core/refusal'
import { describe, invalid, isObject } from '../checks'
import type { LegacySession } from '../../types/legacy'
import { refusalByTime } from './expiry'
import { NO_SETTINGS } from './own-settings'
import type { OpenedSession } from './policy'
import type { SealingRules } from './sealing'

/** What makes a session of ours from one that another library's cookie held. */
export type AdoptionRules = Pick<SealingRules, 'cookieName' | 'codec' | 'limits'>

/**
 * A session of another library as one of ours, or why it is not to be used. Its id is derived from the old cookie, so that
 * of parallel requests with one old cookie all move to one session.
 * @param cookieName of the old cookie
 * Throws FST_SESSION_INVALID_OPTION where an opener returned something else, FST_SESSION_NOT_SERIALIZABLE for values that cannot be written.
 */
export function adopt (found: LegacySession, value: string, { cookieName, codec, limits }: AdoptionRules, nowMs: number): OpenedSession | Refusal {
  const { data, id = value, renewedAt = nowMs, createdAt = renewedAt } = checked(found)
  const [createdAtMs, renewedAtMs] = [Math.floor(createdAt), Math.floor(renewedAt)]
  const refusal = refusalByTime({ createdAtMs, authenticatedAtMs: createdAtMs, renewedAtMs }, limits, nowMs)
  if (refusal !== null) return refusal

  // Written and read again: what the opener returned stays the opener's.
  const written = codec.encode(data)
  const bytes = typeof written === 'string' ? Buffer.from(written) : written
  const decoded = codec.decode(bytes, 0, bytes.length)
  if (decoded === null) return MALFORMED
  return {
    envelope: {
      id: fingerprint(`${cookieName}\0${id}`, ID_BYTES).toString('hex'),
      createdAtMs,
      renewedAtMs,
      extensions: NO_EXTENSIONS,
      customSerializer: codec.custom
    },
    settings: NO_SETTINGS,
    formerSettings: [NO_SETTINGS],
    decoded,
    codec,
    subject: null,
    authenticatedAtMs: createdAtMs,
    renewedAtMs,
    checkedAtMs: 0,
    isRenewalDue: false,
    isMoved: true,
    isUndated: found.createdAt === undefined && found.renewedAt === undefined
  }
}

function checked (found: unknown): LegacySession {
  if (!isObject(found)) throw invalid(`an opener in "legacy" must return { data } or null; found ${describe(found)}`)
  const { data, createdAt, renewedAt, id } = found
  if (!isObject(data)) throw invalid(`an opener in "legacy" must return "data" as an object; found ${describe(data)}`)
  for (const [name, time] of Object.entries({ createdAt, renewedAt })) {
    if (time !== undefined && !isTime(time)) throw invalid(`an opener in "legacy" must return "${name}" in milliseconds since 1970; found ${describe(time)}`)
  }
  if (id !== undefined && typeof id !== 'string') throw invalid(`an opener in "legacy" must return "id" as a string; found ${describe(id)}`)
  return found as unknown as LegacySession
}

/** What is less is a time in seconds: as milliseconds it would lie before 1973. */
const LEAST_MS = 1e11

function isTime (value: unknown): boolean {
  return typeof value === 'number' && value >= LEAST_MS && value < LATEST_MS
}
