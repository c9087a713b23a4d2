import { invalid } from '../checks'

/** Throws FST_SESSION_INVALID_OPTION for what is no client such as ioredis makes. */
export function checkClient (client: { get: unknown, eval: unknown } | null | undefined, caller: string): void {
  if (typeof client?.get === 'function' && typeof client.eval === 'function') return
  throw invalid(`${caller} takes a client such as ioredis makes, with the methods get and eval`)
}

/** Only the message is passed on: a client's error may hold the command, and that the keys. */
export async function explained<T> (Unavailable: new (message: string) => Error, what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw new Unavailable(`${what}: ${error instanceof Error ? error.message : 'no reason given'}`)
  }
}
