import type { IncomingHttpHeaders } from 'node:http'
import { isUnproven, policyByHeaders, type UnprovenPolicy } from '../bound/status'
import { cookieValues } from '../cookies/header'
import { keyOf } from '../revocation/keys'
import type { KnownStatus, Revocation } from '../revocation/revocation'
import type { SessionRef } from '../revocation/session-ref'
import { NO_OBSERVER } from '../session/context'
import { isUser } from '../session/meta'
import type { OpenedSession } from '../session/opened'
import { Session } from '../session/session'
import type { OwnSettings } from '../session/settings'
import type { TransportOption } from '../../types/session'
import type { SessionDefinition } from './definition'
import type { LegacyCookie } from './legacy-cookies'
import type { Candidates } from './load'
import { mayOpenLater } from './unknown-keys'

/**
 * Whether a session may be used.
 * - `active`: it may.
 * - `revoked`: it may not, and its cookies are cleared.
 * - `replaced`: it may not. The browser has another one instead, so its cookies are not cleared.
 * - `unavailable-trusted`: the store is unavailable, and the app said to trust sessions then.
 * - `ambiguous`: it may not. It came as a bearer token, beside a cookie of the session.
 * - `unproven`: it may not. It has a mark, and neither its pass nor a proof was sent.
 * - `unproven-retry-later`, `unproven-foreign-request`: as `unproven`, but the session may be valid: see
 *   `UnprovenPolicy`. So that nothing is written over it, its use throws FST_SESSION_UNPROVEN.
 */
export type Status =
  'active' | 'revoked' | 'replaced' | 'unavailable-trusted' | 'ambiguous' |
  'unproven' | 'unproven-retry-later' | 'unproven-foreign-request'

/** The session of a request: the first of the candidates that may be used, or else the first of all. */
export interface VerifiedSession {
  readonly opened: OpenedSession
  readonly status: Status
  /** The store was asked about it just now, because that was due. */
  readonly isChecked: boolean
  /** The candidates that were revoked or replaced. */
  readonly revoked: readonly OpenedSession[]
  /** The candidates that were refused since nothing proves them. */
  readonly unproven: readonly OpenedSession[]
  /** With the status `ambiguous`: the candidates that a login or a logout revokes. Those without a proof are not. */
  readonly ambiguous?: readonly OpenedSession[]
  /** See `Candidates`. */
  readonly legacy: LegacyCookie | null
  readonly legacySettings: readonly OwnSettings[]
  readonly cameIn: TransportOption
}

/** Whether the store is asked about sessions that are trusted, too. */
export type Check = 'when-due' | 'always'

type Verdict = Pick<VerifiedSession, 'opened' | 'status' | 'isChecked' | 'revoked'>

const NO_KEYS: readonly string[] = []
const NONE: readonly OpenedSession[] = []

/** It may not be used. */
export function isRefused ({ status }: Pick<VerifiedSession, 'status'>): boolean {
  return status !== 'active' && status !== 'unavailable-trusted'
}

/**
 * The newest candidate that is proven or needs no proof, where sessions cannot be revoked.
 * @param headers of the request
 */
export function verifyWithoutStore (
  definition: SessionDefinition, candidates: Candidates, headers: IncomingHttpHeaders
): VerifiedSession {
  const { sessions, legacy, legacySettings, cameIn } = candidates
  const origin = { legacy, legacySettings, cameIn }
  if (cameIn === 'both') {
    const ambiguous = sessions.filter(session => !hasNoProof(session))
    return { ...verifiedFirst(sessions, 'ambiguous', NONE, origin), ambiguous }
  }
  if (sessions.some(hasNoProof)) return usableCandidates(definition, candidates, headers).first
  return verifiedFirst(sessions, 'active', NONE, origin)
}

/** A promise only where the store must be asked. It rejects with FST_SESSION_STORE_UNAVAILABLE. */
export function verify (
  definition: SessionDefinition, candidates: Candidates, headers: IncomingHttpHeaders, check: Check
): VerifiedSession | Promise<VerifiedSession> {
  const { revocation } = definition
  if (revocation === null || candidates.cameIn === 'both') return verifyWithoutStore(definition, candidates, headers)
  const { first, usable } = usableCandidates(definition, candidates, headers)
  if (usable.length === 0) return first
  if (check === 'when-due' && knownStatus(definition, revocation, first.opened) === 'active') return first
  return verifyInTurn(definition, revocation, usable, check).then(verdict => ({ ...first, ...verdict }))
}

interface UsableCandidates {
  /** As if the store knew nothing of any candidate. */
  readonly first: VerifiedSession
  /** The candidates that are proven or need no proof. */
  readonly usable: readonly OpenedSession[]
}

