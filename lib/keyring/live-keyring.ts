import { createHash } from 'node:crypto'
import type { KeyringStore } from '../../types/keyring'
import { KeyringUnavailableError } from '../errors'
import { SECOND_MS, type Clock } from '../time'
import { LONGEST_TIMER_MS, within } from '../timers'
import { changeKeyring, nameOf, readKeyring } from './stored-keyring'
import { rotatedBySchedule, rotationDueAtMs, type RotationPlan } from './lifecycle'
import { parseKeyring } from './document'
import { Keyring } from './keyring'
import { schedule, type KeyDates, type Scheduled } from './schedule'

/** A slower store counts as unavailable. Shorter than Fastify's plugin timeout of 10 seconds. */
const READ_TIMEOUT_MS = 5 * SECOND_MS
const WRITE_TIMEOUT_MS = 15 * SECOND_MS

/** Receives changes of the keyring for the log: one call per change, not per request. */
export interface KeyringReporter {
  /** The keyring was read, and these keys are in use from now on. */
  replaced (keys: ReadonlyArray<Scheduled<KeyDates>>, nowMs: number): void
  /** The keyring could not be read, or is invalid: the last valid one stays in use. */
  failed (error: Error): void
  /** The keyring can be read again. */
  recovered (): void
  /** This server has added a key. */
  rotated (): void
  rotationFailed (error: Error): void
}

export interface LiveKeyringOptions {
  readonly store: KeyringStore
  readonly reloadEveryMs: number
  readonly rotation: RotationPlan | null
  readonly now: Clock
  readonly reporter: KeyringReporter
}

/** A keyring that is read from its store at an interval. If a read fails, the last valid keyring stays in use. */
export class LiveKeyring {
  readonly keyring: Keyring
  readonly #options: LiveKeyringOptions
  #keys: ReadonlyArray<Scheduled<KeyDates>> = []
  /** A hash of the text that was read last. The text is not kept, because it contains keys. */
  #digest = ''
  /** Reads can finish out of order: the result of a read that began before the last used one is ignored. */
  #begunReads = 0
  #usedRead = 0
  #failure: string | null = null
  #rotating = false
  #rotationFailed = false
  #timer: NodeJS.Timeout | undefined
  #closed = false

  private constructor (text: string, options: LiveKeyringOptions) {
    this.#options = options
    this.keyring = new Keyring([])
    this.#use(text)
    this.#waitForNext()
  }

  /**
   * Reads the keyring at boot.
   * @throws FST_SESSION_KEYRING_UNAVAILABLE, FST_SESSION_INVALID_KEYRING
   */
  static async open (options: LiveKeyringOptions): Promise<LiveKeyring> {
    return new LiveKeyring(await readInTime(options.store), options)
  }

  /** Reads the keyring again, without a call of the reporter on failure. Resolves to true on success; never rejects. */
  async reload (): Promise<boolean> {
    return await this.#read().then(() => true, () => false)
  }

  close (): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  /** Reads the keyring and reports failures. Only the timer calls it: requests must not be able to fill the log. */
  async #poll (): Promise<void> {
    const { reporter } = this.#options
    try {
      await this.#read()
      if (this.#failure !== null) reporter.recovered()
      this.#failure = null
    } catch (error) {
      const { code } = error as { code: string }
      // When the app closes, its store may be closed before this plugin.
      if (this.#failure !== code && !this.#closed) reporter.failed(error as Error)
      this.#failure = code
    }
  }

  async #read (): Promise<void> {
    const read = ++this.#begunReads
    const text = await readInTime(this.#options.store)
    if (read < this.#usedRead) return
    this.#usedRead = read
    this.#use(text)
  }

  /** Uses the keys of a text. Throws if the text is invalid; nothing is changed then. */
  #use (text: string): void {
    const digest = createHash('sha256').update(text).digest('base64')
    if (digest === this.#digest) return
    const { store, reporter, now } = this.#options
    const keys = schedule(parseKeyring(text, nameOf(store)))
    this.keyring.replace(keys.map(({ key, ...term }) => ({ material: key.material, term })))
    this.#keys = keys.map(({ key: { material, ...key }, ...term }) => ({ key, ...term }))
    this.#digest = digest
    reporter.replaced(this.#keys, now())
  }

  #waitForNext (): void {
    if (this.#closed) return
    this.#timer = setTimeout(async () => { await this.#tick() }, this.#nextInMs())
    this.#timer.unref()
  }

  async #tick (): Promise<void> {
    await this.#poll()
    // Not awaited: a write that hangs must not stop the reads.
    if (this.#rotationDueInMs() <= 0 && !this.#rotating) this.#rotate()
    this.#waitForNext()
  }

  #nextInMs (): number {
    const { reloadEveryMs } = this.#options
    const dueInMs = this.#rotationDueInMs()
    const isPostponed = dueInMs <= 0 && (this.#rotating || this.#rotationFailed)
    const inMs = isPostponed ? reloadEveryMs : Math.min(reloadEveryMs, dueInMs)
    return Math.min(Math.max(0, inMs), LONGEST_TIMER_MS)
  }

  #rotationDueInMs (): number {
    const { rotation, now } = this.#options
    return rotation === null ? Infinity : rotationDueAtMs(this.#keys.map(({ key }) => key), rotation, now()) - now()
  }

  /** Adds a key. All servers try at the same time; the store lets one of them write, and the others read its key. */
  async #rotate (): Promise<void> {
    const { store, now, reporter } = this.#options
    const plan = this.#options.rotation as RotationPlan
    this.#rotating = true
    const change = changeKeyring(store, keys => {
      return now() < rotationDueAtMs(keys, plan, now()) ? null : rotatedBySchedule(keys, plan, now())
    })
    const settled = (): void => { this.#rotating = false }
    change.then(settled, settled)
    try {
      const added = await within(WRITE_TIMEOUT_MS, change, 'late')
      if (added === 'late') throw didNotAnswer(store, WRITE_TIMEOUT_MS)
      if (added !== null) reporter.rotated()
      this.#rotationFailed = false
    } catch (error) {
      if (!this.#rotationFailed && !this.#closed) reporter.rotationFailed(error as Error)
      this.#rotationFailed = true
    }
    await this.reload()
  }
}

async function readInTime (store: KeyringStore): Promise<string> {
  const text = await within(READ_TIMEOUT_MS, readKeyring(store), null)
  if (text === null) throw didNotAnswer(store, READ_TIMEOUT_MS)
  return text
}

function didNotAnswer (store: KeyringStore, ms: number): Error {
  return new KeyringUnavailableError(`${nameOf(store)} did not answer for ${ms / SECOND_MS} seconds`)
}
