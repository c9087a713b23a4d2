import createError = require('@fastify/error')

/**
 * Every error this package throws. Each class has a stable `code`, and its errors the property `see`: the place in
 * docs/errors.md that says what to do. No message contains a key, a token or the content of a session.
 */

/** The page on errors, from the folder of the app. */
const PAGE = 'node_modules/fastify-sealed-session/docs/errors.md'

/**
 * A class of errors, as @fastify/error makes it, with the property `see`. It is an own property, because Node.js prints
 * these with an uncaught error, and loggers write them. Fastify sends only code and message to a client.
 * @param message with a %s for each argument of the constructor
 */
function coded<Code extends string, Status extends number> (
  code: Code, message: string, statusCode: Status, Base?: ErrorConstructor
) {
  const Uncaptured = createError(code, message, statusCode, Base, false)
  const see = `${PAGE}#${code.toLowerCase()}`
  return class FastifyError extends Uncaptured {
    readonly see: string

    constructor (...args: [any?, any?, any?]) {
      super(...args)
      this.see = see
      // The stack begins where the error was made, and not in this file.
      Error.captureStackTrace(this, new.target)
    }
  }
}

/** An option is unknown, has the wrong type, or contradicts another option. Thrown at boot, or by the call with it. */
export const InvalidOptionError = coded('FST_SESSION_INVALID_OPTION', '%s', 500, TypeError)

/** Key material that is not 32 bytes in a supported encoding, or two different keys with the same key id. */
export const InvalidKeyError = coded('FST_SESSION_INVALID_KEY', '%s', 500, TypeError)

/** libsodium did not load, or failed its self-test. Nothing works without it. */
export const SodiumUnavailableError = coded('FST_SESSION_SODIUM_UNAVAILABLE', '%s', 500)

/** libsodium's guarded memory, in which keys are kept, is used up. */
export const GuardedMemoryError = coded('FST_SESSION_NO_GUARDED_MEMORY',
  'there is no guarded memory for a key: %s. Sealers and registrations of the plugin keep keys there: create them ' +
  'once, not for each request', 500)

/** The message that a client sees. The keys of the session and their sizes are fields of the error, and in the log. */
const CANNOT_BE_WRITTEN = 'the %s cannot be written'

const NotSerializable = coded('FST_SESSION_NOT_SERIALIZABLE', CANNOT_BE_WRITTEN, 500, TypeError)

/** A value of the session cannot be serialized, or would be read as a different value. */
export class NotSerializableError extends NotSerializable {
  /** Which value is wrong, and why. */
  readonly detail: string
  /** The path of the value, such as `user.tags[2]`; null if it is not known. */
  readonly path: string | null

  constructor (detail: string, path: string | null = null, cause?: unknown) {
    super('session')
    this.detail = detail
    this.path = path
    if (cause !== undefined) this.cause = cause
  }
}

/** The size of a session, or of the data of a token for a purpose, that is too large. */
export interface SessionSize {
  /** The length of its token in characters, of one byte each. */
  readonly bytes: number
  /** The number of characters that fit. */
  readonly limit: number
  /** The largest keys of the session, and how many bytes of JSON each of them takes. */
  readonly largest: ReadonlyArray<{ readonly key: string, readonly bytes: number }>
}

const TooLarge = coded('FST_SESSION_TOO_LARGE', CANNOT_BE_WRITTEN, 500, RangeError)

/** The sealed session does not fit in its cookies, or the token for a purpose in a URL. */
export class TooLargeError extends TooLarge implements SessionSize {
  /** The size, the limit, and the largest keys, as text. */
  readonly detail: string
  readonly bytes: number
  readonly limit: number
  readonly largest: SessionSize['largest']

  constructor (detail: string, { bytes, limit, largest }: SessionSize, what = 'session') {
    super(what)
    this.detail = detail
    this.bytes = bytes
    this.limit = limit
    this.largest = largest
  }
}

