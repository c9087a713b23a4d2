import { StoreUnavailableError } from './errors'

/**
 * FST_SESSION_STORE_UNAVAILABLE. Its message reaches the client, and a store's own words may name hosts, users and keys: they
 * are the `cause`, which Fastify logs.
 */
export function revocationStoreFailed (reason: Error): Error {
  return new StoreUnavailableError('revocation store', { cause: reason })
}

/** The same, of the store behind an opener of old cookies. */
export function legacyStoreFailed (reason: unknown): Error {
  return new StoreUnavailableError('store of legacy sessions', { cause: reason })
}

const NO_REASON = 'no reason given'

/** The reason that a store gave, as text for the log. A store may reject with anything, also with an object that throws when it is read. */
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
