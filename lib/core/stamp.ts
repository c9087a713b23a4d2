import { TIME_BYTES } from './bytes'
import { ID_BYTES, STAMP_BYTES, STAMP_CHECKED_AT, STAMP_RENEWED_AT } from './format'
import { MALFORMED, type Refusal } from './refusal'

/** The small second cookie that renews a session without writing its data again. */
export interface Stamp {
  /** The id of the session that it belongs to. */
  readonly id: Buffer
  readonly renewedAtMs: number
  readonly checkedAtMs: number
}

/** Writes the plaintext of a stamp to the start of `target`, and returns its length. */
export function writeStamp (stamp: Stamp, target: Buffer): number {
  stamp.id.copy(target, 0)
  target.writeUIntBE(stamp.renewedAtMs, STAMP_RENEWED_AT, TIME_BYTES)
  target.writeUIntBE(stamp.checkedAtMs, STAMP_CHECKED_AT, TIME_BYTES)
  return STAMP_BYTES
}

/** The stamp in the first `length` bytes of a plaintext, or the refusal. */
export function readStamp (plaintext: Buffer, length: number): Stamp | Refusal {
  if (length !== STAMP_BYTES) return MALFORMED
  return {
    id: Buffer.from(plaintext.subarray(0, ID_BYTES)),
    renewedAtMs: plaintext.readUIntBE(STAMP_RENEWED_AT, TIME_BYTES),
    checkedAtMs: plaintext.readUIntBE(STAMP_CHECKED_AT, TIME_BYTES)
  }
}
