import { NO_EXTENSIONS, type EnvelopeHead, type Extensions } from '../core/envelope'
import type { SessionInfo } from '../../types/session'
import { withOwnIdle, type Limits } from './expiry'
import { writeExtended } from './extensions'
import { Identity } from './identity'
import { NO_SETTINGS, type OwnSettings } from './own-settings'
import type { OpenedSession, SessionPolicy } from './policy'

/** All that is sealed of a session beside its values: which one it is, how old, whose, and under what settings. */
export class Head {
  /** As the request brought it; null where it brought none. */
  readonly opened: OpenedSession | null
  readonly #policy: SessionPolicy
  #identity: Identity
  #extensions: Extensions
  settings: OwnSettings

  constructor (policy: SessionPolicy, opened: OpenedSession | null) {
    this.opened = opened
    this.#policy = policy
    this.#identity = opened === null ? Identity.begin(policy.now()) : Identity.of(opened)
    this.#extensions = opened === null ? NO_EXTENSIONS : opened.envelope.extensions
    this.settings = opened === null ? NO_SETTINGS : opened.settings
  }

  get identity (): Identity {
    return this.#identity
  }

  get info (): SessionInfo {
    return this.#identity.info(this.limits, this.isNew)
  }

  get limits (): Limits {
    return withOwnIdle(this.#policy.limits, this.settings.idleMs)
  }

  /** No cookie holds this session yet: it was begun in this request. */
  get isNew (): boolean {
    return this.opened === null || this.#identity.id !== this.opened.envelope.id
  }

  get isRenewalDue (): boolean {
    return this.opened?.isRenewalDue === true && !this.isNew
  }

  /** It came from an old cookie, and is to be written into its own. */
  get isMoving (): boolean {
    return this.opened?.isMoved === true && !this.isNew
  }

  /** Another session from here on. */
  restart (): void {
    this.#extensions = NO_EXTENSIONS
    this.#identity = Identity.begin(this.#policy.now())
  }

  /** Goes on from then, past a cut-off that ended it under its old id. */
  reissue (createdAtMs: number): void {
    this.#identity = this.isNew ? this.#identity.begunAt(createdAtMs) : this.#identity.reissued(createdAtMs)
  }

  /** True where this subject has logged in by this session just now, and is still to be dated. */
  isLoginOf (subject: Buffer | null): boolean {
    return subject !== null && subject.length > 0 && (this.isNew || this.#isAnother(subject))
  }

  /**
   * To be sealed now.
   * @param subject hashed; null where the app does not say, and what was sealed then stays
   * @param cutOffMs of this subject, so that a login never lies before it
   */
  seal (subject: Buffer | null, cutOffMs: number): Omit<EnvelopeHead, 'customSerializer'> {
    const { issue, now } = this.#policy
    if (this.isNew) this.#identity = this.#identity.begunAt(issue(this.#identity.createdAtMs, cutOffMs))
    else if (this.isLoginOf(subject)) this.#identity = this.#identity.authenticated(issue(now(), cutOffMs))
    this.#identity = this.#identity.renewed(now())
    const { id, createdAtMs, authenticatedAtMs, renewedAtMs } = this.#identity
    const extensions = writeExtended({
      settings: this.settings,
      subject: subject ?? this.opened?.subject ?? null,
      authenticatedAtMs: authenticatedAtMs === createdAtMs ? null : authenticatedAtMs
    }, this.#extensions)
    return { id, createdAtMs, renewedAtMs, extensions }
  }

  /** Somebody else than when it was opened. Where its writer did not say who that was, nobody can tell. */
  #isAnother (subject: Buffer): boolean {
    const before = this.opened?.subject ?? null
    return before !== null && !subject.equals(before)
  }
}
