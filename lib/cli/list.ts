import { isoTime } from '../keyring/document'
import type { KeyState } from '../keyring/schedule'
import { DAY_MS } from '../time'
import type { Command } from './command'
import { historyJson, historyOf, keyTable, type KeyHistory } from './key-history'
import { KEYRING_OPTIONS, readKeys } from './keyring-access'
import { date, table } from './text'

/** Characters of the timeline: 80 columns with the id of a key. */
const CELLS = 70
const MARKS: Readonly<Record<KeyState, string>> = {
  pending: '.', active: '#', retired: '=', expired: '-', revoked: 'x'
}

export const list: Command = {
  name: 'list',
  summary: 'show the keys of a keyring: their states and times',
  about: `Shows the id of each key, its state, when it seals and until when it opens
sessions, and the same as a timeline. It shows no key. Dates are in UTC.`,
  options: KEYRING_OPTIONS,
  async run (args, io) {
    const records = await readKeys(args, io)
    const nowMs = io.now()
    const keys = historyOf(records, nowMs)
    return {
      lines: [...keyTable(keys, nowMs), '', ...timeline(keys, nowMs)],
      json: { now: isoTime(nowMs), keys: keys.map(historyJson) }
    }
  }
}

/** A row for each key, below a mark for now, and above the first and the last date. */
function timeline (keys: readonly KeyHistory[], nowMs: number): string[] {
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
