import { describe, invalid, isObject, refuseUnknown } from '../checks'
import { FIXED_KEY_NAMES, materialsOf, readFixedKeys, type FixedKeys, type Materials } from '../keyring/fixed-keys'
import type { LegacyCookie, SealedOpener, SealedOpenerOptions } from '../../types/legacy'

/** The options of all openers: the name and attributes of the legacy cookie, its tenant, and whether it is kept. */
export const SHARED_OPTION_NAMES = ['cookieName', 'cookie', 'keep', 'tenant']

/**
 * Opens cookies of this plugin from before a change of name, such as from `session` to `__Host-session`. A session
 * keeps its id, its age and its own settings.
 * @throws {FST_SESSION_INVALID_OPTION} if an option is unknown or wrong
 * @throws {FST_SESSION_INVALID_KEY} if a key, secret or salt is invalid
 * @example
 * const legacy = [secureSession.sealedOpener({ cookieName: 'session' })]
 * await app.register(secureSession, { key: process.env['SESSION_KEY'], cookieName: '__Host-session', legacy })
 */
export function sealedOpener (options: SealedOpenerOptions): SealedOpener {
  return new SealedLegacy(options)
}

/** The earlier name of sealed cookies, and their keys if they differ from those of the session. */
export class SealedLegacy implements SealedOpener {
  readonly isSealed = true
  readonly cookieName: string
  readonly cookie: LegacyCookie['cookie']
  readonly keep: boolean | undefined
  readonly tenant: string | undefined
  readonly #keys: FixedKeys | null

  constructor (options: SealedOpenerOptions) {
    if (!isObject(options)) throw invalid(`sealedOpener() takes an object; found ${describe(options)}`)
    refuseUnknown(options, [...SHARED_OPTION_NAMES, ...FIXED_KEY_NAMES], 'sealedOpener(): option')
    const { cookieName, cookie, keep, tenant } = options
    if (typeof cookieName !== 'string') {
      throw invalid(`sealedOpener() needs the "cookieName" that the cookies had; found ${describe(cookieName)}`)
    }
    this.cookieName = cookieName
    this.cookie = cookie
    this.keep = keep
    this.tenant = tenant
    this.#keys = readFixedKeys(options)
  }

  /** The keys; null for the keys of the session. */
  async materials (): Promise<Materials | null> {
    return this.#keys === null ? null : await materialsOf(this.#keys)
  }
}
