import {
  ATTRIBUTE_NAMES, checkLifetime, checkRules, DEFAULT_ATTRIBUTES, IGNORED_NAMES, readAttributes, resolveSecure,
  type CookieAttributes
} from '../cookies/attributes'
import { MOST_PARTS, NOT_SPLIT, sideCookieNames } from '../core/format'
import { longestAttributes } from '../cookies/lines'
import { CookieParts } from '../core/parts'
import { DAY_MS, LONGEST_COOKIE_MS, SECOND_MS } from '../time'
import { aliased, boolean, describe, integer, invalid, isObject, refuseUnknown, text, type Input } from '../checks'
import { flowNamesOf, handOverMaterials, resolveHandOver, type ResolvedHandOver } from './hand-over'
import { resolveDeviceBound, resolveProofFor, warningsForProofFor, type ResolvedDeviceBound } from './device-bound'
import { KEY_NAMES, readKeySource, type KeySource } from './keys'
import type { Limits } from '../session/expiry'
import { resolveLegacy, type ResolvedLegacy } from './legacy'
import type { Materials } from '../keyring/fixed-keys'
import type { RotationPlan } from '../keyring/lifecycle'
import { checkRoom } from './room'
import { maxAgeProblem } from './max-age'
import { resolveRevocation, type ResolvedRevocation } from './revocation'
import { readCookieName, resolveSealing, SEALING_NAMES, type SealingOptions } from './sealing'
import { readTenants, type ResolvedTenants } from './tenants'
import { resolveTokens } from './tokens'
import { resolveTransport, type ResolvedTransport } from './transport'

/** The options of one session, checked and with every default filled in. */
export interface ResolvedOptions extends SealingOptions, ResolvedTransport {
  readonly sessionName: string
  /** The maximum number of cookies that a session may be split over. */
  readonly maxCookies: number
  /** The name of the second, small cookie that renews the first. */
  readonly stampName: string
  /** The names of the cookies beside a session with a mark: its pass and its proof. */
  readonly passName: string
  readonly proofName: string
  /** The cookie name of tokens for a purpose: without the prefix that the option `cookie` chooses by request. */
  readonly purposeName: string
  /** The names of all cookies that its sessions may be in, and of those beside them. */
  readonly cookieNames: readonly string[]
  readonly attributes: CookieAttributes
  /** The maximum number of bytes that the attributes take in a Set-Cookie line. */
  readonly attributesBytes: number
  readonly persistent: boolean
  /** The number of opened tokens that are kept in memory; 0 for none. */
  readonly tokenCache: number
  readonly cacheControl: boolean
  /** Returns the id of the logged-in user; null without the option `subject`. */
  readonly subject: ((session: never) => unknown) | null
  readonly openapi: boolean
  /** Null without the option `deviceBound`. Sessions with a mark are honoured all the same. */
  readonly deviceBound: ResolvedDeviceBound | null
  /** How long a proof of a device lasts. */
  readonly proofForMs: number
  /** Settings of tokens, by their purpose. */
  readonly tokens: ReadonlyMap<string, Input>
  /** Null without the option `handOver`. */
  readonly handOver: ResolvedHandOver | null
  /** The legacy cookies from which sessions migrate. */
  readonly legacyCookies: readonly LegacyCookieName[]
  /** Warnings for the log, once at boot. */
  readonly warnings: readonly string[]
}

export type LegacyCookieName = Pick<ResolvedLegacy, 'cookieName' | 'attributes'>

const DEFAULT_TOKEN_CACHE = 1000
const MOST_CACHED_TOKENS = 1_000_000

const KNOWN = [
  ...SEALING_NAMES, ...KEY_NAMES, 'sessionName', 'cookie', 'cookieOptions', 'cookies', 'tenant', 'persistent',
  'maxCookies', 'cacheControl', 'legacy', 'subject', 'revocation', 'openapi', 'tokenCache', 'deviceBound', 'tokens',
  'handOver', 'transport', 'bearerHeader'
]
/** Options of Fastify's `register`, which Fastify passes on to the plugin. */
const REGISTER_OPTIONS = ['prefix', 'logLevel', 'logSerializers']

/** Keys, and openers with keys, are separate from `options`, which are kept for as long as the app runs. */
export interface ResolvedSession {
  readonly options: ResolvedOptions
  readonly keySource: KeySource
  readonly legacy: readonly ResolvedLegacy[]
  readonly revocation: ResolvedRevocation | null
  /** The keys of `handOver.key`; null where the ring of the session seals tickets. */
  readonly ticketMaterials: Materials | null
  /** Null without the option `tenant`. */
  readonly tenants: ResolvedTenants | null
}

/**
 * Checks the options of `register`, and returns one entry per session.
 * Throws FST_SESSION_INVALID_OPTION or FST_SESSION_INVALID_KEY.
 * @param prefix of the scope that the plugin is registered in
 */
