import { keyOf } from '../revocation/keys'
import type { Revocation } from '../revocation/revocation'
import { withOwnIdle } from '../session/expiry'
import type { Session } from '../session/session'
import { refuseUnsealable } from './commit'
import type { SessionDefinition } from './definition'
import type { Found } from './find'

interface Changed {
  readonly definition: SessionDefinition
  readonly session: Session
  readonly found: Found | null
}

/**
 * What is to be done in the revocation store before a session's cookie may go out; null where nothing is, as nearly always.
 * Resolves to the latest cut-off of whoever logs in by the session, 0 where nobody does. Throws where the session cannot be
 * sealed, and rejects with FST_SESSION_STORE_UNAVAILABLE where the one that it replaces could not be ended.
 */
export function errandsOf (changed: Changed): Promise<number> | null {
  const { definition, session } = changed
  const { revocation } = definition
  if (revocation === null) return null
  const replaced = replacedBy(changed, revocation)
  const login = loginBy(session)
  if (replaced === null && login === null) return null
  // What it replaces must not be ended for a session that no cookie can hold.
  if (replaced !== null) refuseUnsealable(definition, session)
  return run(definition, revocation, replaced, login)
}

/** The session that the request brought, if it has become another one and its copies are still good. */
function replacedBy ({ session, found }: Changed, revocation: Revocation): Found | null {
  if (found === null || !session.isAnother || found.standing === 'over') return null
  return revocation.hasEnded(found.opened.envelope.id) ? null : found
}

/** Who logs in, hashed. */
function loginBy (session: Session): Buffer | null {
  const subject = session.deleted ? null : session.subject()
  return session.head.isLoginOf(subject) ? subject : null
}

async function run ({ policy }: SessionDefinition, revocation: Revocation, replaced: Found | null, login: Buffer | null): Promise<number> {
  if (replaced !== null) {
    const { envelope, settings } = replaced.opened
    await revocation.endReplaced(envelope.id, withOwnIdle(policy.limits, settings.idleMs).absoluteMs)
  }
  return login === null ? 0 : await revocation.cutOffOf(keyOf(login))
}
