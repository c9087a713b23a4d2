import { isoTime } from '../keyring/document'
import { schedule, stateAt, type KeyDates, type KeyState, type Scheduled } from '../keyring/schedule'

/** A key's life as it was and, if nobody changes the ring, will be. Infinity where no end is in sight. */
export interface Life {
  readonly id: string
  readonly state: KeyState
  readonly createdAtMs: number
  /** Null for a key that was revoked before it ever sealed. */
  readonly sealsFromMs: number | null
  readonly sealsUntilMs: number | null
  readonly opensUntilMs: number
  readonly revokedAtMs: number | null
}

export interface Stretch {
  readonly state: KeyState
  readonly fromMs: number
  readonly untilMs: number
}

/** The lives of the keys of a ring, oldest first. */
export function livesOf (keys: readonly KeyDates[], nowMs: number): Life[] {
  const scheduled = schedule(keys)
  const everActive = scheduled.map(({ key }) => key).filter(key => key.revokedAtMs === null || key.activatesAtMs < key.revokedAtMs)
  return scheduled.map(each => {
    const { id, createdAtMs, revokedAtMs } = each.key
    return { id, state: stateAt(each, nowMs), createdAtMs, revokedAtMs, ...termOf(each, everActive, nowMs) }
  })
}

/** What follows what, without the stretches that have no length. */
export function stretchesOf ({ state, createdAtMs, sealsFromMs, sealsUntilMs, opensUntilMs }: Life): Stretch[] {
  const from = sealsFromMs ?? opensUntilMs
  const until = sealsUntilMs ?? opensUntilMs
  const all: Stretch[] = [
    { state: 'pending', fromMs: createdAtMs, untilMs: from },
    { state: 'active', fromMs: from, untilMs: until },
    { state: 'retired', fromMs: until, untilMs: opensUntilMs },
    { state: state === 'revoked' ? 'revoked' : 'expired', fromMs: opensUntilMs, untilMs: Infinity }
  ]
  return all.filter(({ fromMs, untilMs }) => fromMs < untilMs)
}

/** For programs: times in ISO 8601, null for what is never or has no end. */
export function jsonOf ({ id, state, createdAtMs, sealsFromMs, sealsUntilMs, opensUntilMs, revokedAtMs }: Life): object {
  return {
    id,
    state,
    createdAt: isoTime(createdAtMs),
    sealsFrom: isoTime(sealsFromMs),
    sealsUntil: timeOrNull(sealsUntilMs),
    opensUntil: timeOrNull(opensUntilMs),
    revokedAt: isoTime(revokedAtMs)
  }
}

function timeOrNull (ms: number | null): string | null {
  return ms === Infinity ? null : isoTime(ms)
}

type Times = Pick<Life, 'sealsFromMs' | 'sealsUntilMs' | 'opensUntilMs'>

/**
 * The schedule forgets a revoked key as if it had never been. Here it still counts for what it was: it sealed until it
 * was revoked, and the key before it until then.
 */
function termOf ({ key, sealsFromMs, sealsUntilMs, opensUntilMs }: Scheduled<KeyDates>, everActive: readonly KeyDates[], nowMs: number): Times {
  const place = everActive.indexOf(key)
  const successorMs = everActive[place + 1]?.activatesAtMs ?? Infinity
  if (key.revokedAtMs !== null) {
    const hasSealed = place !== -1
    return {
      sealsFromMs: hasSealed ? key.activatesAtMs : null,
      sealsUntilMs: hasSealed ? Math.min(successorMs, key.revokedAtMs) : null,
      opensUntilMs: key.revokedAtMs
    }
  }
  return {
    // The oldest seals from the beginning of time, whatever date it has; no key is older than itself.
    sealsFromMs: sealsFromMs === -Infinity ? (key.activatesAtMs <= nowMs ? key.activatesAtMs : Math.min(key.createdAtMs, nowMs)) : sealsFromMs,
    sealsUntilMs: sealsUntilMs <= nowMs ? Math.min(sealsUntilMs, successorMs) : sealsUntilMs,
    opensUntilMs
  }
}
