import type { Duration, KeyInput, KeyInputs, Serializer } from '../types/sealing'
import { LATEST_MS } from './core/bytes'
import { NO_EXTENSIONS } from './core/envelope'
import { NOT_SPLIT } from './core/format'
import { MALFORMED, type RefusalReason } from './core/refusal'
import { keysBytes } from './keyring/key-material'
import { fixedTerms, Keyring } from './keyring/keyring'
import { isTenantId, TENANT_ID_CHARACTERS, TenantKeys } from './keyring/tenant-keys'
import { describe, invalid, isObject, refuseUnknown } from './checks'
import { resolveSealing, SEALING_NAMES } from './options/sealing'
import type { Codec, SessionRecord } from './session/codec'
import { expiresAtMs, withOwnLimits } from './session/expiry'
import { SessionId } from './session/session-id'
import { countParts, NO_RELATED_COOKIES, openSession, sealingWith, sealSession } from './session/sealing'
import { refuseUnwritable } from './session/serializable'
import { Values } from './session/values'

/** Sealed cookies without Fastify: for another framework, a worker, a script or a test. */

export type { Duration, KeyInput, KeyInputs, RefusalReason, Serializer }

/** The options of `createSealer`. Durations are in seconds, or text with a unit such as `'15m'`. */
export interface SealerOptions {
  /**
   * The key, or keys: the first seals, all open.
   * @example
   * createSealer({ key: process.env['SESSION_KEY'] })
   */
  key: KeyInputs | undefined
  /**
   * The name of the cookie. A token opens only under the name that it was sealed for.
   * @default 'session'
   * @example
   * createSealer({ key, cookieName: '__Host-session' })
   */
  cookieName?: string | undefined
  /**
   * The tenant that the sessions belong to, as the option `tenant` of the plugin returns it. A token opens only with
   * the tenant that it was sealed for.
   * @default no tenant
   * @example
   * createSealer({ key, tenant: 'acme' })
   */
  tenant?: string | undefined
  /**
   * A session that was not sealed again for this long has expired.
   * @default '1d'
   * @example
   * createSealer({ key, idle: '8h' })
   */
  idle?: Duration | undefined
  /**
   * A session older than this has expired.
   * @default the longer of '30d' and `idle`
   * @example
   * createSealer({ key, absolute: '7d' })
   */
  absolute?: Duration | undefined
  /**
   * Pad the plaintext to a multiple of this many bytes, at most 2048.
   * @default 0: no padding
   * @example
   * createSealer({ key, padTo: 256 })
   */
  padTo?: number | undefined
  /**
   * Writes and reads the values.
   * @default JSON
   * @example
   * createSealer({ key, serializer: { serialize, deserialize } })
   */
  serializer?: Serializer | undefined
  /**
   * Returns the current time in milliseconds since 1970.
   * @default Date.now
   * @example
   * createSealer({ key, now: () => clock.nowMs })
   */
  now?: (() => number) | undefined
}

/** The id and the times of a session. Times are in milliseconds since 1970. */
export interface SealedInfo {
  /** 32 hex digits. */
  readonly id: string
  /** When the session was created. */
  readonly createdAt: number
  /** When it was last sealed or renewed. */
  readonly renewedAt: number
  /** When it expires if it is not sealed again. */
  readonly expiresAt: number
}

/** The result of `open`: the values, or the reason of the refusal. */
export type Opened =
  | { readonly ok: true, readonly data: Record<string, unknown>, readonly info: SealedInfo }
  | { readonly ok: false, readonly reason: RefusalReason }

