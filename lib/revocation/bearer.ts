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

/** Cut-offs are inclusive; 0 is none. */
export function isOver ({ createdAtMs }: Pick<Bearer, 'createdAtMs'>, cutOffs: readonly number[]): boolean {
  return cutOffs.some(cutOffMs => cutOffMs > 0 && cutOffMs >= createdAtMs)
}
