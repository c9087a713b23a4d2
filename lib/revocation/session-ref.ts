/** A session, as far as revocation needs to know it. */
export interface SessionRef {
  /** 32 hex digits. */
  readonly id: string
  /** 0 where it is not known. */
  readonly createdAtMs: number
  /** When the store was last asked, as the stamp says; 0 without a stamp. */
  readonly checkedAtMs: number
  /** The keys of its subjects: the one that was sealed, and the one by its values. Mostly one and the same, or none. */
  readonly subjectKeys: readonly string[]
}

/**
 * How a session was revoked. Replaced: the same browser continues it with another id, and may still send requests with
 * the old one. Their replies must not clear the cookies.
 */
export type End = 'revoked' | 'replaced'

/** The time in the store for a revoked id: at least `atMs`. Its last bit says how the session was revoked. */
export function timeOfEnd (end: End, atMs: number): number {
  return end === 'replaced' ? atMs - atMs % 2 + 1 : atMs + atMs % 2
}

export function endIn (timeMs: number): End {
  return timeMs % 2 === 1 ? 'replaced' : 'revoked'
}

/** True where a session was created up to one of these times. 0 revokes nothing. */
export function isRevoked (
  { createdAtMs }: Pick<SessionRef, 'createdAtMs'>, revokedBefore: readonly number[]
): boolean {
  return revokedBefore.some(timeMs => timeMs > 0 && timeMs >= createdAtMs)
}
