import { describe, invalid, isObject, type Input } from '../checks'
import {
  checkRules, DEFAULT_ATTRIBUTES, readAttributes, resolveSecure, type CookieAttributes
} from '../cookies/attributes'
import { isCookieName } from '../cookies/header'
import { SealedLegacy } from '../legacy/sealed'
import type { LegacyCookie, LegacyOpener } from '../../types/legacy'
import { checkTenant, withLongestId } from './tenants'

/** One entry of `legacy`, checked. */
export interface ResolvedLegacy {
  readonly opener: LegacyOpener | SealedLegacy
  readonly cookieName: string
  /** The attributes of the legacy cookie. */
  readonly attributes: CookieAttributes
  readonly keep: boolean
  /** The tenant that all of its sessions belong to; null: see `checkTenantGiven` */
  readonly tenant: string | null
}

/** The names of a session's own cookies; the first is the `cookieName`. */
export type SessionCookies = readonly [first: string, ...others: string[]]

/** Checks the option `legacy`. Throws FST_SESSION_INVALID_OPTION. */
export function resolveLegacy (
  legacy: unknown, cookieNames: SessionCookies, attributes: CookieAttributes, hasTenants = false
): readonly ResolvedLegacy[] {
  if (legacy === undefined) return []
  if (!Array.isArray(legacy)) throw invalid(`option "legacy" must be an array of openers; found ${describe(legacy)}`)
  return legacy.map((opener, index) => {
    const where = `option "legacy"[${index}]`
    const resolved = resolveOne(opener, where, cookieNames, attributes, hasTenants)
    checkTenantGiven(resolved, where, hasTenants)
    return resolved
  })
}

/**
 * Without `tenant`, a cookie of another library would open at every tenant. A sealed one opens only at the tenant that
 * it was sealed for. Throws FST_SESSION_INVALID_OPTION.
 */
function checkTenantGiven ({ tenant, opener }: ResolvedLegacy, where: string, hasTenants: boolean): void {
  if (tenant !== null && !hasTenants) throw invalid(`${where}.tenant needs the option "tenant"`)
  if (tenant !== null || !hasTenants || opener instanceof SealedLegacy) return
  throw invalid(`${where}.tenant must name the tenant that the sessions in these cookies belong to: they would open ` +
    'at every tenant')
}

function resolveOne (
  opener: unknown, where: string, [sessionCookie, ...others]: SessionCookies, sessionAttributes: CookieAttributes,
  hasTenants: boolean
): ResolvedLegacy {
  if (!isObject(opener) || !(opener instanceof SealedLegacy || typeof opener['open'] === 'function')) {
    throw invalid(`${where} must be what secureSessionOpener() or sealedOpener() return, or an object with a method ` +
      `open; found ${describe(opener)}`)
  }
  checkFields(opener, where)
  const { cookieName = sessionCookie, cookie, keep = false } = opener as LegacyCookie
  if (keep && cookieName === sessionCookie) {
    throw invalid(`${where}: "keep" needs a "cookieName" other than that of the session, which would overwrite it`)
  }
  if (others.includes(cookieName)) {
    throw invalid(`${where}.cookieName is the name of another cookie of the session: its stamp, pass, proof, or one ` +
      'of its parts')
  }
  const own = hasTenants && cookie !== undefined ? withLongestId(cookie as Input) : cookie
  const given = own === undefined
    ? sessionAttributes
    : { ...DEFAULT_ATTRIBUTES, ...readAttributes(own, `${where}.cookie`) }
  const attributes = resolveSecure(cookieName, given)
  checkRules(cookieName, attributes, `${where}.cookie`)
  const { tenant } = opener
  return {
    opener: opener as unknown as LegacyOpener | SealedLegacy,
    cookieName,
    attributes,
    keep,
    tenant: tenant === undefined ? null : checkTenant(tenant, `${where}.tenant must be`)
  }
}

/** Checks the type of each field of an opener. Throws FST_SESSION_INVALID_OPTION. */
function checkFields (opener: Input, where: string): void {
  const { cookieName, cookie, keep = false, immediate = false, prepare } = opener
  const check = (isValid: boolean, field: string, wanted: string): void => {
    if (!isValid) throw invalid(`${where}.${field} must be ${wanted}; found ${describe(opener[field])}`)
  }
  const isName = cookieName === undefined || (typeof cookieName === 'string' && isCookieName(cookieName))
  check(isName, 'cookieName', 'a cookie name')
  check(cookie === undefined || isObject(cookie), 'cookie', 'an object')
  check(typeof keep === 'boolean', 'keep', 'true or false')
  check(typeof immediate === 'boolean', 'immediate', 'true or false')
  check(prepare === undefined || typeof prepare === 'function', 'prepare', 'a function')
}
