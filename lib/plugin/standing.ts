import { keyOf } from '../revocation/keys'
import type { Bearer } from '../revocation/bearer'
import type { Revocation } from '../revocation/revocation'
import { UNWATCHED, type OpenedSession, type SessionPolicy } from '../session/policy'
import { Session } from '../session/session'

/**
 * Whether a session that opened may be used. Good: nothing is known against it. Checked: so said the store, just now.
 * Unchecked: the store is away, and the app said to trust then.
 */
export type Standing = 'good' | 'checked' | 'unchecked' | 'over'

const NO_KEYS: readonly string[] = []
const NONE: readonly OpenedSession[] = []

export interface Judged {
  readonly opened: OpenedSession
  readonly standing: Standing
  /** Those of the candidates that are known to be over. */
  readonly over: readonly OpenedSession[]
}

/** What is judged here of a session definition. */
interface Jurisdiction {
  readonly policy: SessionPolicy
  readonly revocation: Revocation | null
}

/**
 * The first of these that is not over, or else the first of all: a browser may send several of one name.
 * Answers at once where nobody needs to be asked. Rejects with FST_SESSION_STORE_UNAVAILABLE.
 */
export function judge (jurisdiction: Jurisdiction, candidates: readonly OpenedSession[]): Judged | Promise<Judged> {
  const { revocation, policy } = jurisdiction
  const [first] = candidates as [OpenedSession]
  if (revocation === null || revocation.standing(bearerOf(first, keysAtHand(policy, first))) === 'good') return { opened: first, standing: 'good', over: NONE }
  return judgeInTurn(jurisdiction, revocation, candidates)
}

/** As it was judged, or over: this process may have ended it since, while its request waited for something else. */
export function judgedAgain<J extends Judged> ({ revocation, policy }: Jurisdiction, judged: J): J {
  if (revocation === null || judged.standing === 'over') return judged
  const isOver = revocation.standing(bearerOf(judged.opened, keysAtHand(policy, judged.opened))) === 'over'
  return isOver ? { ...judged, standing: 'over', over: [judged.opened] } : judged
}

/** @param subjectKeys of those whose end would be this session's end */
export function bearerOf ({ envelope, isUndated, checkedAtMs }: OpenedSession, subjectKeys: readonly string[]): Bearer {
  return { id: envelope.id, createdAtMs: isUndated ? 0 : envelope.createdAtMs, checkedAtMs, subjectKeys }
}

async function judgeInTurn ({ policy }: Jurisdiction, revocation: Revocation, candidates: readonly OpenedSession[]): Promise<Judged> {
  const over: OpenedSession[] = []
  for (const opened of candidates) {
    const bearer = bearerOf(opened, allKeys(policy, opened))
    const known = revocation.standing(bearer)
    const verdict = known === 'unknown' ? await revocation.check(bearer) : known
    if (verdict !== 'over') return { opened, standing: verdict === 'good' && known === 'unknown' ? 'checked' : verdict, over }
    over.push(opened)
  }
  return { opened: candidates[0] as OpenedSession, standing: 'over', over }
}

/** The app is asked only where the cookie does not say: that costs more than all the rest of a judgement. */
function keysAtHand (policy: SessionPolicy, opened: OpenedSession): readonly string[] {
  return opened.subject === null ? allKeys(policy, opened) : sealedKeys(opened)
}

function sealedKeys ({ subject }: OpenedSession): readonly string[] {
  return subject === null || subject.length === 0 ? NO_KEYS : [keyOf(subject)]
}

/** A session that was sealed before the app said what a subject is, or said it otherwise, is ended under either name. */
function allKeys (policy: SessionPolicy, opened: OpenedSession): readonly string[] {
  const current = new Session(policy, UNWATCHED, opened).subject()
  const sealed = sealedKeys(opened)
  if (current === null || current.length === 0 || sealed[0] === keyOf(current)) return sealed
  return [...sealed, keyOf(current)]
}
