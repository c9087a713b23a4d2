import type { EnvelopeHead } from '../core/envelope'
import type { Clock } from '../time'
import type { Codec, Decoded } from './codec'
import type { Limits } from './expiry'
import type { OwnSettings } from './own-settings'

/** What a session needs to know of the plugin it lives in. */
export interface SessionPolicy {
  readonly limits: Limits
  readonly codec: Codec
  readonly now: Clock
  /** The settings with cookie options laid over them. Throws FST_SESSION_INVALID_OPTION. */
  readonly withCookieOptions: (settings: OwnSettings, options: object) => OwnSettings
}

/** Told of what happens to a session, by the session. */
export interface Watcher {
  /** Throws FST_SESSION_COMMITTED where a change could no longer reach the browser. */
  beforeChange (): void
  /** An object left the session's hands for the first time: it may be changed in place, and nobody will tell. */
  handedOut (): void
}

/** A session that was sealed before, opened: its envelope, and what the envelope's extensions and data mean. */
export interface OpenedSession {
  readonly envelope: EnvelopeHead
  readonly settings: OwnSettings
  /** The settings of every cookie of this name that opened, this one's among them. */
  readonly formerSettings: readonly OwnSettings[]
  readonly decoded: Decoded
  readonly codec: Codec
  /** The later of the envelope's own time and the stamp's. */
  readonly renewedAtMs: number
  /** A use of the session now should be recorded in a stamp. */
  readonly isRenewalDue: boolean
  /** It came from an old cookie, and is to be written into its own now. */
  readonly isMoved: boolean
}
