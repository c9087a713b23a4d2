import { randomize } from '../core/aead'
import { ID_BYTES } from '../core/format'
import type { SessionInfo } from '../../types/session'
import { expiresAtMs, type Limits, type SessionTimes } from './expiry'
import type { OpenedSession } from './policy'

/** Which session this is and how old. The id is drawn when it is first asked for: most strangers' sessions need none. */
export class Identity implements SessionTimes {
  readonly createdAtMs: number
  readonly authenticatedAtMs: number
  readonly renewedAtMs: number
  #id: string | null

  constructor (id: string | null, { createdAtMs, authenticatedAtMs, renewedAtMs }: SessionTimes) {
    this.#id = id
    this.createdAtMs = createdAtMs
    this.authenticatedAtMs = authenticatedAtMs
    this.renewedAtMs = renewedAtMs
  }

  static begin (nowMs: number): Identity {
    return new Identity(null, { createdAtMs: nowMs, authenticatedAtMs: nowMs, renewedAtMs: nowMs })
  }

  static of (opened: OpenedSession): Identity {
    const { envelope: { id, createdAtMs }, authenticatedAtMs, renewedAtMs } = opened
    return new Identity(id, { createdAtMs, authenticatedAtMs, renewedAtMs })
  }

  /** 128 random bits, as 32 hex digits. */
  get id (): string {
    this.#id ??= newSessionId()
    return this.#id
  }

  info (limits: Limits, isNew: boolean): SessionInfo {
    const { id, createdAtMs, authenticatedAtMs, renewedAtMs } = this
    return Object.freeze({
      id,
      createdAt: createdAtMs,
      authenticatedAt: authenticatedAtMs,
      renewedAt: renewedAtMs,
      expiresAt: expiresAtMs(authenticatedAtMs, renewedAtMs, limits),
      isNew
    })
  }

  /** A clock that runs behind another machine's never turns the time back. */
  renewed (nowMs: number): Identity {
    const { createdAtMs, authenticatedAtMs } = this
    return new Identity(this.id, { createdAtMs, authenticatedAtMs, renewedAtMs: Math.max(nowMs, this.renewedAtMs) })
  }

  /** Begun later than was thought: a cut-off came in between. */
  begunAt (createdAtMs: number): Identity {
    if (createdAtMs === this.createdAtMs) return this
    const authenticatedAtMs = this.authenticatedAtMs === this.createdAtMs ? createdAtMs : this.authenticatedAtMs
    return new Identity(this.id, { ...this, createdAtMs, authenticatedAtMs })
  }

  /** Under a new id, and dated anew. Nobody has shown who they are. */
  reissued (createdAtMs: number): Identity {
    return new Identity(null, { ...this, createdAtMs })
  }
}

export function newSessionId (): string {
  return randomize(Buffer.allocUnsafe(ID_BYTES)).toString('hex')
}
