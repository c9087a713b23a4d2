import { describe, duration, invalid, isObject, refuseUnknown } from '../checks'
import { LONGEST_COOKIE_MS, MINUTE_MS, SECOND_MS } from '../time'
import type { RevocationStore } from '../../types/revocation'

/** The option `revocation`, checked and with every default filled in. */
export interface ResolvedRevocation {
  readonly store: RevocationStore
  /** 0: the store is asked at every request. */
  readonly recheckMs: number
  /** Sessions are trusted while the store is unavailable. */
  readonly trustsWhenUnavailable: boolean
  readonly timeoutMs: number
  /** The longest lifetime of a session: entries in the store are kept for this long. */
  readonly longestLifeMs: number
}

const DEFAULT_RECHECK_MS = 5 * MINUTE_MS
const DEFAULT_TIMEOUT_MS = SECOND_MS / 2
/** Requests wait for the store, so a longer timeout is an error. */
const LONGEST_TIMEOUT_MS = MINUTE_MS

/** Checks the option `revocation`. Throws FST_SESSION_INVALID_OPTION. */
export function resolveRevocation (revocation: unknown, absoluteMs: number): ResolvedRevocation | null {
  if (revocation === undefined) return null
  if (!isObject(revocation)) {
    throw invalid('option "revocation" must be an object such as { store: memoryRevocation() }; ' +
      `found ${describe(revocation)}`)
  }
  refuseUnknown(revocation, ['store', 'recheck', 'onError', 'timeout', 'longest'], 'option "revocation":')
  const { store, recheck, onError = 'refuse', timeout, longest } = revocation
  if (!isStore(store)) {
    throw invalid('option "revocation.store" must be what memoryRevocation() or redisRevocation() return, ' +
      `or a store with the methods cutOffs and raise; found ${describe(store)}`)
  }
  if (onError !== 'refuse' && onError !== 'allow') {
    throw invalid(`option "revocation.onError" must be "refuse" or "allow"; found ${describe(onError)}`)
  }
  const timeoutMs = duration(timeout, 'revocation.timeout', DEFAULT_TIMEOUT_MS)
  if (timeoutMs > LONGEST_TIMEOUT_MS) {
    throw invalid('option "revocation.timeout" must be a minute at most: requests wait for it')
  }
  const longestMs = duration(longest, 'revocation.longest', LONGEST_COOKIE_MS)
  return {
    longestLifeMs: Math.max(absoluteMs, longestMs),
    store,
    recheckMs: recheck === 0 ? 0 : duration(recheck, 'revocation.recheck', DEFAULT_RECHECK_MS),
    trustsWhenUnavailable: onError === 'allow',
    timeoutMs
  }
}

function isStore (store: unknown): store is RevocationStore {
  if (typeof store !== 'object' || store === null) return false
  const { cutOffs, raise } = store as Partial<RevocationStore>
  return typeof cutOffs === 'function' && typeof raise === 'function'
}
