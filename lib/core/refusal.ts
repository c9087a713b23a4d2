/** Why a cookie was not opened. Closed: these are all there are. */
export type RefusalReason =
  | 'malformed' // not a token of ours, or a plaintext that no writer of ours seals
  | 'unknown-version'
  | 'unknown-key'
  | 'forged' // the key is known and the tag does not verify: changed, or sealed for another name or use
  | 'unsupported' // genuine, but it uses a feature that this version or these options do not know
  | 'expired'
  | 'from-the-future'

export interface Refusal {
  readonly ok: false
  readonly reason: RefusalReason
}

function refusal (reason: RefusalReason): Refusal {
  return Object.freeze({ ok: false, reason })
}

// One of each for the whole process: refusing allocates nothing.
export const MALFORMED = refusal('malformed')
export const UNKNOWN_VERSION = refusal('unknown-version')
export const UNKNOWN_KEY = refusal('unknown-key')
export const FORGED = refusal('forged')
export const UNSUPPORTED = refusal('unsupported')
export const EXPIRED = refusal('expired')
export const FROM_THE_FUTURE = refusal('from-the-future')
