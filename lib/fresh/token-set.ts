import { createHash } from 'node:crypto'
import { describe, invalid, isObject } from '../checks'
import { jsonCodec } from '../session/codec'

/** Tokens of one grant, checked. They do not change. */
export interface TokenSet {
  /** A hash of the tokens. */
  readonly name: string
  readonly accessToken: string
  /** Null where the provider gave none. */
  readonly refreshToken: string | null
  readonly expiresAtMs: number
  /** All of it, with the app's own fields. Each session gets its own copy. */
  readonly json: string
}

/** A time before this one, in March 1973, is a time in seconds. */
const EARLIEST_MS = 1e11
/** The JSON of the tokens is between these. */
const JSON_FROM = '{"tokens":'.length
const WANTED = '{ accessToken: string, refreshToken?: string, expiresAt: milliseconds since 1970 }'

/**
 * @param scope what the hash is for, so that equal tokens under two keys differ
 * @param where the beginning of the message
 * Throws FST_SESSION_INVALID_OPTION, FST_SESSION_NOT_SERIALIZABLE.
 */
export function tokenSetOf (tokens: unknown, scope: string, where: string): TokenSet {
  if (!isObject(tokens)) throw invalid(`${where} ${WANTED}; found ${describe(tokens)}`)
  const { accessToken, refreshToken, expiresAt } = tokens
  if (!isText(accessToken)) throw invalid(`${where} ${WANTED}; found as accessToken ${describe(accessToken)}`)
  if (refreshToken != null && !isText(refreshToken)) {
    throw invalid(`${where} ${WANTED}; found as refreshToken ${describe(refreshToken)}`)
  }
  if (typeof expiresAt !== 'number' || !Number.isFinite(expiresAt) || expiresAt < EARLIEST_MS) {
    throw invalid(`${where} ${WANTED}; found as expiresAt ${describe(expiresAt)}`)
  }
  const json = (jsonCodec.serialize({ tokens }) as string).slice(JSON_FROM, -1)
  const hash = createHash('sha256').update(JSON.stringify([scope, accessToken, refreshToken ?? '', expiresAt]))
  const name = hash.digest('base64url')
  return { name, accessToken, refreshToken: refreshToken ?? null, expiresAtMs: expiresAt, json }
}

/** What `refresh` resolved to. If it has no refresh token, the one before is kept: RFC 6749 section 6. */
export function refreshedSetOf (result: unknown, scope: string, before: TokenSet): TokenSet {
  const kept = isObject(result) && result['refreshToken'] == null
    ? { ...result, refreshToken: before.refreshToken }
    : result
  return tokenSetOf(kept, scope, 'freshTokens(): "refresh" must resolve to null or')
}

function isText (value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
