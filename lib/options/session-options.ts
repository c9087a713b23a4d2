import { describe, invalid, isObject, type Input } from '../checks'
import {
  checkRules, readAttributes, resolveSecure, validAttributes, type CookieAttributes
} from '../cookies/attributes'
import type { ResolvedOptions } from './options'
import { checkRoom } from './room'
import { withGiven, type GivenSettings, type OwnSettings } from '../session/settings'
import { DAY_MS, durationMs, LONGEST_COOKIE_MS, SECOND_MS } from '../time'

type Named = Pick<ResolvedOptions, 'cookieName' | 'attributes'>

const WHERE = 'session.options()'

/** The configured attributes, overridden by those of one session. Invalid attributes of the session are ignored. */
export function attributesWith ({ cookieName, attributes }: Named, own: OwnSettings['attributes']): CookieAttributes {
  return resolveSecure(cookieName, { ...attributes, ...validAttributes(own) })
}

/** True if browsers accept a session's own attributes, given under another cookie name, under this name, too. */
export function isAllowed (named: Named, own: OwnSettings['attributes']): boolean {
  try {
    checkRules(named.cookieName, attributesWith(named, own), 'a legacy cookie')
    return true
  } catch {
    return false
  }
}

/** The limits for the settings of one session. */
export interface SettingsRules
  extends Pick<ResolvedOptions, 'cookieName' | 'attributes' | 'limits' | 'maxCookies' | 'padTo' | 'transport'> {
  /** The longest lifetime of a session: the store keeps revoked sessions for this long; Infinity without revocation. */
  readonly longestLifeMs: number
}

/**
 * The settings in the argument of `session.options()`. Limits are checked against the settings that this request gave,
 * not against those of the session in its cookie: a login must not fail for some browsers only.
 * @param before the settings that this request gave before
 * @param current all settings of the session
 * @throws FST_SESSION_INVALID_OPTION
 */
export function settingsIn (
  rules: SettingsRules, cookieOptions: unknown, before: GivenSettings, current: OwnSettings, nowMs: number
): GivenSettings {
  if (!isObject(cookieOptions)) throw invalid(`${WHERE} takes an object; found ${describe(cookieOptions)}`)
  const { maxAgeS, expires, ...attributes } = readAttributes(cookieOptions, WHERE)
  checkTransport(rules, cookieOptions['transport'])
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

function checkTransport ({ transport: configured }: SettingsRules, given: unknown): void {
  if (given === undefined) return
  if (given !== 'cookie' && given !== 'bearer') {
    throw invalid(`${WHERE}.transport must be "cookie" or "bearer"; found ${describe(given)}`)
  }
  if (given === configured || configured === 'both') return
  throw invalid(`${WHERE}.transport: "${given}" needs the option "transport": "both"; found "${configured}"`)
}

function limitsIn (
  rules: SettingsRules, { idle, absolute }: Input, maxAgeMs: number | undefined
): GivenSettings {
  if (idle !== undefined && maxAgeMs !== undefined) {
    throw invalid(
      `${WHERE}: "idle" and "maxAge" (or "expires") are two ways to set the idle limit: give one of them. ` +
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

/** Refuses an idle limit that is longer than the absolute limit. Only `maxAge` raises the configured absolute limit. */
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
