import type { EnvelopeHead } from '../core/envelope'
import type { Clock } from '../time'
import type { Codec, Decoded } from './codec'
import type { Limits } from './expiry'
import type { Head } from './head'
import type { GivenSettings, OwnSettings } from './own-settings'
import type { Session } from './session'

/** What a session needs to know of the plugin it lives in. */
export interface SessionPolicy {
  readonly limits: Limits
  readonly codec: Codec
  readonly now: Clock
  /** When a session that would have begun then is to have begun: after that cut-off, and after all that this process made. */
  readonly issue: (begunAtMs: number, cutOffMs: number) => number
  /** Who is logged in by these values, hashed; empty for nobody. Null where the app does not say what a subject is. */
  readonly subjectOf: ((session: Session) => Buffer) | null
  /** How a session is ended before its time. Throws FST_SESSION_INVALID_OPTION where it cannot. */
  readonly endings: () => Endings
  /**
   * The settings in cookie options. Throws FST_SESSION_INVALID_OPTION.
   * @param before what the request gave until now
   * @param current all settings of the session
   */
  readonly settingsIn: (cookieOptions: object, before: GivenSettings, current: OwnSettings) => GivenSettings
}

/** How sessions are ended that are not over by themselves. */
export interface Endings {
  /** Ends what the request brought, unless nobody is logged in by it. Rejects with FST_SESSION_STORE_UNAVAILABLE. */
  end (opened: OpenedSession): Promise<void>
  /** Throws FST_SESSION_INVALID_OPTION where the app does not say what a subject is, FST_SESSION_REQUIRED where there is none. */
  refuseWithoutOthers (subject: Buffer | null): void
  /** Ends what the request brought, which goes on under another id; false where it was over. Rejects with FST_SESSION_STORE_UNAVAILABLE. */
  endIfGood (opened: OpenedSession): Promise<boolean>
  /**
   * Ends all others of this subject, and resolves to the time from which the session goes on; null where it was ended meanwhile.
   * Rejects with FST_SESSION_STORE_UNAVAILABLE.
   */
  endOthers (head: Head, subject: Buffer): Promise<number | null>
}

/** Told of what happens to a session, by the session. */
export interface Watcher {
  /** Throws FST_SESSION_COMMITTED where a change could no longer reach the browser. */
  beforeChange (): void
  /** An object left the session's hands for the first time: it may be changed in place, and nobody will tell. */
  handedOut (): void
}

/** For sessions outside any request: nothing is ever committed there, so a change is never too late. */
export const UNWATCHED: Watcher = { beforeChange () {}, handedOut () {} }

/** A session that was sealed before, opened: its envelope, and what the envelope's extensions and data mean. */
export interface OpenedSession {
  readonly envelope: EnvelopeHead
  readonly settings: OwnSettings
  /** The settings of every cookie of this name that opened, this one's among them. */
  readonly formerSettings: readonly OwnSettings[]
  readonly decoded: Decoded
  readonly codec: Codec
  /** Who was logged in when it was sealed, hashed; empty for nobody, null where the writer did not say. */
  readonly subject: Buffer | null
  /** What the absolute limit counts from. */
  readonly authenticatedAtMs: number
  /** The later of the envelope's own time and the stamp's. */
  readonly renewedAtMs: number
  /** When the revocation store was last asked, as the stamp says; 0 where none does. */
  readonly checkedAtMs: number
  /** A use of the session now should be recorded in a stamp. */
  readonly isRenewalDue: boolean
  /** It came from an old cookie, and is to be written into its own now. */
  readonly isMoved: boolean
  /** Nothing says when it began: the times above are those of its being read. */
  readonly isUndated: boolean
}
