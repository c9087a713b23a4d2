import { Recent } from '../recent'
import { isOver, type Bearer, type End } from './bearer'

/** Of this many sessions, and this many cut-offs, a process remembers what it heard: some 5 MB. */
const MOST_REMEMBERED = 20_000

/** What was heard, and when. */
interface Heard<What> {
  readonly what: What
  readonly atMs: number
}

/** What this process has heard of sessions. To forget it costs a question to the store, and nothing else. */
export class Memory {
  /** Sessions that are over, by id. */
  readonly #ended = new Recent<Heard<End>>(MOST_REMEMBERED)
  /** Cut-offs of subjects, by key. */
  readonly #cutOffs = new Recent<Heard<number>>(MOST_REMEMBERED)
  /** When the store said that a session is good, by id. */
  readonly #checkedAtMs = new Recent<number>(MOST_REMEMBERED)
  /** What was heard up to then may be forgotten: a session that was last checked before must not be trusted unasked. */
  forgottenAtMs = 0

  /** How it ended; null where nothing is known of that. */
  endOf (bearer: Bearer): End | null {
    const ended = this.#ended.get(bearer.id)
    if (ended !== undefined) return ended.what
    for (const key of bearer.subjectKeys) {
      const cutOff = this.#cutOffs.get(key)
      if (cutOff !== undefined && isOver(bearer, [cutOff.what])) return 'over'
    }
    return null
  }

  end (id: string, what: End, atMs: number): void {
    this.#forgotten(this.#ended.set(id, { what, atMs }))
  }

  cutOff (key: string, what: number, atMs: number): void {
    if (what > (this.#cutOffs.get(key)?.what ?? 0)) this.#forgotten(this.#cutOffs.set(key, { what, atMs }))
  }

  checked (id: string, atMs: number): void {
    this.#checkedAtMs.set(id, atMs)
  }

  /** 0 where nobody knows. */
  checkedAtMs (id: string): number {
    return this.#checkedAtMs.get(id) ?? 0
  }

  #forgotten (heard: Heard<unknown> | undefined): void {
    if (heard !== undefined) this.forgottenAtMs = Math.max(this.forgottenAtMs, heard.atMs)
  }
}
