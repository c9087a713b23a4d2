import { checkRules, readAttributes, type CookieAttributes } from '../cookies/attributes'
import { CookieLines, expires, maxAge } from '../cookies/lines'
import type { KeySeeker } from '../keyring/key-seeker'
import { describe, invalid, isObject } from '../checks'
import type { ResolvedOptions, ResolvedSession } from '../options/options'
import type { OwnSettings } from '../session/own-settings'
import { sealingWith } from '../session/sealing'
import type { SessionPolicy } from '../session/policy'
import type { Session } from '../session/session'
import { LONGEST_COOKIE_MS, SECOND_MS, type Clock } from '../time'
import { openFormerCookies, type FormerCookie } from './former-cookies'
import type { SessionKeys } from './keys'
import type { SealedSource } from './open'
import { attributesWith } from './own-attributes'
import { SettledMoves } from './settled-moves'

/** One named session of an app: all that can be set up once, at boot. */
export interface SessionDefinition extends SealedSource {
  readonly options: ResolvedOptions
  /** Its place among the sessions of the app, and so among their Set-Cookie lines. */
  readonly place: number
  readonly policy: SessionPolicy
  /** Where its sessions may still lie, in the order in which they are looked for. */
  readonly formerCookies: readonly FormerCookie[]
  /** Null where the keys stay as they are. */
  readonly seeker: KeySeeker | null
  readonly lines: CookieLines
  readonly settledMoves: SettledMoves
  /** True the first time it is asked about a matter. */
  readonly isFirst: (matter: string) => boolean
}

/** Throws FST_SESSION_INVALID_KEY, or what an opener of old cookies throws. */
export async function defineSession (session: ResolvedSession, { keyring, seeker }: SessionKeys, place: number, now: Clock): Promise<SessionDefinition> {
  const { options } = session
  const { cookieName, stampName, codec, limits, attributes } = options
  const told = new Set<string>()
  return {
    options,
    place,
    policy: { limits, codec, now, withCookieOptions: (settings, given) => withCookieOptions(options, settings, given, now()) },
    formerCookies: await openFormerCookies(session, keyring),
    sealing: sealingWith(options, keyring.tokenKeys('cookie', cookieName)),
    stampName,
    stampKeys: keyring.tokenKeys('stamp', stampName),
    seeker,
    lines: new CookieLines(attributes),
    settledMoves: new SettledMoves(),
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
  if (attributes.maxAgeS !== null || attributes.expires !== null) return configuredLifetime(attributes)
  if (!persistent) return ''
  return maxAge(Math.ceil((session.identity.createdAtMs + session.limits.absoluteMs - nowMs) / SECOND_MS))
}

/** As it was given: a browser that is told both goes by Max-Age (RFC 6265bis section 5.7). */
function configuredLifetime ({ maxAgeS, expires: date }: CookieAttributes): string {
  return (maxAgeS === null ? '' : maxAge(maxAgeS)) + (date === null ? '' : expires(date))
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
