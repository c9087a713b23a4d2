import { isoTime } from '../keyring/document'
import { schedule, stateAt, type KeyDates, type KeyState, type Term } from '../keyring/schedule'
import { DAY_MS } from '../time'
import { date, fromNow, table } from './text'

/** A key in the past and, if the keyring does not change, in the future. Infinity: never, or no end. */
export interface KeyHistory extends Term, Pick<KeyDates, 'id' | 'createdAtMs' | 'revokedAtMs'> {
  readonly state: KeyState
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
    const opensUntilMs = revokedAtMs ?? each.opensUntilMs
    const key = { id, state: stateAt(each, nowMs), createdAtMs, sealsFromMs: Infinity, sealsUntilMs: Infinity }
    const index = sealing.indexOf(each.key)
    if (index === -1) return { ...key, opensUntilMs, revokedAtMs }
    const untilMs = revokedAtMs ?? each.sealsUntilMs
    const nextMs = sealing[index + 1]?.activatesAtMs ?? Infinity
    // The oldest key seals even if its date is in the future, because the clock of its creator was ahead.
    const sealsFromMs = each.sealsFromMs === -Infinity ? Math.min(activatesAtMs, nowMs) : activatesAtMs
    const sealsUntilMs = untilMs <= nowMs ? Math.min(untilMs, nextMs) : untilMs
    return { ...key, sealsFromMs, sealsUntilMs, opensUntilMs, revokedAtMs }
  })
}

/** For `--json`: `createdAt`, `sealsFrom`, `sealsUntil`, `opensUntil` and `revokedAt` in ISO 8601, or null. */
export function historyJson ({ id, state, ...times }: KeyHistory): object {
  const iso = (ms: number | null): string | null => ms === Infinity ? null : isoTime(ms)
  const entries = Object.entries(times).map(([name, ms]) => [name.replace(/Ms$/, ''), iso(ms)])
  return { id, state, ...Object.fromEntries(entries) }
}

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

/** Characters of the timeline: 80 columns with the id of a key. */
const CELLS = 70
const MARKS = { pending: '.', active: '#', retired: '=', expired: '-', revoked: 'x' }

/** A row for each key, below a mark for now, and above the first and the last date. */
export function timeline (keys: readonly KeyHistory[], nowMs: number): string[] {
  const times = keys.flatMap(key => [key.createdAtMs, key.sealsFromMs, key.sealsUntilMs, key.opensUntilMs])
    .concat(nowMs).filter(Number.isFinite)
  const startMs = Math.min(...times)
  // With a margin, to show the state after the last time.
  const lengthMs = Math.max(Math.max(...times) - startMs, DAY_MS) * 1.05
  const nowCell = Math.floor((nowMs - startMs) / lengthMs * CELLS)
  const cells = Array.from({ length: CELLS }, (_, cell) => cell === nowCell ? nowMs : startMs + cell / CELLS * lengthMs)
  const first = date(startMs)
  return table([
    ['now', `${' '.repeat(nowCell)}v`],
    ...keys.map(key => [key.id, cells.map(ms => markAt(key, ms)).join('')]),
    ['', first + date(startMs + lengthMs).padStart(CELLS - first.length)],
    ['', Object.entries(MARKS).map(([state, mark]) => `${mark} ${state}`).join('  ')]
  ])
}

function markAt ({ state, createdAtMs, sealsFromMs, sealsUntilMs, opensUntilMs }: KeyHistory, ms: number): string {
  if (ms < Math.min(createdAtMs, sealsFromMs)) return ' '
  if (ms >= opensUntilMs) return MARKS[state === 'revoked' ? 'revoked' : 'expired']
  if (ms < sealsFromMs) return MARKS.pending
  return ms < sealsUntilMs ? MARKS.active : MARKS.retired
}
