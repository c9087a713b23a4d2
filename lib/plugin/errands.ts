import { keyOf } from '../revocation/keys'
import { withOwnIdle } from '../session/expiry'
import type { Session } from '../session/session'
import type { SessionDefinition } from './definition'
import type { Found } from './find'

/** How long any copy of it could live. */
function lifeOf ({ policy }: SessionDefinition, { opened }: Found): number {
  return withOwnIdle(policy.limits, opened.settings.idleMs).absoluteMs
}

interface Ending {
  readonly definition: SessionDefinition
  readonly session: Session
  readonly found: Found | null
}

/**
 * What is to be done in the revocation store before a session's cookie may go out; null where nothing is, as nearly always. It
 * resolves to the latest cut-off of whoever logs in by the session, 0 where nobody does. It rejects with
 * FST_SESSION_STORE_UNAVAILABLE where the session that it replaces could not be ended.
 */
export function errandsOf ({ definition, session, found }: Ending): (() => Promise<number>) | null {
  const { revocation } = definition
  if (revocation === null) return null
  const ending = found !== null && session.isAnother && found.standing !== 'over' && !revocation.hasEnded(found.opened.envelope.id) ? found : null
  const subject = session.deleted ? null : session.subject()
  const login = session.head.isLoginOf(subject) ? subject : null
  if (ending === null && login === null) return null
  return async () => {
    if (ending !== null) await revocation.endReplaced(ending.opened.envelope.id, lifeOf(definition, ending))
    return login === null ? 0 : await revocation.cutOffOf(keyOf(login))
  }
}
