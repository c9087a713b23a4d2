import { inspect } from 'node:util'
import { randomize } from '../core/aead'
import { NO_EXTENSIONS, type Envelope, type Extensions } from '../core/envelope'
import { ID_BYTES } from '../core/format'
import { NotSerializableError } from '../errors'
import type { Clock } from '../time'
import type { SessionInfo } from '../../types/session'
import { isSame, type Codec, type Decoded, type SessionRecord } from './codec'
import { expiresAtMs, withOwnIdle, type Limits } from './expiry'
import { areSame, NO_SETTINGS, writeSettings, type OwnSettings } from './own-settings'

const NONE: readonly OwnSettings[] = []

/** What a session needs to know of the plugin or sealer it lives in. */
export interface SessionPolicy {
  readonly limits: Limits
  readonly codec: Codec
  readonly now: Clock
  /** The settings with cookie options laid over them. Throws FST_SESSION_INVALID_OPTION. */
  readonly withCookieOptions: (settings: OwnSettings, options: object) => OwnSettings
}

/** Told before each change; throws FST_SESSION_COMMITTED where it could no longer reach the browser. */
export type ChangeGate = () => void

/** A session that was sealed before, opened: its envelope, and what the envelope's extensions and data mean. */
export interface OpenedSession {
  readonly envelope: Envelope
  readonly settings: OwnSettings
  readonly decoded: Decoded
  readonly codec: Codec
  /** The later of the envelope's own time and the stamp's. */
  readonly renewedAtMs: number
}

/** A session in memory. It knows no cookies and no keys; users hold it through the proxy of `session/view.ts`. */
export class Session {
  readonly #policy: SessionPolicy
  readonly #gate: ChangeGate
  readonly #opened: OpenedSession | null
  #id: string | null
  #createdAtMs: number
  #renewedAtMs: number
  #extensions: Extensions
  #settings: OwnSettings
  #data: SessionRecord
  #written = false
  #deleted = false
  /** A nested object left our hands, and may have been changed since. */
  #handedOut = false
  /** The settings under which the browser may hold an earlier cookie of ours. */
  #former: readonly OwnSettings[]

  constructor (policy: SessionPolicy, gate: ChangeGate, opened: OpenedSession | null) {
    this.#policy = policy
    this.#gate = gate
    this.#opened = opened
    this.#id = opened === null ? null : opened.envelope.id
    this.#createdAtMs = opened === null ? policy.now() : opened.envelope.createdAtMs
    this.#renewedAtMs = opened === null ? this.#createdAtMs : opened.renewedAtMs
    this.#extensions = opened === null ? NO_EXTENSIONS : opened.envelope.extensions
    this.#settings = opened === null ? NO_SETTINGS : opened.settings
    this.#data = opened === null ? {} : opened.decoded.data
    this.#former = opened === null ? NONE : [opened.settings]
  }

