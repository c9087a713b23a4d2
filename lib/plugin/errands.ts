import { RequiredError } from '../errors'
import { keyOf } from '../revocation/keys'
import type { Revocation } from '../revocation/revocation'
import { withOwnLimits } from '../session/expiry'
import type { OpenedSession } from '../session/policy'
import type { Session } from '../session/session'
import { refuseUnsealable } from './commit'
import type { SessionDefinition } from './definition'
import { endsAtMsOf, isAnonymous } from './endings'
import type { Found } from './find'
import { bearerOf, isEnded } from './standing'

const NO_KEYS: readonly string[] = []

interface Changed {
  readonly definition: SessionDefinition
  readonly session: Session
  readonly found: Found | null
}

/** What is to be done in the revocation store. */
interface Errands {
  /** To be ended. */
  readonly replaced: OpenedSession | null
  /** The latest end of a copy of the session, where its own limits have changed; null where they have not. */
  readonly endsAtMs: number | null
  /** Hashed. */
  readonly login: Buffer | null
}

/**
 * What is to be done in the revocation store before a session's cookie may go out; null where nothing is, as nearly always.
 * Resolves to the latest cut-off of whoever logs in by the session, 0 where nobody does. Throws where the session cannot be
 * sealed. Rejects with FST_SESSION_STORE_UNAVAILABLE where the one that it replaces could not be ended, and with FST_SESSION_REQUIRED
 * where it goes on with a login that is over.
 */
export function errandsOf (changed: Changed): Promise<number> | null {
  const { definition, session } = changed
  const { revocation } = definition
  if (revocation === null) return null
  const isKept = session.isEdited && !session.deleted
  const owner = isKept ? session.ownerAtLast() : null
  const login = session.head.isLoginOf(owner) ? owner : null
  const replaced = replacedBy(changed)
  const endsAtMs = isKept ? changedEndOf(definition, session) : null
  if (replaced === null && endsAtMs === null && login === null) return null
  // What it replaces must not be ended for a session that no cookie can hold.
  if (replaced !== null) refuseUnsealable(definition, session)
  return run(definition, revocation, session, { replaced, endsAtMs, login })
}

/** The session that the request brought, where it is to be ended because this one is another. */
function replacedBy ({ definition, session: { head }, found }: Changed): OpenedSession | null {
  if (found === null || !head.isAnother || head.isOpenedEnded || isEnded(found) || isAnonymous(definition, found.opened)) return null
  return found.opened
}

/**
 * Where a session gets a longer or shorter life than the copies of its cookie have, whoever ends one of them does not know of the
 * others: the store keeps the end of this id for the longest of them.
 */
function changedEndOf (definition: SessionDefinition, { head: { opened, isNew, settings, limits } }: Session): number | null {
  if (opened === null || isNew || settings === opened.settings) return null
  const before = withOwnLimits(definition.policy.limits, opened.settings)
  if (limits.absoluteMs === before.absoluteMs || isAnonymous(definition, opened)) return null
  const endsAtMs = Math.max(endsAtMsOf(definition, opened), opened.authenticatedAtMs + limits.absoluteMs)
  // Then its end is kept for as long as any session may live.
  return endsAtMs === Infinity ? null : endsAtMs
}

async function run (definition: SessionDefinition, revocation: Revocation, { deleted, head }: Session, { replaced, endsAtMs, login }: Errands): Promise<number> {
  if (replaced !== null) {
    const wasGood = await revocation.endReplaced(bearerOf(replaced, NO_KEYS), deleted ? 'over' : 'replaced', endsAtMsOf(definition, replaced))
    if (!wasGood && head.isCarried) throw new RequiredError()
  }
  if (endsAtMs !== null) await revocation.keepUntil(head.identity.id, endsAtMs)
  return login === null ? 0 : await revocation.cutOffOf(keyOf(login))
}
