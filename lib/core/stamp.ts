import { TIME_BYTES } from './bytes'
import { CIPHERTEXT_AT, ID_BYTES, STAMP_BYTES, STAMP_CHECKED_AT, STAMP_RENEWED_AT } from './format'
import { MALFORMED, type Refusal } from './refusal'
import { newToken } from './token'

/** The small second cookie that renews a session without writing its data again. */
export interface Stamp {
  /** The session it belongs to, as 32 hex digits. */
  readonly id: string
  readonly renewedAtMs: number
  readonly checkedAtMs: number
}

export function stampToken (stamp: Stamp): Buffer {
  const token = newToken(STAMP_BYTES)
  token.write(stamp.id, CIPHERTEXT_AT, 'hex')
  token.writeUIntBE(stamp.renewedAtMs, CIPHERTEXT_AT + STAMP_RENEWED_AT, TIME_BYTES)
  token.writeUIntBE(stamp.checkedAtMs, CIPHERTEXT_AT + STAMP_CHECKED_AT, TIME_BYTES)
  return token
}

export function readStamp (plaintext: Buffer): Stamp | Refusal {
  if (plaintext.length !== STAMP_BYTES) return MALFORMED
  return {
    id: plaintext.toString('hex', 0, ID_BYTES),
    renewedAtMs: plaintext.readUIntBE(STAMP_RENEWED_AT, TIME_BYTES),
    checkedAtMs: plaintext.readUIntBE(STAMP_CHECKED_AT, TIME_BYTES)
  }
}
