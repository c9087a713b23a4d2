import { refused } from '../events'
import { keyOfId } from '../revocation/keys'
import type { RefusedBecause } from '../../types/events'
import type { OpeningLog } from './deferred-log'

export interface RefusedCookie {
  readonly sessionName: string
  readonly cookie: string
  readonly reason: RefusedBecause
  /** Of the session in it, where it opened and was ended. */
  readonly id?: string
}

/** A stranger may have sent it, so it goes to the debug log. */
export function tellRefused (log: OpeningLog, { sessionName, cookie, reason, id }: RefusedCookie): void {
  log.debug({ cookie, reason }, 'session cookie refused')
  if (refused.hasSubscribers) refused.publish({ session: sessionName, cookie, reason, id: id === undefined ? null : keyOfId(id) })
}
