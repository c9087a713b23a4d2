import type { Limits } from '../session/expiry'
import { SECOND_MS } from '../time'

/**
 * A warning for a Max-Age that differs from the absolute limit; null if both are equal. The browser counts from the
 * last write. A session that is only read is not written again, so the browser can drop the cookie of a session in use.
 * @param option the name of the option that gave it
 */
export function maxAgeProblem (maxAgeMs: number, { idleMs, absoluteMs }: Limits, option: string): string | null {
  if (maxAgeMs === absoluteMs) return null
  const [maxAgeS, absoluteS] = [maxAgeMs / SECOND_MS, absoluteMs / SECOND_MS]
  const problem = maxAgeMs < absoluteMs
    ? `browsers drop the cookie ${maxAgeS} seconds after the session was last written, ` +
      `though it is used and could live for ${absoluteS} seconds ("absolute")`
    : `browsers keep the cookie for ${maxAgeS} seconds, and the session expires after ${absoluteS} seconds ("absolute")`
  return `${option}: ${problem}. Set "idle" to ${idleMs / SECOND_MS} seconds and "persistent" to true instead: ` +
    'each cookie then lives as long as its session may'
}
