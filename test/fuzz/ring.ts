import type { KeyRecord } from '../../lib/keyring/document'

/** Which keys of a ring seal and open, made from docs/keys.md alone: what the library is compared with. */

/** The keys that are not revoked, in the order in which they seal. */
export function inOrder (keys: readonly KeyRecord[]): KeyRecord[] {
  return keys.filter(({ revokedAtMs }) => revokedAtMs === null).sort((a, b) =>
    a.activatesAtMs - b.activatesAtMs || a.createdAtMs - b.createdAtMs || (a.id < b.id ? -1 : 1))
}

export function sealsAt (keys: readonly KeyRecord[], nowMs: number): KeyRecord {
  const usable = inOrder(keys)
  return usable.filter(({ activatesAtMs }) => activatesAtMs <= nowMs).at(-1) ?? usable[0] as KeyRecord
}

/** Until when a key opens; -Infinity where it is not there, or revoked. */
export function opensUntilMs (keys: readonly KeyRecord[], id: string): number {
  const usable = inOrder(keys)
  const place = usable.findIndex(key => key.id === id)
  if (place === -1) return -Infinity
  return Math.max(usable[place + 1]?.activatesAtMs ?? Infinity, usable[place]?.expiresAtMs ?? Infinity)
}
