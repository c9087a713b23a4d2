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

/** A store that does not answer counts as unreachable. Shorter than the 10 seconds that Fastify gives a plugin to boot. */
const READ_PATIENCE_MS = 5 * SECOND_MS
const WRITE_PATIENCE_MS = 15 * SECOND_MS

/** Told of what an operator should know: once a change, never once a request. */
export interface KeyringReporter {
  /** Servers use these keys from now on. */
  replaced (keys: ReadonlyArray<Scheduled<KeyDates>>, nowMs: number): void
  /** The ring could not be read, or was no good: the last good one stays. */
  failed (error: Error): void
  /** It can be read again. */
  recovered (): void
  /** This server, of all that share the ring, has added a key. */
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

/** A keyring that follows its store: it is read again and again, and where that fails the last good one stays. */
export class LiveKeyring {
  readonly keyring: Keyring
  readonly #options: LiveKeyringOptions
  #keys: ReadonlyArray<Scheduled<KeyDates>> = []
  /** Of the text that was read last; the text itself holds keys. */
  #digest = ''
  /** Reads may overtake each other: what began before the last one that was used is not. */
  #begun = 0
  #used = 0
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

  /** Throws FST_SESSION_KEYRING_UNAVAILABLE or FST_SESSION_INVALID_KEYRING: with no good ring there is nothing to start with. */
  static async open (options: LiveKeyringOptions): Promise<LiveKeyring> {
    return new LiveKeyring(await readInTime(options.store), options)
  }

  /** Reads the ring once more, and says nothing of it. Resolves to whether it worked; never rejects. */
  async reload (): Promise<boolean> {
    return await this.#read().then(() => true, () => false)
  }

  close (): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  /** Strangers can cause a read, but no line in the log: only what the timer reads is told. */
  async #poll (): Promise<void> {
    const { reporter } = this.#options
    try {
      await this.#read()
      if (this.#failure !== null) reporter.recovered()
      this.#failure = null
    } catch (error) {
      const { code } = error as { code: string }
      // Whoever closes the app may have closed the store before.
      if (this.#failure !== code && !this.#closed) reporter.failed(error as Error)
      this.#failure = code
    }
  }

  async #read (): Promise<void> {
    const turn = ++this.#begun
    const text = await readInTime(this.#options.store)
    if (turn < this.#used) return
    this.#used = turn
    this.#use(text)
  }

  /** Throws where the text is no good, and then changes nothing. */
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
    // Not waited for: a store that hangs at a write must not stop the reading.
    if (this.#rotationDueInMs() <= 0 && !this.#rotating) this.#rotate()
    this.#waitForNext()
  }

  #nextInMs (): number {
    const { reloadEveryMs } = this.#options
    const dueInMs = this.#rotationDueInMs()
    const inMs = dueInMs <= 0 && (this.#rotating || this.#rotationFailed) ? reloadEveryMs : Math.min(reloadEveryMs, dueInMs)
    return Math.min(Math.max(0, inMs), LONGEST_TIMER_MS)
  }

  #rotationDueInMs (): number {
    const { rotation, now } = this.#options
    return rotation === null ? Infinity : rotationDueAtMs(this.#keys.map(({ key }) => key), rotation, now()) - now()
  }

  /** All servers see at the same time that it is due; the store lets one of them write, and the others then see it done. */
  async #rotate (): Promise<void> {
    const { store, now, reporter } = this.#options
    const plan = this.#options.rotation as RotationPlan
    this.#rotating = true
    const change = changeKeyring(store, keys => now() < rotationDueAtMs(keys, plan, now()) ? null : rotatedBySchedule(keys, plan, now()))
    const settled = (): void => { this.#rotating = false }
    change.then(settled, settled)
    try {
      const added = await within(WRITE_PATIENCE_MS, change, 'late')
      if (added === 'late') throw didNotAnswer(store, WRITE_PATIENCE_MS)
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
  const text = await within(READ_PATIENCE_MS, readKeyring(store), null)
  if (text === null) throw didNotAnswer(store, READ_PATIENCE_MS)
  return text
}

function didNotAnswer (store: KeyringStore, ms: number): Error {
  return new KeyringUnavailableError(`${nameOf(store)} did not answer for ${ms / SECOND_MS} seconds`)
}
