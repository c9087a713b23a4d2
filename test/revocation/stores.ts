import secureSession from '../../index'

export interface Raise {
  readonly key: string
  readonly cutOffMs: number
  readonly keepForMs: number
}

/** A store that counts what it is asked, and fails, waits or answers nonsense when it is told to. */
export class CountingStore implements secureSession.RevocationStore {
  readonly name = 'the store of this test'
  readonly #held = secureSession.memoryRevocation()
  asked = 0
  raised = 0
  /** What it was told, in that order. */
  readonly raises: Raise[] = []
  /** So many raises are still done; all others fail. */
  failsAfter = Infinity
  /** What it does in place of answering. */
  instead: (() => Promise<any>) | null = null

  async cutOffs (keys: readonly string[]): Promise<readonly number[]> {
    this.asked++
    return this.instead === null ? await this.#held.cutOffs(keys) : await this.instead()
  }

  async raise (key: string, cutOffMs: number, keepForMs: number): Promise<number> {
    this.raised++
    this.raises.push({ key, cutOffMs, keepForMs })
    if (this.failsAfter-- <= 0) return await away()
    return this.instead === null ? await this.#held.raise(key, cutOffMs, keepForMs) : await this.instead()
  }
}

export async function away (): Promise<never> {
  throw new Error('connection refused')
}
