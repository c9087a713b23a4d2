import type { SessionDefinition } from './definition'
import { load, needsPromise, type Candidates, type SessionSource } from './load'
import type { OpeningLog } from './log'
import { logRevoked, logVerified } from './verified-log'
import { verify, verifyAgain, type Check, type VerifiedSession } from './verify'

/** A session that was loaded and verified; null for none. Or the error that says why it is not known. */
export interface Outcome {
  readonly verified: VerifiedSession | null
  readonly error: unknown
}

const NOT_FOUND: Outcome = Object.freeze({ verified: null, error: null })

/**
 * Loads and verifies a session. Where the store fails, the outcome has the error. Rejects where an opener of legacy
 * cookies says that its store is unavailable.
 */
export function loadAndVerify (
  definition: SessionDefinition, source: SessionSource, log: OpeningLog, check: Check = 'when-due'
): Outcome | Promise<Outcome> {
  const candidates = load(definition, source, log)
  if (!(candidates instanceof Promise)) return verifyCandidates(definition, candidates, source, log, check)
  return candidates.then(loaded => verifyCandidates(definition, loaded, source, log, check))
}

function verifyCandidates (
  definition: SessionDefinition, candidates: Candidates | null, { headers }: SessionSource, log: OpeningLog,
  check: Check
): Outcome | Promise<Outcome> {
  if (candidates === null) return NOT_FOUND
  const outcome = (verified: VerifiedSession): Outcome => {
    logVerified(definition, verified, headers, log)
    return { verified, error: null }
  }
  const verifying = verify(definition, candidates, headers, check)
  if (!(verifying instanceof Promise)) return outcome(verifying)
  return verifying.then(outcome).catch(error => ({ verified: null, error }))
}

/** The sessions of a request that had to be awaited before its handlers run. */
export class PreloadedSessions {
  readonly #outcomes = new Map<SessionDefinition, Outcome>()

  /**
   * Loads those of these sessions that need a store or an opener that returns promises. Null where nothing must be
   * waited for. Rejects as `loadAndVerify` does; other errors are thrown by `take`.
   */
  preload (
    definitions: readonly SessionDefinition[], source: SessionSource, log: OpeningLog
  ): Promise<unknown> | null {
    const waiting: Array<Promise<void>> = []
    for (const definition of definitions) {
      if (definition.revocation === null && !needsPromise(definition, source)) continue
      const outcome = isSent(definition, source) ? attempt(() => loadAndVerify(definition, source, log)) : NOT_FOUND
      if (outcome instanceof Promise) waiting.push(this.#wait(definition, outcome))
      else this.#outcomes.set(definition, outcome)
    }
    return waiting.length === 0 ? null : Promise.all(waiting)
  }

  /** The session, null for none; undefined where it was not preloaded. Throws why it is not known. */
  take (definition: SessionDefinition, log: OpeningLog): VerifiedSession | null | undefined {
    const outcome = this.#outcomes.get(definition)
    if (outcome === undefined) return undefined
    if (outcome.error !== null) throw outcome.error
    if (outcome.verified === null) return null
    const verified = verifyAgain(definition, outcome.verified)
    if (verified !== outcome.verified) logRevoked(definition, verified, log)
    return verified
  }

  /**
   * Sessions that the reply writes even if no handler uses them: revoked ones are cleared, checked ones get a stamp.
   */
  * toBeWritten (): Iterable<[SessionDefinition, VerifiedSession]> {
    for (const [definition, { verified }] of this.#outcomes) {
      if (verified !== null && (verified.status === 'revoked' || verified.isChecked)) yield [definition, verified]
    }
  }

  async #wait (definition: SessionDefinition, outcome: Promise<Outcome>): Promise<void> {
    try {
      this.#outcomes.set(definition, await outcome)
    } catch (error) {
      this.#outcomes.set(definition, { verified: null, error })
      throw error
    }
  }
}

/** The request may have this session. */
function isSent ({ options: { transport } }: SessionDefinition, { header, headers }: SessionSource): boolean {
  return header !== undefined || (transport !== 'cookie' && headers.authorization !== undefined)
}

function attempt (work: () => Outcome | Promise<Outcome>): Outcome | Promise<Outcome> {
  try {
    return work()
  } catch (error) {
    return { verified: null, error }
  }
}
