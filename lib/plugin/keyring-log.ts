import type { FastifyBaseLogger } from 'fastify'
import type { KeyringReporter } from '../keyring/live-keyring'
import { stateAt, type KeyDates, type Scheduled } from '../keyring/schedule'
import { nameOf } from '../keyring/stored-keyring'
import type { ResolvedOptions } from '../options/options'
import { durationMs } from '../time'
import type { KeyringStore } from '../../types/keyring'

const TOO_SHORT = 'keys of the keyring expire before the last session or token they sealed has expired: ' +
  'rotate with a --keep-for (or rotation.keepFor) of at least "absolute", and the longest "ttl" in "tokens"'
const NOT_RELOADED = 'the keyring could not be reloaded, and the last good one stays in use'
const NOT_ROTATED = 'a new key is due and could not be added to the keyring'

/**
 * What happens to a keyring. Key ids are no secret: every cookie begins with one.
 * @param tenant whose keyring it is; null for that of all. Requests cause it to be loaded, so that is logged at level
 * debug
 */
export function keyringLog (
  log: FastifyBaseLogger, { sessionName, limits, tokens }: ResolvedOptions, store: KeyringStore,
  tenant: string | null = null
): KeyringReporter {
  const warnedOf = new Set<string>()
  const longestMs = Math.max(limits.absoluteMs, ...Array.from(tokens.values(), ({ ttl }) => durationMs(ttl) as number))
  const about = { session: sessionName, keyring: nameOf(store), ...(tenant === null ? {} : { tenant }) }
  return {
    replaced (keys, nowMs) {
      const states = Object.fromEntries(keys.map(scheduled => [scheduled.key.id, stateAt(scheduled, nowMs)]))
      log[tenant === null ? 'info' : 'debug']({ ...about, keys: states }, 'keyring loaded')
      const tooShort = keys.filter(scheduled => closesTooEarly(scheduled, longestMs, nowMs))
        .map(({ key }) => key.id).filter(id => !warnedOf.has(id))
      for (const id of tooShort) warnedOf.add(id)
      if (tooShort.length > 0) log.warn({ ...about, keys: tooShort }, TOO_SHORT)
    },
    failed (error) {
      log.warn({ ...about, code: codeOf(error) }, `${NOT_RELOADED}: ${error.message}`)
    },
    recovered () {
      log.info(about, 'the keyring can be reloaded again')
    },
    rotated () {
      log.info(about, 'a key was added to the keyring')
    },
    rotationFailed (error) {
      log.warn({ ...about, code: codeOf(error) }, `${NOT_ROTATED}: ${error.message}`)
    }
  }
}

/** Revoked keys are meant to stop opening, and sessions of expired ones are lost already. */
function closesTooEarly (scheduled: Scheduled<KeyDates>, longestMs: number, nowMs: number): boolean {
  const state = stateAt(scheduled, nowMs)
  return state !== 'revoked' && state !== 'expired' && scheduled.opensUntilMs - scheduled.sealsUntilMs < longestMs
}

function codeOf (error: Error): unknown {
  return (error as { code?: unknown }).code
}
