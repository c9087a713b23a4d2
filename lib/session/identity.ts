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
  #named: { readonly id: string } | null

  /** @param named what has its id; null for one that is to be drawn */
  constructor (named: { readonly id: string } | null, { createdAtMs, authenticatedAtMs, renewedAtMs }: SessionTimes) {
    this.#named = named
    this.createdAtMs = createdAtMs
    this.authenticatedAtMs = authenticatedAtMs
    this.renewedAtMs = renewedAtMs
  }

  static begin (nowMs: number): Identity {
    return new Identity(null, { createdAtMs: nowMs, authenticatedAtMs: nowMs, renewedAtMs: nowMs })
  }

  static of (opened: OpenedSession): Identity {
    const { envelope, authenticatedAtMs, renewedAtMs } = opened
    return new Identity(envelope, { createdAtMs: envelope.createdAtMs, authenticatedAtMs, renewedAtMs })
  }

  /** 128 random bits, as 32 hex digits. */
  get id (): string {
    this.#named ??= { id: newSessionId() }
    return this.#named.id
  }

  /** It goes on under the id under which it was sealed. */
  isOf ({ envelope }: OpenedSession): boolean {
    return this.#named === envelope || this.id === envelope.id
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
    return new Identity(this.#named ?? this, { createdAtMs, authenticatedAtMs, renewedAtMs: Math.max(nowMs, this.renewedAtMs) })
  }

  /** Begun later than was thought: a cut-off came in between. */
  begunAt (createdAtMs: number): Identity {
    if (createdAtMs === this.createdAtMs) return this
    const authenticatedAtMs = this.authenticatedAtMs === this.createdAtMs ? createdAtMs : this.authenticatedAtMs
    return new Identity(this, { createdAtMs, authenticatedAtMs, renewedAtMs: this.renewedAtMs })
  }

  /** Dated anew, without a new authentication. */
  redated (createdAtMs: number): Identity {
    return new Identity(this, { createdAtMs, authenticatedAtMs: this.authenticatedAtMs, renewedAtMs: this.renewedAtMs })
  }

  /** Under a new id, and dated anew. Nobody has shown who they are. */
  reissued (createdAtMs: number): Identity {
    return new Identity(null, { createdAtMs, authenticatedAtMs: this.authenticatedAtMs, renewedAtMs: this.renewedAtMs })
  }
}

export function newSessionId (): string {
  return randomize(Buffer.allocUnsafe(ID_BYTES)).toString('hex')
}
