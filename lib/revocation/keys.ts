import { fingerprint } from '../core/aead'
import { LABEL, SUBJECT_BYTES } from '../core/format'

/** What a store and a cookie know sessions and subjects by: hashes, so that neither tells whom they mean. */

/** An id has 128 random bits, and cannot be guessed from this. */
export function keyOfId (id: string): string {
  return keyOf(fingerprint(`${LABEL}id\0${id}`, SUBJECT_BYTES))
}

/** Whoever can guess a subject can tell that this is its hash. */
export function hashOfSubject (sessionName: string, subject: string): Buffer {
  return fingerprint(`${LABEL}subject\0${sessionName}\0${subject}`, SUBJECT_BYTES)
}

export function keyOf (hash: Buffer): string {
  return hash.toString('base64url')
}
