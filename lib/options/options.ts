import { ATTRIBUTE_NAMES, checkLifetime, checkRules, DEFAULT_ATTRIBUTES, IGNORED_NAMES, readAttributes, settleSecure, type CookieAttributes } from '../cookies/attributes'
import { MOST_PARTS, NOT_SPLIT, STAMP_SUFFIX } from '../core/format'
import { longestAttributes } from '../cookies/lines'
import { CookieParts } from '../core/parts'
import { DAY_MS, LONGEST_COOKIE_MS, SECOND_MS } from '../time'
import { aliased, boolean, describe, integer, invalid, isObject, refuseUnknown, text } from '../checks'
import { KEY_NAMES, readKeySource, type KeySource } from './keys'
import type { Limits } from '../session/expiry'
import { resolveLegacy, type ResolvedLegacy } from './legacy'
import type { RotationPlan } from '../keyring/lifecycle'
import { checkRoom } from './room'
import { maxAgeProblem } from './max-age'
import { resolveRevocation, type ResolvedRevocation } from './revocation'
import { readCookieName, resolveSealing, SEALING_NAMES, type SealingOptions } from './sealing'

/** The options of one session, checked and with every default filled in. */
export interface ResolvedOptions extends SealingOptions {
  readonly sessionName: string
  /** Over how many cookies a session may be split. */
  readonly maxCookies: number
  /** The name of the second, small cookie that renews the first. */
  readonly stampName: string
  /** The names of all the cookies that its sessions may lie in. */
  readonly cookieNames: readonly string[]
  readonly attributes: CookieAttributes
  /** Bytes that they take in a Set-Cookie line, at most. */
  readonly attributesBytes: number
  readonly persistent: boolean
  /** How many opened tokens are kept; 0 for none. */
  readonly tokenCache: number
  readonly cacheControl: boolean
  /** Who is logged in by a session, as the app says it; null where it does not say. */
  readonly subject: ((session: never) => unknown) | null
  readonly openapi: boolean
  /** The old cookies from which sessions move into this one's, and where they lie. */
  readonly oldCookies: readonly OldCookie[]
  /** What an operator should know, said once at boot. */
  readonly warnings: readonly string[]
}

export type OldCookie = Pick<ResolvedLegacy, 'cookieName' | 'attributes'>

const DEFAULT_TOKEN_CACHE = 1000
const MOST_CACHED_TOKENS = 1_000_000

type Input = Readonly<Record<string, unknown>>

const KNOWN = [
  ...SEALING_NAMES, ...KEY_NAMES, 'sessionName', 'cookie', 'cookieOptions', 'persistent', 'maxCookies', 'cacheControl', 'legacy', 'subject', 'revocation',
  'openapi', 'tokenCache'
]
/** Fastify's own options of `register`, which it hands on to the plugin. */
const OF_REGISTER = ['prefix', 'logLevel', 'logSerializers']

/** Keys, and openers that hold keys, go apart from the rest, which is kept for as long as the app runs. */
export interface ResolvedSession {
  readonly options: ResolvedOptions
  readonly keySource: KeySource
  readonly legacy: readonly ResolvedLegacy[]
  readonly revocation: ResolvedRevocation | null
}

/**
 * Checks all that was given to `register` and returns it resolved, one entry a session.
 * Throws FST_SESSION_INVALID_OPTION or FST_SESSION_INVALID_KEY.
 */
export function resolveOptions (options: unknown, nowMs: number): ResolvedSession[] {
  const all = (Array.isArray(options) ? options : [options]).map(one => resolveOne(one, nowMs))
  if (all.length === 0) throw invalid('options must be an object, or an array of one or more; found an empty array')
  return all
}

/** Throws where two sessions would meet in a request's property or in a cookie. */
export function refuseCollisions (
  sessions: readonly Pick<ResolvedOptions, 'sessionName' | 'cookieNames' | 'oldCookies'>[]
): void {
  refuseTwice(sessions.map(({ sessionName }) => sessionName), 'sessionName')
  refuseTwice(sessions.flatMap(({ cookieNames }) => cookieNames), 'cookieName')
  for (const { sessionName, oldCookies } of sessions) {
    const others = sessions.filter(other => other.sessionName !== sessionName)
    const taken = others.flatMap(other => [...other.cookieNames, ...namesOf(other.oldCookies)])
    const clash = namesOf(oldCookies).find(name => taken.includes(name))
    if (clash !== undefined) throw invalid(`option "legacy": the old cookie "${clash}" belongs to another session, too: migrating one session would clear the cookie of the other`)
  }
}

function namesOf (oldCookies: readonly OldCookie[]): string[] {
  return oldCookies.map(({ cookieName }) => cookieName)
}

