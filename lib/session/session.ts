import { inspect } from 'node:util'
import { NO_EXTENSIONS, type Envelope, type Extensions } from '../core/envelope'
import { InvalidOptionError } from '../errors'
import type { SessionInfo } from '../../types/session'
import type { Codec, SessionRecord } from './codec'
import { withOwnIdle, type Limits } from './expiry'
import { Identity } from './identity'
import { nestedChange } from './nested-change'
import { areSame, NO_SETTINGS, writeSettings, type OwnSettings } from './own-settings'
import type { OpenedSession, SessionPolicy, Watcher } from './policy'
import { refuseUnwritable, Values } from './values'

/** A session in memory. It knows no cookies and no keys; users hold it through the proxy of `session/view.ts`. */
export class Session {
  readonly #policy: SessionPolicy
  readonly #watcher: Watcher
  readonly #opened: OpenedSession | null
  #identity: Identity
  #extensions: Extensions
  #settings: OwnSettings
  #values: Values
  #written = false
  /** It was ended, and nothing was begun since. */
  deleted = false
  /** Another session than the one that the request brought: by `delete()` or `regenerate()`. Whatever else holds that one must go. */
  isAnother = false
  /** The settings under which the browser may hold an earlier cookie of this session, or of the one deleted before it. */
  formerSettings: readonly OwnSettings[]

  constructor (policy: SessionPolicy, watcher: Watcher, opened: OpenedSession | null) {
    this.#policy = policy
    this.#watcher = watcher
    this.#opened = opened
    this.#identity = opened === null ? Identity.begin(policy.now()) : Identity.of(opened)
    this.#extensions = opened === null ? NO_EXTENSIONS : opened.envelope.extensions
    this.#settings = opened === null ? NO_SETTINGS : opened.settings
    this.#values = new Values(opened?.decoded.data, watcher)
    this.formerSettings = opened === null ? [] : opened.formerSettings
  }

  get (key: string): unknown {
    return this.#values.get(key)
  }

  set (key: string, value: unknown): void {
    if (value === undefined) return this.unset(key)
    refuseUnwritable(key, value)
    this.#watcher.beforeChange()
    if (this.deleted) this.#restart(this.#values.pick([]))
    this.#written = true
    this.#values.set(key, value)
  }

  has (key: string): boolean {
    return this.#values.has(key)
  }

  unset (key: string): void {
    if (!this.has(key)) return
    this.#watcher.beforeChange()
    this.#written = true
    this.#values.unset(key)
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
    this.#restart(this.#values.pick(kept))
    this.#written = true
  }

  /** The session's data is gone at once; a later `set` starts a new session. */
  delete (): void {
    this.#watcher.beforeChange()
    this.formerSettings = [...this.formerSettings, this.#settings]
    this.#settings = NO_SETTINGS
    this.#restart(this.#values.pick([]))
    this.#written = false
    this.deleted = true
  }

  /** Cookie options for this session alone, sealed with it so that they last. Those that are no cookie attributes are ignored. */
  options (cookieOptions: object | null | undefined): void {
    if (cookieOptions == null) return
    const settings = this.#policy.withCookieOptions(this.#settings, cookieOptions)
    if (areSame(settings, this.#settings)) return
    this.#watcher.beforeChange()
    this.#settings = settings
    if (!this.isNew && !this.deleted) this.#written = true
  }

  get info (): SessionInfo {
    return this.#identity.info(this.limits, this.isNew)
  }

  /** The reply will write the session's cookie, be it to clear it. */
  get changed (): boolean {
    return this.#isMoving || this.isEdited
  }

  /** The app changed it, and would miss the change. */
  get isEdited (): boolean {
    return this.#written || this.deleted || this.#nestedChange() !== null
  }

  get identity (): Identity {
    return this.#identity
  }

  /** No cookie holds this session yet: it was begun in this request. */
  get isNew (): boolean {
    return this.#opened === null || this.#identity.id !== this.#opened.envelope.id
  }

  get isRenewalDue (): boolean {
    return this.#opened?.isRenewalDue === true && !this.isNew
  }

  get limits (): Limits {
    return withOwnIdle(this.#policy.limits, this.#settings.idleMs)
  }

  get settings (): OwnSettings {
    return this.#settings
  }

  /** What is to be sealed now, if the session was changed; null if it was only read. Throws FST_SESSION_NOT_SERIALIZABLE. */
  changedEnvelope (): Envelope | null {
    if (this.#written || this.#isMoving) return this.envelope()
    const data = this.#nestedChange()
    return data === null ? null : this.envelope(this.#policy.codec, data)
  }

  /** What is to be sealed now, changed or not. Throws FST_SESSION_NOT_SERIALIZABLE. */
  envelope (codec: Codec = this.#policy.codec, data: string | Buffer = codec.encode(this.#values.record)): Envelope {
    this.#identity = this.#identity.renewed(this.#policy.now())
    const { id, createdAtMs, renewedAtMs } = this.#identity
    const extensions = this.#settings === NO_SETTINGS ? this.#extensions : writeSettings(this.#settings, this.#extensions)
    return { id, createdAtMs, renewedAtMs, extensions, customSerializer: codec.custom, data }
  }

  /** What `console.log` shows: no value. `this` is the proxy then, where only the public names are the session's own. */
  [inspect.custom] (): string {
    return `Session ${inspect({ id: this.info.id, keys: Object.keys(this.data()) })}`
  }

  get #isMoving (): boolean {
    return this.#opened?.isMoved === true && !this.isNew
  }

  #nestedChange (): string | Buffer | null {
    return nestedChange(this.#opened, this.#values, this.#policy.codec)
  }

  #restart (values: Values): void {
    this.#extensions = NO_EXTENSIONS
    this.#identity = Identity.begin(this.#policy.now())
    this.#values = values
    this.deleted = false
    this.isAnother = true
  }
}
