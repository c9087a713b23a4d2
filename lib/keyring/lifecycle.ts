import { KEY_BYTES, randomize } from '../core/aead'
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../time'
import type { KeyRecord } from './document'
import { keyIdText } from './key-id'
import { schedule, stateAt, type KeyDates } from './schedule'

/** Changes of a keyring: pure functions from keys to keys. */

/** How long a key opens after the end of its sealing, by default. */
export const DEFAULT_KEEP_FOR_MS = 90 * DAY_MS

export const DEFAULT_ACTIVATE_IN_MS = 60 * MINUTE_MS

/** The clocks of one fleet are assumed to differ by less. */
const CLOCK_TOLERANCE_MS = 10 * MINUTE_MS

/** The default interval at which servers read the keyring again. */
export const DEFAULT_RELOAD_MS = 10 * SECOND_MS

export interface RotationPlan {
  /** From the activation of one key to the activation of the next. */
  readonly everyMs: number
  /** From a key's creation to its activation: by then every server must know it. */
  readonly activateInMs: number
  readonly keepForMs: number
}

/** A new record for a key. */
export function keyOf (material: Buffer, nowMs: number, activateInMs = 0): KeyRecord {
  return {
    id: keyIdText(material),
    material,
    createdAtMs: nowMs,
    activatesAtMs: nowMs + activateInMs,
    expiresAtMs: null,
    revokedAtMs: null
  }
}

/**
 * A keyring from an array of keys: the first seals, the others open for `keepForMs`. Equal keys count once.
 */
export function ringOf (materials: readonly Buffer[], nowMs: number, keepForMs: number): KeyRecord[] {
  const [first, ...others] = materials.filter((material, index) => {
    return materials.findIndex(other => other.equals(material)) === index
  })
  const retired = others.map((material, index) => {
    return { ...keyOf(material, nowMs - index - 1), expiresAtMs: nowMs + keepForMs }
  })
  return [keyOf(first as Buffer, nowMs), ...retired]
}

/**
 * The keyring with one more key, of random bytes. The new key is the newest, even if the clock that dated the sealing
 * key was ahead of this one.
 */
export function rotated (
  keys: readonly KeyRecord[], nowMs: number, { activateInMs, keepForMs }: Omit<RotationPlan, 'everyMs'>
): KeyRecord[] {
  let activatesAtMs = Math.max(nowMs + activateInMs, keyThatSeals(keys, nowMs).activatesAtMs + 1)
  // No two keys activate in the same millisecond, so that their order is defined.
  while (keys.some(key => key.activatesAtMs === activatesAtMs)) activatesAtMs++
  return withExpiries([...keys, freshKey(keys, nowMs, activatesAtMs - nowMs)], keys, nowMs, keepForMs)
}

/**
 * The keyring with this key revoked; null if there is no such key, or if it was already revoked. If the key was
 * sealing, the next pending key becomes active at once, because the servers already know it; without a pending key, a
 * new key is added.
 */
export function revoked (
  keys: readonly KeyRecord[], id: string, nowMs: number, keepForMs: number
): KeyRecord[] | null {
  const key = keys.find(key => key.id === id)
  if (key === undefined || key.revokedAtMs !== null) return null
  // It gets an expiry, in case the revocation is undone by hand.
  const revokedKey = { ...key, revokedAtMs: nowMs, expiresAtMs: key.expiresAtMs ?? nowMs + keepForMs }
  const changed = keys.map(each => each === key ? revokedKey : each)
  if (keyThatSeals(keys, nowMs) === key) activateSuccessor(changed, key, nowMs)
  return withExpiries(changed, keys, nowMs, keepForMs)
}

/**
 * Activates the successor of a revoked key, dated back by up to CLOCK_TOLERANCE_MS. Otherwise a server whose clock is
 * behind would seal with the key before the revoked one, which may be expired on other servers.
 */
function activateSuccessor (keys: KeyRecord[], revokedKey: KeyRecord, nowMs: number): void {
  const activatesAtMs = Math.min(nowMs, Math.max(revokedKey.activatesAtMs + 1, nowMs - CLOCK_TOLERANCE_MS))
  const next = schedule(keys).find(({ key }) => key.revokedAtMs === null && key.activatesAtMs > nowMs)
  if (next === undefined) keys.push(freshKey(keys, nowMs, activatesAtMs - nowMs))
  else keys[keys.indexOf(next.key)] = { ...next.key, activatesAtMs }
}

/** The keyring without expired keys, and optionally without revoked keys. Neither open anything. */
export function pruned (keys: readonly KeyRecord[], nowMs: number, alsoRevoked = false): KeyRecord[] {
  return schedule(keys).filter(scheduled => {
    const state = stateAt(scheduled, nowMs)
    return state !== 'expired' && !(alsoRevoked && state === 'revoked')
  }).map(({ key }) => key)
}

/**
 * The keyring with one more key, as servers with `rotation` add it, and without expired keys. One wrong clock must not
 * remove keys: a removed key must also have been expired when the newest key was created.
 */
export function rotatedBySchedule (keys: readonly KeyRecord[], plan: RotationPlan, nowMs: number): KeyRecord[] {
  const newestMs = Math.max(...keys.map(({ createdAtMs }) => createdAtMs))
  return rotated(pruned(keys, Math.min(nowMs, newestMs)), nowMs, plan)
}

/**
 * When the next key must be created to activate `everyMs` after the newest one. A key that activates later than any
 * rotation would set was dated by a wrong clock, and does not count.
 */
export function rotationDueAtMs (
  keys: readonly KeyDates[], { everyMs, activateInMs }: RotationPlan, nowMs: number
): number {
  const latestMs = nowMs + everyMs + activateInMs
  const counted = schedule(keys).filter(scheduled => {
    const { revokedAtMs, activatesAtMs } = scheduled.key
    return stateAt(scheduled, nowMs) === 'active' || (revokedAtMs === null && activatesAtMs <= latestMs)
  })
  return Math.max(...counted.map(({ key }) => key.activatesAtMs)) + everyMs - activateInMs
}

export function keyThatSeals<Key extends KeyRecord> (keys: readonly Key[], nowMs: number): Key {
  // A parsed keyring has a key that is not revoked, and one of these keys always seals.
  return (schedule(keys).find(scheduled => stateAt(scheduled, nowMs) === 'active') as { key: Key }).key
}

/**
 * Sets the expiry of the keys that the change retires. An expiry is never set earlier than before, because sessions
 * depend on it. Keys that were already retired are unchanged.
 */
function withExpiries (
  keys: readonly KeyRecord[], before: readonly KeyRecord[], nowMs: number, keepForMs: number
): KeyRecord[] {
  const retired = schedule(before).filter(({ sealsUntilMs }) => sealsUntilMs <= nowMs).map(({ key }) => key.id)
  return schedule(keys).map(({ key, sealsUntilMs }) => {
    if (sealsUntilMs === Infinity || retired.includes(key.id)) return key
    return { ...key, expiresAtMs: Math.max(key.expiresAtMs ?? 0, sealsUntilMs + keepForMs) }
  })
}

/** A new random key. Ids have 4 bytes, so two keys can have the same id: then another key is generated. */
function freshKey (others: readonly KeyRecord[], nowMs: number, activateInMs: number): KeyRecord {
  let key: KeyRecord
  do key = keyOf(randomize(Buffer.alloc(KEY_BYTES)), nowMs, activateInMs)
  while (others.some(({ id }) => id === key.id))
  return key
}
