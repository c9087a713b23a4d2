import { InvalidKeyError } from '../errors'
import { keyBytes } from '../keyring/key-material'
import { Keyring } from '../keyring/keyring'
import { keyFromPassphrase, saltBytes, secretBytes } from '../keyring/passphrase'
import { invalid } from './checks'

/** Where the keys come from, checked; deriving them from a passphrase takes half a second and comes after all checks. */
export type KeySource =
  | { readonly kind: 'keys', readonly materials: readonly [Buffer, ...Buffer[]] }
  | { readonly kind: 'passphrase', readonly secret: Buffer, readonly salt: Buffer | undefined }

/** Throws FST_SESSION_INVALID_OPTION unless there is exactly one source, FST_SESSION_INVALID_KEY where it is no good. */
export function readKeySource ({ key, secret, salt }: Readonly<Record<string, unknown>>): KeySource {
  const given = [key, secret].filter(source => source !== undefined).length
  if (given !== 1) throw invalid(`exactly one of "key" and "secret" must be given; found ${given === 0 ? 'none' : 'both'}. Make a key with "npx fastify-sealed-session generate"`)
  if (key === undefined) {
    return { kind: 'passphrase', secret: secretBytes(secret), salt: salt === undefined ? undefined : saltBytes(salt) }
  }
  return { kind: 'keys', materials: readKeys(key) }
}

/** One key or an array of them. Throws FST_SESSION_INVALID_KEY where any is no good. */
export function readKeys (key: unknown): [Buffer, ...Buffer[]] {
  if (!Array.isArray(key)) return [keyBytes(key, 'option "key"')]
  const [first, ...others] = key.map((one, index) => keyBytes(one, `option "key"[${index}]`))
  if (first === undefined) throw new InvalidKeyError('option "key" must hold one key at least; found an empty array')
  return [first, ...others]
}

export async function loadKeyring (source: KeySource): Promise<Keyring> {
  if (source.kind === 'keys') return new Keyring(source.materials)
  return new Keyring([await keyFromPassphrase(source.secret, source.salt)])
}
