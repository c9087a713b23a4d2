import { inspect } from 'node:util'
import type { Envelope } from '../core/envelope'
import { InvalidOptionError, RequiredError } from '../errors'
import type { SessionInfo } from '../../types/session'
import type { Codec, SessionRecord } from './codec'
import { Head, isSomebody } from './head'
import { nestedChange } from './nested-change'
import type { OwnSettings } from './own-settings'
import type { Endings, OpenedSession, SessionPolicy, Watcher } from './policy'
import { refuseUnwritable } from './serializable'
import { keyText, Values } from './values'

/** A session in memory. It knows no cookies and no keys; users hold it through the proxy of `session/view.ts`. */
export class Session {
  readonly #policy: SessionPolicy
  readonly #watcher: Watcher
  readonly head: Head
  #values: Values
  #written = false
  /** It was ended, and nothing was begun since. */
  deleted: boolean
  /** The settings under which the browser may hold an earlier cookie of this session, or of the one deleted before it. */
  formerSettings: readonly OwnSettings[]

  /** @param isOver what the request brought is over, and nothing is left of it but its cookies */
  constructor (policy: SessionPolicy, watcher: Watcher, brought: OpenedSession | null, isOver = false) {
    this.#policy = policy
    this.#watcher = watcher
    this.head = new Head(policy, isOver ? null : brought)
    this.#values = new Values(this.head.opened?.decoded, watcher)
    this.deleted = isOver
    this.formerSettings = brought === null ? [] : brought.formerSettings
  }

  get (key: string): unknown {
    const name = keyText(key)
    return name === null ? undefined : this.#values.get(name)
  }