export function resolveOptions (options: unknown, nowMs: number, prefix = ''): ResolvedSession[] {
  const all = (Array.isArray(options) ? options : [options]).map(one => resolveOne(one, nowMs, prefix))
  if (all.length === 0) throw invalid('options must be an object, or an array of one or more; found an empty array')
  return all
}

/** Throws FST_SESSION_INVALID_OPTION if two sessions would share a property of the request or a cookie. */
export function refuseCollisions (
  sessions: readonly Pick<
    ResolvedOptions, 'sessionName' | 'cookieNames' | 'legacyCookies' | 'transport' | 'bearerHeader'
  >[]
): void {
  refuseTwice(sessions.map(({ sessionName }) => sessionName), 'sessionName')
  const withBearer = sessions.filter(({ transport }) => transport !== 'cookie')
  refuseTwice(withBearer.map(({ bearerHeader }) => bearerHeader), 'bearerHeader')
  refuseTwice(sessions.flatMap(({ cookieNames }) => cookieNames), 'cookieName')
  for (const { sessionName, legacyCookies } of sessions) {
    const others = sessions.filter(other => other.sessionName !== sessionName)
    const taken = others.flatMap(other => [...other.cookieNames, ...namesOf(other.legacyCookies)])
    const shared = namesOf(legacyCookies).find(name => taken.includes(name))
    if (shared !== undefined) {
      throw invalid(`option "legacy": the legacy cookie "${shared}" belongs to another session, too: ` +
        'migrating one session would clear the cookie of the other')
    }
  }
}

function namesOf (legacyCookies: readonly LegacyCookieName[]): string[] {
  return legacyCookies.map(({ cookieName }) => cookieName)
}

function resolveOne (input: unknown, nowMs: number, prefix: string): ResolvedSession {
  if (!isObject(input)) throw invalid(`options must be an object; found ${describe(input)}`)
  refuseUnknown(input, [...KNOWN, ...REGISTER_OPTIONS], 'option')
  const tenants = readTenants(input, (options, declared) => resolveSession(options, nowMs, prefix, declared))
  return tenants === null ? resolveSession(input, nowMs, prefix) : withTenants(tenants)
}

/** As for the first of its cookies, with the names and the warnings of all. */
function withTenants (tenants: ResolvedTenants): ResolvedSession {
  const { declared } = tenants
  const [{ session }] = declared as [typeof declared[number]]
  const all = declared.map(({ session: { options } }) => options)
  const cookieNames = [...new Set(all.flatMap(({ cookieNames }) => cookieNames))]
  const warnings = [...new Set(all.flatMap(({ warnings }) => warnings))]
  return { ...session, options: Object.freeze({ ...session.options, cookieNames, warnings }), tenants }
}

/** How the cookie of a session was declared. */
export interface Declared {
  readonly hasTenants: boolean
  /** The name of its attributes in messages; null for that of their option. */
  readonly where: string | null
  /** The first characters of its name. */
  readonly namePrefix: string
}

const ALONE: Declared = { hasTenants: false, where: null, namePrefix: '' }

function resolveSession (
  input: Input, nowMs: number, prefix: string, { hasTenants, where, namePrefix }: Declared = ALONE
): ResolvedSession {
  const sessionName = text(input, 'sessionName', 'session')
  const cookieName = readCookieName(input, sessionName)
  const cookieOption = where ?? (input['cookieOptions'] === undefined ? 'cookie' : 'cookieOptions')
  const { attributes, given, ignored } = resolveAttributes(input, cookieName, nowMs, cookieOption)
  const defaultIdleMs = attributes.maxAgeS === null ? DAY_MS : attributes.maxAgeS * SECOND_MS
  const sealing = resolveSealing(input, sessionName, defaultIdleMs)
  const { limits } = sealing
  const maxCookies = integer(input, 'maxCookies', NOT_SPLIT, NOT_SPLIT, MOST_PARTS)
  const sideNames = sideCookieNames(cookieName)
  const furtherNames = maxCookies === NOT_SPLIT ? [] : new CookieParts(cookieName).names.slice(NOT_SPLIT)
  const handOver = resolveHandOver(input['handOver'], cookieName, prefix)
  const flowNames = flowNamesOf(handOver)
  const cookieNames = [cookieName, ...furtherNames, ...Object.values(sideNames), ...flowNames] as const
  const keySource = readKeySource(input, limits.absoluteMs)
  checkRoom({ cookieName, maxCookies, padTo: sealing.padTo }, attributes, null, cookieOption)
  const legacy = resolveLegacy(input['legacy'], cookieNames, attributes, hasTenants)
  const subject = readSubject(input['subject'])
  const proofForMs = resolveProofFor(input['deviceBound'])
  const revocation = resolveRevocation(input['revocation'], limits.absoluteMs)
  const resolved = Object.freeze({
    ...{ ...sealing, ...resolveTransport(input, given, cookieOption) },
    maxCookies,
    sessionName,
    ...sideNames,
    purposeName: cookieName.slice(namePrefix.length),
    cookieNames,
    attributes,
    attributesBytes: longestAttributes(attributes),
    persistent: readPersistent(input, limits),
    tokenCache: integer(input, 'tokenCache', DEFAULT_TOKEN_CACHE, 0, MOST_CACHED_TOKENS),
    cacheControl: boolean(input, 'cacheControl', true),
    subject,
    openapi: boolean(input, 'openapi', false),
    deviceBound: resolveDeviceBound(
      input['deviceBound'], { sessionName, attributes, hasSubject: subject !== null, prefix }),
    proofForMs,
    handOver,
    tokens: resolveTokens(input['tokens'], revocation !== null),
    legacyCookies: legacy.map(({ cookieName, attributes }) => ({ cookieName, attributes })),
    warnings: [
      ...warningsFor(keySource, ignored, limits.absoluteMs), ...warningsForMaxAge(attributes, limits),
      ...warningsForProofFor(proofForMs)
    ]
  })
  const ticketMaterials = handOverMaterials(input['handOver'])
  return { options: resolved, keySource, legacy, revocation, ticketMaterials, tenants: null }
}

