import type { Limits } from '../session/expiry'
import { SECOND_MS } from '../time'

/**
 * What an operator should know of a Max-Age that goes out as it was given; null where the cookie ends with the session.
 * The browser counts from the last write. A session that is only read is not written again, so it can outlive its cookie.
 * @param given the name of what was given
 */
export function maxAgeProblem (maxAgeMs: number, { idleMs, absoluteMs }: Limits, given: string): string | null {
  if (maxAgeMs === absoluteMs) return null
  const [maxAgeS, absoluteS] = [maxAgeMs / SECOND_MS, absoluteMs / SECOND_MS]
  const problem = maxAgeMs < absoluteMs
    ? `browsers drop the cookie ${maxAgeS} seconds after the session was last written, ` +
      `though it is used and could live for ${absoluteS} seconds ("absolute")`
    : `browsers keep the cookie for ${maxAgeS} seconds, and the session is over after ${absoluteS} seconds ("absolute")`
  return `${given}: ${problem}. Set "idle" to ${idleMs / SECOND_MS} seconds and "persistent" to true instead: ` +
    'each cookie then lives as long as its session may'
}
