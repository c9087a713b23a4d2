import createError = require('@fastify/error')

/**
 * Every error this package throws. Each class has a stable `code`; the README lists what to do about each.
 * No message ever holds a key, a token or a session's content.
 */

/** An option is unknown, of the wrong type, or at odds with another. Thrown at boot, or by the call that got it. */
export const InvalidOptionError = createError('FST_SESSION_INVALID_OPTION', '%s', 500, TypeError)

/** Key material that is not 32 bytes in a form we read, or two keys that cannot live in one ring. */
export const InvalidKeyError = createError('FST_SESSION_INVALID_KEY', '%s', 500, TypeError)

/** libsodium did not load, or does not compute what it must. Nothing works without it. */
export const SodiumUnavailableError = createError('FST_SESSION_SODIUM_UNAVAILABLE', '%s', 500)

/** No more of libsodium's guarded memory is to be had, in which keys are kept. */
export const GuardedMemoryError = createError('FST_SESSION_NO_GUARDED_MEMORY',
  'there is no guarded memory for a key: %s. Sealers and registrations of the plugin keep keys there: make them once, not for each request', 500)

/** What reaches a client: the keys of a session, and their sizes, are on the error's own fields, and so in the log. */
const CANNOT_BE_WRITTEN = 'the session cannot be written'

/** A value of the session cannot be written down, or would be read as something else. */
export class NotSerializableError extends createError('FST_SESSION_NOT_SERIALIZABLE', CANNOT_BE_WRITTEN, 500, TypeError) {
  /** What is wrong with which value. */
  readonly detail: string
  /** Where the value is, such as `user.tags[2]`; null where that is not known. */
  readonly path: string | null

  constructor (detail: string, path: string | null = null, cause?: unknown) {
    super()
    this.detail = detail
    this.path = path
    if (cause !== undefined) this.cause = cause
  }
}

/** How much too large a session is. */
export interface SessionSize {
  /** Characters that its token would have, of one byte each. */
  readonly bytes: number
  /** Characters that fit. */
  readonly limit: number
  /** The largest of its keys, and how many bytes of JSON each of them takes. */
  readonly largest: ReadonlyArray<{ readonly key: string, readonly bytes: number }>
}

/** The sealed session does not fit in its cookies. */
export class TooLargeError extends createError('FST_SESSION_TOO_LARGE', CANNOT_BE_WRITTEN, 500, RangeError) implements SessionSize {
  /** How much is too much, and which keys take most of it. */
  readonly detail: string
  readonly bytes: number
  readonly limit: number
  readonly largest: SessionSize['largest']

  constructor (detail: string, { bytes, limit, largest }: SessionSize) {
    super()
    this.detail = detail
    this.bytes = bytes
    this.limit = limit
    this.largest = largest
  }
}

/** The session was changed when its cookie could no longer go out. */
export const CommittedError = createError('FST_SESSION_COMMITTED',
  'session "%s" was changed after its cookie was written or the head of the response was sent: change it earlier', 500)

/** An assignment in property style to a name that belongs to the session itself. */
export const ReservedNameError = createError('FST_SESSION_RESERVED_NAME',
  '"%s" is the session\'s own: use session.set("%s", value) for a key of that name', 500, TypeError)

/** A call of a method that other libraries have. */
export const UnknownMethodError = createError('FST_SESSION_UNKNOWN_METHOD',
  'a session has no method %s(), which is of another library: %s', 500, TypeError)

/** A session was read before it could be told what it is. `request.session` is then null; a guard throws this. */
export const NotReadyError = createError('FST_SESSION_NOT_READY',
  'session "%s" was read before it is ready: read it in a hook that is added after the plugin, and not on a route with config: { session: false }', 500)

/**
 * A store failed or did not answer, so it is unknown whether a session is over, or a session could not be ended. The
 * message goes to the client and says no more than that. The reason is the `cause`, and is logged.
 */
export const StoreUnavailableError = createError('FST_SESSION_STORE_UNAVAILABLE', 'the %s is unavailable', 503)

/** Nobody is logged in by the request's session, and the route wants somebody. */
export const RequiredError = createError('FST_SESSION_REQUIRED', 'this needs a session of somebody who is logged in', 401)

/** Somebody is logged in, and the route wants a login that is not as old. */
export const StaleError = createError('FST_SESSION_STALE', 'this needs a login that is at most %d seconds old: log in again', 401)

/** A session name that no registration knows. */
export const UnknownSessionError = createError('FST_SESSION_UNKNOWN_NAME',
  'there is no session named "%s"; the plugin knows %s', 500)

/** The text of a keyring is not what a keyring must be. */
export const InvalidKeyringError = createError('FST_SESSION_INVALID_KEYRING', '%s', 500, TypeError)

/** A keyring is missing, cannot be reached, must not be read, or cannot be written. */
export const KeyringUnavailableError = createError('FST_SESSION_KEYRING_UNAVAILABLE', '%s', 500)
