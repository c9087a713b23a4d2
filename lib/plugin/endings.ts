import { invalid } from '../checks'
import { RequiredError } from '../errors'
import { keyOf } from '../revocation/keys'
import type { Revocation } from '../revocation/revocation'
import { isSomebody } from '../session/head'
import type { Endings, SessionPolicy } from '../session/policy'
import { bearerOf } from './standing'

/** What `revoke()` and `revokeOthers()` of a session do. */
export function endingsOf (sessionName: string, revocation: Revocation | null): SessionPolicy['endings'] {
  if (revocation === null) {
    return () => { throw invalid(`revoke() and revokeOthers() of session "${sessionName}" need the option "revocation"`) }
  }
  const endings: Endings = {
    async end ({ envelope }) {
      await revocation.endSession(envelope.id)
    },
    async endOthers ({ opened, isNew, isCarried }, subject) {
      if (subject === null) throw invalid('revokeOthers() needs the option "subject": nobody else can say whose sessions they are')
      if (!isSomebody(subject)) throw new RequiredError()
      const key = keyOf(subject)
      // A login of its own owes nothing to what the request brought.
      const isLogin = opened === null || (isNew && !isCarried)
      return await revocation.endOthers(isLogin ? null : bearerOf(opened, [key]), key)
    }
  }
  return () => endings
}
