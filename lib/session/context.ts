import { invalid } from '../checks'
import type { Clock } from '../time'
import type { Transport } from '../../types/session'
import type { Codec } from './codec'
import type { Limits } from './expiry'
import type { SessionMeta } from './meta'
import type { OpenedSession } from './opened'
import type { GivenSettings, OwnSettings } from './settings'

/** What a session needs of the plugin. */
export interface SessionContext {
  readonly limits: Limits
  /** Writes sessions. */
  readonly codec: Codec
  readonly now: Clock
  /** The subject of a session, hashed; empty for anonymous. Null where the app has no option `subject`. */
  readonly subjectOf: ((session: object) => Buffer) | null
  /** Throws FST_SESSION_INVALID_OPTION without the option `revocation`. */
  readonly revoker: () => SessionRevoker
  /**
   * The settings in the options of `session.options()`. Throws FST_SESSION_INVALID_OPTION.
   * @param before what this request gave until now
   * @param current all settings of the session
   */
  readonly settingsIn: (options: object, before: GivenSettings, current: OwnSettings) => GivenSettings
  /** For a session with a mark. Throws FST_SESSION_INVALID_OPTION for settings with which its pass is not sent. */
  readonly refuseSettingsThatUnbind: (settings: OwnSettings) => void
}

/** Revokes sessions in the store. All of its promises reject with FST_SESSION_STORE_UNAVAILABLE. */
export interface SessionRevoker {
  /** Revokes the session that the request brought, unless it is anonymous. */
  revoke: (opened: OpenedSession) => Promise<void>
  /**
   * Revokes the session that the request brought and that goes on under another id. False where it was revoked before.
   */
  revokeReissued: (opened: OpenedSession) => Promise<boolean>
  /** Throws FST_SESSION_INVALID_OPTION without the option `subject`, FST_SESSION_REQUIRED for an anonymous session. */
  requireUser: (subject: Buffer | null) => asserts subject is Buffer
  /**
   * Revokes all sessions of a subject. Resolves to the time from which this session goes on; null where it was revoked
   * meanwhile.
   */
  revokeOthers: (opened: OpenedSession | null, meta: SessionMeta, subject: Buffer) => Promise<number | null>
}

/** The callbacks of a session. */
export interface SessionObserver {
  /** Throws FST_SESSION_COMMITTED where a change could no longer reach the browser. */
  beforeChange: () => void
  /**
   * The URL that hands the session over; null where the request is no part of a flow. Throws
   * FST_SESSION_INVALID_OPTION, FST_SESSION_NOT_SERIALIZABLE, FST_SESSION_TOO_LARGE.
   */
  handOver: (options: unknown) => Promise<string | null>
  /** The first object was handed out. It may be changed in place, without another call. */
  mayBeMutated: () => void
  /** In what the reply writes the session; null where there is no reply. */
  readonly transport: Transport | null
  /** The app gives a new session to the client in this. Throws FST_SESSION_TRANSPORT, FST_SESSION_COMMITTED. */
  useTransport: (transport: Transport) => void
}

/** For a session without a request. */
export const NO_OBSERVER: SessionObserver = {
  beforeChange () {},
  mayBeMutated () {},
  handOver () {
    throw invalid('session.handOver() needs the request of a browser; this session is of no request')
  },
  transport: null,
  useTransport () {}
}
