import { age, date, dateTime, shortTime } from './dates'
import { stretchesOf, type Life } from './lives'
import type { Style } from './style'

/** The keys of a ring in columns. */

interface Column {
  readonly title: string
  readonly cell: (life: Life, nowMs: number) => string
}

type Time = (ms: number, nowMs: number) => string

const GAP = '  '
const STATE = 'state'

/** In the first of these layouts that is narrow enough, or in the last. */
export function table (lives: readonly Life[], nowMs: number, width: number, style: Style): string[] {
  const layouts = [wide, narrow, narrower, narrowest].map(columns => layOut(columns, lives, nowMs))
  const { columns, rows, widths } = layouts.find(layout => layout.width <= width) ?? layouts[layouts.length - 1] as Layout
  const line = (cells: readonly string[], paint: (title: string, text: string) => string): string => {
    return cells.map((cell, index) => paint((columns[index] as Column).title, cell.padEnd(widths[index] as number))).join(GAP).trimEnd()
  }
  return [
    line(columns.map(({ title }) => title), (_, text) => style.emphasize(text)),
    ...lives.map(({ state }, index) => line(rows[index] as string[], (title, text) => title === STATE ? style.paint(state, text) : text))
  ]
}

const id: Column = { title: 'key', cell: ({ id }) => id }
const state: Column = { title: STATE, cell: ({ state }) => state }

const wide: readonly Column[] = [id, state, { title: 'created (age)', cell: ({ createdAtMs }, nowMs) => `${dateTime(createdAtMs)} (${age(createdAtMs, nowMs)})` }, ...terms(dateTime)]
const narrow: readonly Column[] = [id, state, { title: 'created (age)', cell: ({ createdAtMs }, nowMs) => `${date(createdAtMs)} (${age(createdAtMs, nowMs)})` }, ...terms(shortTime)]
const narrower: readonly Column[] = [id, state, ...terms(shortTime)]
const narrowest: readonly Column[] = [id, state, { title: 'next change', cell: nextChange }]

function nextChange (life: Life, nowMs: number): string {
  const next = stretchesOf(life).find(({ fromMs }) => fromMs > nowMs)
  return next === undefined ? 'none' : `${shortTime(next.fromMs, nowMs)}: ${next.state}`
}

function terms (time: Time): Column[] {
  const cell = (ms: number | null, nowMs: number): string => ms === null ? 'never' : ms === Infinity ? 'no end' : time(ms, nowMs)
  return [
    { title: 'seals from', cell: ({ sealsFromMs }, nowMs) => cell(sealsFromMs, nowMs) },
    { title: 'until', cell: ({ sealsUntilMs }, nowMs) => sealsUntilMs === null ? '' : cell(sealsUntilMs, nowMs) },
    { title: 'opens until', cell: ({ opensUntilMs }, nowMs) => cell(opensUntilMs, nowMs) }
  ]
}

interface Layout {
  readonly columns: readonly Column[]
  readonly rows: readonly string[][]
  readonly widths: readonly number[]
  readonly width: number
}

function layOut (columns: readonly Column[], lives: readonly Life[], nowMs: number): Layout {
  const rows = lives.map(life => columns.map(({ cell }) => cell(life, nowMs)))
  const widths = columns.map(({ title }, index) => Math.max(title.length, ...rows.map(row => (row[index] as string).length)))
  return { columns, rows, widths, width: widths.reduce((sum, width) => sum + width + GAP.length, -GAP.length) }
}