  get (key: string): unknown {
    const value = Object.hasOwn(this.#data, key) ? this.#data[key] : undefined
    if (typeof value === 'object' && value !== null) this.#handedOut = true
    return value
  }

  set (key: string, value: unknown): void {
    if (value === undefined) return this.unset(key)
    if (typeof value === 'function' || typeof value === 'symbol' || typeof value === 'bigint') {
      throw new NotSerializableError(`the value of "${key}" is a ${typeof value}, which cannot be written down`)
    }
    this.#gate()
    if (this.#deleted) this.#restart({})
    this.#written = true
    put(this.#data, key, value)
  }

  has (key: string): boolean {
    return Object.hasOwn(this.#data, key)
  }

  unset (key: string): void {
    if (!this.has(key)) return
    this.#gate()
    this.#written = true
    delete this.#data[key]
  }

  /** A shallow copy, with an ordinary prototype. */
  data (): SessionRecord {
    for (const key of this.keys()) this.get(key)
    return { ...this.#data }
  }

  keys (): string[] {
    return Object.keys(this.#data)
  }

  /** Starts the idle clock again; never the absolute one. */
  touch (): void {
    if (this.#deleted) return
    this.#gate()
    this.#written = true
  }

  /** A new authentication: a new id, both clocks start again, and of the data only the named keys stay. */
  regenerate (keep: readonly string[] = []): void {
    if (this.#deleted) return
    this.#gate()
    const kept: SessionRecord = {}
    for (const key of keep) {
      if (this.has(key)) put(kept, key, this.#data[key])
    }
    this.#restart(kept)
    this.#written = true
  }

  /** The session's data is gone at once; a later `set` starts a new session. */
  delete (): void {
    this.#gate()
    this.#former = [...this.#former, this.#settings]
    this.#settings = NO_SETTINGS
    this.#extensions = NO_EXTENSIONS
    this.#data = {}
    this.#written = false
    this.#deleted = true
  }

  /** Cookie options for this session alone, sealed with it so that they last. Those that are no cookie attributes are ignored. */
  options (cookieOptions: object): void {
    const settings = this.#policy.withCookieOptions(this.#settings, cookieOptions)
    if (areSame(settings, this.#settings)) return
    this.#gate()
    this.#settings = settings
    if (!this.isNew && !this.#deleted) this.#written = true
  }

  get info (): SessionInfo {
    return Object.freeze({
      id: this.id,
      createdAt: this.#createdAtMs,
      renewedAt: this.#renewedAtMs,
      expiresAt: expiresAtMs(this.#createdAtMs, this.#renewedAtMs, this.limits),
      isNew: this.isNew
    })
  }

  /** The reply will write the session's cookie, be it to clear it. */
  get changed (): boolean {
    return this.#written || this.#deleted || this.#nestedChange() !== null
  }

  get deleted (): boolean {
    return this.#deleted
  }

  get id (): string {
    this.#id ??= randomize(Buffer.allocUnsafe(ID_BYTES)).toString('hex')
    return this.#id
  }

  /** No cookie holds this session yet: it was begun in this request. */
  get isNew (): boolean {
    return this.#opened === null || this.#id !== this.#opened.envelope.id
  }

  get limits (): Limits {
    return withOwnIdle(this.#policy.limits, this.#settings.idleMs)
  }

  get settings (): OwnSettings {
    return this.#settings
  }

  /** The settings under which the browser may hold an earlier cookie of this session, or of the one deleted before it. */
  get formerSettings (): readonly OwnSettings[] {
    return this.#former
  }

  get createdAtMs (): number {
    return this.#createdAtMs
  }

  get renewedAtMs (): number {
    return this.#renewedAtMs
  }

  /** What is to be sealed now, if the session was changed; null if it was only read. Throws FST_SESSION_NOT_SERIALIZABLE. */
  changedEnvelope (): Envelope | null {
    if (this.#deleted) return null
    if (this.#written) return this.envelope()
    const data = this.#nestedChange()
    return data === null ? null : this.#envelopeOf(data, this.#policy.codec)
  }

  /** What is to be sealed now, changed or not. Throws FST_SESSION_NOT_SERIALIZABLE. */
  envelope (codec: Codec = this.#policy.codec): Envelope {
    return this.#envelopeOf(codec.encode(this.#data), codec)
  }

  /** What `console.log` shows: whose it is and what it holds, but no value. */
  [inspect.custom] (): string {
    // `this` may be the proxy, where only the session's public names are its own.
    return `Session ${inspect({ id: this.info.id, keys: Object.keys(this.data()) })}`
  }

  #envelopeOf (data: string | Buffer, codec: Codec): Envelope {
    this.#renewedAtMs = Math.max(this.#policy.now(), this.#renewedAtMs)
    return {
      id: this.id,
      createdAtMs: this.#createdAtMs,
      renewedAtMs: this.#renewedAtMs,
      extensions: this.#settings === NO_SETTINGS ? this.#extensions : writeSettings(this.#settings, this.#extensions),
      customSerializer: codec.custom,
      data
    }
  }

  /** The data written down, if a nested value was changed in place since it was opened. */
  #nestedChange (): string | Buffer | null {
    if (!this.#handedOut || this.#opened === null) return null
    const { codec, decoded } = this.#opened
    const data = codec.encode(this.#data)
    if (isSame(data, decoded.source)) return null
    return codec === this.#policy.codec ? data : this.#policy.codec.encode(this.#data)
  }

  #restart (data: SessionRecord): void {
    this.#id = null
    this.#createdAtMs = this.#renewedAtMs = this.#policy.now()
    this.#data = data
    this.#deleted = false
    this.#handedOut = false
  }
}

/** Assigns an own property whatever its name: plain assignment would take `__proto__` for the prototype. */
function put (data: SessionRecord, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(data, key, { value, writable: true, enumerable: true, configurable: true })
  else data[key] = value
}
