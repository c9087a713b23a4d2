import type { KeyState } from '../keyring/schedule'
import { DAY_MS } from '../time'
import { date } from './dates'
import { stretchesOf, type Life, type Stretch } from './lives'
import type { Style } from './style'

const ID_COLUMNS = 10
const FEWEST_CELLS = 24
/** Room after the last thing that happens, to see what comes of it. */
const MARGIN = 0.05
/** Of a mark and the space after it. */
const MARK_COLUMNS = 2
const GAP = '  '

/** From the time at the left edge, `cellMs` to each cell. */
interface Scale {
  readonly startMs: number
  readonly cellMs: number
  readonly cells: number
}

/** A row for each key, the states it goes through drawn to scale, with a mark for now above and the dates below. */
export function timeline (lives: readonly Life[], nowMs: number, width: number, style: Style): string[] {
  const cells = Math.max(FEWEST_CELLS, width - ID_COLUMNS)
  const rows = lives.map(life => ({ life, stretches: stretchesOf(life) }))
  const scale = scaleOf(rows.flatMap(({ stretches }) => stretches), nowMs, cells)
  const indent = ' '.repeat(ID_COLUMNS)
  return [
    style.emphasize(indent + nowLine(cellAt(nowMs, scale), scale, style)),
    ...rows.map(({ life, stretches }) => `${life.id.padEnd(ID_COLUMNS)}${draw(stretches, nowMs, scale, style)}`),
    indent + datesLine(scale),
    '',
    ...legend(rows.flatMap(({ stretches }) => stretches), cells, style).map(line => indent + line)
  ]
}

function scaleOf (stretches: readonly Stretch[], nowMs: number, cells: number): Scale {
  const times = [nowMs, ...stretches.flatMap(({ fromMs, untilMs }) => [fromMs, untilMs])].filter(Number.isFinite)
  const startMs = Math.min(...times)
  const lengthMs = Math.max(Math.max(...times) - startMs, DAY_MS)
  return { startMs, cellMs: lengthMs * (1 + MARGIN) / cells, cells }
}

function cellAt (ms: number, { startMs, cellMs, cells }: Scale): number {
  return Math.min(cells, Math.floor((ms - startMs) / cellMs))
}

/** The mark, and beside it the word, on the side where there is room. */
function nowLine (cell: number, { cells }: Scale, { nowMark }: Style): string {
  const word = `${nowMark} now`
  return cell + word.length <= cells ? ' '.repeat(cell) + word : `now ${nowMark}`.padStart(cell + 1)
}

function datesLine ({ startMs, cellMs, cells }: Scale): string {
  const first = date(startMs)
  return first + date(startMs + cells * cellMs).padStart(cells - first.length)
}

/** However short a stretch is, it has a cell; but the cell of now shows what is now, and past it nothing that is over. */
function draw (stretches: readonly Stretch[], nowMs: number, scale: Scale, style: Style): string {
  const row: Array<KeyState | null> = new Array(scale.cells).fill(null)
  const nowCell = cellAt(nowMs, scale)
  let drawnTo = 0
  for (const { state, fromMs, untilMs } of stretches) {
    const from = Math.max(drawnTo, cellAt(fromMs, scale))
    const least = fromMs <= nowMs ? nowCell + 1 : from + 1
    const until = untilMs <= nowMs ? Math.min(nowCell, Math.max(from + 1, cellAt(untilMs, scale))) : Math.max(least, cellAt(untilMs, scale))
    row.fill(state, from, until)
    drawnTo = Math.max(drawnTo, until)
  }
  return runs(row).map(({ state, length }) => state === null ? ' '.repeat(length) : style.paint(state, style.marks[state].repeat(length))).join('').trimEnd()
}

function runs (row: ReadonlyArray<KeyState | null>): Array<{ state: KeyState | null, length: number }> {
  const found: Array<{ state: KeyState | null, length: number }> = []
  for (const state of row) {
    const last = found[found.length - 1]
    if (last?.state === state) last.length++
    else found.push({ state, length: 1 })
  }
  return found
}

/** Of the states that can be seen, in as many lines as they take. */
function legend (stretches: readonly Stretch[], width: number, { marks, paint }: Style): string[] {
  const states = (Object.keys(marks) as KeyState[]).filter(state => stretches.some(stretch => stretch.state === state))
  const each = Math.max(...states.map(state => state.length)) + MARK_COLUMNS + GAP.length
  const perLine = Math.max(1, Math.floor((width + GAP.length) / each))
  const entries = states.map(state => `${paint(state, marks[state])} ${state}`)
  return Array.from({ length: Math.ceil(entries.length / perLine) }, (_, line) => entries.slice(line * perLine, (line + 1) * perLine).join(GAP))
}
