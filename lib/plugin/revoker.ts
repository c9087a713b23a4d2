import { invalid } from '../checks'
import { RequiredError } from '../errors'
import { keyOf } from '../revocation/keys'
import { isRevoked } from '../revocation/session-ref'
import { NO_OBSERVER, type SessionRevoker } from '../session/context'
import { withOwnLimits } from '../session/expiry'
import { isUser, keepsAuthentication } from '../session/meta'
import type { OpenedSession } from '../session/opened'
import { Session } from '../session/session'
import type { SessionDefinition } from './definition'
import { refOf } from './verify'

/** What `revoke()` and `revokeOthers()` of a session call. Throws FST_SESSION_INVALID_OPTION without `revocation`. */
export function revokerOf (definition: SessionDefinition): SessionRevoker {
  const { revocation, sessionName } = definition
  if (revocation === null) {
    throw invalid(`revoke() and revokeOthers() of session "${sessionName}" need the option "revocation"`)
  }
  return {
    async revoke (opened) {
      if (!isAnonymous(definition, opened)) await revocation.revokeId(opened.id.text, expiresAtMsOf(definition, opened))
    },
    async revokeReissued (opened) {
      const subject = opened.subject ?? currentSubject(definition, opened)
      const ref = refOf(opened, isUser(subject) ? [keyOf(subject)] : [])
      return await revocation.revokeReissued(ref, expiresAtMsOf(definition, opened))
    },
    requireUser (subject) {
      if (subject === null) throw invalid('revokeOthers() needs the option "subject"')
      if (!isUser(subject)) throw new RequiredError()
    },
    async revokeOthers (opened, meta, subject) {
      const createdAtMs = opened !== null && keepsAuthentication(meta, opened) ? opened.createdAtMs : 0
      const { upToMs, before } = await revocation.revokeOthers(keyOf(subject), createdAtMs)
      return meta.lineage === 'reissued' && isRevoked(meta, [before]) ? null : upToMs + 1
    }
  }
}

/**
 * The session is of no user, neither by its sealed subject nor by its values. It is not revoked in the store: strangers
 * can begin and end any number of sessions. A login gives such a session another id.
 */
export function isAnonymous (definition: SessionDefinition, opened: OpenedSession): boolean {
  return opened.subject?.length === 0 && currentSubject(definition, opened)?.length === 0
}

/** When a session expires by its absolute limit; Infinity where it is not known when it began. */
export function expiresAtMsOf ({ context, legacyCookies }: SessionDefinition, opened: OpenedSession): number {
  // Every request that brings a legacy cookie without dates begins anew, and all of them have one id.
  if (legacyCookies.some(({ isDated }) => !isDated)) return Infinity
  return opened.authenticatedAtMs + withOwnLimits(context.limits, opened.settings).absoluteMs
}

/** The subject by the values as they were opened. Null without the option `subject`. */
function currentSubject ({ context }: SessionDefinition, opened: OpenedSession): Buffer | null {
  return new Session(context, NO_OBSERVER, opened).subject()
}
