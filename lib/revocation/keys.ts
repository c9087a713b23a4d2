import { fingerprint } from '../core/aead'
import { LABEL, SUBJECT_BYTES } from '../core/format'

/** The names of sessions and subjects in stores and cookies: hashes, so that they do not reveal ids or users. */

/** An id has 128 random bits, and cannot be guessed from this. */
export function keyOfId (id: string): string {
  return keyOf(fingerprint(`${LABEL}id\0${id}`, SUBJECT_BYTES))
}

/** Of a token for a purpose that opens once. Its id has 128 random bits, too. */
export function keyOfToken (id: Buffer): string {
  return keyOf(fingerprint(`${LABEL}purpose\0${id.toString('hex')}`, SUBJECT_BYTES))
}

/**
 * A client that can guess a subject can compute this hash.
 * @param tenant whose user it is: equal subjects of two tenants are two users; null without tenants
 */
export function hashOfSubject (sessionName: string, subject: string, tenant: string | null = null): Buffer {
  const use = tenant === null ? 'subject' : `tenant-subject\0${tenant}`
  return fingerprint(`${LABEL}${use}\0${sessionName}\0${subject}`, SUBJECT_BYTES)
}

export function keyOf (hash: Buffer): string {
  return hash.toString('base64url')
}
