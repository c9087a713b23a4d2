import { describe, invalid, isObject } from '../checks'
import type { Envelope } from '../core/envelope'
import { NOT_SPLIT } from '../core/format'
import { TooLargeError, TransportError } from '../errors'
import type { ResolvedDeviceBound } from '../options/device-bound'
import { isSame } from '../session/codec'
import { NO_OBSERVER } from '../session/context'
import { withOwnLimits } from '../session/expiry'
import { writeExtended } from '../session/extensions'
import { isAnother, isBegunNow, isUser, startsUserSession, type SessionMeta } from '../session/meta'
import type { OpenedSession } from '../session/opened'
import { countParts } from '../session/sealing'
import { Session } from '../session/session'
import { hasExpiredToken } from './bearer'
import { clearAll, proofToClear, clearReplaced } from './clearing'
import { attributesAllowBinding, linesFor, type SessionDefinition } from './definition'
import type {
  BindingPlan, ClearedCookie, NonePlan, Plan, PlanInput, SealedContent, StampPlan, WritePlan
} from './plan-types'
import { expiresAtMsOf, isAnonymous } from './revoker'
import { isRefused, type VerifiedSession } from './verify'

const NONE: readonly OpenedSession[] = []

export const NOTHING: NonePlan = Object.freeze({ kind: 'none', clear: Object.freeze([]) })

/** Decides, and does nothing. Throws FST_SESSION_NOT_SERIALIZABLE, FST_SESSION_TOO_LARGE, FST_SESSION_TRANSPORT. */
export function planOf (input: PlanInput): Plan {
  const { session, verified, isUsed } = input
  const isDue = isUsed && session.opened?.isRenewalDue === true
  if (session.isUntouched && !isDue && verified?.isChecked !== true) return cookiesOnly(proofToClear(input))
  if (session.deleted) {
    return { kind: 'end', clear: clearAll(input), endsToken: endsToken(input), revoke: replacedBy(input) }
  }
  const data = session.changedData()
  if (data !== null) return writePlan(input, data)
  // Only a session that was opened comes here: of others nothing can be due, and nothing mutated.
  const opened = verified as VerifiedSession
  if (input.transport === 'bearer') return isDue ? renewedToken(input) : NOTHING
  if (opened.legacy === null) return renewPlan(input, opened, isDue)
  return isDue ? migrationPlan(input) : NOTHING
}

function cookiesOnly (clear: readonly ClearedCookie[]): NonePlan {
  return clear.length === 0 ? NOTHING : { kind: 'none', clear }
}

function renewPlan (input: PlanInput, verified: VerifiedSession, isRenewed: boolean): Plan {
  const { definition, session: { meta } } = input
  const clear = proofToClear(input)
  const stamp = { isRenewed, isChecked: isCheckStamped(definition, verified) }
  if (!stamp.isRenewed && !stamp.isChecked) return cookiesOnly(clear)
  return { kind: 'renew', meta, stamp, binding: repeatedOffer(input, meta), clear }
}

/**
 * A bearer session has no stamp, so its token is sealed again. One that another server has made, and that has no room
 * for what this server adds, stays as it is.
 */
function renewedToken (input: PlanInput): Plan {
  return rewritePlan(input, () => NOTHING)
}

function migrationPlan (input: PlanInput): Plan {
  return rewritePlan(input, tooLarge => ({ kind: 'not-migrated', clear: proofToClear(input), tooLarge }))
}

/** The session is written as it came. */
function rewritePlan (input: PlanInput, withoutRoom: (tooLarge: TooLargeError) => Plan): Plan {
  try {
    return writePlan(input, input.session.serialized())
  } catch (error) {
    if (error instanceof TooLargeError) return withoutRoom(error)
    throw error
  }
}

function writePlan (input: PlanInput, data: string | Buffer): WritePlan {
  const { definition, session, verified, transport } = input
  const { codec } = definition.context
  const subject = session.subject()
  const meta = withMark(input, session.metaFor(subject))
  refuseAmbiguous(input, meta, subject)
  const content = { data, subject: subject ?? sealedSubject(session, meta, data), customSerializer: codec.custom }
  const lines = linesFor(definition, meta.settings)
  const sealing = transport === 'bearer' ? { ...definition.sealing, maxCookies: NOT_SPLIT } : definition.sealing
  const attributesBytes = transport === 'bearer' ? 0 : lines.attributesBytes
  const parts = countParts(envelopeOf(meta, content), sealing, attributesBytes, () => session.data())
  const { revocation } = definition
  const isSame = meta.lineage === 'same'
  const isMigrated = isSame && verified?.legacy != null
  const stamp = isSame && verified !== null && transport === 'cookie' && isCheckStamped(definition, verified)
    ? { isRenewed: false, isChecked: true }
    : null
  const binding = bindingPlan(input, meta, isMigrated, stamp)
  return {
    kind: isAnother(meta) ? 'replace' : isMigrated ? 'migrate' : 'write',
    transport,
    meta,
    content,
    lines,
    parts,
    clear: clearReplaced(input, meta, lines, parts, binding),
    endsToken: isAmbiguous(input),
    revoke: isSame ? NONE : replacedBy(input),
    keepUntilMs: revocation === null ? null : changedExpiryMs(input, meta),
    login: revocation !== null && startsUserSession(meta, subject) ? subject : null,
    binding,
    stamp
  }
}

