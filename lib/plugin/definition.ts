import type { FastifyBaseLogger } from 'fastify'
import { describe, invalid } from '../checks'
import { CookieLines } from '../cookies/lines'
import type { TokenKeys } from '../core/token'
import { TokenCache } from '../core/token-cache'
import { UnknownSessionError } from '../errors'
import { fixedTerms, Keyring, type KeyDerivation } from '../keyring/keyring'
import type { KeySeeker } from '../keyring/key-seeker'
import { flowNamesOf } from '../options/hand-over'
import type { ResolvedOptions, ResolvedSession } from '../options/options'
import { attributesWith, settingsIn } from '../options/session-options'
import { CircuitBreaker } from '../revocation/circuit-breaker'
import { hashOfSubject } from '../revocation/keys'
import { Revocation } from '../revocation/revocation'
import type { SessionContext } from '../session/context'
import { sealingWith, type TokenContent } from '../session/sealing'
import type { OwnSettings } from '../session/settings'
import type { Clock } from '../time'
import type { SessionKeys } from './keys'
import { legacyCookiesOf, openLegacyKeys, type LegacyCookie, type LegacyKeys } from './legacy-cookies'
import type { SealedCookies } from './load'
import { onceEach, revocationLog, type IsFirst } from './log'
import { revokerOf } from './revoker'
import type { Tenants } from './tenants'

/** One named session of an app, or of one of its tenants: all that is set up once. */
export interface SessionDefinition extends SealedCookies {
  readonly options: ResolvedOptions
  /**
   * With the option `tenant`, the definition of the app, which seals and opens nothing: they find the definition of a
   * request. Null without the option, and in the definition of a tenant.
   */
  readonly tenants: Tenants | null
  /** Its index among the sessions of the app, and among their Set-Cookie lines. */
  readonly index: number
  readonly context: SessionContext
  /** In the order in which they are tried. */
  readonly legacyCookies: readonly LegacyCookie[]
  /** Null where the keys never change. */
  readonly seeker: KeySeeker | null
  /** Null without the option `revocation`. */
  readonly revocation: Revocation | null
  readonly lines: CookieLines
  /** The Set-Cookie lines of the pass and the proof. */
  readonly bindingLines: CookieLines
  /** Null without the option `deviceBound`. */
  readonly exchangeKeys: ExchangeKeys | null
  /** The keys of tokens for a purpose, derived when they are first needed. */
  readonly purposeKeys: () => TokenKeys
  /** The name of the cookie of a receiver of `handOver`; none where the session is none. */
  readonly flowNames: readonly string[]
  /** Null without the option `handOver`. */
  readonly handOverKeys: HandOverKeys | null
  /** The app's. */
  readonly log: FastifyBaseLogger
}

/** The keys of the tokens that browsers keep or sign. */
export interface ExchangeKeys {
  readonly device: TokenKeys
  readonly challenge: TokenKeys
}

/** The keys of what sites hand over to each other. */
export interface HandOverKeys {
  readonly tickets: TokenKeys
  /** Tickets are sealed with the ring of the session, and not with keys of their own. */
  readonly sealedWithRing: boolean
  /** Of the cookie of the receiver; null for a session that is no receiver. */
  readonly flows: TokenKeys | null
}

/** What the definitions of one named session share, whatever the tenant. */
export interface SharedParts {
  readonly index: number
  readonly now: Clock
  readonly log: FastifyBaseLogger
  readonly isFirst: IsFirst
  readonly legacyKeys: LegacyKeys
  readonly revocation: Revocation | null
  /** Null: each definition has its own, or none. */
  readonly cache: TokenCache<TokenContent> | null
}

/** Throws FST_SESSION_INVALID_KEY, or what an opener of legacy cookies throws. */
export async function defineSession (
  session: ResolvedSession, keys: SessionKeys, index: number, now: Clock, log: FastifyBaseLogger
): Promise<SessionDefinition> {
  return define(session, keys, await sharedParts(session, index, now, log))
}

/** Throws FST_SESSION_INVALID_KEY, or what an opener of legacy cookies throws. */
export async function sharedParts (
  session: ResolvedSession, index: number, now: Clock, log: FastifyBaseLogger
): Promise<SharedParts> {
  const { tenants, options: { tokenCache } } = session
  return {
    index,
    now,
    log,
    isFirst: onceEach(),
    legacyKeys: await openLegacyKeys(session.legacy),
    revocation: revocationOf(session, now, log),
    cache: tenants === null || tokenCache === 0 ? null : new TokenCache(tokenCache)
  }
}

/** The keys of a session: those of a ring, or of a tenant. */
export interface DefinitionKeys {
  readonly keyring: KeyDerivation
  readonly seeker: KeySeeker | null
}

