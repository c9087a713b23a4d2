import { invalid } from '../checks'
import { reasonOf } from '../store-failure'

/** Throws FST_SESSION_INVALID_OPTION if `client` does not have the methods of a client such as ioredis. */
export function checkClient (client: { get: unknown, eval: unknown } | null | undefined, caller: string): void {
  if (typeof client?.get === 'function' && typeof client.eval === 'function') return
  throw invalid(`${caller} takes a client such as ioredis makes, with the methods get and eval`)
}

/**
 * The result of `work`. If it rejects, throws the error that `toError` makes of the reason. Only the text of the reason
 * is passed on: the error of a client may contain the command, and the command contains keys.
 */
export async function withReason<T> (toError: (reason: string) => Error, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw toError(reasonOf(error))
  }
}
