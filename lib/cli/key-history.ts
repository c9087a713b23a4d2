import { isoTime } from '../keyring/document'
import { schedule, stateAt, type KeyDates, type KeyState } from '../keyring/schedule'
import { DAY_MS } from '../time'
import { date, fromNow, table } from './text'

/** The states of a key in the past and, if the keyring does not change, in the future. Infinity: never, or no end. */
export interface KeyHistory {
  readonly id: string
  readonly state: KeyState
  readonly createdAtMs: number
  readonly sealsFromMs: number
  readonly sealsUntilMs: number
  readonly opensUntilMs: number
  readonly revokedAtMs: number | null
}

/**
 * The history of each key, oldest first. `schedule` ignores revoked keys; here, such a key sealed until its revocation,
 * and the key before it until then.
 */
export function historyOf (keys: readonly KeyDates[], nowMs: number): KeyHistory[] {
  const scheduled = schedule(keys)
  const sealing = scheduled.map(({ key }) => key)
    .filter(({ activatesAtMs, revokedAtMs }) => activatesAtMs < (revokedAtMs ?? Infinity))
  return scheduled.map(each => {
    const { id, createdAtMs, activatesAtMs, revokedAtMs } = each.key
    const state = stateAt(each, nowMs)
    const index = sealing.indexOf(each.key)
    const nextMs = sealing[index + 1]?.activatesAtMs ?? Infinity
    if (revokedAtMs !== null) {
      const sealsFromMs = index === -1 ? Infinity : activatesAtMs
      const sealsUntilMs = index === -1 ? Infinity : Math.min(nextMs, revokedAtMs)
      return { id, state, createdAtMs, sealsFromMs, sealsUntilMs, opensUntilMs: revokedAtMs, revokedAtMs }
    }
    // The oldest key seals even if its dates are in the future, because the clock of its creator was ahead.
    const firstMs = activatesAtMs <= nowMs ? activatesAtMs : Math.min(createdAtMs, nowMs)
    const sealsFromMs = each.sealsFromMs === -Infinity ? firstMs : each.sealsFromMs
    const sealsUntilMs = each.sealsUntilMs <= nowMs ? Math.min(each.sealsUntilMs, nextMs) : each.sealsUntilMs
    return { id, state, createdAtMs, sealsFromMs, sealsUntilMs, opensUntilMs: each.opensUntilMs, revokedAtMs }
  })
}

/** For `--json`: `createdAt`, `sealsFrom`, `sealsUntil`, `opensUntil` and `revokedAt` in ISO 8601, or null. */
export function historyJson ({ id, state, ...times }: KeyHistory): object {
  const iso = (ms: number | null): string | null => ms === Infinity ? null : isoTime(ms)
  const entries = Object.entries(times).map(([name, ms]) => [name.replace(/Ms$/, ''), iso(ms)])
  return { id, state, ...Object.fromEntries(entries) }
}

/** A row for each key. */
export function keyTable (keys: readonly KeyHistory[], nowMs: number): string[] {
  const time = (ms: number, otherwise = 'no end'): string => {
    if (ms === Infinity) return otherwise
    return Math.abs(ms - nowMs) < 2 * DAY_MS ? fromNow(ms, nowMs) : date(ms)
  }
  return table([
    ['key', 'state', 'created', 'seals from', 'until', 'opens until'],
    ...keys.map(({ id, state, createdAtMs, sealsFromMs, sealsUntilMs, opensUntilMs }) => [
      id, state, time(createdAtMs), time(sealsFromMs, 'never'),
      time(sealsUntilMs, sealsFromMs === Infinity ? 'never' : 'no end'), time(opensUntilMs)
    ])
  ])
}
