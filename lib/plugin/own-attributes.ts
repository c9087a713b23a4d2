import { checkRules, settleSecure, sound, type CookieAttributes } from '../cookies/attributes'
import type { ResolvedOptions } from '../options/options'
import type { OwnSettings } from '../session/own-settings'

type Named = Pick<ResolvedOptions, 'cookieName' | 'attributes'>

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
