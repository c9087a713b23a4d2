import type { FastifyBaseLogger } from 'fastify'
import { nameOf } from '../keyring/stored-keyring'
import type { KeyringReporter } from '../keyring/live-keyring'
import { stateAt, type KeyDates, type Scheduled } from '../keyring/schedule'
import type { ResolvedOptions } from '../options/options'
import type { KeyringStore } from '../../types/keyring'

/** Puts in the log what happens to a keyring. Key ids are no secret: every cookie begins with one. */
export function keyringLog (log: FastifyBaseLogger, { sessionName, limits }: ResolvedOptions, store: KeyringStore): KeyringReporter {
  const warnedOf = new Set<string>()
  const about = { session: sessionName, keyring: nameOf(store) }
  return {
    replaced (keys, nowMs) {
      const states = Object.fromEntries(keys.map(scheduled => [scheduled.key.id, stateAt(scheduled, nowMs)]))
      log.info({ ...about, keys: states }, 'keyring loaded')
      const tooShort = keys.filter(scheduled => closesTooEarly(scheduled, limits.absoluteMs, nowMs)).map(({ key }) => key.id).filter(id => !warnedOf.has(id))
      if (tooShort.length > 0) {
        for (const id of tooShort) warnedOf.add(id)
        log.warn({ ...about, keys: tooShort }, 'keys of the keyring expire before the last session they sealed can be over: rotate with a --keep-for (or rotation.keepFor) of at least "absolute"')
      }
    },
    failed (error) {
      log.warn({ ...about, code: codeOf(error) }, `the keyring could not be reloaded, and the last good one stays in use: ${error.message}`)
    },
    recovered () {
      log.info(about, 'the keyring can be reloaded again')
    },
    rotated () {
      log.info(about, 'a key was added to the keyring')
    },
    rotationFailed (error) {
      log.warn({ ...about, code: codeOf(error) }, `a new key is due and could not be added to the keyring: ${error.message}`)
    }
  }
}

/** Revoked keys are meant to be closed, and of expired ones nothing can be saved. */
function closesTooEarly (scheduled: Scheduled<KeyDates>, absoluteMs: number, nowMs: number): boolean {
  const state = stateAt(scheduled, nowMs)
  return state !== 'revoked' && state !== 'expired' && scheduled.opensUntilMs - scheduled.sealsUntilMs < absoluteMs
}

function codeOf (error: Error): unknown {
  return (error as { code?: unknown }).code
}
