import { keyedHash } from '../core/aead'
import { KEY_ID_BYTES, LABEL } from '../core/format'

/** The key id in tokens: the first 4 bytes of a hash of a label under the key. */
export function keyId (material: Buffer): number {
  return keyedHash(material, `${LABEL}key-id`).readUInt32BE(0)
}

/** `keyId` in 8 hex digits, as keyrings and the command line write it. */
export function keyIdText (material: Buffer): string {
  return idText(keyId(material))
}

export function idText (id: number): string {
  return id.toString(16).padStart(2 * KEY_ID_BYTES, '0')
}
