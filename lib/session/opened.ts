import type { Extensions } from '../core/envelope'
import type { BindingState } from '../bound/status'
import type { Codec, SessionRecord } from './codec'
import type { SessionTimes } from './expiry'
import type { SessionId } from './session-id'
import type { OwnSettings } from './settings'

/** A session as a cookie brought it. Never changed. */
export interface OpenedSession extends SessionTimes {
  readonly id: SessionId
  /** When the data cookie was sealed. `renewedAtMs` is later where a stamp says so. */
  readonly sealedAtMs: number
  /** When the revocation store was last asked, as the stamp says; 0 without a stamp. */
  readonly checkedAtMs: number
  /** The subject when it was sealed, hashed; empty for anonymous, null where the writer did not say. */
  readonly subject: Buffer | null
  readonly settings: OwnSettings
  /** The mark: random bytes that tie the session to its pass and proofs. Null for a session that needs neither. */
  readonly mark: Buffer | null
  /** What the cookies beside it say of its mark; null without a mark. */
  readonly binding: BindingState | null
  readonly extensions: Extensions
  readonly data: OpenedData
  /** A use of the session now renews it. */
  readonly isRenewalDue: boolean
  /** It was in a legacy cookie. */
  readonly isLegacy: boolean
  /** Nothing says when it began: its times are those of this request. */
  readonly isUndated: boolean
  /** The settings of every session that this request brought in cookies of this name. */
  readonly cookieSettings: readonly OwnSettings[]
}

/** Strings, numbers, booleans and nulls, by their keys. */
export type PlainValues = Map<string, unknown>

/** The data of an opened session: serialized, and parsed when it is needed. */
export class OpenedData {
  readonly serialized: string | Buffer
  readonly codec: Codec
  #parsed: SessionRecord | null
  readonly #plain: PlainValues | null

  /**
   * @param parsed what the text was parsed to, if it was; handed out once
   * @param plain shared by all requests with this token, and filled when the first of them parses the text; null where
   * nothing is shared
   */
  constructor (
    serialized: string | Buffer, codec: Codec, parsed: SessionRecord | null, plain: PlainValues | null = null
  ) {
    this.serialized = serialized
    this.codec = codec
    this.#parsed = parsed
    this.#plain = plain
  }

  /** A plain value, without parsing. Undefined where that is not possible, or the key has no plain value. */
  plain (key: string): unknown {
    return this.#plain?.get(key)
  }

  /** The data, a record of its own for each caller. Empty where a custom deserializer fails the second time. */
  freshRecord (): SessionRecord {
    const parsed = this.#parsed ?? this.codec.parse(this.serialized) ?? {}
    this.#parsed = null
    if (this.#plain?.size === 0) keepPlain(parsed, this.#plain)
    return parsed
  }
}

function keepPlain (record: SessionRecord, plain: PlainValues): void {
  for (const key of Object.keys(record)) {
    const value = record[key]
    if (typeof value !== 'object' || value === null) plain.set(key, value)
  }
}