/** The session was changed when its cookie could no longer be sent. */
export const CommittedError = coded('FST_SESSION_COMMITTED',
  'session "%s" was changed after its cookie was written or the head of the response was sent: change it earlier', 500)

/** An assignment in property style to a reserved name. */
export const ReservedNameError = coded('FST_SESSION_RESERVED_NAME',
  '"%s" is a reserved name of the session: use session.set("%s", value) for a key of that name', 500, TypeError)

/** A call of a method that only other session libraries have. */
export const UnknownMethodError = coded('FST_SESSION_UNKNOWN_METHOD',
  'a session has no method %s(); it belongs to another library: %s', 500, TypeError)

/** A session was read before it was loaded. `request.session` is then null; a guard throws this error. */
export const NotReadyError = coded('FST_SESSION_NOT_READY',
  'session "%s" was read before it is ready, and is null: read it in a hook that is added after the plugin, and not ' +
  'on a route with config: { session: false }; in a log serializer, write request.session?.', 500)

/**
 * A store failed or did not answer. So it is unknown whether a session was revoked, or it could not be revoked. The
 * client sees only this message. The reason is the `cause`, and is logged.
 */
export const StoreUnavailableError = coded('FST_SESSION_STORE_UNAVAILABLE', 'the %s is unavailable', 503)

/** The session of the request has no logged-in user, and the route requires one. */
export const RequiredError = coded('FST_SESSION_REQUIRED', 'this needs a session of a logged-in user', 401)

/** A user is logged in, and the route requires a more recent login. */
export const StaleError = coded('FST_SESSION_STALE',
  'this needs a login that is at most %d seconds old: log in again', 401)

const Unproven = coded('FST_SESSION_UNPROVEN',
  'the session requires a proof of the browser\'s key, and the request has none', 401 as number)

/**
 * The session requires a proof of the browser's key, and the request has none: 503 where the browser says that it could
 * not sign, or where this server cannot read the keyring for the key of the proof; 401 for a request that another site
 * or origin caused. The session is unchanged.
 */
export class UnprovenError extends Unproven {
  /** Fastify sends them with the error. */
  readonly headers: Readonly<Record<string, string>>

  /** @param challenge the value of WWW-Authenticate for a 401; null for a 503 */
  constructor (challenge: string | null) {
    super()
    if (challenge === null) this.statusCode = 503
    this.headers = challenge === null ? { 'retry-after': '10' } : { 'www-authenticate': challenge }
  }
}

/** The request has a session in a cookie and as a bearer token, or would change it from one to the other. */
export const TransportError = coded('FST_SESSION_TRANSPORT',
  'session "%s" is either in a cookie or in a bearer token: %s', 400)

/** The route requires a session that is bound to a device. */
export const UnboundError = coded('FST_SESSION_UNBOUND', 'this needs a session that is bound to a device', 401)

/** The session has no tokens of another API, or their provider has ended the grant. */
export const GrantEndedError = coded('FST_SESSION_GRANT_ENDED',
  'the access to another service has ended: log in again', 401)

/**
 * The provider did not give new tokens of another API, or the servers could not agree which of them asks. The session
 * is unchanged. The reason is the `cause`, and is logged.
 */
export const ProviderUnavailableError = coded('FST_SESSION_PROVIDER_UNAVAILABLE',
  'the access to another service cannot be renewed now: try again', 503)

/** No registered session has this name. */
export const UnknownSessionError = coded('FST_SESSION_UNKNOWN_NAME',
  'there is no session named "%s"; registered are: %s', 500)

/** The text of a keyring is not a valid keyring. */
export const InvalidKeyringError = coded('FST_SESSION_INVALID_KEYRING', '%s', 500, TypeError)

/** A keyring is missing, unreachable, readable by other users, or not writable. */
export const KeyringUnavailableError = coded('FST_SESSION_KEYRING_UNAVAILABLE', '%s', 500)
