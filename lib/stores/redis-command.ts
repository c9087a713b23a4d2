/** Only the message is passed on: a client's error may hold the command, and that the keys. */
export async function explained<T> (Unavailable: new (message: string) => Error, what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw new Unavailable(`${what}: ${error instanceof Error ? error.message : 'no reason given'}`)
  }
}
