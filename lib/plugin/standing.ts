import { keyOf } from '../revocation/keys'
import type { Bearer, End } from '../revocation/bearer'
import type { Revocation } from '../revocation/revocation'
import { UNWATCHED, type OpenedSession, type SessionPolicy } from '../session/policy'
import { Session } from '../session/session'

/**
 * Whether a session that opened may be used. Good: nothing is known against it. Checked: so said the store, just now.
 * Unchecked: the store is away, and the app said to trust then. Over, or replaced: it may not.
 */
export type Standing = 'good' | 'checked' | 'unchecked' | End

export function isEnded ({ standing }: Pick<Judged, 'standing'>): boolean {
  return standing === 'over' || standing === 'replaced'
}

const NO_KEYS: readonly string[] = []
const NONE: readonly OpenedSession[] = []

export interface Judged {
  readonly opened: OpenedSession
  readonly standing: Standing
  /** Those of the candidates that are known to be over. */
  readonly over: readonly OpenedSession[]
}

/** Whether the store is asked about sessions that are trusted, too. */
export type Asks = 'when due' | 'always'

/** What is judged here of a session definition. */
interface Jurisdiction {
  readonly policy: SessionPolicy
  readonly revocation: Revocation | null
}

/**
 * The first of these that is not over, or else the first of all: a browser may send several of one name.
 * Answers at once where nobody needs to be asked. Rejects with FST_SESSION_STORE_UNAVAILABLE.
 */
export function judge (jurisdiction: Jurisdiction, candidates: readonly OpenedSession[], asks: Asks): Judged | Promise<Judged> {
  const { revocation, policy } = jurisdiction
  const [first] = candidates as [OpenedSession]
  const isGood = revocation === null || (asks === 'when due' && revocation.standing(bearerOf(first, keysAtHand(policy, first))) === 'good')
  return isGood ? { opened: first, standing: 'good', over: NONE } : judgeInTurn(policy, revocation, candidates, asks)
}

/** As it was judged, or over: this process may have ended it since, while its request waited for something else. */
export function judgedAgain<J extends Judged> ({ revocation, policy }: Jurisdiction, judged: J): J {
  if (revocation === null || isEnded(judged)) return judged
  const standing = revocation.standing(bearerOf(judged.opened, keysAtHand(policy, judged.opened)))
  return standing === 'over' || standing === 'replaced' ? { ...judged, standing, over: [judged.opened] } : judged
}

/** @param subjectKeys of those whose end would be this session's end */
export function bearerOf ({ envelope, isUndated, checkedAtMs }: OpenedSession, subjectKeys: readonly string[]): Bearer {
  return { id: envelope.id, createdAtMs: isUndated ? 0 : envelope.createdAtMs, checkedAtMs, subjectKeys }
}

async function judgeInTurn (policy: SessionPolicy, revocation: Revocation, candidates: readonly OpenedSession[], asks: Asks): Promise<Judged> {
  const over: OpenedSession[] = []
  let end: End = 'replaced'
  for (const opened of candidates) {
    const bearer = bearerOf(opened, allKeys(policy, opened))
    const known = revocation.standing(bearer)
    const verdict = known === 'unknown' || (known === 'good' && asks === 'always') ? await revocation.check(bearer) : known
    if (verdict === 'good' || verdict === 'unchecked') return { opened, standing: verdict === 'good' && known === 'unknown' ? 'checked' : verdict, over }
    if (verdict === 'over') end = 'over'
    over.push(opened)
  }
  return { opened: candidates[0] as OpenedSession, standing: end, over }
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
