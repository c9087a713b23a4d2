import { newHolder, resultIn, type RefreshLock } from '../stores/refresh-lock'
import { reasonOf } from '../store-failure'
import { SECOND_MS, type Clock } from '../time'
import { every, pause, within } from '../timers'
import { unavailable } from './failure'
import { tokenSetOf, type TokenSet } from './token-set'

/** Seals data for the other servers, and opens theirs. */
export interface ResultSealer {
  /** @param name the data opens only with this name */
  seal (data: object, name: string): string
  /** Null if it does not open. */
  open (text: string, name: string): Promise<{ readonly tokens?: unknown } | null>
}

export interface FleetResult {
  readonly result: TokenSet | null
  /** Another server has asked the provider. It may have been a minute ago. */
  readonly isFound: boolean
}

const POLL_MS = 50
/** Redis counts as unavailable if it takes longer. */
const REDIS_MS = SECOND_MS
/**
 * The lock is extended for as long as the provider takes. Those who wait outlast the lock of a server that was killed.
 */
const LOCK_MARGIN_MS = SECOND_MS
const WAIT_MARGIN_MS = 2 * SECOND_MS
const RESULT_MS = 60 * SECOND_MS

const LATE = Symbol('late')

/** Servers that refresh the same tokens once: one of them asks the provider, and the others get what it got. */
export class Fleet {
  readonly #lock: RefreshLock
  readonly #scope: string
  readonly #timeoutMs: number
  readonly #now: Clock

  /** @param scope of the hashes */
  constructor (lock: RefreshLock, scope: string, timeoutMs: number, now: Clock) {
    this.#lock = lock
    this.#scope = scope
    this.#timeoutMs = timeoutMs
    this.#now = now
  }

  /**
   * The result of `refresh`, here or on another server. Rejects as it does, and with FST_SESSION_PROVIDER_UNAVAILABLE
   * if Redis fails before it.
   * @param name of the tokens before
   * @param onUnpublished is called if the others cannot get the result
   */
  async refresh (
    name: string, sealer: ResultSealer, refresh: () => Promise<TokenSet | null>, onUnpublished: (error: unknown) => void
  ): Promise<FleetResult> {
    const holder = newHolder()
    const text = await this.#taken(name, holder)
    if (text !== null) return { result: await this.#opened(text, name, sealer), isFound: true }
    let result: TokenSet | null
    const stopExtending = every(this.#timeoutMs, () => {
      // If this fails, the lock expires.
      this.#lock.extend(name, holder, this.#lockMs).catch(() => {})
    })
    try {
      result = await refresh()
    } catch (error) {
      // If this fails, the lock expires.
      await answered(this.#lock.release(name, holder)).catch(() => {})
      throw error
    } finally {
      stopExtending()
    }
    await this.#publish(name, holder, result, sealer).catch(onUnpublished)
    return { result, isFound: false }
  }

  /** Null where this server has the lock; else the result of another one. */
  async #taken (name: string, holder: string): Promise<string | null> {
    let taking: Promise<string | null> | undefined
    try {
      return await this.#resultOf(() => (taking = this.#lock.take(name, holder, this.#lockMs)))
    } catch (error) {
      // Redis may still take the lock, when it answers.
      taking?.then(async found => { if (found === null) await this.#lock.release(name, holder) }).catch(() => {})
      throw error
    }
  }

  get #lockMs (): number {
    return this.#timeoutMs + LOCK_MARGIN_MS
  }

  /**
   * Leaves a result for the other servers, for a minute; null where the grant has ended. Rejects if Redis fails, or if
   * it is too large.
   */
  async #publish (name: string, holder: string, result: TokenSet | null, sealer: ResultSealer): Promise<void> {
    const tokens = result === null ? null : JSON.parse(result.json)
    await answered(this.#lock.put(name, holder, sealer.seal({ tokens }, name), RESULT_MS))
  }

  /**
   * The result of another server; undefined if there is none. Waits for a server that asks the provider. Rejects with
   * FST_SESSION_PROVIDER_UNAVAILABLE if Redis fails.
   */
  async find (name: string, sealer: ResultSealer): Promise<TokenSet | null | undefined> {
    const text = await this.#resultOf(async () => await this.#lock.read(name))
    return text === null ? undefined : await this.#opened(text, name, sealer)
  }

  async #opened (text: string, name: string, sealer: ResultSealer): Promise<TokenSet | null> {
    const data = await sealer.open(text, name)
    if (data === null) throw unavailable(new Error('the result of another server does not open: do all have its keys?'))
    return data.tokens === null ? null : tokenSetOf(data.tokens, this.#scope, 'the result of another server must be')
  }

  /** The result that `look` finds; null if it finds nothing. Waits while another server holds the lock. */
  async #resultOf (look: () => Promise<string | null>): Promise<string | null> {
    const endsAtMs = this.#now() + this.#timeoutMs + WAIT_MARGIN_MS
    for (;;) {
      const found = await answered(look())
      if (found === null) return null
      const result = resultIn(found)
      if (result !== null) return result
      if (this.#now() >= endsAtMs) throw unavailable(new Error('another server gave no result in time'))
      await pause(POLL_MS)
    }
  }
}

async function answered<T> (command: Promise<T>): Promise<T> {
  const reply = await within(REDIS_MS, command.catch(failed), LATE)
  if (reply === LATE) failed(`no answer within ${REDIS_MS} ms`)
  return reply as T
}

/** Only the text of the error: it may contain the command, and the command contains a sealed result. */
function failed (error: unknown): never {
  throw unavailable(new Error(`Redis: ${reasonOf(error)}`))
}
