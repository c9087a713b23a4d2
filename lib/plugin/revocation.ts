import type { FastifyBaseLogger } from 'fastify'
import type { ResolvedSession } from '../options/options'
import { PatientStore } from '../revocation/patient-store'
import { Revocation } from '../revocation/revocation'
import { LONGEST_COOKIE_MS, type Clock } from '../time'

/** Null where the app has not asked for it. */
export function openRevocation ({ options, revocation }: ResolvedSession, now: Clock, log: FastifyBaseLogger): Revocation | null {
  if (revocation === null) return null
  const { store, timeoutMs, recheckMs, trustsWhenAway } = revocation
  const { sessionName, limits } = options
  const consequence = trustsWhenAway ? 'sessions are trusted unchecked' : 'requests that touch a session that is due to be checked fail'
  const reporter = {
    failed: ({ message }: Error) => { log.warn({ session: sessionName }, `revocations cannot be asked, and ${consequence}: ${message}`) },
    recovered: () => { log.info({ session: sessionName }, 'revocations can be asked again') }
  }
  return new Revocation({
    sessionName,
    store: new PatientStore(store, timeoutMs, reporter),
    recheckMs,
    trustsWhenAway,
    // A session may be given a longer limit of its own, which nobody knows who ends it from afar.
    longestLifeMs: Math.max(limits.absoluteMs, LONGEST_COOKIE_MS),
    now
  })
}
