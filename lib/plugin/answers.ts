import type { OpeningLog } from './deferred-log'
import type { SessionDefinition } from './definition'
import { findAsking, hasWaitingOpener, NOTHING_FOUND, tellOver, type Answer, type Found } from './find'
import { headerSource } from './open'
import { judgedAgain } from './standing'

/** What was found of a request's sessions about which somebody had to be asked. */
export class Answers {
  readonly #known = new Map<SessionDefinition, Answer>()

  /**
   * Asks about these sessions; null where nothing has to be waited for. What fails is told to whoever takes the answer. Rejects with what an opener of old cookies says of itself.
   */
  ask (definitions: readonly SessionDefinition[], header: string | undefined, log: OpeningLog): Promise<unknown> | null {
    const source = headerSource(header)
    const waiting: Array<Promise<void>> = []
    for (const definition of definitions) {
      if (definition.revocation === null && !hasWaitingOpener(definition, source)) continue
      const answer = header === undefined ? NOTHING_FOUND : attempt(() => findAsking(definition, source, log))
      if (answer instanceof Promise) waiting.push(this.#wait(definition, answer))
      else this.#known.set(definition, answer)
    }
    return waiting.length === 0 ? null : Promise.all(waiting)
  }

  /** What was found, null for nothing; undefined where nobody was asked. Throws why it cannot be told. */
  take (definition: SessionDefinition, log: OpeningLog): Found | null | undefined {
    const answer = this.#known.get(definition)
    if (answer === undefined) return undefined
    if (answer.error !== null) throw answer.error
    if (answer.found === null) return null
    const found = judgedAgain(definition, answer.found)
    if (found !== answer.found) tellOver(definition, found.former, found.over, log)
    return found
  }

  /** Sessions that are over and are to be cleared, and those that were checked and get a stamp: also where no handler looks at them. */
  * toBeWritten (): Iterable<[SessionDefinition, Found]> {
    for (const [definition, { found }] of this.#known) {
      if (found?.standing === 'over' || found?.standing === 'checked') yield [definition, found]
    }
  }

  async #wait (definition: SessionDefinition, answer: Promise<Answer>): Promise<void> {
    try {
      this.#known.set(definition, await answer)
    } catch (error) {
      this.#known.set(definition, { found: null, error })
      throw error
    }
  }
}

function attempt (find: () => Answer | Promise<Answer>): Answer | Promise<Answer> {
  try {
    return find()
  } catch (error) {
    return { found: null, error }
  }
}
