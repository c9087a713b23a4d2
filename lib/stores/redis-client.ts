import { invalid } from '../checks'

/** Throws FST_SESSION_INVALID_OPTION if `client` does not have the methods of a client such as ioredis. */
export function checkClient (client: { get: unknown, eval: unknown } | null | undefined, caller: string): void {
  if (typeof client?.get === 'function' && typeof client.eval === 'function') return
  throw invalid(`${caller} takes a client such as ioredis makes, with the methods get and eval`)
}
