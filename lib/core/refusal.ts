/** Why a cookie was not opened: a closed union. */
export type RefusalReason =
  | 'malformed' // not a token of this library, or a plaintext that it never seals
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

// Created once: a refusal allocates nothing.
export const MALFORMED = refusal('malformed')
export const UNKNOWN_VERSION = refusal('unknown-version')
export const UNKNOWN_KEY = refusal('unknown-key')
export const FORGED = refusal('forged')
export const UNSUPPORTED = refusal('unsupported')
export const EXPIRED = refusal('expired')
export const FROM_THE_FUTURE = refusal('from-the-future')
