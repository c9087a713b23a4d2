import type { FreshTokensOptions } from '../../types/fresh-tokens'
import { describe, duration, invalid, isObject, refuseUnknown, text } from '../checks'
import { redisLock, type RefreshLock } from '../stores/refresh-lock'
import { MINUTE_MS, SECOND_MS } from '../time'

/** The options of `freshTokens`, checked. */
export interface FreshSettings {
  readonly key: string
  readonly sessionName: string
  readonly refresh: FreshTokensOptions<never>['refresh']
  readonly beforeMs: number
  readonly timeoutMs: number
  /** Null for one process. */
  readonly lock: RefreshLock | null
}

const KNOWN = ['key', 'refresh', 'before', 'lock', 'timeout', 'sessionName']
const DEFAULT_TIMEOUT_MS = 10 * SECOND_MS

/** Throws FST_SESSION_INVALID_OPTION. */
export function resolveFreshTokens (options: unknown): FreshSettings {
  if (!isObject(options)) throw invalid(`freshTokens() takes its options in an object; found ${describe(options)}`)
  refuseUnknown(options, KNOWN, 'freshTokens(): option')
  const { refresh, lock } = options
  if (typeof refresh !== 'function') {
    throw invalid('freshTokens(): option "refresh" must be a function that resolves to new tokens; ' +
      `found ${describe(refresh)}`)
  }
  const timeoutMs = duration(options['timeout'], 'timeout', DEFAULT_TIMEOUT_MS)
  if (timeoutMs > MINUTE_MS) {
    throw invalid(`option "timeout" must be at most a minute; found ${timeoutMs / SECOND_MS} seconds`)
  }
  return Object.freeze({
    key: text(options, 'key', ''),
    sessionName: text(options, 'sessionName', 'session'),
    refresh: refresh as FreshSettings['refresh'],
    beforeMs: duration(options['before'], 'before', MINUTE_MS),
    timeoutMs,
    lock: lock === undefined ? null : redisLock(lock as never)
  })
}
