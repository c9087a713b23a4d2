import { encodedLength, TIME_BYTES } from '../core/bytes'
import {
  ASKED_AT, CHALLENGE_BYTES, COORDINATE_BYTES, DEVICE_BYTES, KEY_X_AT, KEY_Y_AT, MARK_BYTES, NOT_SPLIT, PROOF_BYTES,
  PROVEN_AT, PURPOSE_AT, PURPOSE_REFRESH, PURPOSE_REGISTRATION, TOKEN_OVERHEAD_BYTES
} from '../core/format'
import { openToken, plaintext, sealToken, type TokenKeys } from '../core/token'

/** The tokens of device bound sessions. Each has a use of the keys of its own, and one length. */

/** The browser signed for this mark at this time. */
export interface Proof {
  readonly mark: Buffer
  readonly provenAtMs: number
}

/** The public key of a browser, for the session with this mark. The browser keeps the token as its identifier. */
export interface DeviceKey {
  readonly mark: Buffer
  /** The point of P-256. */
  readonly x: Buffer
  readonly y: Buffer
}

export type Purpose = typeof PURPOSE_REGISTRATION | typeof PURPOSE_REFRESH

/** What a browser is asked to sign. */
export interface Challenge {
  readonly mark: Buffer
  readonly askedAtMs: number
  readonly purpose: Purpose
}

export const PROOF_CHARACTERS = encodedLength(TOKEN_OVERHEAD_BYTES + PROOF_BYTES)
export const IDENTIFIER_CHARACTERS = encodedLength(TOKEN_OVERHEAD_BYTES + DEVICE_BYTES)
export const CHALLENGE_CHARACTERS = encodedLength(TOKEN_OVERHEAD_BYTES + CHALLENGE_BYTES)

/** Writes the plaintext of a proof to the start of `target`, and returns its length. */
export function writeProof ({ mark, provenAtMs }: Proof, target: Buffer): number {
  mark.copy(target, 0)
  target.writeUIntBE(provenAtMs, PROVEN_AT, TIME_BYTES)
  return PROOF_BYTES
}

export function writeDeviceKey ({ mark, x, y }: DeviceKey, target: Buffer): number {
  mark.copy(target, 0)
  x.copy(target, KEY_X_AT)
  y.copy(target, KEY_Y_AT)
  return DEVICE_BYTES
}

export function writeChallenge ({ mark, askedAtMs, purpose }: Challenge, target: Buffer): number {
  mark.copy(target, 0)
  target.writeUIntBE(askedAtMs, ASKED_AT, TIME_BYTES)
  target[PURPOSE_AT] = purpose
  return CHALLENGE_BYTES
}

export function sealProof (proof: Proof, keys: TokenKeys, nowMs: number): string {
  return sealToken(writeProof(proof, plaintext), keys.sealing(nowMs), NOT_SPLIT)
}

export function sealDeviceKey (device: DeviceKey, keys: TokenKeys, nowMs: number): string {
  return sealToken(writeDeviceKey(device, plaintext), keys.sealing(nowMs), NOT_SPLIT)
}

export function sealChallenge (challenge: Challenge, keys: TokenKeys, nowMs: number): string {
  return sealToken(writeChallenge(challenge, plaintext), keys.sealing(nowMs), NOT_SPLIT)
}

/** Null for what is not a proof. */
export function openProof (text: string, keys: TokenKeys, nowMs: number): Proof | null {
  if (!opens(text, PROOF_CHARACTERS, keys, nowMs)) return null
  return { mark: bytes(0, MARK_BYTES), provenAtMs: plaintext.readUIntBE(PROVEN_AT, TIME_BYTES) }
}

/** Null for what is not the identifier of a device. */
export function openDeviceKey (text: string, keys: TokenKeys, nowMs: number): DeviceKey | null {
  if (!opens(text, IDENTIFIER_CHARACTERS, keys, nowMs)) return null
  return { mark: bytes(0, MARK_BYTES), x: bytes(KEY_X_AT, COORDINATE_BYTES), y: bytes(KEY_Y_AT, COORDINATE_BYTES) }
}

/** Null for what is not a challenge. */
export function openChallenge (text: string, keys: TokenKeys, nowMs: number): Challenge | null {
  if (!opens(text, CHALLENGE_CHARACTERS, keys, nowMs)) return null
  const purpose = plaintext[PURPOSE_AT]
  if (purpose !== PURPOSE_REGISTRATION && purpose !== PURPOSE_REFRESH) return null
  return { mark: bytes(0, MARK_BYTES), askedAtMs: plaintext.readUIntBE(ASKED_AT, TIME_BYTES), purpose }
}

/** The length of the text is that of the plaintext, so it is checked with it. */
function opens (text: string, characters: number, keys: TokenKeys, nowMs: number): boolean {
  return text.length === characters && !('ok' in openToken(text, keys, NOT_SPLIT, nowMs))
}

/** Copied: `plaintext` belongs to the next token. */
function bytes (at: number, length: number): Buffer {
  return Buffer.from(plaintext.subarray(at, at + length))
}
