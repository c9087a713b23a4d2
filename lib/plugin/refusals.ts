import { refused } from '../events'
import { keyOfId } from '../revocation/keys'
import type { RefusedBecause } from '../../types/events'
import type { OpeningLog } from './deferred-log'

const CLOCKS = 'clocks'
const CLOCKS_DIFFER = 'a key opened it, and it is dated more than a minute ahead of the clock of this server. ' +
  'The clocks of the servers differ, or one was set back: synchronize them. Users are logged out until then'

export interface RefusedCookie {
  readonly sessionName: string
  readonly cookie: string
  readonly reason: RefusedBecause
  /** Of the session in it, where it opened and was ended. */
  readonly id?: string
}

/** True the first time it is asked about a matter. */
export type IsFirst = (matter: string) => boolean

/** A stranger may have sent it, so it goes to the debug log. What is from the future was opened by a key: a clock is wrong. */
export function tellRefused (log: OpeningLog, isFirst: IsFirst, refusal: RefusedCookie): void {
  const { sessionName, cookie, reason, id } = refusal
  if (reason === 'from-the-future' && isFirst(CLOCKS)) warnOfClocks(log, sessionName, cookie, 'a session was refused')
  else log.debug({ cookie, reason }, 'session cookie refused')
  if (refused.hasSubscribers) refused.publish({ session: sessionName, cookie, reason, id: id === undefined ? null : keyOfId(id) })
}

/** A stamp that opened and belongs to the session is from the future: the session is not renewed by it. */
export function tellStampFromTheFuture (log: OpeningLog, isFirst: IsFirst, sessionName: string, cookie: string): void {
  if (isFirst(CLOCKS)) warnOfClocks(log, sessionName, cookie, 'the renewal of a session was ignored')
}

function warnOfClocks (log: OpeningLog, session: string, cookie: string, what: string): void {
  log.warn({ session, cookie, reason: 'from-the-future' }, `${what}: ${CLOCKS_DIFFER}`)
}
