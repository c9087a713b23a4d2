import { BoundedMap } from '../bounded-map'
import { isRevoked, type End, type SessionRef } from './session-ref'

/** Of sessions, of subjects and of checks: some 5 MB. */
const MOST_ENTRIES = 20_000

interface Entry<Value> {
  readonly value: Value
  /** When this process learned it. */
  readonly atMs: number
}

/** What this process knows of the store. An entry that is dropped costs one lookup. */
export class RevocationCache {
  /** Sessions that were revoked or replaced, by id. */
  readonly #ends = new BoundedMap<Entry<End>>(MOST_ENTRIES)
  /** Up to when the sessions of a subject are revoked, by key. */
  readonly #revokedBefore = new BoundedMap<Entry<number>>(MOST_ENTRIES)
  /** When the store said that a session is active, by id. */
  readonly #checkedAtMs = new BoundedMap<number>(MOST_ENTRIES)
  /** Entries from up to then may be dropped: a session that was checked before must be checked again. */
  droppedAtMs = 0

  /** How a session was revoked; null if no revocation is known. */
  endOf (ref: SessionRef): End | null {
    const end = this.#ends.get(ref.id)
    if (end !== undefined) return end.value
    for (const key of ref.subjectKeys) {
      const revokedBefore = this.#revokedBefore.get(key)
      if (revokedBefore !== undefined && isRevoked(ref, [revokedBefore.value])) return 'revoked'
    }
    return null
  }

  setEnd (id: string, value: End, atMs: number): void {
    this.#dropped(this.#ends.set(id, { value, atMs }))
  }

  setRevokedBefore (key: string, value: number, atMs: number): void {
    if (value <= (this.#revokedBefore.get(key)?.value ?? 0)) return
    this.#dropped(this.#revokedBefore.set(key, { value, atMs }))
  }

  setChecked (id: string, atMs: number): void {
    this.#checkedAtMs.set(id, atMs)
  }

  /** 0 where it is not known. */
  checkedAtMs (id: string): number {
    return this.#checkedAtMs.get(id) ?? 0
  }

  #dropped (entry: Entry<unknown> | undefined): void {
    if (entry !== undefined) this.droppedAtMs = Math.max(this.droppedAtMs, entry.atMs)
  }
}
