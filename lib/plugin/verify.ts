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

/**
 * Whether a session may be used.
 * - `active`: it may.
 * - `revoked`: it may not, and its cookies are cleared.
 * - `replaced`: it may not. The browser has another one instead, so its cookies are not cleared.
 * - `unavailable-trusted`: the store is unavailable, and the app said to trust sessions then.
 */
export type Status = 'active' | 'revoked' | 'replaced' | 'unavailable-trusted'

/** The session of a request: the first of the candidates that may be used, or else the first of all. */
export interface VerifiedSession {
  readonly opened: OpenedSession
  readonly status: Status
  /** The store was asked about it just now, because that was due. */
  readonly isChecked: boolean
  /** The candidates that have ended. */
  readonly ended: readonly OpenedSession[]
  /** See `Candidates`. */
  readonly legacy: LegacyCookie | null
  readonly legacySettings: readonly OwnSettings[]
}

/** Whether the store is asked about sessions that are trusted, too. */
export type Asks = 'when due' | 'always'

type Verdict = Pick<VerifiedSession, 'opened' | 'status' | 'isChecked' | 'ended'>

const NO_KEYS: readonly string[] = []
const NONE: readonly OpenedSession[] = []

export function hasEnded ({ status }: Pick<VerifiedSession, 'status'>): boolean {
  return status === 'revoked' || status === 'replaced'
}

/** The newest candidate, where sessions cannot be revoked. */
export function unverified ({ sessions, legacy, legacySettings }: Candidates): VerifiedSession {
  const opened = sessions[0] as OpenedSession
  return { opened, status: 'active', isChecked: false, ended: NONE, legacy, legacySettings }
}

/** A promise only where the store must be asked. It rejects with FST_SESSION_STORE_UNAVAILABLE. */
export function verify (
  definition: SessionDefinition, candidates: Candidates, asks: Asks
): VerifiedSession | Promise<VerifiedSession> {
  const { revocation } = definition
  const newest = unverified(candidates)
  if (revocation === null) return newest
  if (asks === 'when due' && statusAtHand(definition, revocation, newest.opened) === 'active') return newest
  return verifyInTurn(definition, revocation, candidates.sessions, asks).then(verdict => ({ ...newest, ...verdict }))
}

/** Verified again, without the store: this process may have revoked it while the request waited. */
export function verifyAgain (definition: SessionDefinition, verified: VerifiedSession): VerifiedSession {
  const { revocation } = definition
  if (revocation === null || hasEnded(verified)) return verified
  const { opened } = verified
  const status = statusAtHand(definition, revocation, opened)
  return status === 'revoked' || status === 'replaced' ? { ...verified, status, ended: [opened] } : verified
}

/** @param subjectKeys whose revocation revokes the session */
export function refOf ({ id, createdAtMs, isUndated, checkedAtMs }: OpenedSession, subjectKeys = NO_KEYS): SessionRef {
  return { id: id.text, createdAtMs: isUndated ? 0 : createdAtMs, checkedAtMs, subjectKeys }
}

async function verifyInTurn (
  definition: SessionDefinition, revocation: Revocation, candidates: readonly OpenedSession[], asks: Asks
): Promise<Verdict> {
  const ended: OpenedSession[] = []
  let end: 'revoked' | 'replaced' = 'replaced'
  for (const opened of candidates) {
    const ref = refOf(opened, subjectKeys(definition, opened))
    const known = revocation.status(ref)
    const mustAsk = known === 'unknown' || (known === 'active' && asks === 'always')
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
function statusAtHand (definition: SessionDefinition, revocation: Revocation, opened: OpenedSession): KnownStatus {
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
