import { Recent } from '../recent'
import { isOver, type Bearer } from './bearer'

/** Of this many sessions, and this many cut-offs, a process remembers what it heard: some 5 MB. */
const MOST_REMEMBERED = 20_000

/** What this process has heard of sessions. To forget it costs a question to the store, and nothing else. */
export class Memory {
  /** Sessions that are over, by id. */
  readonly #ended = new Recent<true>(MOST_REMEMBERED)
  /** Cut-offs of subjects, by key. */
  readonly #cutOffMs = new Recent<number>(MOST_REMEMBERED)
  /** When the store said that a session is good, by id. */
  readonly #checkedAtMs = new Recent<number>(MOST_REMEMBERED)

  isOver (bearer: Bearer): boolean {
    if (this.hasEnded(bearer.id)) return true
    for (const key of bearer.subjectKeys) {
      const cutOffMs = this.#cutOffMs.get(key)
      if (cutOffMs !== undefined && isOver(bearer, [cutOffMs])) return true
    }
    return false
  }

  hasEnded (id: string): boolean {
    return this.#ended.get(id) !== undefined
  }

  end (id: string): void {
    this.#ended.set(id, true)
  }

  cutOff (key: string, cutOffMs: number): void {
    if (cutOffMs > (this.#cutOffMs.get(key) ?? 0)) this.#cutOffMs.set(key, cutOffMs)
  }

  checked (id: string, atMs: number): void {
    this.#checkedAtMs.set(id, atMs)
  }

  /** 0 where nobody knows. */
  checkedAtMs (id: string): number {
    return this.#checkedAtMs.get(id) ?? 0
  }
}
