import { NONCE_BYTES, TAG_BYTES } from './aead'
import { TIME_BYTES } from './bytes'

/** The offsets of the sealed cookie, version 1. `docs/format.md` is the specification. */

export const VERSION = 0x01
export const KEY_ID_BYTES = 4

/** The label of key derivation: keys that other software derives from the same key differ from ours. */
export const LABEL = 'fastify-sealed-session\0v1\0'

// The token: head, nonce, ciphertext and tag. The head is the associated data.
export const VERSION_AT = 0
export const PARTS_AT = VERSION_AT + 1
export const KEY_ID_AT = PARTS_AT + 1
export const NONCE_AT = KEY_ID_AT + KEY_ID_BYTES
export const CIPHERTEXT_AT = NONCE_AT + NONCE_BYTES
export const TOKEN_OVERHEAD_BYTES = CIPHERTEXT_AT + TAG_BYTES

/** More cookies would exceed the limit of Node.js, 16 KB for all headers. */
export const MOST_PARTS = 3
/**
 * The longest Set-Cookie line, with its attributes. Safari drops longer cookies, Google's front end drops lines over
 * 4,096 bytes, and RFC 6265 section 6.1 requires browsers to accept 4,096 bytes of name, value and attributes.
 */
export const LINE_BYTES = 4093
export const LONGEST_TOKEN = MOST_PARTS * LINE_BYTES
/**
 * The shortest part of a split token. No writer creates shorter parts, for any attributes. A reader does not try
 * shorter parts: an attacker could send many of them.
 */
export const LEAST_PER_PART = 1024

/** In the associated data of all tokens of a tenant, after the head. No other context begins with a zero byte. */
export function tenantContext (tenant: string): Buffer {
  return Buffer.from(`\0${tenant}\0`)
}

/** The number of parts of a token in one cookie. */
export const NOT_SPLIT = 1

/** The name of the stamp's cookie is the name of the session's cookie and this suffix. */
export const STAMP_SUFFIX = '.t'
/** The cookies of a session with a mark: its pass and its proof. */
export const PASS_SUFFIX = '.u'
export const PROOF_SUFFIX = '.d'

/** The names of the small cookies beside the cookie of a session. */
export interface SideCookieNames {
  readonly stampName: string
  readonly passName: string
  readonly proofName: string
}

export function sideCookieNames (cookieName: string): SideCookieNames {
  return {
    stampName: cookieName + STAMP_SUFFIX,
    passName: cookieName + PASS_SUFFIX,
    proofName: cookieName + PROOF_SUFFIX
  }
}

// The plaintext of a session: flags, id, times, extensions, data.
export const ID_BYTES = 16
export const FLAGS_AT = 0
export const ID_AT = FLAGS_AT + 1
export const CREATED_AT = ID_AT + ID_BYTES
export const RENEWED_AT = CREATED_AT + TIME_BYTES
export const EXTENSIONS_LENGTH_AT = RENEWED_AT + TIME_BYTES
export const EXTENSIONS_AT = EXTENSIONS_LENGTH_AT + 2

export const FLAG_PADDED = 0b01
export const FLAG_CUSTOM_SERIALIZER = 0b10
export const KNOWN_FLAGS = FLAG_PADDED | FLAG_CUSTOM_SERIALIZER

// An extension: type, length of the value, value.
export const EXTENSION_LENGTH_AT = 1
export const EXTENSION_VALUE_AT = 3
/** A reader refuses unknown types from this number on. It keeps unknown types below it, and writes them again. */
export const FIRST_CRITICAL_EXTENSION = 128

export const EXTENSION_IDLE_LIMIT = 1
export const EXTENSION_MAX_AGE = 2
export const EXTENSION_PERSISTENT = 3
export const EXTENSION_COOKIE_ATTRIBUTES = 4
export const EXTENSION_SUBJECT = 5
export const EXTENSION_AUTHENTICATED_AT = 6
export const EXTENSION_ABSOLUTE_LIMIT = 128
/** The mark of a session that counts only together with its pass or a proof. Reserved: 130 audience. */
export const EXTENSION_MARK = 129
/** The critical extensions that a reader knows. */
export const KNOWN_CRITICAL: readonly number[] = [EXTENSION_ABSOLUTE_LIMIT, EXTENSION_MARK]

export const MARK_BYTES = 16

/** The length of the hash of a subject. */
export const SUBJECT_BYTES = 16

// The plaintext of a stamp: the id of the session, the time of its renewal, the time of its check.
export const STAMP_RENEWED_AT = ID_BYTES
export const STAMP_CHECKED_AT = STAMP_RENEWED_AT + TIME_BYTES
export const STAMP_BYTES = STAMP_CHECKED_AT + TIME_BYTES

// The plaintext of a proof: the mark, and when the device signed.
export const PROVEN_AT = MARK_BYTES
export const PROOF_BYTES = PROVEN_AT + TIME_BYTES

// The plaintext of a device identifier: the mark, and the public key, a point of the curve P-256.
export const COORDINATE_BYTES = 32
export const KEY_X_AT = MARK_BYTES
export const KEY_Y_AT = KEY_X_AT + COORDINATE_BYTES
export const DEVICE_BYTES = KEY_Y_AT + COORDINATE_BYTES

// The plaintext of a challenge: the mark, when it was made, and what it is for.
export const ASKED_AT = MARK_BYTES
export const PURPOSE_AT = ASKED_AT + TIME_BYTES
export const CHALLENGE_BYTES = PURPOSE_AT + 1
export const PURPOSE_REGISTRATION = 1
export const PURPOSE_REFRESH = 2

// The plaintext of a token for a purpose: flags and id as in a session, when it was made, when it expires, data.
export const MADE_AT = ID_AT + ID_BYTES
export const EXPIRES_AT = MADE_AT + TIME_BYTES
export const PURPOSE_DATA_AT = EXPIRES_AT + TIME_BYTES
/** It opens once. */
export const FLAG_ONCE = 0b01
/** It is part of a URL. Some mail programs and proxies cut or refuse longer ones. */
export const LONGEST_PURPOSE_TOKEN = 2048

/** ISO 7816-4: this byte, then zeros. */
export const PADDING_MARK = 0x80
