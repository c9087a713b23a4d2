import { DAY_MS, MINUTE_MS, SECOND_MS } from '../time'

/** The text that commands print: safe characters, aligned columns, times in UTC. */

export const PROGRAM = 'fastify-sealed-session'

/**
 * Escapes control characters and characters that change the direction of text: each UTF-16 unit becomes `\u` and four
 * hex digits, which has the same meaning in JSON. Newlines and tabs stay.
 */
export function printable (text: string): string {
  const escaped = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
  return text.replace(/[^\n\t\P{C}]|[\u2028\u2029]/gu, character => character.split('').map(escaped).join(''))
}

/** As `printable`, with a space for each line break. */
export function oneLine (text: string): string {
  return printable(text.replace(/\s*[\r\n]+\s*/g, ' '))
}

/** The rows as aligned columns. All rows have the same number of cells. */
export function table (rows: ReadonlyArray<readonly string[]>, indent = ''): string[] {
  const widths = (rows[0] as string[]).map((_, column) => Math.max(...rows.map(row => (row[column] as string).length)))
  return rows.map(row => indent + row.map((cell, column) => cell.padEnd(widths[column] as number)).join('  ').trimEnd())
}

/** Such as `2026-01-31`. */
export function date (ms: number): string {
  return new Date(ms).toISOString().replace(/T.*/, '')
}

/** Such as `12 days`. */
export function duration (ms: number): string {
  if (ms < MINUTE_MS) return `${Math.floor(ms / SECOND_MS)} s`
  if (ms < 60 * MINUTE_MS) return `${Math.floor(ms / MINUTE_MS)} min`
  return ms < 2 * DAY_MS ? `${Math.floor(ms / MINUTE_MS / 60)} h` : `${Math.floor(ms / DAY_MS)} days`
}

/** Such as `in 59 min`, `12 days ago`. */
export function fromNow (ms: number, nowMs: number): string {
  return ms > nowMs ? `in ${duration(ms - nowMs)}` : `${duration(nowMs - ms)} ago`
}

/** One line for stderr. */
export function errorLine (error: unknown): string {
  const { message, code } = error as NodeJS.ErrnoException
  // If all addresses of a host failed, Node gives a code and an empty message.
  const text = message === '' ? String(code) : message
  return `${PROGRAM}: ${oneLine(text.replace(/^fastify-sealed-session: /, ''))}\n`
}

/**
 * Typed text for a message. Text in the wrong place may be a key, a cookie or the password of a URL: only short plain
 * words are quoted.
 */
export function quoted (text: string): string {
  return /^[\w.:-]{1,24}$/.test(text) ? `"${text}"` : `text of ${text.length} characters`
}
