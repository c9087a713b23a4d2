import { RequiredError } from '../errors'
import { keyOf } from '../revocation/keys'
import type { Revocation } from '../revocation/revocation'
import type { Session } from '../session/session'
import { refuseUnsealable } from './commit'
import type { SessionDefinition } from './definition'
import type { Found } from './find'
import { bearerOf, isEnded } from './standing'

const NO_KEYS: readonly string[] = []

interface Changed {
  readonly definition: SessionDefinition
  readonly session: Session
  readonly found: Found | null
}

/**
 * What is to be done in the revocation store before a session's cookie may go out; null where nothing is, as nearly always.
 * Resolves to the latest cut-off of whoever logs in by the session, 0 where nobody does. Throws where the session cannot be
 * sealed. Rejects with FST_SESSION_STORE_UNAVAILABLE where the one that it replaces could not be ended, and with FST_SESSION_REQUIRED
 * where it goes on with a login that is over.
 */
export function errandsOf ({ definition, session, found }: Changed): Promise<number> | null {
  const { revocation } = definition
  if (revocation === null) return null
  const owner = session.isEdited && !session.deleted ? session.ownerAtLast() : null
  const replaced = found !== null && session.head.isAnother && !isEnded(found) ? found : null
  const login = session.head.isLoginOf(owner) ? owner : null
  if (replaced === null && login === null) return null
  // What it replaces must not be ended for a session that no cookie can hold.
  if (replaced !== null) refuseUnsealable(definition, session)
  return run(revocation, session, replaced, login)
}

async function run (revocation: Revocation, { deleted, head }: Session, replaced: Found | null, login: Buffer | null): Promise<number> {
  if (replaced !== null) {
    const wasGood = await revocation.endReplaced(bearerOf(replaced.opened, NO_KEYS), deleted ? 'over' : 'replaced')
    if (!wasGood && head.isCarried) throw new RequiredError()
  }
  return login === null ? 0 : await revocation.cutOffOf(keyOf(login))
}