function resolveOne (input: unknown, nowMs: number): ResolvedSession {
  if (!isObject(input)) throw invalid(`options must be an object; found ${describe(input)}`)
  refuseUnknown(input, [...KNOWN, ...OF_REGISTER], 'option')
  const sessionName = text(input, 'sessionName', 'session')
  const cookieName = readCookieName(input, sessionName)
  const { attributes, ignored } = resolveAttributes(input, cookieName, nowMs)
  const sealing = resolveSealing(input, sessionName, attributes.maxAgeS === null ? DAY_MS : attributes.maxAgeS * SECOND_MS)
  const { limits } = sealing
  const persistent = boolean(input, 'persistent', false)
  if (persistent && limits.absoluteMs > LONGEST_COOKIE_MS) throw invalid(`option "absolute" must be ${LONGEST_COOKIE_MS / DAY_MS} days at most where the session is persistent: browsers keep no cookie for longer`)
  const maxCookies = integer(input, 'maxCookies', NOT_SPLIT, NOT_SPLIT, MOST_PARTS)
  const stampName = cookieName + STAMP_SUFFIX
  const furtherNames = maxCookies === NOT_SPLIT ? [] : new CookieParts(cookieName).names.slice(NOT_SPLIT)
  const cookieNames = [cookieName, ...furtherNames, stampName] as const
  const keySource = readKeySource(input, limits.absoluteMs)
  checkRoom({ cookieName, maxCookies, padTo: sealing.padTo }, attributes, null, 'cookie')
  const legacy = resolveLegacy(input['legacy'], cookieNames, attributes)
  const resolved = Object.freeze({
    ...sealing,
    maxCookies,
    sessionName,
    stampName,
    cookieNames,
    attributes,
    attributesBytes: longestAttributes(attributes),
    persistent,
    tokenCache: integer(input, 'tokenCache', DEFAULT_TOKEN_CACHE, 0, MOST_CACHED_TOKENS),
    cacheControl: boolean(input, 'cacheControl', true),
    subject: readSubject(input['subject']),
    openapi: boolean(input, 'openapi', false),
    oldCookies: legacy.map(({ cookieName, attributes }) => ({ cookieName, attributes })),
    warnings: [...warningsFor(keySource, ignored, limits.absoluteMs), ...warningsForMaxAge(attributes, limits)]
  })
  return { options: resolved, keySource, legacy, revocation: resolveRevocation(input['revocation'], limits.absoluteMs) }
}

function readSubject (subject: unknown): ResolvedOptions['subject'] {
  if (subject === undefined) return null
  if (typeof subject === 'function') return subject as (session: never) => unknown
  throw invalid(`option "subject" must be a function such as session => session.get('user')?.id; found ${describe(subject)}`)
}

function resolveAttributes (input: Input, cookieName: string, nowMs: number): { attributes: CookieAttributes, ignored: string[] } {
  const where = input['cookieOptions'] === undefined ? 'cookie' : 'cookieOptions'
  const asked = aliased(input, 'cookie', 'cookieOptions')
  const given = asked === undefined ? {} : asked
  if (!isObject(given)) throw invalid(`option "${where}" must be an object; found ${describe(given)}`)
  refuseUnknown(given, [...ATTRIBUTE_NAMES, ...IGNORED_NAMES], `cookie attribute in "${where}",`)
  const attributes = settleSecure(cookieName, { ...DEFAULT_ATTRIBUTES, ...readAttributes(given, where) })
  checkRules(cookieName, attributes, where)
  checkLifetime(attributes, nowMs, where)
  return { attributes: Object.freeze(attributes), ignored: IGNORED_NAMES.filter(name => given[name] !== undefined && given[name] !== false) }
}

function warningsFor (keySource: KeySource, ignored: readonly string[], absoluteMs: number): string[] {
  const warnings = ignored.map(name => `cookie.${name} is ignored: a sealed cookie is authenticated, and needs no encoding`)
  if (keySource.kind === 'passphrase' && keySource.salt === undefined) {
    warnings.push('"secret" is used without "salt": whoever guesses at passphrases can do so for all such sites at once. Give 16 random bytes as "salt", or better a "key"')
  }
  if (keySource.kind === 'keyring' && keySource.rotation !== null) warnings.push(...warningsForRotation(keySource.rotation, keySource.reloadEveryMs, absoluteMs))
  return warnings
}

function warningsForMaxAge ({ maxAgeS }: CookieAttributes, limits: Limits): string[] {
  const problem = maxAgeS === null ? null : maxAgeProblem(maxAgeS * SECOND_MS, limits, '"cookie.maxAge"')
  return problem === null ? [] : [problem]
}

function warningsForRotation ({ activateInMs, keepForMs }: RotationPlan, reloadEveryMs: number, absoluteMs: number): string[] {
  const warnings: string[] = []
  if (keepForMs < absoluteMs) warnings.push('"rotation.keepFor" is shorter than "absolute": keys will stop opening sessions that are not over')
  if (activateInMs < 2 * reloadEveryMs) warnings.push('"rotation.activateIn" is shorter than two of "reloadEvery": keys will seal before every server knows them')
  return warnings
}

function refuseTwice (names: readonly string[], option: string): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw invalid(`option "${option}": two sessions would share "${twice}"`)
}
