/** When each key seals and opens: a pure function of the keys. */

export type KeyState = 'pending' | 'active' | 'retired' | 'expired' | 'revoked'

/** The dates of a key in a keyring, in milliseconds since 1970. */
export interface KeyDates {
  /** 8 hex digits. */
  readonly id: string
  readonly createdAtMs: number
  readonly activatesAtMs: number
  /** When it stops opening, if a newer key is active by then. */
  readonly expiresAtMs: number | null
  readonly revokedAtMs: number | null
}

/** When a key seals, and until when it opens. A pending key opens, too, so opening has no start. */
export interface Term {
  readonly sealsFromMs: number
  readonly sealsUntilMs: number
  readonly opensUntilMs: number
}

export interface Scheduled<Key extends KeyDates> extends Term {
  readonly key: Key
}

export const ALWAYS: Term = { sealsFromMs: -Infinity, sealsUntilMs: Infinity, opensUntilMs: Infinity }
export const ONLY_OPENS: Term = { sealsFromMs: Infinity, sealsUntilMs: Infinity, opensUntilMs: Infinity }
const NEVER: Term = { sealsFromMs: Infinity, sealsUntilMs: Infinity, opensUntilMs: -Infinity }

/**
 * The term of each key, oldest first. A key seals until the next one activates, and opens until it expires. The oldest
 * key that is not revoked has no start: a server whose clock is behind must have a key that seals. A revocation takes
 * effect at once, at any time of the clock.
 */
export function schedule<Key extends KeyDates> (keys: readonly Key[]): Array<Scheduled<Key>> {
  const ordered = [...keys].sort(byAge)
  const usable = ordered.filter(key => key.revokedAtMs === null)
  return ordered.map(key => {
    const index = usable.indexOf(key)
    if (index === -1) return { key, ...NEVER }
    const sealsUntilMs = usable[index + 1]?.activatesAtMs ?? Infinity
    return {
      key,
      sealsFromMs: index === 0 ? -Infinity : key.activatesAtMs,
      sealsUntilMs,
      opensUntilMs: Math.max(sealsUntilMs, key.expiresAtMs ?? Infinity)
    }
  })
}

export function stateAt (
  { key, sealsFromMs, sealsUntilMs, opensUntilMs }: Scheduled<KeyDates>, nowMs: number
): KeyState {
  if (key.revokedAtMs !== null) return 'revoked'
  if (nowMs < sealsFromMs) return 'pending'
  if (nowMs < sealsUntilMs) return 'active'
  return nowMs < opensUntilMs ? 'retired' : 'expired'
}

function byAge (a: KeyDates, b: KeyDates): number {
  return a.activatesAtMs - b.activatesAtMs || a.createdAtMs - b.createdAtMs || (a.id < b.id ? -1 : 1)
}
