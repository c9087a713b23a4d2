import { inspect } from 'node:util'
import { randomize } from '../core/aead'
import { MARK_BYTES } from '../core/format'
import { InvalidOptionError, RequiredError } from '../errors'
import type { SessionInfo, SessionSettings, Transport } from '../../types/session'
import { isSame, type Codec, type SessionRecord } from './codec'
import type { SessionContext, SessionObserver, SessionRevoker } from './context'
import { expiresAtMs, withOwnLimits } from './expiry'
import {
  firstMeta, freshMeta, isUser, keepsAuthentication, metaAfterSubjectChange, metaOf, reissued, type SessionMeta
} from './meta'
import type { OpenedSession } from './opened'
import { proxyOf } from './proxy'
import { refuseUnwritable } from './serializable'
import { SessionId } from './session-id'
import { areSame, NO_SETTINGS, NOTHING_GIVEN, withGiven, type GivenSettings, type OwnSettings } from './settings'
import { keyText, Values } from './values'

/**
 * A session of one request. It records what the request does to it, and decides nothing: the plan does. Users hold it
 * through the proxy of `proxy.ts`.
 */
export class Session {
  /** As the request brought it; null where it brought none. */
  readonly opened: OpenedSession | null
  readonly #context: SessionContext
  readonly #observer: SessionObserver
  #meta: SessionMeta
  #values: Values
  #proxy: object | null = null
  /** A value was set or unset, or `touch()`, `regenerate()` and the like were called. */
  #isWritten = false
  /** `delete()` was called, and no value was set since. */
  #isDeleted = false
  /** This request has revoked `opened` in the store. */
  #isOpenedRevoked = false
  /** The settings that this request gave. They outlast a change of the subject. */
  #given: GivenSettings = NOTHING_GIVEN
  /** Settings that the session had in this request before it was deleted. */
  #earlierSettings: readonly OwnSettings[] = []
  /** Of the session that a change of the subject begins. Drawn once, so that `info` can be read at any time. */
  #nextId: SessionId | null = null
  #nextMark: Buffer | null = null

  constructor (context: SessionContext, observer: SessionObserver, opened: OpenedSession | null) {
    this.#context = context
    this.#observer = observer
    this.opened = opened
    this.#meta = opened === null ? firstMeta(context.now()) : metaOf(opened)
    this.#values = new Values(opened === null ? null : opened.data, observer)
  }

  /** In place of a session that was revoked: its cookies are to be cleared. */
  static replacingRevoked (
    context: SessionContext, observer: SessionObserver, { cookieSettings }: OpenedSession
  ): Session {
    const session = new Session(context, observer, null)
    session.#isDeleted = true
    session.#earlierSettings = cookieSettings
    return session
  }

  get proxy (): object {
    this.#proxy ??= proxyOf(this)
    return this.#proxy
  }

  get (key: string): unknown {
    const name = keyText(key)
    return name === null ? undefined : this.#values.get(name)
  }