function readPersistent (input: Input, { absoluteMs }: Limits): boolean {
  const persistent = boolean(input, 'persistent', false)
  if (!persistent || absoluteMs <= LONGEST_COOKIE_MS) return persistent
  throw invalid(`option "absolute" must be ${LONGEST_COOKIE_MS / DAY_MS} days at most if the session is ` +
    'persistent: browsers keep no cookie for longer')
}

function readSubject (subject: unknown): ResolvedOptions['subject'] {
  if (subject === undefined) return null
  if (typeof subject === 'function') return subject as (session: never) => unknown
  throw invalid('option "subject" must be a function such as session => session.get(\'user\')?.id; ' +
    `found ${describe(subject)}`)
}

function resolveAttributes (
  input: Input, cookieName: string, nowMs: number, where: string
): { attributes: CookieAttributes, given: Partial<CookieAttributes>, ignored: string[] } {
  const option = aliased(input, 'cookie', 'cookieOptions')
  const all = option === undefined ? {} : option
  if (!isObject(all)) throw invalid(`option "${where}" must be an object; found ${describe(all)}`)
  refuseUnknown(all, [...ATTRIBUTE_NAMES, ...IGNORED_NAMES], `cookie attribute in "${where}",`)
  const given = readAttributes(all, where)
  const attributes = resolveSecure(cookieName, { ...DEFAULT_ATTRIBUTES, ...given })
  checkRules(cookieName, attributes, where)
  checkLifetime(attributes, nowMs, where)
  const ignored = IGNORED_NAMES.filter(name => all[name] !== undefined && all[name] !== false)
  return { attributes: Object.freeze(attributes), given, ignored }
}

function warningsFor (keySource: KeySource, ignored: readonly string[], absoluteMs: number): string[] {
  const warnings = ignored.map(name => {
    return `cookie.${name} is ignored: a sealed cookie is authenticated, and needs no encoding`
  })
  if (keySource.kind === 'passphrase' && keySource.salt === undefined) {
    warnings.push('"secret" is used without "salt": an attacker can guess the passphrases of all such sites at once. ' +
      'Give 16 random bytes as "salt", or better a "key"')
  }
  if ('rotation' in keySource && keySource.rotation !== null) {
    warnings.push(...warningsForRotation(keySource.rotation, keySource.reloadEveryMs, absoluteMs))
  }
  return warnings
}

function warningsForMaxAge ({ maxAgeS }: CookieAttributes, limits: Limits): string[] {
  const problem = maxAgeS === null ? null : maxAgeProblem(maxAgeS * SECOND_MS, limits, '"cookie.maxAge"')
  return problem === null ? [] : [problem]
}

function warningsForRotation (
  { activateInMs, keepForMs }: RotationPlan, reloadEveryMs: number, absoluteMs: number
): string[] {
  const warnings: string[] = []
  if (keepForMs < absoluteMs) {
    warnings.push('"rotation.keepFor" is shorter than "absolute": ' +
      'keys will stop opening sessions that have not expired')
  }
  if (activateInMs < 2 * reloadEveryMs) {
    warnings.push('"rotation.activateIn" is shorter than two of "reloadEvery": ' +
      'keys will seal before every server knows them')
  }
  return warnings
}

function refuseTwice (names: readonly string[], option: string): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw invalid(`option "${option}": two sessions would share "${twice}"`)
}
