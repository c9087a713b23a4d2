import { DAY_MS, MINUTE_MS, SECOND_MS } from '../time'

/** Times and spans as an operator reads them. All times are in UTC. */

const HOUR_MS = 60 * MINUTE_MS
/** Up to here a span is told in hours, and from here on in days. */
const FEW_HOURS = 48

/** Such as `2026-01-31 12:00`. */
export function dateTime (ms: number): string {
  return new Date(ms).toISOString().replace(/T(..:..).*/, ' $1')
}

/** Such as `2026-01-31`. */
export function date (ms: number): string {
  return new Date(ms).toISOString().replace(/T.*/, '')
}

/** A span of time, such as `12 days`. */
export function span (ms: number): string {
  if (ms < MINUTE_MS) return `${Math.floor(ms / SECOND_MS)} s`
  const minutes = Math.round(ms / MINUTE_MS)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.round(ms / HOUR_MS)
  if (hours < FEW_HOURS) return `${hours} h`
  return `${Math.round(ms / DAY_MS)} days`
}

/** How far a time is from now, such as `in 59 min` or `12 days ago`. */
export function fromNow (ms: number, nowMs: number): string {
  if (Math.abs(ms - nowMs) < SECOND_MS) return 'now'
  return ms > nowMs ? `in ${span(ms - nowMs)}` : `${span(nowMs - ms)} ago`
}

/** How old something is; for what a clock that was ahead has dated, how far off. */
export function age (ms: number, nowMs: number): string {
  return ms > nowMs ? fromNow(ms, nowMs) : span(nowMs - ms)
}

/** Such as `2026-01-31 12:00 UTC (in 59 min)`. */
export function moment (ms: number, nowMs: number): string {
  return `${dateTime(ms)} UTC (${fromNow(ms, nowMs)})`
}

/** A date; where it is near, how far from now, since a date would not tell. Ten characters at most. */
export function shortTime (ms: number, nowMs: number): string {
  return Math.abs(ms - nowMs) < FEW_HOURS * HOUR_MS ? fromNow(ms, nowMs) : date(ms)
}
