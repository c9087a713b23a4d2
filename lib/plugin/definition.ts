import { checkRules, readAttributes, settleSecure, type CookieAttributes } from '../cookies/attributes'
import { CookieLines, expires, maxAge } from '../cookies/lines'
import type { TokenKeys } from '../core/token'
import type { KeySeeker } from '../keyring/key-seeker'
import { describe, invalid, isObject } from '../options/checks'
import type { ResolvedOptions } from '../options/options'
import type { OwnSettings } from '../session/own-settings'
import { sealingWith, type Sealing } from '../session/sealing'
import type { SessionPolicy } from '../session/policy'
import type { Session } from '../session/session'
import { LONGEST_COOKIE_MS, SECOND_MS, type Clock } from '../time'
import type { SessionKeys } from './keys'

/** One named session of an app: all that can be set up once, at boot. */
export interface SessionDefinition {
  readonly options: ResolvedOptions
  readonly policy: SessionPolicy
  readonly sealing: Sealing
  readonly stampKeys: TokenKeys
  /** Null where the keys stay as they are. */
  readonly seeker: KeySeeker | null
  readonly lines: CookieLines
  /** True the first time it is asked about a matter. */
  readonly isFirst: (matter: string) => boolean
}

export function defineSession (options: ResolvedOptions, { keyring, seeker }: SessionKeys, now: Clock): SessionDefinition {
  const { cookieName, stampName, codec, limits, attributes } = options
  const told = new Set<string>()
  return {
    options,
    policy: { limits, codec, now, withCookieOptions: (settings, given) => withCookieOptions(options, settings, given, now()) },
    sealing: sealingWith(options, keyring.tokenKeys('cookie', cookieName)),
    stampKeys: keyring.tokenKeys('stamp', stampName),
    seeker,
    lines: new CookieLines(attributes),
    isFirst: matter => told.size < told.add(matter).size
  }
}

/** The lines for a session with settings of its own; the ready-made ones where it has none. */
export function linesFor (definition: SessionDefinition, settings: OwnSettings): CookieLines {
  if (settings.attributes === null) return definition.lines
  return new CookieLines(attributesWith(definition.options, settings.attributes))
}

/** How long the browser is to keep the session's cookies, as an attribute; nothing where they end with the browser. */
export function lifetimeOf ({ options }: SessionDefinition, session: Session, nowMs: number): string {
  const ownIdleMs = session.settings.idleMs
  if (ownIdleMs !== null) return maxAge(Math.ceil(ownIdleMs / SECOND_MS))
  const { attributes, persistent } = options
  if (attributes.maxAgeS !== null) return maxAge(attributes.maxAgeS)
  if (attributes.expires !== null) return expires(attributes.expires)
  if (!persistent) return ''
  return maxAge(Math.ceil((session.identity.createdAtMs + session.limits.absoluteMs - nowMs) / SECOND_MS))
}

function withCookieOptions (options: ResolvedOptions, settings: OwnSettings, given: unknown, nowMs: number): OwnSettings {
  const where = 'session.options()'
  if (!isObject(given)) throw invalid(`${where} takes an object; found ${describe(given)}`)
  const { maxAgeS, expires, ...attributes } = readAttributes(given, where)
  const own = Object.keys(attributes).length === 0 ? settings.attributes : { ...settings.attributes, ...attributes }
  checkRules(options.cookieName, attributesWith(options, own), where)
  const ownIdleMs = maxAgeS != null ? maxAgeS * SECOND_MS : expires != null ? expires.getTime() - nowMs : null
  if (ownIdleMs !== null && ownIdleMs < SECOND_MS) throw invalid(`${where}.expires: wanted a time to come`)
  return {
    idleMs: ownIdleMs === null ? settings.idleMs : Math.min(ownIdleMs, LONGEST_COOKIE_MS),
    attributes: own
  }
}

function attributesWith ({ cookieName, attributes }: ResolvedOptions, own: OwnSettings['attributes']): CookieAttributes {
  return settleSecure(cookieName, { ...attributes, ...own })
}