  set (key: string, value: unknown): void {
    const name = keyText(key)
    if (name === null) {
      throw new InvalidOptionError(`the key of a session's value must be a string or a number; found ${typeof key}`)
    }
    if (value === undefined) return this.unset(name)
    if (!this.#context.codec.custom) refuseUnwritable(name, value)
    if (this.#values.holds(name, value)) return
    this.#observer.beforeChange()
    if (this.#isDeleted) this.#beginAnother([])
    this.#isWritten = true
    this.#values.set(name, value)
  }

  has (key: string): boolean {
    const name = keyText(key)
    return name !== null && this.#values.has(name)
  }

  unset (key: string): void {
    const name = keyText(key)
    if (name === null || !this.#values.has(name)) return
    this.#observer.beforeChange()
    this.#isWritten = true
    this.#values.unset(name)
  }

  data (): SessionRecord {
    return this.#values.copy()
  }

  keys (): string[] {
    return this.#values.keys()
  }

  touch (): void {
    if (this.#isDeleted) return
    this.#observer.beforeChange()
    this.#isWritten = true
  }

  regenerate (keep?: readonly string[] | null): void {
    const kept = keep ?? []
    if (!Array.isArray(kept)) throw new InvalidOptionError('regenerate() takes an array of the keys to keep')
    if (this.#isDeleted) return
    this.#observer.beforeChange()
    const continuesLogin = keepsAuthentication(this.#meta, this.opened)
    this.#beginAnother(kept)
    this.#isWritten = true
    if (continuesLogin && isUser(this.subject())) this.#meta = { ...this.#meta, continuesLogin }
  }

  /** The values are gone at once. A later `set` begins another session. */
  delete (): void {
    this.#observer.beforeChange()
    this.#earlierSettings = [...this.#earlierSettings, this.#meta.settings]
    this.#given = NOTHING_GIVEN
    this.#beginAnother([])
    this.#isWritten = false
    this.#isDeleted = true
  }

  /** As `delete()`, and every copy of the cookie is revoked when this resolves. */
  async revoke (): Promise<void> {
    const revoker = this.#context.revoker()
    this.#observer.beforeChange()
    if (this.opened !== null && !this.#isOpenedRevoked) await revoker.revoke(this.opened)
    this.#isOpenedRevoked = true
    this.delete()
  }

  /**
   * Revokes all other sessions of this session's subject. This one goes on under another id, also where the store fails
   * after the old id was revoked.
   */
  async revokeOthers (): Promise<void> {
    const revoker: SessionRevoker = this.#context.revoker()
    this.#observer.beforeChange()
    const subject = this.subject()
    revoker.requireUser(subject)
    this.#takeMeta(this.metaFor(subject))
    await this.#revokeOpened(revoker)
    const createdAtMs = await revoker.revokeOthers(this.opened, this.#meta, subject)
    this.#observer.beforeChange()
    if (createdAtMs === null) throw this.#revokedElsewhere()
    this.#reissue(createdAtMs)
  }

  async #revokeOpened (revoker: SessionRevoker): Promise<void> {
    if (this.opened === null || this.#isOpenedRevoked || !keepsAuthentication(this.#meta, this.opened)) return
    const wasActive = await revoker.revokeReissued(this.opened)
    this.#observer.beforeChange()
    this.#isOpenedRevoked = true
    if (!wasActive) throw this.#revokedElsewhere()
    this.#reissue(this.#meta.createdAtMs)
  }

  /** See `SessionObserver`. */
  async handOver (options: unknown): Promise<string | null> {
    return await this.#observer.handOver(options)
  }

  /** Another session in its place, with the values, the login and the age of a session of another site. */
  takeOver (
    values: SessionRecord, { createdAtMs, authenticatedAtMs }: Pick<SessionMeta, 'createdAtMs' | 'authenticatedAtMs'>
  ): void {
    const all = Object.entries(values)
    // Before anything is changed: the reply to an error would write a part of them, and another time of the login.
    if (!this.#context.codec.custom) for (const [key, value] of all) refuseUnwritable(key, value)
    this.#observer.beforeChange()
    // Also where `accept` has deleted the session: otherwise the first value would begin one with a login of now.
    this.#beginAnother([])
    this.#isWritten = true
    this.#meta = { ...this.#meta, createdAtMs, authenticatedAtMs, isHandedOver: true }
    for (const [key, value] of all) this.set(key, value)
  }

  #revokedElsewhere (): Error {
    this.delete()
    return new RequiredError()
  }

  /** Limits and cookie attributes for this session alone. Options that are none of them are ignored. */
  options (options: object | null | undefined): void {
    if (options == null) return
    const given = withGiven(this.#given, this.#context.settingsIn(options, this.#given, this.#meta.settings))
    const settings = withGiven(this.#meta.settings, given)
    const isChange = !areSame(settings, this.#meta.settings)
    const { transport } = options as SessionSettings
    if (transport !== undefined) this.#observer.useTransport(transport)
    if (isChange && this.#meta.mark !== null) this.#context.refuseSettingsThatUnbind(settings)
    if (isChange) this.#observer.beforeChange()
    this.#given = given
    if (!isChange) return
    this.#meta = { ...this.#meta, settings }
    if (this.#meta.lineage === 'same' && !this.#isDeleted) this.#isWritten = true
  }

  get info (): SessionInfo {
    const meta = this.#isWritten ? this.metaFor(this.subject()) : this.#meta
    const { id, lineage, createdAtMs, authenticatedAtMs, renewedAtMs, settings, mark } = meta
    const binding = mark === null ? null : this.opened?.binding
    const provenAt = binding?.kind === 'bound' ? binding.provenAtMs : null
    return Object.freeze({
      id: id.text,
      createdAt: createdAtMs,
      authenticatedAt: authenticatedAtMs,
      renewedAt: renewedAtMs,
      expiresAt: expiresAtMs(authenticatedAtMs, renewedAtMs, withOwnLimits(this.#context.limits, settings)),
      isNew: lineage !== 'same',
      bound: provenAt !== null,
      provenAt,
      transport: this.transport
    })
  }

  /** The reply will write the session's cookie, be it to clear it. */
  get changed (): boolean {
    return this.hasChanges() || (this.opened !== null && this.opened.isLegacy && this.opened.isRenewalDue)
  }

  get deleted (): boolean {
    return this.#isDeleted
  }

  /** `delete()` was called, be it before other values were set. */
  get wasDeleted (): boolean {
    return this.#earlierSettings.length > 0
  }

  /** The app changed something, or a value cannot be serialized. Calls the serializer, and toJSON of values. */
  hasChanges (): boolean {
    try {
      return this.#isWritten || this.#isDeleted || this.changedData() !== null
    } catch {
      return true
    }
  }

  /** Nothing was changed, not even in place. */
  get isUntouched (): boolean {
    return !this.#isWritten && !this.#isDeleted && !this.#values.mayBeMutated
  }

  /** What is sealed beside the values, unless their subject has changed. */
  get meta (): SessionMeta {
    return this.#meta
  }

  /** This request has revoked the session that it brought. */
  get isOpenedRevoked (): boolean {
    return this.#isOpenedRevoked
  }

  /** In what the reply writes the session; null where there is no reply. */
  get transport (): Transport | null {
    return this.#observer.transport
  }

  /** The settings with which the browser may have cookies of this session, or of the one before it. */
  get cookieSettings (): readonly OwnSettings[] {
    return [...this.opened?.cookieSettings ?? [], ...this.#earlierSettings]
  }

  /** The subject by the current values, hashed; empty for anonymous. Null where the app has no option `subject`. */
  subject (): Buffer | null {
    const { subjectOf } = this.#context
    return subjectOf === null ? null : this.ask(subjectOf)
  }

  /** What a function of the app says of the current values. It must not change them. */
  ask<T> (question: (session: object) => T): T {
    return this.#values.untracked(() => question(this.proxy))
  }

  /** The mark that a login in this request gives to the session: random, drawn once. */
  get nextMark (): Buffer {
    this.#nextMark ??= randomize(Buffer.allocUnsafe(MARK_BYTES))
    return this.#nextMark
  }

  /** What is to be sealed beside the values, where they have this subject. */
  metaFor (subject: Buffer | null): SessionMeta {
    const nextId = (): SessionId => (this.#nextId ??= new SessionId())
    return metaAfterSubjectChange(this.#meta, this.opened, subject, nextId, this.#givenSettings, this.#context.now())
  }

  /** The data to write; null where nothing was changed. Throws FST_SESSION_NOT_SERIALIZABLE. */
  changedData (): string | Buffer | null {
    const { codec } = this.#context
    if (this.#isWritten) return this.serialized(codec)
    if (this.opened === null || !this.#values.mayBeMutated) return null
    const { data } = this.opened
    const current = this.serialized(data.codec)
    if (isSame(current, data.serialized)) return null
    return data.codec === codec ? current : this.serialized(codec)
  }

  /** Throws FST_SESSION_NOT_SERIALIZABLE. */
  serialized (codec: Codec = this.#context.codec): string | Buffer {
    return codec.serialize(this.#values.record)
  }

  /** What `console.log` shows: no value. `this` is the proxy then, which has the public names alone. */
  [inspect.custom] (): string {
    return `Session ${inspect({ id: this.info.id, keys: Object.keys(this.data()) })}`
  }

  get #givenSettings (): OwnSettings {
    return this.#given === NOTHING_GIVEN ? NO_SETTINGS : withGiven(NO_SETTINGS, this.#given)
  }

  /** Another session from here on, with these of the values. */
  #beginAnother (keep: readonly string[]): void {
    this.#takeMeta(freshMeta(this.#context.now(), this.#givenSettings))
    this.#values = this.#values.pick(keep)
    this.#isDeleted = false
  }

  #reissue (createdAtMs: number): void {
    this.#takeMeta(reissued(this.#meta, this.opened, createdAtMs))
    this.#isWritten = true
  }

  #takeMeta (meta: SessionMeta): void {
    this.#meta = meta
    this.#nextId = null
  }
}
