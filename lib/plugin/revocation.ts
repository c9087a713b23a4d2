import type { FastifyBaseLogger } from 'fastify'
import type { ResolvedSession } from '../options/options'
import { PatientStore } from '../revocation/patient-store'
import { Revocation } from '../revocation/revocation'
import { MINUTE_MS, type Clock } from '../time'

/** An outage is told once in this time, and that it is over after each that was told. */
const QUIET_MS = MINUTE_MS

/** Null where the app has not asked for it. */
export function openRevocation ({ options, revocation }: ResolvedSession, now: Clock, log: FastifyBaseLogger): Revocation | null {
  if (revocation === null) return null
  const { store, timeoutMs, recheckMs, trustsWhenAway, longestLifeMs } = revocation
  const { sessionName } = options
  const consequence = trustsWhenAway ? 'sessions are trusted unchecked' : 'requests that touch a session that is due to be checked fail'
  let toldAtMs = -Infinity
  let isTold = false
  const reporter = {
    failed ({ message }: Error) {
      // A store that fails for some keys only, such as a cluster that has lost a node, comes and goes with every request.
      isTold = Math.abs(now() - toldAtMs) >= QUIET_MS
      if (!isTold) return
      toldAtMs = now()
      log.warn({ session: sessionName }, `revocations cannot be asked, and ${consequence}: ${message}`)
    },
    recovered () {
      if (isTold) log.info({ session: sessionName }, 'revocations can be asked again')
    }
  }
  return new Revocation({
    sessionName,
    store: new PatientStore(store, timeoutMs, reporter),
    recheckMs,
    trustsWhenAway,
    longestLifeMs,
    now
  })
}
