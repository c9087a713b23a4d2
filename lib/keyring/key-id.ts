import { keyedHash } from '../core/aead'
import { KEY_ID_BYTES, LABEL } from '../core/format'

/** What tokens name a key by: the first bytes of a hash that only the key's holder can compute. */
export function keyId (material: Buffer): number {
  return keyedHash(material, `${LABEL}key-id`).readUInt32BE(0)
}

/** As `keyId`, in hex digits: how people and keyrings write it. */
export function keyIdText (material: Buffer): string {
  return idText(keyId(material))
}

export function idText (id: number): string {
  return id.toString(16).padStart(2 * KEY_ID_BYTES, '0')
}
