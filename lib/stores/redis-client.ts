import { invalid } from '../checks'
import { reasonOf } from '../store-failure'

/** Throws FST_SESSION_INVALID_OPTION for what is no client such as ioredis makes. */
export function checkClient (client: { get: unknown, eval: unknown } | null | undefined, caller: string): void {
  if (typeof client?.get === 'function' && typeof client.eval === 'function') return
  throw invalid(`${caller} takes a client such as ioredis makes, with the methods get and eval`)
}

/**
 * What `work` resolves to. Throws what `toError` makes of the reason where it rejects: only the text is passed on, since a
 * client's error may hold the command, and that the keys.
 */
export async function explained<T> (toError: (reason: string) => Error, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw toError(reasonOf(error))
  }
}