/** Seals and opens tokens. `createSealer` makes it. */
export interface Sealer {
  /**
   * Seals data into a token. The cookie name, the token and 128 bytes of attributes fit in a Set-Cookie line of 4,093
   * bytes, which all browsers accept (RFC 6265 section 6.1).
   * @param data the values of the session
   * @param info of an opened session: the token then continues it, with the same id and creation time. An idle limit
   * that the plugin gave to one session is not kept. Default: a new session
   * @returns the token, for use as a cookie value
   * @throws {FST_SESSION_NOT_SERIALIZABLE} if a value cannot be serialized
   * @throws {FST_SESSION_TOO_LARGE} if the token does not fit in a cookie
   * @throws {FST_SESSION_INVALID_OPTION} if `data` is not an object, or `info` is not of an opened session
   */
  seal (data: Record<string, unknown>, info?: Pick<SealedInfo, 'id' | 'createdAt'>): string
  /**
   * Opens a token. Never throws for a value that a client can send.
   * @param token the value of a cookie; of a split session, the values of its cookies joined
   * @returns the values and the info of the session, or the reason of the refusal
   */
  open (token: string): Opened
}

/** Bytes of a Set-Cookie line that are reserved for the attributes, which the caller writes. */
const ATTRIBUTES_BYTES = 128

/**
 * Creates a sealer: seals and opens session cookies without Fastify. Create it once: it keeps keys in guarded memory.
 * @throws {FST_SESSION_INVALID_OPTION} if an option is unknown or wrong
 * @throws {FST_SESSION_INVALID_KEY} if a key is not 32 bytes
 * @throws {FST_SESSION_NO_GUARDED_MEMORY} if the process already holds too many keys
 * @example
 * const sealer = createSealer({ key: process.env['SESSION_KEY'] })
 * const token = sealer.seal({ user: 42 })
 * const opened = sealer.open(token)
 * if (opened.ok) console.log(opened.data['user'], opened.info.expiresAt)
 */
export function createSealer (options: SealerOptions): Sealer {
  if (!isObject(options)) throw invalid(`createSealer() takes an object; found ${describe(options)}`)
  refuseUnknown(options, [...SEALING_NAMES, 'key', 'tenant', 'now'], 'option')
  const rules = resolveSealing(options, 'session')
  const ring = new Keyring(fixedTerms(keysBytes(options.key)))
  const keyring = options.tenant === undefined ? ring : new TenantKeys(ring, checkTenant(options.tenant))
  const writing = { maxCookies: NOT_SPLIT, attributesBytes: ATTRIBUTES_BYTES, tokenCache: 0 }
  const sealing = sealingWith({ ...rules, ...writing }, keyring.tokenKeys('cookie', rules.cookieName))
  const now = options.now ?? (() => Date.now())
  if (typeof now !== 'function') throw invalid(`option "now" must be a function; found ${describe(now)}`)

  return {
    seal (data, info) {
      const nowMs = now()
      const record = recordOf(data, sealing.codec)
      const { id, createdAtMs } = continued(info, nowMs)
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
      const opened = typeof token === 'string' ? openSession(token, sealing, now(), NO_RELATED_COOKIES) : MALFORMED
      if ('ok' in opened) return opened
      const { id, createdAtMs, authenticatedAtMs, renewedAtMs, settings, data } = opened
      const expiresAt = expiresAtMs(authenticatedAtMs, renewedAtMs, withOwnLimits(sealing.limits, settings))
      const info = { id: id.text, createdAt: createdAtMs, renewedAt: renewedAtMs, expiresAt }
      return { ok: true, data: data.freshRecord(), info }
    }
  }
}

function checkTenant (tenant: unknown): string {
  if (isTenantId(tenant)) return tenant
  throw invalid(`option "tenant" must be ${TENANT_ID_CHARACTERS}; found ${describe(tenant)}`)
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

/** The id and the creation time to seal. Each field of `info` is read once: the checked value is the sealed value. */
function continued (info: unknown, nowMs: number): { id: Buffer, createdAtMs: number } {
  if (info === undefined) return { id: new SessionId().bytes, createdAtMs: nowMs }
  const { id, createdAt } = isObject(info) ? info : {}
  if (typeof id === 'string' && /^[0-9a-f]{32}$/.test(id) && isTime(createdAt)) {
    return { id: Buffer.from(id, 'hex'), createdAtMs: createdAt }
  }
  throw invalid('seal() takes the info of an opened session: an id of 32 hex digits, and createdAt in milliseconds')
}

function isTime (value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < LATEST_MS
}
