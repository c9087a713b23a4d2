import type { Envelope } from '../core/envelope'
import type { CookieLines } from '../cookies/lines'
import { TooLargeError } from '../errors'
import { isSame } from '../session/codec'
import { withOwnLimits } from '../session/expiry'
import { writeExtended } from '../session/extensions'
import { isAnother, isBegunNow, isUser, type SessionMeta } from '../session/meta'
import type { OpenedSession } from '../session/opened'
import { countParts } from '../session/sealing'
import type { Session } from '../session/session'
import { clearAll, clearReplaced, type ClearedCookie } from './clearing'
import { linesFor, type SessionDefinition } from './definition'
import { expiresAtMsOf, isAnonymous } from './revoker'
import { hasEnded, type VerifiedSession } from './verify'

/** All that a plan depends on. */
export interface PlanInput {
  readonly definition: SessionDefinition
  readonly session: Session
  /** Null where the request brought no session. */
  readonly verified: VerifiedSession | null
  /** The Cookie header. */
  readonly header: string | undefined
  /** The request used the session; false where only the plugin has looked at it. */
  readonly isUsed: boolean
}

/** What a reply does with a session. */
export type Plan = NonePlan | RenewPlan | WritePlan | EndPlan

/** Nothing is written. */
export interface NonePlan {
  readonly kind: 'none'
  /** Why a session could not migrate; null where that was not to be. */
  readonly tooLarge: TooLargeError | null
}

/** The stamp is written, and not the data cookie: this undoes no write of a parallel request. */
export interface RenewPlan {
  readonly kind: 'renew'
  readonly meta: SessionMeta
  readonly stamp: StampPlan
}

/**
 * The data cookie is written.
 * - `write`: the session that the request brought, or the first one.
 * - `migrate`: as `write`, and the session was in a legacy cookie until now.
 * - `replace`: another session, in place of the one that the request brought.
 */
export interface WritePlan {
  readonly kind: 'write' | 'migrate' | 'replace'
  /** To be dated when it is sealed. */
  readonly meta: SessionMeta
  readonly content: SealedContent
  readonly lines: CookieLines
  /** In how many cookies it will be. */
  readonly parts: number
  readonly clear: readonly ClearedCookie[]
  /** To be revoked in the store first. */
  readonly revoke: OpenedSession | null
  /** Until then the store must keep a revocation of this id; null where that has not changed. */
  readonly keepUntilMs: number | null
  /** The subject that logs in by this session, hashed: the store knows up to when its sessions are revoked. */
  readonly login: Buffer | null
  readonly stamp: StampPlan | null
}

/** The cookies are cleared. */
export interface EndPlan {
  readonly kind: 'end'
  readonly clear: readonly ClearedCookie[]
  /** To be revoked in the store first. */
  readonly revoke: OpenedSession | null
}

/** What is sealed besides the meta. */
export interface SealedContent {
  readonly data: string | Buffer
  readonly subject: Buffer | null
  readonly customSerializer: boolean
}

/** Why a stamp is written: the session was used and its renewal is due, or the store was asked about it. */
export interface StampPlan {
  readonly isRenewed: boolean
  readonly isChecked: boolean
}

export const NOTHING: NonePlan = Object.freeze({ kind: 'none', tooLarge: null })

/** Decides, and does nothing. Throws FST_SESSION_NOT_SERIALIZABLE, FST_SESSION_TOO_LARGE. */
export function planOf (input: PlanInput): Plan {
  const { session, verified, isUsed } = input
  const isDue = isUsed && session.opened?.isRenewalDue === true
  if (session.isUntouched && !isDue && verified?.isChecked !== true) return NOTHING
  if (session.deleted) return { kind: 'end', clear: clearAll(input), revoke: replacedBy(input) }
  const data = session.changedData()
  if (data !== null) return writePlan(input, data)
  // Only a session that was opened comes here: of others nothing can be due, and nothing mutated.
  const opened = verified as VerifiedSession
  if (opened.legacy === null) return renewPlan(input, opened, isDue)
  return isDue ? migrationPlan(input) : NOTHING
}