/** @param tenant whose sessions these are; null without the option `tenant` */
export function define (
  session: ResolvedSession, { keyring, seeker }: DefinitionKeys, shared: SharedParts, tenant: string | null = null,
  tenants: Tenants | null = null
): SessionDefinition {
  const { options } = session
  const { cookieName, stampName, passName, proofName, codec, limits, attributes, sessionName } = options
  const { index, now, log, isFirst, revocation } = shared
  const rules = { ...options, longestLifeMs: session.revocation?.longestLifeMs ?? Infinity }
  const definition: SessionDefinition = {
    options,
    sessionName,
    tenant,
    tenants,
    index,
    context: {
      limits,
      codec,
      now,
      subjectOf: subjectOf(options, tenant),
      revoker: () => revokerOf(definition),
      settingsIn: (given, before, current) => settingsIn(rules, given, before, current, now()),
      refuseSettingsThatUnbind: settings => {
        if (attributesAllowBinding(definition, settings)) return
        throw invalid('session.options(): "path", "domain", "secure" and "sameSite" of a session that can be bound ' +
          'to a device cannot change after its login: set them in the request of the login, or by the option "cookie"')
      }
    },
    legacyCookies: legacyCookiesOf(session, keyring, tenant, shared),
    sealing: sealingWith(options, keyring.tokenKeys('cookie', cookieName), stampedFromMs(session), shared.cache),
    stampName,
    stampKeys: keyring.tokenKeys('stamp', stampName),
    passName,
    proofName,
    proofKeys: keyring.tokenKeys('proof', proofName),
    proofForMs: options.proofForMs,
    seeker,
    revocation: revocation === null || tenant === null ? revocation : revocation.forTenant(tenant),
    lines: new CookieLines(attributes),
    bindingLines: new CookieLines({ ...attributes, secure: true, priority: null }),
    exchangeKeys: options.deviceBound === null ? null : exchangeKeysOf(keyring, proofName),
    purposeKeys: () => keyring.tokenKeys('purpose', options.purposeName),
    flowNames: flowNamesOf(options.handOver),
    handOverKeys: handOverKeysOf(session, keyring),
    log,
    isFirst
  }
  return definition
}

function exchangeKeysOf (keyring: KeyDerivation, proofName: string): ExchangeKeys {
  return { device: keyring.tokenKeys('device', proofName), challenge: keyring.tokenKeys('challenge', proofName) }
}

/** Sites that hand sessions over may have different cookies, so the keys of tickets have the empty cookie name. */
function handOverKeysOf (
  { options: { handOver }, ticketMaterials }: ResolvedSession, ring: KeyDerivation
): HandOverKeys | null {
  if (handOver === null) return null
  const keyring = ticketMaterials === null ? ring : new Keyring(fixedTerms(ticketMaterials))
  return {
    tickets: keyring.tokenKeys('hand-over', ''),
    sealedWithRing: ticketMaterials === null,
    flows: handOver.receive === null ? null : ring.tokenKeys('hand-over', handOver.receive.flowName)
  }
}

/** Throws FST_SESSION_UNKNOWN_NAME. */
export function named (definitions: readonly SessionDefinition[], name: string): SessionDefinition {
  const found = definitions.find(({ options }) => options.sessionName === name)
  if (found !== undefined) return found
  throw new UnknownSessionError(name, definitions.map(({ options }) => `"${options.sessionName}"`).join(', '))
}

/** The session of this name; without one, the first of the registration. Throws FST_SESSION_UNKNOWN_NAME. */
export function sessionNamed (definitions: readonly SessionDefinition[], name: string | undefined): SessionDefinition {
  return name === undefined ? definitions[0] as SessionDefinition : named(definitions, name)
}

/** The Set-Cookie lines of a session with these settings. */
export function linesFor ({ lines, options }: SessionDefinition, { attributes }: OwnSettings): CookieLines {
  return attributes === null ? lines : new CookieLines(attributesWith(options, attributes))
}

/** Browsers send the pass, which has the configured attributes, wherever they send a session with these settings. */
export function attributesAllowBinding (definition: SessionDefinition, settings: OwnSettings): boolean {
  if (settings.attributes === null) return true
  const { options, lines } = definition
  const { secure, sameSite } = attributesWith(options, settings.attributes)
  if (secure === false || (sameSite === 'None' && options.attributes.sameSite !== 'None')) return false
  return linesFor(definition, settings).scope === lines.scope
}

/** Throws FST_SESSION_INVALID_OPTION. An empty text would be one subject for all users whose id is missing. */
export function subjectText (subject: unknown, where: string): string {
  const isNumber = typeof subject === 'number' && Number.isFinite(subject)
  if (isNumber || (typeof subject === 'string' && subject !== '')) return String(subject)
  throw invalid(`${where} a string that is not empty, or a number; found ${describe(subject)}`)
}

const ANONYMOUS = Buffer.alloc(0)

function subjectOf (
  { subject, sessionName }: ResolvedOptions, tenant: string | null
): SessionContext['subjectOf'] {
  if (subject === null) return null
  return session => {
    const found = subject(session as never)
    if (found === undefined || found === null) return ANONYMOUS
    return hashOfSubject(sessionName, subjectText(found, 'option "subject" must return'), tenant)
  }
}

function revocationOf (
  { options, revocation }: ResolvedSession, now: Clock, log: FastifyBaseLogger
): Revocation | null {
  if (revocation === null) return null
  const { sessionName } = options
  const { store, timeoutMs, ...context } = revocation
  const reporter = revocationLog(log, sessionName, context.trustsWhenUnavailable, now)
  return new Revocation({ ...context, sessionName, store: new CircuitBreaker(store, timeoutMs, reporter), now })
}

/** A session of this age may have a stamp that says when it was checked. None has where every request is checked. */
function stampedFromMs ({ revocation }: ResolvedSession): number {
  return revocation === null || revocation.recheckMs === 0 ? Infinity : revocation.recheckMs
}
