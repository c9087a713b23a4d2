/** A session, as far as it matters for the question whether it is over. */
export interface Bearer {
  readonly id: string
  /** 0 where nobody knows. */
  readonly createdAtMs: number
  /** When the store was asked, as its stamp says; 0 where there is none. */
  readonly checkedAtMs: number
  /** The keys of who was logged in when it was sealed, and who is by its values; mostly one and the same, or none. */
  readonly subjectKeys: readonly string[]
}

/**
 * How a session ended. Replaced: it goes on under another id, in the same browser, which may have sent requests before it
 * heard of that; to clear its cookies then would clear those of the other.
 */
export type End = 'over' | 'replaced'

/** The cut-off of an id says by its last bit how the session ended. It is never earlier than that. */
export function cutOffBy (end: End, atMs: number): number {
  return end === 'replaced' ? atMs - atMs % 2 + 1 : atMs + atMs % 2
}

export function endIn (cutOffMs: number): End {
  return cutOffMs % 2 === 1 ? 'replaced' : 'over'
}

/** Cut-offs are inclusive; 0 is none. */
export function isOver ({ createdAtMs }: Pick<Bearer, 'createdAtMs'>, cutOffs: readonly number[]): boolean {
  return cutOffs.some(cutOffMs => cutOffMs > 0 && cutOffMs >= createdAtMs)
}
