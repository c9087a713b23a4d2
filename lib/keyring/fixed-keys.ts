import { describe, invalid, type Input } from '../checks'
import { keysBytes } from './key-material'
import { keyFromPassphrase, saltBytes, secretBytes } from './passphrase'

/** Keys that do not change while the server runs: given, or derived from a passphrase once at boot. */
export type FixedKeys =
  | { readonly kind: 'keys', readonly materials: Materials }
  | { readonly kind: 'passphrase', readonly secret: Buffer, readonly salt: Buffer | undefined }

export type Materials = readonly [Buffer, ...Buffer[]]

export const FIXED_KEY_NAMES = ['key', 'secret', 'salt']

/**
 * The keys that the options give; null if they have neither `key` nor `secret`.
 * @throws FST_SESSION_INVALID_KEY if a key, secret or salt is invalid
 * @throws FST_SESSION_INVALID_OPTION if both `key` and `secret` are given
 */
export function readFixedKeys ({ key, secret, salt }: Input): FixedKeys | null {
  if (key !== undefined && secret !== undefined) {
    const found = `${describe(key)} and ${describe(secret)}`
    throw invalid(`"key" and "secret" are two ways to give keys: give one of them; found ${found}`)
  }
  if (key !== undefined) return { kind: 'keys', materials: keysBytes(key) }
  if (secret === undefined) return null
  return { kind: 'passphrase', secret: secretBytes(secret), salt: salt === undefined ? undefined : saltBytes(salt) }
}

export async function materialsOf (keys: FixedKeys): Promise<Materials> {
  return keys.kind === 'keys' ? keys.materials : [await keyFromPassphrase(keys.secret, keys.salt)]
}
