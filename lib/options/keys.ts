import { InvalidKeyError } from '../errors'
import { DEFAULT_ACTIVATE_IN_MS, DEFAULT_KEEP_FOR_MS, DEFAULT_RELOAD_MS, type RotationPlan } from '../keyring/lifecycle'
import { keyBytes } from '../keyring/key-material'
import { saltBytes, secretBytes } from '../keyring/passphrase'
import { fileKeyring } from '../stores/keyring-file'
import type { KeyringStore } from '../../types/keyring'
import { describe, duration, invalid, isObject, refuseUnknown } from './checks'

/** Where the keys come from, checked. They are loaded after all checks: a passphrase takes half a second, a store may be far away. */
export type KeySource =
  | { readonly kind: 'keys', readonly materials: readonly [Buffer, ...Buffer[]] }
  | { readonly kind: 'passphrase', readonly secret: Buffer, readonly salt: Buffer | undefined }
  | { readonly kind: 'keyring', readonly store: KeyringStore, readonly reloadEveryMs: number, readonly rotation: RotationPlan | null }

type Input = Readonly<Record<string, unknown>>

export const KEY_NAMES = ['key', 'secret', 'salt', 'keyring', 'reloadEvery', 'rotation']

const SOURCES = ['key', 'secret', 'keyring']
const OF_KEYRING = ['reloadEvery', 'rotation']

/** Throws FST_SESSION_INVALID_OPTION unless there is exactly one source, FST_SESSION_INVALID_KEY where it is no good. */
export function readKeySource (input: Input, absoluteMs: number): KeySource {
  const { key, secret, salt, keyring } = input
  const given = SOURCES.filter(name => input[name] !== undefined)
  if (given.length !== 1) throw invalid(`exactly one of "key", "secret" and "keyring" must be given; found ${given.join(' and ') || 'none'}. Make a key with "npx fastify-sealed-session generate"`)
  const stray = OF_KEYRING.find(name => input[name] !== undefined && keyring === undefined)
  if (stray !== undefined) throw invalid(`option "${stray}" needs a "keyring": other keys stay as they are for as long as the server runs`)
  if (key !== undefined) return { kind: 'keys', materials: readKeys(key) }
  if (secret !== undefined) return { kind: 'passphrase', secret: secretBytes(secret), salt: salt === undefined ? undefined : saltBytes(salt) }
  const rotation = readRotation(input['rotation'], absoluteMs)
  const reloadMs = rotation === null ? DEFAULT_RELOAD_MS : Math.min(DEFAULT_RELOAD_MS, Math.ceil(rotation.activateInMs / 4))
  return { kind: 'keyring', store: readStore(keyring), reloadEveryMs: duration(input['reloadEvery'], 'reloadEvery', reloadMs), rotation }
}

/** One key or an array of them. Throws FST_SESSION_INVALID_KEY where any is no good. */
export function readKeys (key: unknown): [Buffer, ...Buffer[]] {
  if (!Array.isArray(key)) return [keyBytes(key, 'option "key"')]
  const [first, ...others] = key.map((one, index) => keyBytes(one, `option "key"[${index}]`))
  if (first === undefined) throw new InvalidKeyError('option "key" must hold one key at least; found an empty array')
  return [first, ...others]
}

function readStore (keyring: unknown): KeyringStore {
  if (typeof keyring === 'string' || keyring instanceof URL) return fileKeyring(keyring)
  if (isObject(keyring) && typeof keyring['read'] === 'function' && typeof keyring['update'] === 'function') return keyring as unknown as KeyringStore
  throw invalid(`option "keyring" must be the path or URL of a keyring file, or a store with the methods read and update; found ${describe(keyring)}`)
}

function readRotation (rotation: unknown, absoluteMs: number): RotationPlan | null {
  if (rotation === undefined) return null
  if (!isObject(rotation)) throw invalid(`option "rotation" must be an object such as { every: '30d' }; found ${describe(rotation)}`)
  refuseUnknown(rotation, ['every', 'activateIn', 'keepFor'], 'option "rotation":')
  if (rotation['every'] === undefined) throw invalid('option "rotation.every" must be given, such as "30d"')
  const everyMs = duration(rotation['every'], 'rotation.every', 0)
  const activateInMs = duration(rotation['activateIn'], 'rotation.activateIn', Math.min(DEFAULT_ACTIVATE_IN_MS, everyMs / 2))
  if (activateInMs >= everyMs) throw invalid('option "rotation.activateIn" must be shorter than "rotation.every": no key would be made in time')
  return { everyMs, activateInMs, keepForMs: duration(rotation['keepFor'], 'rotation.keepFor', Math.max(DEFAULT_KEEP_FOR_MS, absoluteMs)) }
}
