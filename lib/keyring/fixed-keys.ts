import { describe, invalid } from '../checks'
import { keysBytes } from './key-material'
import { keyFromPassphrase, saltBytes, secretBytes } from './passphrase'

/** Keys that stay as they are: given, or made of a passphrase once, at boot. */
export type FixedKeys =
  | { readonly kind: 'keys', readonly materials: Materials }
  | { readonly kind: 'passphrase', readonly secret: Buffer, readonly salt: Buffer | undefined }

export type Materials = readonly [Buffer, ...Buffer[]]

export const FIXED_KEY_NAMES = ['key', 'secret', 'salt']

/** Null where neither `key` nor `secret` is given. Throws FST_SESSION_INVALID_KEY where they are no good, FST_SESSION_INVALID_OPTION for both. */
export function readFixedKeys ({ key, secret, salt }: Readonly<Record<string, unknown>>): FixedKeys | null {
  if (key !== undefined && secret !== undefined) throw invalid(`"key" and "secret" are two ways to give keys: give one of them; found ${describe(key)} and ${describe(secret)}`)
  if (key !== undefined) return { kind: 'keys', materials: keysBytes(key) }
  if (secret !== undefined) return { kind: 'passphrase', secret: secretBytes(secret), salt: salt === undefined ? undefined : saltBytes(salt) }
  return null
}

export async function materialsOf (keys: FixedKeys): Promise<Materials> {
  return keys.kind === 'keys' ? keys.materials : [await keyFromPassphrase(keys.secret, keys.salt)]
}
