import { KEY_BYTES, randomize } from '../core/aead'
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../time'
import type { KeyRecord } from './document'
import { keyIdText } from './key-id'
import { schedule, stateAt, type KeyDates } from './schedule'

/** What may be done to a keyring. Each is a function from keys to keys. */

/** How long a key opens after it sealed last, unless someone says otherwise. */
export const DEFAULT_KEEP_FOR_MS = 90 * DAY_MS

export const DEFAULT_ACTIVATE_IN_MS = 60 * MINUTE_MS

/** Clocks of one fleet are taken to differ by less. */
const CLOCK_TOLERANCE_MS = 10 * MINUTE_MS

/** How often servers read the ring again. */
export const DEFAULT_RELOAD_MS = 10 * SECOND_MS

export interface RotationPlan {
  /** From one key's activation to the next one's. */
  readonly everyMs: number
  /** From a key's creation to its activation: by then every server must know it. */
  readonly activateInMs: number
  readonly keepForMs: number
}

/** A key that is in no ring yet. */
export function keyOf (material: Buffer, nowMs: number, activateInMs = 0): KeyRecord {
  return { id: keyIdText(material), material, createdAtMs: nowMs, activatesAtMs: nowMs + activateInMs, expiresAtMs: null, revokedAtMs: null }
}

/** A ring of keys that were an array before: the first seals, and the others open for a while. The same key twice counts once. */
export function ringOf (materials: readonly Buffer[], nowMs: number, keepForMs: number): KeyRecord[] {
  const [first, ...others] = materials.filter((material, index) => materials.findIndex(other => other.equals(material)) === index)
  const former = others.map((material, index) => ({ ...keyOf(material, nowMs - index - 1), expiresAtMs: nowMs + keepForMs }))
  return [keyOf(first as Buffer, nowMs), ...former]
}

/** The ring with one more key, of random bytes. It is the newest, even where the key that seals is dated by a clock ahead of this one. */
export function rotated (keys: readonly KeyRecord[], nowMs: number, { activateInMs, keepForMs }: Omit<RotationPlan, 'everyMs'>): KeyRecord[] {
  let activatesAtMs = Math.max(nowMs + activateInMs, keyThatSeals(keys, nowMs).activatesAtMs + 1)
  // No two activate in one millisecond, so that it is clear which is the newer.
  while (keys.some(key => key.activatesAtMs === activatesAtMs)) activatesAtMs++
  return withExpiries([...keys, freshKey(keys, nowMs, activatesAtMs - nowMs)], keys, nowMs, keepForMs)
}

/**
 * The ring with this key revoked. Where that was the key that seals, the next pending one takes over at once, since the
 * servers know it already; without one, a new key does. A key revoked before stays as it was. Null where there is no such key.
 */
export function revoked (keys: readonly KeyRecord[], id: string, nowMs: number, keepForMs: number): KeyRecord[] | null {
  const key = keys.find(key => key.id === id)
  if (key === undefined) return null
  if (key.revokedAtMs !== null) return [...keys]
  // With a time to expire at, for whoever takes the revocation back.
  const over = { ...key, revokedAtMs: nowMs, expiresAtMs: key.expiresAtMs ?? nowMs + keepForMs }
  const left = keys.map(each => each === key ? over : each)
  if (keyThatSeals(keys, nowMs) === key) succeed(left, key, nowMs)
  return withExpiries(left, keys, nowMs, keepForMs)
}

/**
 * The successor takes the place of the key in time as well, as far as clocks may differ. Else a server whose clock is
 * behind would take the key before for the one that seals, though others may hold that for expired.
 */
function succeed (keys: KeyRecord[], former: KeyRecord, nowMs: number): void {
  const activatesAtMs = Math.min(nowMs, Math.max(former.activatesAtMs + 1, nowMs - CLOCK_TOLERANCE_MS))
  const next = schedule(keys).find(({ key }) => key.revokedAtMs === null && key.activatesAtMs > nowMs)
  if (next === undefined) keys.push(freshKey(keys, nowMs, activatesAtMs - nowMs))
  else keys[keys.indexOf(next.key)] = { ...next.key, activatesAtMs }
}

/** The ring without the keys that expired; without the revoked ones too, where asked. Neither opens anything. */
export function pruned (keys: readonly KeyRecord[], nowMs: number, alsoRevoked = false): KeyRecord[] {
  return schedule(keys).filter(scheduled => {
    const state = stateAt(scheduled, nowMs)
    return state !== 'expired' && !(alsoRevoked && state === 'revoked')
  }).map(({ key }) => key)
}

/**
 * The ring with one more key, as servers make it by themselves. What expired is left out, but not by the word of one
 * clock alone: it must have been over when the newest key was made.
 */
export function rotatedBySchedule (keys: readonly KeyRecord[], plan: RotationPlan, nowMs: number): KeyRecord[] {
  const newestMs = Math.max(...keys.map(({ createdAtMs }) => createdAtMs))
  return rotated(pruned(keys, Math.min(nowMs, newestMs)), nowMs, plan)
}

/**
 * When the next key must be made, for it to be active in time: once the newest one has been active for so long. A key
 * that lies further ahead than any rotation would put it came by a wrong clock, and does not count.
 */
export function rotationDueAtMs (keys: readonly KeyDates[], { everyMs, activateInMs }: RotationPlan, nowMs: number): number {
  const counted = schedule(keys).filter(scheduled => {
    return stateAt(scheduled, nowMs) === 'active' || (scheduled.key.revokedAtMs === null && scheduled.key.activatesAtMs <= nowMs + everyMs + activateInMs)
  })
  return Math.max(...counted.map(({ key }) => key.activatesAtMs)) + everyMs - activateInMs
}

export function keyThatSeals<Key extends KeyRecord> (keys: readonly Key[], nowMs: number): Key {
  // A ring that was parsed has a key that is not revoked, and of such keys one always seals.
  return (schedule(keys).find(scheduled => stateAt(scheduled, nowMs) === 'active') as { key: Key }).key
}

/**
 * Sets when the keys that the change sends into retirement will expire: never earlier than was said before, for sessions
 * may count on it. Keys that had retired already stay as they were.
 */
function withExpiries (keys: readonly KeyRecord[], before: readonly KeyRecord[], nowMs: number, keepForMs: number): KeyRecord[] {
  const retired = schedule(before).filter(({ sealsUntilMs }) => sealsUntilMs <= nowMs).map(({ key }) => key.id)
  return schedule(keys).map(({ key, sealsUntilMs }) => {
    if (sealsUntilMs === Infinity || retired.includes(key.id)) return key
    return { ...key, expiresAtMs: Math.max(key.expiresAtMs ?? 0, sealsUntilMs + keepForMs) }
  })
}

/** Ids are 4 bytes, so they can meet: then another key is made. */
function freshKey (others: readonly KeyRecord[], nowMs: number, activateInMs: number): KeyRecord {
  let key: KeyRecord
  do key = keyOf(randomize(Buffer.alloc(KEY_BYTES)), nowMs, activateInMs)
  while (others.some(({ id }) => id === key.id))
  return key
}