function renewPlan ({ definition, session }: PlanInput, verified: VerifiedSession, isRenewed: boolean): Plan {
  const stamp = { isRenewed, isChecked: isCheckStamped(definition, verified) }
  if (!stamp.isRenewed && !stamp.isChecked) return NOTHING
  return { kind: 'renew', meta: session.meta, stamp }
}

/** A session that has no room in the new cookie stays in the legacy one. */
function migrationPlan (input: PlanInput): Plan {
  try {
    return writePlan(input, input.session.serialized())
  } catch (error) {
    if (error instanceof TooLargeError) return { kind: 'none', tooLarge: error }
    throw error
  }
}

function writePlan (input: PlanInput, data: string | Buffer): WritePlan {
  const { definition, session, verified } = input
  const { codec } = definition.context
  const subject = session.subject()
  const meta = session.metaFor(subject)
  const content = { data, subject: subject ?? sealedSubject(session, meta, data), customSerializer: codec.custom }
  const lines = linesFor(definition, meta.settings)
  const { attributesBytes } = lines
  const parts = countParts(envelopeOf(meta, content), definition.sealing, attributesBytes, () => session.data())
  const { revocation } = definition
  const isSame = meta.lineage === 'same'
  return {
    kind: isAnother(meta) ? 'replace' : isSame && verified?.legacy != null ? 'migrate' : 'write',
    meta,
    content,
    lines,
    parts,
    clear: clearReplaced(input, meta, lines, parts),
    revoke: isAnother(meta) ? replacedBy(input) : null,
    keepUntilMs: revocation === null ? null : changedExpiryMs(input, meta),
    login: revocation !== null && isBegunNow(meta) && isUser(subject) ? subject : null,
    stamp: isSame && verified !== null && isCheckStamped(definition, verified)
      ? { isRenewed: false, isChecked: true }
      : null
  }
}

/** The envelope of a session, to be sealed. */
export function envelopeOf (meta: SessionMeta, { data, subject, customSerializer }: SealedContent): Envelope {
  const { id, createdAtMs, authenticatedAtMs, renewedAtMs, settings, mark, extensions } = meta
  return {
    id: id.bytes,
    createdAtMs,
    renewedAtMs,
    extensions: writeExtended({
      settings,
      subject,
      authenticatedAtMs: authenticatedAtMs === createdAtMs ? undefined : authenticatedAtMs,
      mark
    }, extensions),
    customSerializer,
    data
  }
}

/**
 * For an app without the option `subject`: the subject that another app sealed. With other data it may be another user,
 * so then it is null, which readers take as unknown.
 */
export function sealedSubject ({ opened }: Session, { lineage }: SessionMeta, data: string | Buffer): Buffer | null {
  if (opened === null || opened.subject === null || lineage !== 'same') return null
  return isSame(data, opened.data.serialized) ? opened.subject : null
}

/** The session that the request brought, where it must be revoked since this one is in its place. */
function replacedBy ({ definition, session, verified }: PlanInput): OpenedSession | null {
  if (definition.revocation === null || verified === null || session.isOpenedRevoked || hasEnded(verified)) return null
  return isAnonymous(definition, verified.opened) ? null : verified.opened
}

/**
 * The latest absolute expiry of any copy of the session, where its own limits have changed: a revocation by a copy with
 * the shorter limit must be kept for the other one. Null where it need not be kept longer than usual.
 */
function changedExpiryMs (
  { definition, session: { opened } }: PlanInput, { lineage, settings }: SessionMeta
): number | null {
  if (opened === null || lineage !== 'same' || settings === opened.settings) return null
  const { limits } = definition.context
  const { absoluteMs } = withOwnLimits(limits, settings)
  if (absoluteMs === withOwnLimits(limits, opened.settings).absoluteMs || isAnonymous(definition, opened)) return null
  const expiresAtMs = Math.max(expiresAtMsOf(definition, opened), opened.authenticatedAtMs + absoluteMs)
  return expiresAtMs === Infinity ? null : expiresAtMs
}

/** The check goes into the stamp, unless every request is checked. */
function isCheckStamped ({ sealing }: SessionDefinition, { isChecked }: VerifiedSession): boolean {
  return isChecked && sealing.recheckMs !== Infinity
}
