import type { FastifyBaseLogger } from 'fastify'
import { CookieLines, expires, maxAge } from '../cookies/lines'
import type { KeySeeker } from '../keyring/key-seeker'
import { UnknownSessionError } from '../errors'
import type { ResolvedOptions, ResolvedSession } from '../options/options'
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
import { attributesWith, settingsIn } from './own-attributes'
import { openRevocation } from './revocation'
import { SettledMoves } from './settled-moves'
import { subjectsOf } from './subject'
import { warnExpiresPassed, warnOwnMaxAge } from './warnings'

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
  /** The app's. */
  readonly log: FastifyBaseLogger
}

/** Throws FST_SESSION_INVALID_KEY, or what an opener of old cookies throws. */
export async function defineSession (session: ResolvedSession, { keyring, seeker }: SessionKeys, place: number, now: Clock, log: FastifyBaseLogger): Promise<SessionDefinition> {
  const { options } = session
  const { cookieName, stampName, codec, limits, attributes, sessionName } = options
  const told = new Set<string>()
  const isFirst = (matter: string): boolean => told.size < told.add(matter).size
  const revocation = openRevocation(session, now, log)
  const rules = { ...options, longestLifeMs: session.revocation?.longestLifeMs ?? Infinity }
  const definition: SessionDefinition = {
    options,
    sessionName,
    place,
    policy: {
      limits,
      codec,
      now,
      issue: (begunAtMs, cutOffMs) => revocation === null ? begunAtMs : revocation.issue(begunAtMs, cutOffMs),
      subjectOf: subjectsOf(options),
      endings: () => endingsOf(definition),
      settingsIn: (cookieOptions, before, current) => settingsIn(rules, cookieOptions, before, current, now())
    },
    formerCookies: await openFormerCookies(session, keyring, isFirst),
    sealing: sealingWith(options, keyring.tokenKeys('cookie', cookieName), stampedFromMs(session)),
    stampName,
    stampKeys: keyring.tokenKeys('stamp', stampName),
    seeker,
    revocation,
    lines: new CookieLines(attributes),
    settledMoves: new SettledMoves(),
    log,
    isFirst
  }
  return definition
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
export function lifetimeOf (definition: SessionDefinition, session: Session, nowMs: number): string {
  const { attributes, persistent } = definition.options
  const { settings: own, limits, identity } = session.head
  if (own.persistent === false) return ''
  if (own.maxAgeMs !== null) {
    warnOwnMaxAge(definition, own.maxAgeMs, limits)
    return maxAge(Math.ceil(own.maxAgeMs / SECOND_MS))
  }
  const isConfigured = attributes.maxAgeS !== null || attributes.expires !== null
  // Own limits, or to be persistent: then the configured lifetime is that of other sessions.
  const isOwn = own.persistent !== null || own.idleMs !== null || own.absoluteMs !== null
  if (isConfigured && !isOwn) return configuredLifetime(definition, nowMs)
  if (!isConfigured && !persistent && own.persistent === null) return ''
  const lifeMs = Math.min(identity.authenticatedAtMs + limits.absoluteMs - nowMs, LONGEST_COOKIE_MS)
  return maxAge(Math.ceil(lifeMs / SECOND_MS))
}

/** As it was given: a browser that is told both goes by Max-Age (RFC 6265bis section 5.7). */
function configuredLifetime (definition: SessionDefinition, nowMs: number): string {
  const { maxAgeS, expires: date } = definition.options.attributes
  const lasting = maxAgeS === null ? '' : maxAge(maxAgeS)
  if (date === null) return lasting
  // Expires has whole seconds. With one that is past, the browser would drop the cookie of a login at once.
  if (Math.floor(date.getTime() / SECOND_MS) * SECOND_MS > nowMs) return lasting + expires(date)
  warnExpiresPassed(definition, date)
  return lasting
}
