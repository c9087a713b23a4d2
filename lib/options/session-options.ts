import { describe, invalid, isObject } from '../checks'
import { checkRules, readAttributes, settleSecure, sound, type CookieAttributes } from '../cookies/attributes'
import type { ResolvedOptions } from './options'
import { checkRoom } from './room'
import { withGiven, type GivenSettings, type OwnSettings } from '../session/settings'
import { DAY_MS, durationMs, LONGEST_COOKIE_MS, SECOND_MS } from '../time'

type Named = Pick<ResolvedOptions, 'cookieName' | 'attributes'>

const WHERE = 'session.options()'

/** The attributes of a cookie, with those of one session laid over them. What does not hold what it may is ignored. */
export function attributesWith ({ cookieName, attributes }: Named, own: OwnSettings['attributes']): CookieAttributes {
  return settleSecure(cookieName, { ...attributes, ...sound(own) })
}

/** True where attributes that a session was given under another name of the cookie do no harm under this one. */
export function isAllowed (named: Named, own: OwnSettings['attributes']): boolean {
  try {
    checkRules(named.cookieName, attributesWith(named, own), 'an old cookie')
    return true
  } catch {
    return false
  }
}

/** What limits the settings of one session. */
export interface SettingsRules
  extends Pick<ResolvedOptions, 'cookieName' | 'attributes' | 'limits' | 'maxCookies' | 'padTo'> {
  /** No session may live longer, since revoked sessions are remembered for this long; Infinity without revocation. */
  readonly longestLifeMs: number
}

/**
 * The settings in the options that `session.options()` was given. Throws FST_SESSION_INVALID_OPTION. Whether limits are
 * refused depends on what this request gave, and not on the session that it brought: a login must not fail for some
 * browsers only.
 * @param before what this request gave until now
 * @param current all settings of the session
 */
export function settingsIn (
  rules: SettingsRules, cookieOptions: unknown, before: GivenSettings, current: OwnSettings, nowMs: number
): GivenSettings {
  if (!isObject(cookieOptions)) throw invalid(`${WHERE} takes an object; found ${describe(cookieOptions)}`)
  const { maxAgeS, expires, ...attributes } = readAttributes(cookieOptions, WHERE)
  const { persistent } = cookieOptions
  if (persistent !== undefined && typeof persistent !== 'boolean') {
    throw invalid(`${WHERE}.persistent must be true or false; found ${describe(persistent)}`)
  }
  const maxAgeMs = maxAgeS != null ? maxAgeS * SECOND_MS : expires != null ? msUntil(expires, nowMs) : undefined
  const given: GivenSettings = {
    ...(persistent === undefined ? {} : { persistent }),
    ...(Object.keys(attributes).length === 0 ? {} : { attributes }),
    ...limitsIn(rules, cookieOptions, maxAgeMs)
  }
  if ('attributes' in given) {
    for (const settings of [before, current]) {
      const own = withGiven(settings, given).attributes as OwnSettings['attributes']
      const resulting = attributesWith(rules, own)
      checkRules(rules.cookieName, resulting, WHERE)
      checkRoom(rules, resulting, own, WHERE)
    }
  }
  if (given.idleMs != null || given.absoluteMs != null) refuseContradiction(rules, withGiven(before, given))
  return given
}

function limitsIn (
  rules: SettingsRules, { idle, absolute }: Readonly<Record<string, unknown>>, maxAgeMs: number | undefined
): GivenSettings {
  if (idle !== undefined && maxAgeMs !== undefined) {
    throw invalid(`${WHERE}: "idle" and "maxAge" (or "expires") are two ways to set the idle limit: give one of them. ` +
      '"persistent" with "idle" keeps the cookie for as long as the session may live')
  }
  const absoluteMs = ownLimit(rules, absolute, 'absolute')
  const given = absoluteMs === undefined ? {} : { absoluteMs }
  const idleMs = ownLimit(rules, idle, 'idle')
  if (idleMs !== undefined) return { ...given, idleMs, maxAgeMs: null }
  if (maxAgeMs === undefined) return given
  if (maxAgeMs > rules.longestLifeMs) throw tooLong('maxAge', rules.longestLifeMs)
  const cappedMs = Math.min(maxAgeMs, LONGEST_COOKIE_MS)
  return { ...given, idleMs: cappedMs, maxAgeMs: cappedMs }
}

function ownLimit ({ longestLifeMs }: SettingsRules, limit: unknown, name: string): number | undefined {
  if (limit === undefined) return undefined
  const ms = durationMs(limit)
  if (ms === null) {
    throw invalid(`${WHERE}.${name} must be seconds above 0, or text such as "15m"; found ${describe(limit)}`)
  }
  if (ms > LONGEST_COOKIE_MS) {
    throw invalid(`${WHERE}.${name} must be ${LONGEST_COOKIE_MS / DAY_MS} days at most: ` +
      `browsers keep no cookie for longer; found ${ms / DAY_MS} days`)
  }
  if (ms > longestLifeMs) throw tooLong(name, longestLifeMs)
  return ms
}

function tooLong (name: string, longestLifeMs: number): Error {
  return invalid(`${WHERE}.${name}: wanted at most ${longestLifeMs / SECOND_MS} seconds, which is ` +
    '"revocation.longest" or "absolute"; revoked sessions are remembered for no longer')
}

/** An idle limit past the absolute limit would never be reached. Only `maxAge` raises the configured absolute limit. */
function refuseContradiction ({ limits }: SettingsRules, { idleMs, absoluteMs, maxAgeMs }: GivenSettings): void {
  const mostMs = absoluteMs ?? (maxAgeMs == null ? limits.absoluteMs : Infinity)
  if (idleMs == null || idleMs <= mostMs) return
  const [name, fix] = maxAgeMs == null ? ['idle', 'beside it'] : ['maxAge', 'or none']
  throw invalid(`${WHERE}.${name}: ${idleMs / SECOND_MS} seconds are longer than the session's absolute limit ` +
    `of ${mostMs / SECOND_MS} seconds: give a longer "absolute" ${fix}`)
}

function msUntil (date: Date, nowMs: number): number {
  const ms = date.getTime() - nowMs
  if (ms < SECOND_MS) throw invalid(`${WHERE}.expires: wanted a time in the future`)
  return ms
}
