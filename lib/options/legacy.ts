import { describe, invalid, isObject } from '../checks'
import { checkRules, DEFAULT_ATTRIBUTES, readAttributes, settleSecure, type CookieAttributes } from '../cookies/attributes'
import { isCookieName } from '../cookies/header'
import { SealedLegacy } from '../legacy/sealed'
import type { LegacyOpener } from '../../types/legacy'

/** One entry of `legacy`, checked. */
export interface ResolvedLegacy {
  readonly opener: LegacyOpener | SealedLegacy
  readonly cookieName: string
  /** Where the old cookie lies. */
  readonly attributes: CookieAttributes
  readonly keep: boolean
}

/** The names of a session's own cookies, that of its first part before all others. */
export type SessionCookies = readonly [first: string, ...others: string[]]

/** Throws FST_SESSION_INVALID_OPTION. */
export function resolveLegacy (legacy: unknown, cookieNames: SessionCookies, attributes: CookieAttributes): readonly ResolvedLegacy[] {
  if (legacy === undefined) return []
  if (!Array.isArray(legacy)) throw invalid(`option "legacy" must be an array of openers; found ${describe(legacy)}`)
  return legacy.map((opener, index) => resolveOne(opener, `option "legacy"[${index}]`, cookieNames, attributes))
}

function resolveOne (opener: unknown, where: string, [sessionsName, ...others]: SessionCookies, sessionsAttributes: CookieAttributes): ResolvedLegacy {
  if (!isObject(opener) || !(opener instanceof SealedLegacy || typeof opener['open'] === 'function')) {
    throw invalid(`${where} must be what secureSessionOpener() or sealedOpener() return, or an object with a method open; found ${describe(opener)}`)
  }
  const { cookieName = sessionsName, cookie, keep = false, immediate = false, prepare } = opener as Readonly<Record<string, unknown>>
  if (typeof cookieName !== 'string' || !isCookieName(cookieName)) throw invalid(`${where}.cookieName must be a cookie name; found ${describe(cookieName)}`)
  if (cookie !== undefined && !isObject(cookie)) throw invalid(`${where}.cookie must be an object; found ${describe(cookie)}`)
  if (typeof keep !== 'boolean') throw invalid(`${where}.keep must be true or false; found ${describe(keep)}`)
  if (keep && cookieName === sessionsName) throw invalid(`${where}: "keep" needs a "cookieName" other than that of the session, which would overwrite it`)
  if (others.includes(cookieName)) throw invalid(`${where}.cookieName is the name of another cookie of the session: its stamp, or one of its parts`)
  if (typeof immediate !== 'boolean') throw invalid(`${where}.immediate must be true or false; found ${describe(immediate)}`)
  if (prepare !== undefined && typeof prepare !== 'function') throw invalid(`${where}.prepare must be a function; found ${describe(prepare)}`)
  const given = cookie === undefined ? sessionsAttributes : { ...DEFAULT_ATTRIBUTES, ...readAttributes(cookie, `${where}.cookie`) }
  const attributes = settleSecure(cookieName, given)
  checkRules(cookieName, attributes, `${where}.cookie`)
  return { opener: opener as unknown as LegacyOpener | SealedLegacy, cookieName, attributes, keep }
}