  set (key: string, value: unknown): void {
    const name = keyText(key)
    if (name === null) throw new InvalidOptionError(`the key of a session's value must be a string; found ${typeof key}`)
    if (value === undefined) return this.unset(name)
    if (!this.#policy.codec.custom) refuseUnwritable(name, value)
    if (this.#values.holds(name, value)) return
    this.#watcher.beforeChange()
    if (this.deleted) this.#restart(this.#values.pick([]))
    this.#written = true
    this.#values.set(name, value)
  }

  has (key: string): boolean {
    const name = keyText(key)
    return name !== null && this.#values.has(name)
  }

  unset (key: string): void {
    const name = keyText(key)
    if (name === null || !this.#values.has(name)) return
    this.#watcher.beforeChange()
    this.#written = true
    this.#values.unset(name)
  }

  data (): SessionRecord {
    return this.#values.copy()
  }

  keys (): string[] {
    return this.#values.keys()
  }

  touch (): void {
    if (this.deleted) return
    this.#watcher.beforeChange()
    this.#written = true
  }

  regenerate (keep?: readonly string[] | null): void {
    const kept = keep ?? []
    if (!Array.isArray(kept)) throw new InvalidOptionError('regenerate() takes an array of the keys to keep')
    if (this.deleted) return
    this.#watcher.beforeChange()
    const { owesLogin } = this.head
    this.#restart(this.#values.pick(kept))
    this.#written = true
    this.head.isCarried = owesLogin && isSomebody(this.subject())
  }

  /** The session's data is gone at once; a later `set` starts a new session. */
  delete (): void {
    this.#watcher.beforeChange()
    this.formerSettings = [...this.formerSettings, this.head.settings]
    this.head.dropSettings()
    this.#restart(this.#values.pick([]))
    this.#written = false
    this.deleted = true
  }

  /** As `delete()`, and any copy of its cookie is over when this resolves. */
  async revoke (): Promise<void> {
    const endings = this.#policy.endings()
    this.#watcher.beforeChange()
    const { opened, isOpenedEnded } = this.head
    if (opened !== null && !isOpenedEnded) await endings.end(opened)
    this.head.isOpenedEnded = true
    this.delete()
  }

  /**
   * Ends all other sessions of the subject of this one, which goes on under another id. Where the store fails in between,
   * it does so all the same: it has been ended under its old id by then.
   */
  async revokeOthers (): Promise<void> {
    const endings = this.#policy.endings()
    this.#watcher.beforeChange()
    const subject = this.ownerAtLast()
    endings.refuseWithoutOthers(subject)
    await this.#leaveOpened(endings)
    const createdAtMs = await endings.endOthers(this.head, subject as Buffer)
    this.#watcher.beforeChange()
    if (createdAtMs === null) throw this.#endedElsewhere()
    this.head.reissue(createdAtMs)
    this.#written = true
  }

  /** Ends the session that the request brought, where this one goes on with its login. */
  async #leaveOpened (endings: Endings): Promise<void> {
    const { opened, owesLogin, isOpenedEnded } = this.head
    if (opened === null || !owesLogin || isOpenedEnded) return
    const wasGood = await endings.endIfGood(opened)
    this.#watcher.beforeChange()
    this.head.isOpenedEnded = true
    if (!wasGood) throw this.#endedElsewhere()
    this.head.reissue(this.head.identity.createdAtMs)
    this.#written = true
  }

  #endedElsewhere (): Error {
    this.delete()
    return new RequiredError()
  }

  /** Cookie options for this session alone, sealed with it so that they last. Those that are no cookie attributes are ignored. */
  options (cookieOptions: object | null | undefined): void {
    if (cookieOptions == null) return
    const next = this.head.withOptions(cookieOptions)
    const isChange = next.settings !== this.head.settings
    if (isChange) this.#watcher.beforeChange()
    this.head.take(next)
    if (isChange && !this.head.isNew && !this.deleted) this.#written = true
  }

  get info (): SessionInfo {
    if (this.#written) this.ownerAtLast()
    return this.head.info
  }

  /** The reply will write the session's cookie, be it to clear it. */
  get changed (): boolean {
    return this.head.isMoving || this.isChanged
  }

  /** As `isEdited`, and true of what cannot be written: it was changed as well. */
  get isChanged (): boolean {
    try {
      return this.isEdited
    } catch {
      return true
    }
  }

  /** Nothing can have been changed, and no cookie is due. */
  get isAsItWas (): boolean {
    return !this.#written && !this.deleted && !this.#values.handedOut && !this.head.isMoving && !this.head.isRenewalDue
  }

  /** The app changed it, and would miss the change. Throws FST_SESSION_NOT_SERIALIZABLE. */
  get isEdited (): boolean {
    return this.#written || this.deleted || nestedChange(this.head.opened, this.#values, this.#policy.codec) !== null
  }

  /** Who is logged in by its values, hashed; empty for nobody. Null where the app does not say. To look is not to hand out. */
  subject (): Buffer | null {
    const { subjectOf } = this.#policy
    return subjectOf === null ? null : this.#values.quietly(() => subjectOf(this))
  }

  /** As `subject`, after all changes: what follows from it is done. */
  ownerAtLast (): Buffer | null {
    return this.head.follow(this.subject())
  }

  /** What is to be sealed now, if the session was changed; null if it was only read. Throws FST_SESSION_NOT_SERIALIZABLE. */
  changedEnvelope (cutOffMs: number): Envelope | null {
    if (this.#written || this.head.isMoving) return this.envelope(cutOffMs)
    const data = nestedChange(this.head.opened, this.#values, this.#policy.codec)
    return data === null ? null : this.envelope(cutOffMs, this.#policy.codec, data)
  }

  /**
   * What is to be sealed now, changed or not. Throws FST_SESSION_NOT_SERIALIZABLE.
   * @param cutOffMs of whoever logs in by it; 0 for none
   */
  envelope (cutOffMs: number, codec: Codec = this.#policy.codec, data: string | Buffer = this.#values.encode(codec)): Envelope {
    return this.head.seal(this.ownerAtLast(), cutOffMs, codec.custom, data)
  }

  /** What `console.log` shows: no value. `this` is the proxy then, where only the public names are the session's own. */
  [inspect.custom] (): string {
    return `Session ${inspect({ id: this.info.id, keys: Object.keys(this.data()) })}`
  }

  #restart (values: Values): void {
    this.head.restart()
    this.#values = values
    this.deleted = false
  }
}
