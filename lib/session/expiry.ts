import { EXPIRED, FROM_THE_FUTURE, type Refusal } from '../core/refusal'
import { CLOCK_SKEW_MS } from '../time'

/** How long a session lives; all in milliseconds. */
export interface Limits {
  /** A session that was not renewed for this long has expired. */
  readonly idleMs: number
  /** A session that was authenticated this long ago has expired, whatever it did. */
  readonly absoluteMs: number
  /** A session that is used this long after its last renewal is renewed. */
  readonly renewAfterMs: number
}

/** The own limits of one session; null: as configured. */
export interface OwnLimits {
  readonly idleMs: number | null
  readonly absoluteMs: number | null
}

export interface SessionTimes {
  /** Revocations of a subject revoke what was created before. */
  readonly createdAtMs: number
  /** When the user last authenticated. The absolute limit counts from here. */
  readonly authenticatedAtMs: number
  readonly renewedAtMs: number
}

export function isFromTheFuture (timeMs: number, nowMs: number): boolean {
  return timeMs > nowMs + CLOCK_SKEW_MS
}

export function isRenewalDue (renewedAtMs: number, renewAfterMs: number, nowMs: number): boolean {
  return nowMs - renewedAtMs >= renewAfterMs
}

export function expiresAtMs (authenticatedAtMs: number, renewedAtMs: number, limits: Limits): number {
  return Math.min(renewedAtMs + limits.idleMs, authenticatedAtMs + limits.absoluteMs)
}

/**
 * A session's own limits replace the configured ones. An own idle limit without an own absolute limit raises the
 * absolute limit to at least itself. `renewAfterMs` changes in proportion to the idle limit.
 */
export function withOwnLimits (limits: Limits, { idleMs: ownIdleMs, absoluteMs: ownAbsoluteMs }: OwnLimits): Limits {
  if (ownIdleMs === null && ownAbsoluteMs === null) return limits
  const idleMs = ownIdleMs ?? limits.idleMs
  return {
    idleMs,
    absoluteMs: ownAbsoluteMs ?? Math.max(limits.absoluteMs, idleMs),
    renewAfterMs: limits.renewAfterMs * idleMs / limits.idleMs
  }
}

/** Why a session with these times is refused now; null where it is not. */
export function refusalByTime (
  { createdAtMs, authenticatedAtMs, renewedAtMs }: SessionTimes, { absoluteMs, idleMs }: Limits, nowMs: number
): Refusal | null {
  if (isFromTheFuture(Math.max(createdAtMs, authenticatedAtMs, renewedAtMs), nowMs)) return FROM_THE_FUTURE
  return nowMs - authenticatedAtMs >= absoluteMs || nowMs - renewedAtMs >= idleMs ? EXPIRED : null
}
