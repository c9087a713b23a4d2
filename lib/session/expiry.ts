import { EXPIRED, FROM_THE_FUTURE, type Refusal } from '../core/refusal'
import { CLOCK_SKEW_MS } from '../time'

/** How long a session lives; all in milliseconds. */
export interface Limits {
  /** A session not renewed for this long is over. */
  readonly idleMs: number
  /** A session older than this is over, whatever it did. */
  readonly absoluteMs: number
  /** A session that is used after this long is renewed. */
  readonly renewAfterMs: number
}

export interface SessionTimes {
  /** What cut-offs are held against. */
  readonly createdAtMs: number
  /** When somebody last showed who they are; the absolute limit counts from here. */
  readonly authenticatedAtMs: number
  readonly renewedAtMs: number
}

export function isFromTheFuture (timeMs: number, nowMs: number): boolean {
  return timeMs > nowMs + CLOCK_SKEW_MS
}

export function isIdleOver (renewedAtMs: number, idleMs: number, nowMs: number): boolean {
  return nowMs - renewedAtMs >= idleMs
}

export function isAbsoluteOver (authenticatedAtMs: number, absoluteMs: number, nowMs: number): boolean {
  return nowMs - authenticatedAtMs >= absoluteMs
}

export function isRenewalDue (renewedAtMs: number, renewAfterMs: number, nowMs: number): boolean {
  return nowMs - renewedAtMs >= renewAfterMs
}

export function expiresAtMs (authenticatedAtMs: number, renewedAtMs: number, limits: Limits): number {
  return Math.min(renewedAtMs + limits.idleMs, authenticatedAtMs + limits.absoluteMs)
}

/** A session's own idle limit replaces the configured one, raises the absolute one to at least as much, and renews in proportion. */
export function withOwnIdle (limits: Limits, ownIdleMs: number | null): Limits {
  if (ownIdleMs === null) return limits
  return {
    idleMs: ownIdleMs,
    absoluteMs: Math.max(limits.absoluteMs, ownIdleMs),
    renewAfterMs: limits.renewAfterMs * ownIdleMs / limits.idleMs
  }
}

/** Why a session with these times is not to be used now; null where nothing speaks against it. */
export function refusalByTime ({ createdAtMs, authenticatedAtMs, renewedAtMs }: SessionTimes, limits: Limits, nowMs: number): Refusal | null {
  if (isFromTheFuture(Math.max(createdAtMs, authenticatedAtMs, renewedAtMs), nowMs)) return FROM_THE_FUTURE
  if (isAbsoluteOver(authenticatedAtMs, limits.absoluteMs, nowMs)) return EXPIRED
  return isIdleOver(renewedAtMs, limits.idleMs, nowMs) ? EXPIRED : null
}
