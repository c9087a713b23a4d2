import { timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { decodeBase64url, encodedLength } from '../core/bytes'
import { MARK_BYTES } from '../core/format'
import { CLOCK_SKEW_MS } from '../time'
import { initiatorOf } from './initiator'
import type { Proof } from './tokens'

/**
 * What the cookies beside a session with a mark say.
 * - `bound`: a proof was sent. The browser has the key.
 * - `unbound`: the pass was sent. The browser has no key, or has not refreshed yet.
 * - `unproven`: neither was sent.
 */
export type BindingState = Bound | Unbound | Unproven

export interface Bound {
  readonly kind: 'bound'
  /** When the browser last signed. */
  readonly provenAtMs: number
}

export interface Unbound {
  readonly kind: 'unbound'
}

export interface Unproven {
  readonly kind: 'unproven'
  /** A proof was sent, which is over or of another mark. */
  readonly hasProof: boolean
  /** A valid proof of another mark was sent. While the browser has that cookie, it does not sign again. */
  readonly hasForeignProof: boolean
}

/**
 * What is done with an unproven session.
 * - `allow`: it may be used.
 * - `refuse`: the browser has no key for it, or the cookies are a copy.
 * - `retry-later`: it may be valid. The browser says that it could not sign, or this server cannot open the proof now.
 * - `foreign-request`: it may be valid. Browsers do not sign for a request that another site or origin caused.
 */
export type UnprovenPolicy = 'allow' | 'refuse' | 'retry-later' | 'foreign-request'

export const UNBOUND: Unbound = Object.freeze({ kind: 'unbound' })
export const UNPROVEN: Unproven = Object.freeze({ kind: 'unproven', hasProof: false, hasForeignProof: false })
export const UNPROVEN_BESIDE_OLD: Unproven = Object.freeze({ ...UNPROVEN, hasProof: true })
export const UNPROVEN_BESIDE_FOREIGN: Unproven = Object.freeze({ ...UNPROVEN_BESIDE_OLD, hasForeignProof: true })

const PASS_CHARACTERS = encodedLength(MARK_BYTES)
const passBytes = Buffer.alloc(MARK_BYTES)

/** The value of the pass of a mark. */
export function passOf (mark: Buffer): string {
  return mark.toString('base64url')
}

/** One of these values of the pass cookie is the pass of this mark. */
export function hasPass (mark: Buffer, values: readonly string[]): boolean {
  for (const value of values) {
    const isPass = value.length === PASS_CHARACTERS && decodeBase64url(value, passBytes) !== null
    if (isPass && timingSafeEqual(passBytes, mark)) return true
  }
  return false
}

/**
 * The latest time of the proofs of this mark that are valid; null for none. A proof is valid for a minute longer than
 * its cookie lasts: while a browser has the cookie, it does not sign again.
 */
export function provenAtMs (mark: Buffer, proofs: readonly Proof[], proofForMs: number, nowMs: number): number | null {
  let latestMs: number | null = null
  for (const proof of proofs) {
    const ageMs = nowMs - proof.provenAtMs
    const counts = ageMs >= -CLOCK_SKEW_MS && ageMs < proofForMs + CLOCK_SKEW_MS && proof.mark.equals(mark)
    if (counts && (latestMs === null || proof.provenAtMs > latestMs)) latestMs = proof.provenAtMs
  }
  return latestMs
}

/** The session has a mark, and neither its pass nor a proof was sent. */
export function isUnproven (binding: BindingState | null): binding is Unproven {
  return binding !== null && binding.kind === 'unproven'
}

/** One of the proofs is of another mark. */
export function hasProofOfOtherMark (mark: Buffer, proofs: readonly Proof[]): boolean {
  return proofs.some(proof => !proof.mark.equals(mark))
}

/** By the headers of the request. */
export function policyByHeaders (headers: IncomingHttpHeaders, enforce: boolean): UnprovenPolicy {
  if (!enforce) return 'allow'
  if (headers['secure-session-skipped'] !== undefined) return 'retry-later'
  const initiator = initiatorOf(headers)
  return initiator === 'site' || initiator === 'other-site' ? 'foreign-request' : 'refuse'
}
