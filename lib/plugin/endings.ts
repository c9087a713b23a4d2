import { invalid } from '../checks'
import type { ResolvedOptions } from '../options/options'
import { keyOf } from '../revocation/keys'
import type { Revocation } from '../revocation/revocation'
import { withOwnIdle } from '../session/expiry'
import type { Endings, SessionPolicy } from '../session/policy'
import { bearerOf } from './standing'

/** What `revoke()` and `revokeOthers()` of a session do. */
export function endingsOf ({ sessionName, limits }: ResolvedOptions, revocation: Revocation | null): SessionPolicy['endings'] {
  if (revocation === null) {
    return () => { throw invalid(`revoke() and revokeOthers() of session "${sessionName}" need the option "revocation"`) }
  }
  const endings: Endings = {
    async end ({ envelope, settings }) {
      await revocation.endSession(envelope.id, withOwnIdle(limits, settings.idleMs).absoluteMs)
    },
    async endOthers ({ opened, isNew }, subject) {
      const key = keyOf(subject)
      return await revocation.endOthers(isNew || opened === null ? null : bearerOf(opened, [key]), key)
    }
  }
  return () => endings
}
