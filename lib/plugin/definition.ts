import type { FastifyBaseLogger } from 'fastify'
import { checkRules, readAttributes, type CookieAttributes } from '../cookies/attributes'
import { CookieLines, expires, maxAge } from '../cookies/lines'
import type { KeySeeker } from '../keyring/key-seeker'
import { describe, invalid, isObject } from '../checks'
import { UnknownSessionError } from '../errors'
import type { ResolvedOptions, ResolvedSession } from '../options/options'
import { checkRoom } from '../options/room'
import type { OwnSettings } from '../session/own-settings'
import { sealingWith } from '../session/sealing'
import type { SessionPolicy } from '../session/policy'
import type { Session } from '../session/session'
import type { Revocation } from '../revocation/revocation'
import { LONGEST_COOKIE_MS, SECOND_MS, type Clock } from '../time'
import { endingsOf } from './endings'
import { openFormerCookies, type FormerCookie } from './former-cookies'
import type { SessionKeys } from './keys'
import type { SealedSource } from './open'
import { attributesWith } from './own-attributes'
import { openRevocation } from './revocation'
import { SettledMoves } from './settled-moves'
import { subjectsOf } from './subject'

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
  /** Null where sessions end by time alone. */
  readonly revocation: Revocation | null
  readonly lines: CookieLines
  readonly settledMoves: SettledMoves
  /** True the first time it is asked about a matter. */
  readonly isFirst: (matter: string) => boolean
}

/** Throws FST_SESSION_INVALID_KEY, or what an opener of old cookies throws. */
export async function defineSession (session: ResolvedSession, { keyring, seeker }: SessionKeys, place: number, now: Clock, log: FastifyBaseLogger): Promise<SessionDefinition> {
  const { options } = session
  const { cookieName, stampName, codec, limits, attributes, sessionName } = options
  const told = new Set<string>()
  const revocation = openRevocation(session, now, log)
  return {
    options,
    sessionName,
    place,
    policy: {
      limits,
      codec,
      now,
      issue: (begunAtMs, cutOffMs) => revocation === null ? begunAtMs : revocation.issue(begunAtMs, cutOffMs),
      subjectOf: subjectsOf(options),
      endings: endingsOf(sessionName, revocation),
      withCookieOptions: (settings, given) => withCookieOptions(session, settings, given, now())
    },
    formerCookies: await openFormerCookies(session, keyring),
    sealing: sealingWith(options, keyring.tokenKeys('cookie', cookieName), stampedFromMs(session)),
    stampName,
    stampKeys: keyring.tokenKeys('stamp', stampName),
    seeker,
    revocation,
    lines: new CookieLines(attributes),
    settledMoves: new SettledMoves(),
    isFirst: matter => told.size < told.add(matter).size
  }
}

/** Throws FST_SESSION_UNKNOWN_NAME. */
export function named (definitions: readonly SessionDefinition[], name: string): SessionDefinition {
  const found = definitions.find(({ options }) => options.sessionName === name)
  if (found === undefined) throw new UnknownSessionError(name, definitions.map(({ options }) => `"${options.sessionName}"`).join(', '))
  return found
}

/** Sessions older than this may have been checked, and have a stamp that says so. One that is checked at every request needs none. */
function stampedFromMs ({ revocation }: ResolvedSession): number {
  return revocation === null || revocation.recheckMs === 0 ? Infinity : revocation.recheckMs
}

/** The lines for a session with settings of its own; the ready-made ones where it has none. */
export function linesFor (definition: SessionDefinition, settings: OwnSettings): CookieLines {
  if (settings.attributes === null) return definition.lines
  return new CookieLines(attributesWith(definition.options, settings.attributes))
}

/** How long the browser is to keep the session's cookies, as an attribute; nothing where they end with the browser. */
export function lifetimeOf ({ options }: SessionDefinition, session: Session, nowMs: number): string {
  const { settings: own, limits, identity } = session.head
  if (own.persistent === false) return ''
  if (own.idleMs !== null) return maxAge(Math.ceil(own.idleMs / SECOND_MS))
  const { attributes, persistent } = options
  if (attributes.maxAgeS !== null || attributes.expires !== null) return configuredLifetime(attributes)
  if (!persistent && own.persistent === null) return ''
  const lifeMs = Math.min(identity.authenticatedAtMs + limits.absoluteMs - nowMs, LONGEST_COOKIE_MS)
  return maxAge(Math.ceil(lifeMs / SECOND_MS))
}

/** As it was given: a browser that is told both goes by Max-Age (RFC 6265bis section 5.7). */
function configuredLifetime ({ maxAgeS, expires: date }: CookieAttributes): string {
  return (maxAgeS === null ? '' : maxAge(maxAgeS)) + (date === null ? '' : expires(date))
}

function withCookieOptions ({ options, revocation }: ResolvedSession, settings: OwnSettings, given: unknown, nowMs: number): OwnSettings {
  const where = 'session.options()'
  if (!isObject(given)) throw invalid(`${where} takes an object; found ${describe(given)}`)
  const { maxAgeS, expires, ...attributes } = readAttributes(given, where)
  const { persistent = settings.persistent } = given
  if (persistent !== null && typeof persistent !== 'boolean') throw invalid(`${where}.persistent must be true or false; found ${describe(persistent)}`)
  const own = Object.keys(attributes).length === 0 ? settings.attributes : { ...settings.attributes, ...attributes }
  const resulting = attributesWith(options, own)
  checkRules(options.cookieName, resulting, where)
  checkRoom(options, resulting, own, where)
  const ownIdleMs = maxAgeS != null ? maxAgeS * SECOND_MS : expires != null ? expires.getTime() - nowMs : null
  if (ownIdleMs !== null && ownIdleMs < SECOND_MS) throw invalid(`${where}.expires: wanted a time to come`)
  if (ownIdleMs !== null && revocation !== null && ownIdleMs > revocation.longestLifeMs) throw invalid(`${where}.maxAge: wanted at most ${revocation.longestLifeMs / SECOND_MS} seconds, which is "revocation.longest" or "absolute"; ended sessions are remembered for no longer`)
  return {
    idleMs: ownIdleMs === null ? settings.idleMs : Math.min(ownIdleMs, LONGEST_COOKIE_MS),
    persistent,
    attributes: own
  }
}
