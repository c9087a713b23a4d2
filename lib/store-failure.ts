import { StoreUnavailableError } from './errors'

/**
 * FST_SESSION_STORE_UNAVAILABLE. The client sees its message. The error of the store may name hosts, users and keys, so
 * it is the `cause`, which Fastify logs.
 */
export function revocationStoreFailed (reason: Error): Error {
  return new StoreUnavailableError('revocation store', { cause: reason })
}

/** FST_SESSION_STORE_UNAVAILABLE for the store of an opener of legacy cookies. */
export function legacyStoreFailed (reason: unknown): Error {
  return new StoreUnavailableError('store of legacy sessions', { cause: reason })
}

/** FST_SESSION_STORE_UNAVAILABLE for the keyring of a tenant. */
export function keyringFailed (reason: Error): Error {
  return new StoreUnavailableError('keyring', { cause: reason })
}

const NO_REASON = 'no reason given'

/** The reason of a rejection as text for the log. A store may reject with any value, even one whose getters throw. */
export function reasonOf (rejection: unknown): string {
  try {
    if (rejection instanceof StoreUnavailableError) return reasonOf(rejection.cause)
    const { message, code } = Object(rejection) as { readonly message?: unknown, readonly code?: unknown }
    return [rejection, message, code].find(isText) ?? NO_REASON
  } catch {
    return NO_REASON
  }
}

function isText (value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
