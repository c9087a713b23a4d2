import { randomize } from '../core/aead'
import { ID_BYTES } from '../core/format'
import type { SessionInfo } from '../../types/session'
import { expiresAtMs, type Limits } from './expiry'
import type { OpenedSession } from './policy'

/** Which session this is and how old. The id is drawn when it is first asked for: most strangers' sessions need none. */
export class Identity {
  readonly createdAtMs: number
  readonly renewedAtMs: number
  #id: string | null

  constructor (id: string | null, createdAtMs: number, renewedAtMs: number) {
    this.#id = id
    this.createdAtMs = createdAtMs
    this.renewedAtMs = renewedAtMs
  }

  static begin (nowMs: number): Identity {
    return new Identity(null, nowMs, nowMs)
  }

  static of ({ envelope, renewedAtMs }: OpenedSession): Identity {
    return new Identity(envelope.id, envelope.createdAtMs, renewedAtMs)
  }

  /** 128 random bits, as 32 hex digits. */
  get id (): string {
    this.#id ??= newSessionId()
    return this.#id
  }

  info (limits: Limits, isNew: boolean): SessionInfo {
    const { id, createdAtMs, renewedAtMs } = this
    return Object.freeze({ id, createdAt: createdAtMs, renewedAt: renewedAtMs, expiresAt: expiresAtMs(createdAtMs, renewedAtMs, limits), isNew })
  }

  /** A clock that runs behind another machine's never turns the time back. */
  renewed (nowMs: number): Identity {
    return new Identity(this.id, this.createdAtMs, Math.max(nowMs, this.renewedAtMs))
  }
}

export function newSessionId (): string {
  return randomize(Buffer.allocUnsafe(ID_BYTES)).toString('hex')
}
