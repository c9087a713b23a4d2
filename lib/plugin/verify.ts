import type { IncomingHttpHeaders } from 'node:http'
import { treatmentOf, type Treatment } from '../bound/status'
import { cookieValues } from '../cookies/header'
import { keyOf } from '../revocation/keys'
import type { KnownStatus, Revocation } from '../revocation/revocation'
import type { SessionRef } from '../revocation/session-ref'
import { NO_OBSERVER } from '../session/context'
import { isUser } from '../session/meta'
import type { OpenedSession } from '../session/opened'
import { Session } from '../session/session'
import type { OwnSettings } from '../session/settings'
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
 * - `unproven`: it may not. It has a mark, and neither its pass nor a proof was sent.
 * - `unproven-skipped`, `unproven-elsewhere`: as `unproven`, but the session may be valid: see `Treatment`. So that
 *   nothing is written over it, its use throws FST_SESSION_UNPROVEN.
 */
export type Status =
  'active' | 'revoked' | 'replaced' | 'unavailable-trusted' | 'unproven' | 'unproven-skipped' | 'unproven-elsewhere'

/** The session of a request: the first of the candidates that may be used, or else the first of all. */
export interface VerifiedSession {
  readonly opened: OpenedSession
  readonly status: Status
  /** The store was asked about it just now, because that was due. */
  readonly isChecked: boolean
  /** The candidates that have ended. */
  readonly ended: readonly OpenedSession[]
  /** The candidates that were refused since nothing proves them. */
  readonly unproven: readonly OpenedSession[]
  /** See `Candidates`. */
  readonly legacy: LegacyCookie | null
  readonly legacySettings: readonly OwnSettings[]
}

/** Whether the store is asked about sessions that are trusted, too. */
export type Check = 'when-due' | 'always'

type Verdict = Pick<VerifiedSession, 'opened' | 'status' | 'isChecked' | 'ended'>

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
export function unrevoked (
  definition: SessionDefinition, candidates: Candidates, headers: IncomingHttpHeaders
): VerifiedSession {
  const { sessions, legacy, legacySettings } = candidates
  if (sessions.some(isUnproven)) return provenOf(definition, candidates, headers).newest
  return newestOf(sessions, 'active', NONE, { legacy, legacySettings })
}

/** A promise only where the store must be asked. It rejects with FST_SESSION_STORE_UNAVAILABLE. */
export function verify (
  definition: SessionDefinition, candidates: Candidates, headers: IncomingHttpHeaders, check: Check
): VerifiedSession | Promise<VerifiedSession> {
  const { revocation } = definition
  if (revocation === null) return unrevoked(definition, candidates, headers)
  const { newest, usable } = provenOf(definition, candidates, headers)
  if (usable.length === 0) return newest
  if (check === 'when-due' && knownStatus(definition, revocation, newest.opened) === 'active') return newest
  return verifyInTurn(definition, revocation, usable, check).then(verdict => ({ ...newest, ...verdict }))
}

interface Proven {
  readonly newest: VerifiedSession
  /** The candidates that are proven or need no proof. */
  readonly usable: readonly OpenedSession[]
}

/** Where an unproven session may be valid, no older one is used: a write of that one would replace it. */
function provenOf (definition: SessionDefinition, candidates: Candidates, headers: IncomingHttpHeaders): Proven {
  const { sessions, ...where } = candidates
  const firstUnproven = sessions.findIndex(isUnproven)
  const treatment = treatmentIn(definition, headers)
  if (firstUnproven === -1 || treatment === 'passes') {
    return { newest: newestOf(sessions, 'active', NONE, where), usable: sessions }
  }
  if (treatment === 'refused') {
    const usable = sessions.filter(session => !isUnproven(session))
    const unproven = sessions.filter(isUnproven)
    if (usable.length === 0) return { newest: newestOf(sessions, 'unproven', unproven, where), usable }
    return { newest: newestOf(usable, 'active', unproven, where), usable }
  }
  const usable = sessions.slice(0, firstUnproven)
  if (usable.length > 0) return { newest: newestOf(usable, 'active', NONE, where), usable }
  return { newest: newestOf(sessions, `unproven-${treatment}`, sessions.slice(0, 1), where), usable }
}

/** The proof may be sealed by a key that another server uses already, and that this one cannot read now. */
function treatmentIn (definition: SessionDefinition, headers: IncomingHttpHeaders): Treatment {
  const treatment = treatmentOf(headers, definition.options.deviceBound?.enforce !== false)
  if (treatment !== 'refused') return treatment
  const proofs = cookieValues(headers.cookie, definition.proofName)
  return proofs.some(proof => mayOpenLater(definition, proof)) ? 'skipped' : 'refused'
}

function newestOf (
  sessions: readonly OpenedSession[], status: Status, unproven: readonly OpenedSession[],
  { legacy, legacySettings }: Omit<Candidates, 'sessions'>
): VerifiedSession {
  const opened = sessions[0] as OpenedSession
  return { opened, status, isChecked: false, ended: NONE, unproven, legacy, legacySettings }
}

/** It has a mark, and neither its pass nor a proof was sent. */
export function isUnproven ({ binding }: OpenedSession): boolean {
  return binding !== null && binding.kind === 'unproven'
}

/** Verified again, without the store: this process may have revoked it while the request waited. */
export function verifyAgain (definition: SessionDefinition, verified: VerifiedSession): VerifiedSession {
  const { revocation } = definition
  if (revocation === null || isRefused(verified)) return verified
  const { opened } = verified
  const status = knownStatus(definition, revocation, opened)
  return status === 'revoked' || status === 'replaced' ? { ...verified, status, ended: [opened] } : verified
}

/** @param subjectKeys whose revocation revokes the session */
export function refOf ({ id, createdAtMs, isUndated, checkedAtMs }: OpenedSession, subjectKeys = NO_KEYS): SessionRef {
  return { id: id.text, createdAtMs: isUndated ? 0 : createdAtMs, checkedAtMs, subjectKeys }
}

async function verifyInTurn (
  definition: SessionDefinition, revocation: Revocation, candidates: readonly OpenedSession[], check: Check
): Promise<Verdict> {
  const ended: OpenedSession[] = []
  let end: 'revoked' | 'replaced' = 'replaced'
  for (const opened of candidates) {
    const ref = refOf(opened, subjectKeys(definition, opened))
    const known = revocation.status(ref)
    const mustAsk = known === 'unknown' || (known === 'active' && check === 'always')
    const status = mustAsk ? await revocation.check(ref) : known
    if (status === 'active' || status === 'unavailable-trusted') {
      return { opened, status, isChecked: status === 'active' && known === 'unknown', ended }
    }
    if (status === 'revoked') end = 'revoked'
    ended.push(opened)
  }
  return { opened: candidates[0] as OpenedSession, status: end, isChecked: false, ended }
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
function subjectKeys ({ context }: SessionDefinition, opened: OpenedSession): readonly string[] {
  const current = new Session(context, NO_OBSERVER, opened).subject()
  const sealed = sealedKeys(opened)
  return !isUser(current) || sealed[0] === keyOf(current) ? sealed : [...sealed, keyOf(current)]
}
