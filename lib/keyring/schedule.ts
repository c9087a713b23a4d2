/** What a key may do, and when: a pure function of the keys and the time. */

export type KeyState = 'pending' | 'active' | 'retired' | 'expired' | 'revoked'

/** What a keyring says of a key's life; milliseconds since 1970. */
export interface KeyDates {
  /** 8 hex digits. */
  readonly id: string
  readonly createdAtMs: number
  readonly activatesAtMs: number
  /** When it stops opening, if a newer key is active by then. */
  readonly expiresAtMs: number | null
  readonly revokedAtMs: number | null
}

/** When a key seals and until when it opens. A pending key opens already, so opening has no start. */
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
 * that is not revoked seals from the beginning of time: before it there is no other, and a clock that is behind must not
 * leave a server without a key. A revocation counts at once, whatever the clock says.
 */
export function schedule<Key extends KeyDates> (keys: readonly Key[]): Array<Scheduled<Key>> {
  const ordered = [...keys].sort(byAge)
  const usable = ordered.filter(key => key.revokedAtMs === null)
  return ordered.map(key => {
    const place = usable.indexOf(key)
    if (place === -1) return { key, ...NEVER }
    const sealsUntilMs = usable[place + 1]?.activatesAtMs ?? Infinity
    return {
      key,
      sealsFromMs: place === 0 ? -Infinity : key.activatesAtMs,
      sealsUntilMs,
      opensUntilMs: Math.max(sealsUntilMs, key.expiresAtMs ?? Infinity)
    }
  })
}

export function stateAt ({ key, sealsFromMs, sealsUntilMs, opensUntilMs }: Scheduled<KeyDates>, nowMs: number): KeyState {
  if (key.revokedAtMs !== null) return 'revoked'
  if (nowMs < sealsFromMs) return 'pending'
  if (nowMs < sealsUntilMs) return 'active'
  return nowMs < opensUntilMs ? 'retired' : 'expired'
}

function byAge (a: KeyDates, b: KeyDates): number {
  return a.activatesAtMs - b.activatesAtMs || a.createdAtMs - b.createdAtMs || (a.id < b.id ? -1 : 1)
}