/**
 * A request with a cookie and a bearer token has no session, but its client has one. A login may replace that. Another
 * write would silently end it. Throws FST_SESSION_TRANSPORT.
 */
function refuseAmbiguous (input: PlanInput, meta: SessionMeta, subject: Buffer | null): void {
  const { definition, session } = input
  if (!isAmbiguous(input) || isUser(subject) || (isAnother(meta) && !session.wasDeleted)) return
  throw new TransportError(definition.sessionName, 'the request has both, send one of them')
}

/** The client has a token of the session that ends, or an expired one. */
function endsToken (input: PlanInput): boolean {
  return input.transport === 'bearer' || isAmbiguous(input) || hasExpiredToken(input.definition, input.head)
}

function isAmbiguous ({ verified }: PlanInput): boolean {
  return verified?.status === 'ambiguous'
}

/** A login gives a session another mark, where it can be bound to a device. Every other session keeps what it has. */
function withMark (input: PlanInput, meta: SessionMeta): SessionMeta {
  if (meta.mark !== null || !canOffer(input, meta) || !isLogin(input, meta)) return meta
  return { ...meta, mark: input.session.nextMark }
}

/** A user has logged in by this request, in a session without a mark. A change from user A to B is no login. */
function isLogin ({ definition, session }: PlanInput, meta: SessionMeta): boolean {
  const { opened } = session
  const deviceBound = definition.options.deviceBound as ResolvedDeviceBound
  if (isBegunNow(session.meta)) return isLoggedIn(deviceBound, session)
  if (meta.lineage === 'fresh') return !meta.continuesLogin && isLoggedIn(deviceBound, session)
  if (!isLoggedIn(deviceBound, session)) return false
  return !isLoggedIn(deviceBound, new Session(definition.context, NO_OBSERVER, opened))
}

function isLoggedIn ({ when }: ResolvedDeviceBound, session: Session): boolean {
  if (when === null) return isUser(session.subject())
  const answer: unknown = session.ask(when as (session: object) => unknown)
  if (!isObject(answer)) return Boolean(answer)
  throw invalid(`option "deviceBound.when" must return true or false; found ${describe(answer)}`)
}

/** A browser registers a key only over TLS, and for a session in cookies. */
function canOffer ({ definition, overTls, transport }: PlanInput, { settings }: SessionMeta): boolean {
  const { deviceBound } = definition.options
  if (!overTls || transport === 'bearer' || deviceBound === null || !deviceBound.offer) return false
  return attributesAllowBinding(definition, settings)
}

function bindingPlan (
  input: PlanInput, meta: SessionMeta, isMigrated: boolean, stamp: StampPlan | null
): BindingPlan | null {
  const { mark } = meta
  if (mark === null) return null
  const isNewBinding = isMigrated || mark !== input.session.meta.mark
  if (isNewBinding) return { mark, isNewBinding, setsPass: true, offersRegistration: canOffer(input, meta) }
  const again = stamp === null ? null : repeatedOffer(input, meta)
  if (!persistenceChanged(input, meta)) return again
  return { mark, isNewBinding, setsPass: true, offersRegistration: again !== null }
}

/** The session has another lifetime in the browser than before, so its pass must be set again with that lifetime. */
function persistenceChanged ({ session: { opened } }: PlanInput, { settings }: SessionMeta): boolean {
  if (opened?.binding?.kind !== 'unbound') return false
  const { persistent, maxAgeMs } = opened.settings
  return settings.persistent !== persistent || settings.maxAgeMs !== maxAgeMs
}

/** A browser that has not registered is asked again from time to time: with each stamp. */
function repeatedOffer (input: PlanInput, meta: SessionMeta): BindingPlan | null {
  const { opened } = input.session
  if (opened?.binding?.kind !== 'unbound' || opened.isLegacy || !canOffer(input, meta)) return null
  return { mark: opened.mark as Buffer, isNewBinding: false, setsPass: false, offersRegistration: true }
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

/** The sessions that the request brought and that must be revoked, since another one or none is in their place. */
function replacedBy ({ definition, session, verified }: PlanInput): readonly OpenedSession[] {
  if (definition.revocation === null || verified === null) return NONE
  const isUsable = !isRefused(verified) && !session.isOpenedRevoked
  const replaced = isUsable ? [verified.opened] : verified.ambiguous ?? NONE
  return replaced.filter(opened => !isAnonymous(definition, opened))
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
