import { describe, invalid, isObject, refuseUnknown } from '../checks'
import { FIXED_KEY_NAMES, materialsOf, readFixedKeys, type FixedKeys, type Materials } from '../keyring/fixed-keys'
import type { LegacyCookie, SealedOpener, SealedOpenerOptions } from '../../types/legacy'
import { SHARED_OPTION_NAMES } from './shared-options'

/**
 * Opens our own cookies from before a change of name, such as from `session` to `__Host-session`. A session keeps its id, its
 * age and its own settings. Throws FST_SESSION_INVALID_OPTION, FST_SESSION_INVALID_KEY.
 */
export function sealedOpener (options: SealedOpenerOptions): SealedOpener {
  return new SealedLegacy(options)
}

/** The name that sealed cookies had, and the keys if those were others. */
export class SealedLegacy implements SealedOpener {
  readonly isSealed = true
  readonly cookieName: string
  readonly cookie: LegacyCookie['cookie']
  readonly keep: boolean | undefined
  readonly #keys: FixedKeys | null

  constructor (options: SealedOpenerOptions) {
    if (!isObject(options)) throw invalid(`sealedOpener() takes an object; found ${describe(options)}`)
    refuseUnknown(options, [...SHARED_OPTION_NAMES, ...FIXED_KEY_NAMES], 'sealedOpener(): option')
    const { cookieName, cookie, keep } = options
    if (typeof cookieName !== 'string') throw invalid(`sealedOpener() needs the "cookieName" that the cookies had; found ${describe(cookieName)}`)
    this.cookieName = cookieName
    this.cookie = cookie
    this.keep = keep
    this.#keys = readFixedKeys(options)
  }

  /** Null where the keys are those of the session. */
  async materials (): Promise<Materials | null> {
    return this.#keys === null ? null : await materialsOf(this.#keys)
  }
}
