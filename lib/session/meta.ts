import { NO_EXTENSIONS, type Extensions } from '../core/envelope'
import type { SessionTimes } from './expiry'
import type { OpenedSession } from './opened'
import { SessionId } from './session-id'
import { NO_SETTINGS, type OwnSettings } from './settings'

/**
 * How a session relates to the one that the request brought.
 *
 *     lineage   by                                  id       dates
 *     same      the request                         kept     kept
 *     first     a request without a session         new      now
 *     fresh     regenerate, delete, another user    new      now
 *     reissued  revokeOthers                        new      after the revocation; the login stays
 */
export type Lineage = 'same' | 'first' | 'fresh' | 'reissued'

/** All that is sealed of a session beside its values. Never changed: each function here returns another one. */
export interface SessionMeta extends SessionTimes {
  readonly id: SessionId
  readonly lineage: Lineage
  /** It is another session, and its user was authenticated by the one that the request brought. */
  readonly continuesLogin: boolean
  /** It has the dates of the session of another site, so that what revokes that one revokes this one, too. */
  readonly isHandedOver: boolean
  readonly settings: OwnSettings
  /** See `OpenedSession`. A login gives a session another one. */
  readonly mark: Buffer | null
  /** Those of types that this version does not know. */
  readonly extensions: Extensions
}

export function metaOf (opened: OpenedSession): SessionMeta {
  const { id, createdAtMs, authenticatedAtMs, renewedAtMs, settings, mark, extensions } = opened
  return {
    id,
    createdAtMs,
    authenticatedAtMs,
    renewedAtMs,
    settings,
    mark,
    extensions,
    lineage: 'same',
    continuesLogin: false,
    isHandedOver: false
  }
}

export function firstMeta (nowMs: number): SessionMeta {
  return begun(new SessionId(), nowMs, NO_SETTINGS, 'first')
}

/** Another session, which keeps nothing of the one before. */
export function freshMeta (nowMs: number, settings: OwnSettings): SessionMeta {
  return begun(new SessionId(), nowMs, settings, 'fresh')
}

/** It was begun in this request. */
export function isBegunNow ({ lineage }: SessionMeta): boolean {
  return lineage === 'first' || lineage === 'fresh'
}

/** It is dated when it is sealed. */
export function isDatedAtSealing (meta: SessionMeta): boolean {
  return isBegunNow(meta) && !meta.isHandedOver
}

/**
 * The session of a user begins: its date must be later than every revocation of this user. This is not every login: see
 * `isLogin` of `lib/plugin/plan.ts`, by which a session gets a mark.
 */
export function startsUserSession (meta: SessionMeta, subject: Buffer | null): subject is Buffer {
  return isDatedAtSealing(meta) && isUser(subject)
}

/** It is in place of the session that the request brought. */
export function isAnother ({ lineage }: SessionMeta): boolean {
  return lineage === 'fresh' || lineage === 'reissued'
}

/** Its user was authenticated by the session that the request brought, or may have been: its subject is unknown. */
export function keepsAuthentication (meta: SessionMeta, opened: OpenedSession | null): boolean {
  return meta.lineage === 'same' ? opened?.subject?.length !== 0 : meta.continuesLogin
}

/** Under another id, dated after all others of its subject were revoked. Its authentication stays. */
export function reissued (meta: SessionMeta, opened: OpenedSession | null, createdAtMs: number): SessionMeta {
  const continuesLogin = keepsAuthentication(meta, opened)
  if (meta.lineage === 'same') return { ...meta, id: new SessionId(), createdAtMs, lineage: 'reissued', continuesLogin }
  if (meta.lineage === 'reissued') return { ...meta, createdAtMs, continuesLogin }
  return { ...withCreatedAt(meta, createdAtMs), lineage: 'fresh', continuesLogin }
}

/** Begun at another time. A session that was authenticated when it began still was. */
export function withCreatedAt (meta: SessionMeta, createdAtMs: number): SessionMeta {
  if (createdAtMs === meta.createdAtMs) return meta
  const authenticatedAtMs = meta.authenticatedAtMs === meta.createdAtMs ? createdAtMs : meta.authenticatedAtMs
  return { ...meta, createdAtMs, authenticatedAtMs }
}

/**
 * The session under another id, where its subject is another one than the cookie's: stamps and revocations name an id.
 * - Anonymous to user counts as authentication.
 * - User A to B may be impersonation, so `authenticatedAtMs` stays.
 * - Settings of user A, and extensions that this version does not know, are not for user B.
 * - The mark of a user stays: a copy of a session must not become a session that is bound to nothing.
 * @param subject hashed; null where the app does not say
 * @param nextId of the other session
 * @param given the settings of this request, which stay
 */
export function metaAfterSubjectChange (
  meta: SessionMeta, opened: OpenedSession | null, subject: Buffer | null, nextId: () => SessionId, given: OwnSettings,
  nowMs: number
): SessionMeta {
  const before = opened?.subject ?? null
  if (before === null || subject === null || isBegunNow(meta) || subject.equals(before)) return meta
  const fresh = begun(nextId(), nowMs, given, 'fresh')
  if (!isUser(before)) return fresh
  const { authenticatedAtMs, renewedAtMs, mark } = meta
  return { ...fresh, authenticatedAtMs, renewedAtMs, mark, continuesLogin: true }
}

/** A subject, hashed: a user, and neither anonymous nor unknown. */
export function isUser (subject: Buffer | null): subject is Buffer {
  return subject !== null && subject.length > 0
}

function begun (id: SessionId, nowMs: number, settings: OwnSettings, lineage: Lineage): SessionMeta {
  return {
    id,
    lineage,
    createdAtMs: nowMs,
    authenticatedAtMs: nowMs,
    renewedAtMs: nowMs,
    continuesLogin: false,
    isHandedOver: false,
    settings,
    mark: null,
    extensions: NO_EXTENSIONS
  }
}