/** Where an unproven session may be valid, no older one is used: a write of that one would replace it. */
function usableCandidates (
  definition: SessionDefinition, candidates: Candidates, headers: IncomingHttpHeaders
): UsableCandidates {
  const { sessions, ...origin } = candidates
  const firstUnproven = sessions.findIndex(hasNoProof)
  const policy = policyOf(definition, headers)
  if (firstUnproven === -1 || policy === 'allow') {
    return { first: verifiedFirst(sessions, 'active', NONE, origin), usable: sessions }
  }
  if (policy === 'refuse') {
    const usable = sessions.filter(session => !hasNoProof(session))
    const unproven = sessions.filter(hasNoProof)
    if (usable.length === 0) return { first: verifiedFirst(sessions, 'unproven', unproven, origin), usable }
    return { first: verifiedFirst(usable, 'active', unproven, origin), usable }
  }
  const usable = sessions.slice(0, firstUnproven)
  if (usable.length > 0) return { first: verifiedFirst(usable, 'active', NONE, origin), usable }
  return { first: verifiedFirst(sessions, `unproven-${policy}`, sessions.slice(0, 1), origin), usable }
}

function hasNoProof ({ binding }: OpenedSession): boolean {
  return isUnproven(binding)
}

/** The proof may be sealed by a key that another server uses already, and that this one cannot read now. */
function policyOf (definition: SessionDefinition, headers: IncomingHttpHeaders): UnprovenPolicy {
  const policy = policyByHeaders(headers, definition.options.deviceBound?.enforce !== false)
  if (policy !== 'refuse') return policy
  const proofs = cookieValues(headers.cookie, definition.proofName)
  return proofs.some(proof => mayOpenLater(definition, proof)) ? 'retry-later' : 'refuse'
}

/** The first of these sessions, with this status. */
function verifiedFirst (
  sessions: readonly OpenedSession[], status: Status, unproven: readonly OpenedSession[],
  { legacy, legacySettings, cameIn }: Omit<Candidates, 'sessions'>
): VerifiedSession {
  const opened = sessions[0] as OpenedSession
  return { opened, status, isChecked: false, revoked: NONE, unproven, legacy, legacySettings, cameIn }
}

/** Verified again, without the store: this process may have revoked it while the request waited. */
export function verifyAgain (definition: SessionDefinition, verified: VerifiedSession): VerifiedSession {
  const { revocation } = definition
  if (revocation === null || isRefused(verified)) return verified
  const { opened } = verified
  const status = knownStatus(definition, revocation, opened)
  return status === 'revoked' || status === 'replaced' ? { ...verified, status, revoked: [opened] } : verified
}

/** @param subjectKeys whose revocation revokes the session */
export function refOf ({ id, createdAtMs, isUndated, checkedAtMs }: OpenedSession, subjectKeys = NO_KEYS): SessionRef {
  return { id: id.text, createdAtMs: isUndated ? 0 : createdAtMs, checkedAtMs, subjectKeys }
}

async function verifyInTurn (
  definition: SessionDefinition, revocation: Revocation, candidates: readonly OpenedSession[], check: Check
): Promise<Verdict> {
  const revoked: OpenedSession[] = []
  let end: 'revoked' | 'replaced' = 'replaced'
  for (const opened of candidates) {
    const ref = refOf(opened, subjectKeys(definition, opened))
    const known = revocation.status(ref)
    const mustAsk = known === 'unknown' || (known === 'active' && check === 'always')
    const status = mustAsk ? await revocation.check(ref) : known
    if (status === 'active' || status === 'unavailable-trusted') {
      return { opened, status, isChecked: status === 'active' && known === 'unknown', revoked }
    }
    if (status === 'revoked') end = 'revoked'
    revoked.push(opened)
  }
  return { opened: candidates[0] as OpenedSession, status: end, isChecked: false, revoked }
}

/** The app is asked for the subject only where the cookie does not say it: that would parse the values. */
function knownStatus (definition: SessionDefinition, revocation: Revocation, opened: OpenedSession): KnownStatus {
  const keys = opened.subject === null ? subjectKeys(definition, opened) : sealedKeys(opened)
  return revocation.status(refOf(opened, keys))
}

function sealedKeys ({ subject }: OpenedSession): readonly string[] {
  return isUser(subject) ? [keyOf(subject)] : NO_KEYS
}

/** A session that was sealed under another option `subject` is revoked by either subject. */
export function subjectKeys ({ context }: SessionDefinition, opened: OpenedSession): readonly string[] {
  const current = new Session(context, NO_OBSERVER, opened).subject()
  const sealed = sealedKeys(opened)
  return !isUser(current) || sealed[0] === keyOf(current) ? sealed : [...sealed, keyOf(current)]
}
