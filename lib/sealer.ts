import type { Duration, KeyInput, KeyInputs, Serializer } from '../types/sealing'
import { LATEST_MS } from './core/bytes'
import { NO_EXTENSIONS } from './core/envelope'
import { NOT_SPLIT } from './core/format'
import { MALFORMED, type RefusalReason } from './core/refusal'
import { keysBytes } from './keyring/key-material'
import { fixedTerms, Keyring } from './keyring/keyring'
import { describe, invalid, isObject, refuseUnknown } from './checks'
import { resolveSealing, SEALING_NAMES } from './options/sealing'
import type { Codec, SessionRecord } from './session/codec'
import { expiresAtMs, withOwnLimits } from './session/expiry'
import { SessionId } from './session/session-id'
import { countParts, NOT_STAMPED, openSession, sealingWith, sealSession } from './session/sealing'
import { refuseUnwritable } from './session/serializable'
import { Values } from './session/values'

/** Sealed cookies without Fastify: for another framework, a worker, a script, a test. */

export type { Duration, KeyInput, KeyInputs, RefusalReason, Serializer }

export interface SealerOptions {
  /** The key, or keys: the first seals, all open. */
  key: KeyInputs | undefined
  /** The name of the cookie: a token opens under the name it was sealed for, and no other. Default `'session'`. */
  cookieName?: string | undefined
  /** A session not sealed again for this long is over. Default `'1d'`. */
  idle?: Duration | undefined
  /** A session older than this is over. Default: the longer of `'30d'` and `idle`. */
  absolute?: Duration | undefined
  /** Pad the plaintext to a multiple of this many bytes. Default 0: none. */
  padTo?: number | undefined
  /** Default: JSON. */
  serializer?: Serializer | undefined
  /** Milliseconds since 1970. Default: the clock of the machine. */
  now?: (() => number) | undefined
}

/** Who and how old a session is; times in milliseconds since 1970. */
export interface SealedInfo {
  /** 32 hex digits. */
  readonly id: string
  readonly createdAt: number
  readonly renewedAt: number
  readonly expiresAt: number
}

export type Opened =
  | { readonly ok: true, readonly data: Record<string, unknown>, readonly info: SealedInfo }
  | { readonly ok: false, readonly reason: RefusalReason }

export interface Sealer {
  /**
   * A token for this data. With the `info` of an opened session it goes on as that session: same id, same age. An idle
   * limit of its own, which only the plugin gives a session, is not carried over. Name, token and 128 bytes of
   * attributes make a Set-Cookie line of 4,093 bytes at most, which all browsers keep.
   * Throws FST_SESSION_NOT_SERIALIZABLE, FST_SESSION_TOO_LARGE.
   */
  seal (data: Record<string, unknown>, info?: Pick<SealedInfo, 'id' | 'createdAt'>): string
  /**
   * What is in a token, or why it does not open; of one that was split, in the cookies' texts put together. Never
   * throws for what a stranger may send.
   */
  open (token: string): Opened
}

/** What a token leaves of a Set-Cookie line of 4,093 bytes for the attributes, which the caller writes. */
const ATTRIBUTES_BYTES = 128

/** Throws FST_SESSION_INVALID_OPTION, FST_SESSION_INVALID_KEY. */
export function createSealer (options: SealerOptions): Sealer {
  if (!isObject(options)) throw invalid(`createSealer() takes an object; found ${describe(options)}`)
  refuseUnknown(options, [...SEALING_NAMES, 'key', 'now'], 'option')
  const rules = resolveSealing(options, 'session')
  const keyring = new Keyring(fixedTerms(keysBytes(options.key)))
  const writing = { maxCookies: NOT_SPLIT, attributesBytes: ATTRIBUTES_BYTES, tokenCache: 0 }
  const sealing = sealingWith({ ...rules, ...writing }, keyring.tokenKeys('cookie', rules.cookieName))
  const now = options.now ?? (() => Date.now())
  if (typeof now !== 'function') throw invalid(`option "now" must be a function; found ${describe(now)}`)

  return {
    seal (data, info) {
      const nowMs = now()
      const record = recordOf(data, sealing.codec)
      const { id, createdAtMs } = info === undefined ? { id: new SessionId().bytes, createdAtMs: nowMs } : continued(info)
      const envelope = {
        id,
        createdAtMs,
        renewedAtMs: nowMs,
        extensions: NO_EXTENSIONS,
        customSerializer: sealing.codec.custom,
        data: sealing.codec.serialize(record)
      }
      return sealSession(envelope, sealing, countParts(envelope, sealing, ATTRIBUTES_BYTES, () => record), nowMs)
    },
    open (token) {
      const opened = typeof token === 'string' ? openSession(token, sealing, now(), () => NOT_STAMPED) : MALFORMED
      if ('ok' in opened) return opened
      const { id, createdAtMs, authenticatedAtMs, renewedAtMs, settings, data } = opened
      const expiresAt = expiresAtMs(authenticatedAtMs, renewedAtMs, withOwnLimits(sealing.limits, settings))
      return { ok: true, data: data.take(), info: { id: id.text, createdAt: createdAtMs, renewedAt: renewedAtMs, expiresAt } }
    }
  }
}

function recordOf (data: unknown, { custom }: Codec): SessionRecord {
  if (!isObject(data)) throw invalid(`seal() takes an object; found ${describe(data)}`)
  const values = new Values(null)
  for (const [key, value] of Object.entries(data)) {
    if (!custom) refuseUnwritable(key, value)
    values.set(key, value)
  }
  return values.record
}

/** Each field is read once: what was checked is what is sealed. */
function continued (info: unknown): { id: Buffer, createdAtMs: number } {
  const { id, createdAt } = isObject(info) ? info : {}
  if (typeof id === 'string' && /^[0-9a-f]{32}$/.test(id) && isTime(createdAt)) {
    return { id: Buffer.from(id, 'hex'), createdAtMs: createdAt }
  }
  throw invalid('seal() takes the info of an opened session: an id of 32 hex digits, and createdAt in milliseconds')
}

function isTime (value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < LATEST_MS
}
