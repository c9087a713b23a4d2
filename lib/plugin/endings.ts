import { invalid } from '../checks'
import { RequiredError } from '../errors'
import { isOver } from '../revocation/bearer'
import { keyOf } from '../revocation/keys'
import { withOwnLimits } from '../session/expiry'
import { isSomebody } from '../session/head'
import { UNWATCHED, type Endings, type OpenedSession } from '../session/policy'
import { Session } from '../session/session'
import type { SessionDefinition } from './definition'
import { bearerOf } from './standing'

/** What `revoke()` and `revokeOthers()` of a session do. Throws FST_SESSION_INVALID_OPTION where they cannot. */
export function endingsOf (definition: SessionDefinition): Endings {
  const { revocation, sessionName } = definition
  if (revocation === null) throw invalid(`revoke() and revokeOthers() of session "${sessionName}" need the option "revocation"`)
  return {
    async end (opened) {
      if (!isAnonymous(definition, opened)) await revocation.endSession(opened.envelope.id, endsAtMsOf(definition, opened))
    },
    refuseWithoutOthers (subject) {
      if (subject === null) throw invalid('revokeOthers() needs the option "subject": nobody else can say whose sessions they are')
      if (!isSomebody(subject)) throw new RequiredError()
    },
    async endIfGood (opened) {
      const subject = opened.subject ?? currentSubject(definition, opened)
      return await revocation.endIfGood(bearerOf(opened, isSomebody(subject) ? [keyOf(subject)] : []), endsAtMsOf(definition, opened))
    },
    async endOthers ({ opened, owesLogin, identity, isReissued }, subject) {
      const { cutOffMs, before } = await revocation.endOthers(keyOf(subject), opened !== null && owesLogin ? opened.envelope.createdAtMs : 0)
      return isReissued && isOver(identity, [before]) ? null : cutOffMs + 1
    }
  }
}

/**
 * Nobody is logged in by this session, neither by what was sealed nor by its values. It is not ended in the store: strangers can
 * begin and end as many as they like, and its copies are of no subject. Whoever logs in by one gets another id.
 */
export function isAnonymous (definition: SessionDefinition, opened: OpenedSession): boolean {
  return opened.subject?.length === 0 && currentSubject(definition, opened)?.length === 0
}

/** When a session is over by its own absolute limit; Infinity where nothing says when it began. */
export function endsAtMsOf ({ policy, formerCookies }: SessionDefinition, { authenticatedAtMs, settings }: OpenedSession): number {
  // Of a session without dates every copy of its old cookie begins anew, and all have one id.
  if (formerCookies.some(({ isDated }) => !isDated)) return Infinity
  return authenticatedAtMs + withOwnLimits(policy.limits, settings).absoluteMs
}

/** The subject by the values as they were opened: the request may have changed those in its hands. Null where the app does not say. */
function currentSubject ({ policy }: SessionDefinition, opened: OpenedSession): Buffer | null {
  const source = Buffer.from(opened.decoded.source as string)
  const decoded = opened.codec.decode(source, 0, source.length) ?? opened.decoded
  return new Session(policy, UNWATCHED, { ...opened, decoded }).subject()
}
