import { parse } from '@lukeed/ms'

/** Returns the current time in milliseconds since 1970. Only the plugin and the sealer read a real clock. */
export type Clock = () => number

export const SECOND_MS = 1000
export const MINUTE_MS = 60 * SECOND_MS
export const DAY_MS = 24 * 60 * MINUTE_MS

/** The clocks of one fleet differ by less than this. */
export const CLOCK_SKEW_MS = MINUTE_MS

/** Browsers keep a cookie for at most this time: RFC 6265bis section 5.5, "the maximum is 400 days". */
export const LONGEST_COOKIE_MS = 400 * DAY_MS

/** A hundred years: a longer duration is a mistake in the unit. */
const LONGEST_DURATION_MS = 36_525 * DAY_MS

/** Text must have a unit: a number in quotes could be seconds or milliseconds. */
const WITH_UNIT = /[a-z]$/i

/**
 * Milliseconds of a duration in seconds or as text such as `'15m'`; null if it is neither, not above 0, or too long.
 */
export function durationMs (duration: unknown): number | null {
  const ms = Math.round(typeof duration === 'number' ? duration * SECOND_MS : textMs(duration))
  return ms > 0 && ms <= LONGEST_DURATION_MS ? ms : null
}

function textMs (duration: unknown): number {
  return typeof duration === 'string' && WITH_UNIT.test(duration) ? parse(duration) ?? NaN : NaN
}
