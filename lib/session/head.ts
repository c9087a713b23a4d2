import { NO_EXTENSIONS, type Envelope, type Extensions } from '../core/envelope'
import type { SessionInfo } from '../../types/session'
import { isSame } from './codec'
import { withOwnLimits, type Limits } from './expiry'
import { writeExtended } from './extensions'
import { Identity } from './identity'
import { areSame, NO_SETTINGS, NOTHING_GIVEN, withGiven, type GivenSettings, type OwnSettings } from './own-settings'
import type { OpenedSession, SessionPolicy } from './policy'

/** All that is sealed of a session beside its values: which one it is, how old, whose, and under what settings. */
export class Head {
  /** As the request brought it; null where it brought none. */
  readonly opened: OpenedSession | null
  readonly #policy: SessionPolicy
  #identity: Identity
  #extensions: Extensions
  #isReissued = false
  #settings: OwnSettings
  /** Those settings that this request gave. A new authentication resets all others. */
  #given: GivenSettings = NOTHING_GIVEN
  /** Another session than the one that the request brought. Whatever else holds that one must go. */
  isAnother = false
  /** It is new, and goes on with the login of the one that the request brought: it must not if that one was over. */
  isCarried = false
  /** This request has ended the one that it brought, in the store. That one was good until then, or this one is deleted. */
  isOpenedEnded = false

  constructor (policy: SessionPolicy, opened: OpenedSession | null) {
    this.opened = opened
    this.#policy = policy
    this.#identity = opened === null ? Identity.begin(policy.now()) : Identity.of(opened)
    this.#extensions = opened === null ? NO_EXTENSIONS : opened.envelope.extensions
    this.#settings = opened === null ? NO_SETTINGS : opened.settings
  }

  get settings (): OwnSettings {
    return this.#settings
  }

  get identity (): Identity {
    return this.#identity
  }

  get info (): SessionInfo {
    return this.#identity.info(this.limits, this.isNew)
  }

  get limits (): Limits {
    return withOwnLimits(this.#policy.limits, this.settings)
  }

  /** No cookie holds this session yet: it was begun in this request. */
  get isNew (): boolean {
    return this.opened === null || !this.#identity.isOf(this.opened)
  }

  /** It goes on past a cut-off under a new id, without a new authentication: a later cut-off is meant for it as well. */
  get isReissued (): boolean {
    return this.#isReissued
  }

  /** Who is logged in by it was logged in by the one that the request brought. */
  get owesLogin (): boolean {
    if (this.isNew) return this.isCarried
    return this.opened?.subject?.length !== 0
  }

  get isRenewalDue (): boolean {
    return this.opened?.isRenewalDue === true && !this.isNew
  }

  /** It came from an old cookie, and is to be written into its own. */
  get isMoving (): boolean {
    return this.opened?.isMoved === true && !this.isNew
  }

  /** The session's settings with these cookie options. Throws FST_SESSION_INVALID_OPTION. */
  withOptions (cookieOptions: object): { settings: OwnSettings, given: GivenSettings } {
    const given = withGiven(this.#given, this.#policy.settingsIn(cookieOptions, this.#given, this.#settings))
    const settings = withGiven(this.#settings, given)
    return { given, settings: areSame(settings, this.#settings) ? this.#settings : settings }
  }

  take ({ settings, given }: { settings: OwnSettings, given: GivenSettings }): void {
    this.#settings = settings
    this.#given = given
  }

  /** As configured again. */
  dropSettings (): void {
    this.take({ settings: NO_SETTINGS, given: NOTHING_GIVEN })
  }

  /** Another session from here on. */
  restart (): void {
    this.#resetSettings()
    this.#extensions = NO_EXTENSIONS
    this.#identity = Identity.begin(this.#policy.now())
    this.#isReissued = false
    this.isAnother = true
    this.isCarried = false
  }

  /** Goes on from then, past a cut-off that ended it under its old id. */
  reissue (createdAtMs: number): void {
    this.isCarried = this.owesLogin
    if (!this.isNew) {
      this.#identity = this.#identity.reissued(createdAtMs)
      this.#isReissued = true
    } else {
      this.#identity = this.#isReissued ? this.#identity.redated(createdAtMs) : this.#identity.begunAt(createdAtMs)
    }
    this.isAnother = true
  }

  /**
   * Goes on under another id where it has become somebody else's: a stamp vouches for an id. From nobody's it is a login. From
   * another's it proves nothing, for there are ways to act for others, and back. Where the writer did not say whose it was, nobody can tell.
   * The settings that the request brought are those of the subject before, and so is what this version does not know.
   */
  follow (subject: Buffer | null): Buffer | null {
    const before = this.opened?.subject ?? null
    const isBegunHere = this.isNew && !this.#isReissued
    if (before === null || subject === null || isBegunHere || subject.equals(before)) return subject
    const nowMs = this.#policy.now()
    this.#isReissued = false
    this.isCarried = isSomebody(before)
    this.#identity = this.isCarried ? this.#identity.reissued(nowMs) : Identity.begin(nowMs)
    this.isAnother = true
    this.#extensions = NO_EXTENSIONS
    this.#resetSettings()
    return subject
  }

  /** True where this subject logs in by this session, which is still to be dated. */
  isLoginOf (subject: Buffer | null): boolean {
    return isSomebody(subject) && this.isNew && !this.#isReissued
  }

  /**
   * To be sealed now.
   * @param subject hashed; null where the app does not say
   * @param cutOffMs of this subject, so that a login never lies before it
   */
  seal (subject: Buffer | null, cutOffMs: number, customSerializer: boolean, data: string | Buffer): Envelope {
    const { issue, now } = this.#policy
    if (this.isNew && !this.#isReissued) this.#identity = this.#identity.begunAt(issue(this.#identity.createdAtMs, cutOffMs))
    this.#identity = this.#identity.renewed(now())
    const { id, createdAtMs, authenticatedAtMs, renewedAtMs } = this.#identity
    const extensions = writeExtended({
      settings: this.settings,
      subject: subject ?? this.#subjectAsSealed(data),
      authenticatedAtMs: authenticatedAtMs === createdAtMs ? null : authenticatedAtMs
    }, this.#extensions)
    return { id, createdAtMs, renewedAtMs, extensions, customSerializer, data }
  }

  /**
   * What another app sealed of the subject, for an app that does not say who it is. With other data it may be another
   * user: then nothing, which a reader takes as not known.
   */
  #subjectAsSealed (data: string | Buffer): Buffer | null {
    const { opened } = this
    if (opened === null || opened.subject === null || this.isNew) return null
    return isSame(data, opened.decoded.source) ? opened.subject : null
  }

  /** What one user chose, such as to be remembered, is not for the next user of the same browser. */
  #resetSettings (): void {
    this.#settings = this.#given === NOTHING_GIVEN ? NO_SETTINGS : withGiven(NO_SETTINGS, this.#given)
  }
}

/** A subject, hashed; empty for nobody. */
export function isSomebody (subject: Buffer | null): subject is Buffer {
  return subject !== null && subject.length > 0
}
