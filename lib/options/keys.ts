import { DEFAULT_ACTIVATE_IN_MS, DEFAULT_KEEP_FOR_MS, DEFAULT_RELOAD_MS, type RotationPlan } from '../keyring/lifecycle'
import { FIXED_KEY_NAMES, readFixedKeys, type FixedKeys } from '../keyring/fixed-keys'
import { UNSET } from '../keyring/key-material'
import { fileKeyring } from '../stores/keyring-file'
import type { KeyringStore } from '../../types/keyring'
import { describe, duration, invalid, isObject, refuseUnknown, type Input } from '../checks'

/**
 * The key options, checked. Keys are loaded after all checks: a passphrase takes half a second, a store a round trip.
 */
export type KeySource = FixedKeys | StoredKeys | KeyringByTenant

/** How keyrings are reloaded and rotated. */
interface KeyringSettings {
  readonly reloadEveryMs: number
  readonly rotation: RotationPlan | null
}

export interface StoredKeys extends KeyringSettings {
  readonly kind: 'keyring'
  readonly store: KeyringStore
}

/** A keyring for each tenant. */
export interface KeyringByTenant extends KeyringSettings {
  readonly kind: 'keyring-by-tenant'
  /** The option `keyring`. */
  readonly keyringOf: (tenant: string) => unknown
}

export const KEY_NAMES = [...FIXED_KEY_NAMES, 'keyring', 'reloadEvery', 'rotation']

const SOURCES = ['key', 'secret', 'keyring']
const KEYRING_OPTIONS = ['reloadEvery', 'rotation']

/** Quotes the message of `@fastify/secure-session`, because users search for it. */
const NONE = 'none ("key or secret must specified")'

/**
 * Checks the options that give keys.
 * @throws FST_SESSION_INVALID_OPTION if there is not exactly one source
 * @throws FST_SESSION_INVALID_KEY if a key, secret or salt is invalid
 */
export function readKeySource (input: Input, absoluteMs: number): KeySource {
  const { keyring } = input
  const given = SOURCES.filter(name => input[name] !== undefined)
  if (given.length !== 1) {
    const found = given.join(' and ') || NONE + (SOURCES.some(name => Object.hasOwn(input, name)) ? UNSET : '')
    throw invalid(`exactly one of "key", "secret" and "keyring" must be given; found ${found}. ` +
      'Make a key with "npx fastify-sealed-session generate"')
  }
  const unused = KEYRING_OPTIONS.find(name => input[name] !== undefined && keyring === undefined)
  if (unused !== undefined) {
    throw invalid(`option "${unused}" needs a "keyring": other keys do not change while the server runs`)
  }
  const fixed = readFixedKeys(input)
  if (fixed !== null) return fixed
  const rotation = readRotation(input['rotation'], absoluteMs)
  const quarterMs = rotation === null ? Infinity : Math.ceil(rotation.activateInMs / 4)
  const reloadEveryMs = duration(input['reloadEvery'], 'reloadEvery', Math.min(DEFAULT_RELOAD_MS, quarterMs))
  if (typeof keyring !== 'function') return { kind: 'keyring', store: readStore(keyring), reloadEveryMs, rotation }
  const keyringOf = keyring as KeyringByTenant['keyringOf']
  return { kind: 'keyring-by-tenant', keyringOf, reloadEveryMs, rotation }
}

/** The store that an option `keyring` means. Throws FST_SESSION_INVALID_OPTION. */
export function readStore (keyring: unknown): KeyringStore {
  if (typeof keyring === 'string' || keyring instanceof URL) return fileKeyring(keyring)
  if (isObject(keyring) && typeof keyring['read'] === 'function' && typeof keyring['update'] === 'function') {
    return keyring as unknown as KeyringStore
  }
  throw invalid('option "keyring" must be the path or URL of a keyring file, or a store with the methods read and ' +
    `update; found ${describe(keyring)}`)
}

function readRotation (rotation: unknown, absoluteMs: number): RotationPlan | null {
  if (rotation === undefined) return null
  if (!isObject(rotation)) {
    throw invalid(`option "rotation" must be an object such as { every: '30d' }; found ${describe(rotation)}`)
  }
  refuseUnknown(rotation, ['every', 'activateIn', 'keepFor'], 'option "rotation":')
  if (rotation['every'] === undefined) throw invalid('option "rotation.every" must be given, such as "30d"')
  const everyMs = duration(rotation['every'], 'rotation.every', 0)
  const defaultActivateInMs = Math.min(DEFAULT_ACTIVATE_IN_MS, everyMs / 2)
  const activateInMs = duration(rotation['activateIn'], 'rotation.activateIn', defaultActivateInMs)
  if (activateInMs >= everyMs) {
    throw invalid('option "rotation.activateIn" must be shorter than "rotation.every": ' +
      'a new key would not be ready in time')
  }
  const keepForMs = duration(rotation['keepFor'], 'rotation.keepFor', Math.max(DEFAULT_KEEP_FOR_MS, absoluteMs))
  return { everyMs, activateInMs, keepForMs }
}
