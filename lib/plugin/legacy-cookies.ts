import { isUnproven } from '../bound/status'
import { invalid } from '../checks'
import type { CookieAttributes } from '../cookies/attributes'
import { CookieLines } from '../cookies/lines'
import { sideCookieNames } from '../core/format'
import type { Values } from '../core/parts'
import { fixedTerms, Keyring, type KeyDerivation } from '../keyring/keyring'
import { TenantKeys } from '../keyring/tenant-keys'
import { SealedLegacy } from '../legacy/sealed'
import { SecureSessionLegacy } from '../legacy/secure-session'
import type { ResolvedLegacy } from '../options/legacy'
import type { ResolvedOptions, ResolvedSession } from '../options/options'
import { attributesWith, isAllowed } from '../options/session-options'
import { openLegacy } from '../session/legacy'
import type { OpenedSession } from '../session/opened'
import { sealingWith, type Sealing } from '../session/sealing'
import type { OwnSettings } from '../session/settings'
import { legacyStoreFailed } from '../store-failure'
import type { LegacyOpener, LegacySession } from '../../types/legacy'
import { isRefusal, newestFirst, openSealed, type SessionSource, type SealedCookies } from './load'
import { logRefused, type IsFirst, type OpeningLog } from './log'

/** A legacy cookie, from which sessions migrate. */
export interface LegacyCookie {
  readonly cookieName: string
  /** The names of all cookies that a session there may be in. */
  readonly names: readonly string[]
  readonly keep: boolean
  /** The name of the pass of its sessions; null where they have none. */
  readonly passName: string | null
  /** `open` never returns a promise. */
  readonly immediate: boolean
  /** Its sessions say when they began. */
  readonly isDated: boolean
  /** The names of those of its cookies that were sealed by keys of the session. */
  readonly namesOfOwnKeys: readonly string[]
  /** The newest session in its cookies, or null. Fails with FST_SESSION_STORE_UNAVAILABLE where an opener says so. */
  open (source: SessionSource, nowMs: number, log: OpeningLog): Opened | Promise<Opened>
  /** The names of further cookies that belong to it, where these are the values of cookies. */
  furtherNames (values: Values): readonly string[]
  /** The Set-Cookie lines that it had, for a session with these settings. */
  lines (settings: OwnSettings): CookieLines
}

type Opened = OpenedSession | null

interface LegacyRules extends ResolvedOptions {
  readonly isFirst: IsFirst
  readonly tenant: string | null
}

const NONE: readonly string[] = []

/** The `statusCode` of an error by which an opener says that its store is unavailable. */
const UNAVAILABLE = 503

/** The keys of the openers that have keys other than the session's. */
export type LegacyKeys = ReadonlyMap<object, Keyring>

/** Throws FST_SESSION_INVALID_KEY, or what `prepare` of an opener throws. */
export async function openLegacyKeys (legacy: readonly ResolvedLegacy[]): Promise<LegacyKeys> {
  const keys = new Map<object, Keyring>()
  for (const { opener } of legacy) {
    if (opener instanceof SealedLegacy) {
      const materials = await opener.materials()
      if (materials !== null) keys.set(opener, new Keyring(fixedTerms(materials)))
    } else {
      await opener.prepare?.()
    }
  }
  return keys
}

/** The keys for the legacy cookies of one session, and what they share with it. */
export interface LegacyParts {
  readonly legacyKeys: LegacyKeys
  readonly isFirst: IsFirst
  readonly cache: Sealing['cache']
}

/** @param tenant whose sessions are opened; null without the option `tenant` */
export function legacyCookiesOf (
  { options, legacy }: ResolvedSession, keyring: KeyDerivation, tenant: string | null, parts: LegacyParts
): LegacyCookie[] {
  const rules = { ...options, isFirst: parts.isFirst, tenant }
  return legacy.map(one => {
    const { opener } = one
    if (!(opener instanceof SealedLegacy)) return otherLibrary(one, opener, rules)
    return sealedLegacy(one, opener, options, keyring, tenant, parts)
  })
}

/** A sealed cookie, under another name or other keys. */
function sealedLegacy (
  legacy: ResolvedLegacy, opener: SealedLegacy, options: ResolvedOptions, ownKeyring: KeyDerivation,
  tenant: string | null, { legacyKeys, isFirst, cache }: LegacyParts
): LegacyCookie {
  const { cookieName, attributes, keep } = legacy
  const otherKeyring = legacyKeys.get(opener) ?? null
  // With `tenant` in its options, it was sealed before there were tenants.
  const keyring = keysOf(otherKeyring ?? ownKeyring, legacy.tenant === null ? tenant : null)
  const names = sideCookieNames(cookieName)
  const { stampName } = names
  const besideNames = Object.values(names)
  const sealed: SealedCookies = {
    sessionName: options.sessionName,
    tenant,
    sealing: sealingWith({ ...options, cookieName }, keyring.tokenKeys('cookie', cookieName), Infinity, cache),
    ...names,
    stampKeys: keyring.tokenKeys('stamp', stampName),
    // The key of the browser belongs to the earlier name: a session that only a proof proves does not migrate.
    proofKeys: null,
    proofForMs: 0,
    isFirst
  }
  return {
    cookieName,
    names: [...sealed.sealing.parts.names, ...besideNames],
    keep,
    passName: sealed.passName,
    immediate: true,
    isDated: true,
    namesOfOwnKeys: otherKeyring === null ? [cookieName, stampName] : NONE,
    furtherNames: values => [...besideNames, ...sealed.sealing.parts.furtherNames(values)],
    lines: linesUnder(cookieName, attributes),
    open (source, nowMs, log) {
      const opened = openSealed(sealed, source, nowMs, log).find(one => isUsable(one, sealed, log))
      if (opened === undefined) return null
      // An attribute of the old name may be wrong for the new one, such as a domain for `__Host-`.
      const mayStay = isAllowed(options, opened.settings.attributes)
      const settings = mayStay ? opened.settings : { ...opened.settings, attributes: null }
      return { ...opened, settings, isLegacy: true }
    }
  }
}

function keysOf (keyring: KeyDerivation, tenant: string | null): KeyDerivation {
  const ring = keyring instanceof TenantKeys ? keyring.ring : keyring
  return tenant === null ? ring : new TenantKeys(ring, tenant)
}

/** It has no mark, or its pass was sent. */
function isUsable (
  { binding, id }: OpenedSession, { sessionName, tenant, sealing, isFirst }: SealedCookies, log: OpeningLog
): boolean {
  if (!isUnproven(binding)) return true
  logRefused(log, isFirst, { sessionName, tenant, cookie: sealing.cookieName, reason: 'unproven', id: id.text })
  return false
}

/** A cookie of another library. */
function otherLibrary (
  { cookieName, attributes, keep }: ResolvedLegacy, opener: LegacyOpener, options: LegacyRules
): LegacyCookie {
  const { immediate = false } = opener
  const rules = { ...options, cookieName }
  return {
    cookieName,
    names: [cookieName],
    keep,
    passName: null,
    immediate,
    isDated: opener instanceof SecureSessionLegacy,
    namesOfOwnKeys: NONE,
    furtherNames: () => NONE,
    lines: linesUnder(cookieName, attributes),
    open (source, nowMs, log) {
      const values = source.values(cookieName)
      const take = (found: LegacySession | null, index: number): Opened => {
        return sessionOf(found, values[index] as string, rules, nowMs, log)
      }
      const answers = values.map(value => callOpener(opener, cookieName, value, nowMs, log))
      if (!answers.some(isThenable)) return newest((answers as Array<LegacySession | null>).map(take))
      if (immediate) throw invalid('an opener in "legacy" that is "immediate" returned a promise')
      return Promise.all(answers).then(all => newest(all.map(take)))
    }
  }
}

/**
 * An opener that throws has not opened the cookie, which a stranger may have sent. Unless it says that it is
 * unavailable.
 */
function callOpener (
  opener: LegacyOpener, cookie: string, value: string, nowMs: number, log: OpeningLog
): LegacySession | null | PromiseLike<LegacySession | null> {
  const failed = (error: unknown): null => {
    if (saysUnavailable(error)) throw legacyStoreFailed(error)
    log.debug({ cookie, err: error }, 'an opener of legacy cookies threw, which counts as not opened')
    return null
  }
  try {
    const answer = opener.open(value, nowMs)
    if (!isThenable(answer)) return answer
    const settled = Promise.resolve(answer).catch(failed)
    // The rejection is handled where it is awaited, or ignored where the opener of another cookie has failed before.
    settled.catch(() => {})
    return settled
  } catch (error) {
    return failed(error)
  }
}

function saysUnavailable (error: unknown): boolean {
  return (error as { statusCode?: unknown } | null | undefined)?.statusCode === UNAVAILABLE
}

/** The session that an opener found. A wrong answer of the opener is logged, and counts as not opened. */
function sessionOf (
  found: LegacySession | null, value: string, rules: LegacyRules, nowMs: number, log: OpeningLog
): Opened {
  const cookie = rules.cookieName
  if (found === null) {
    log.debug({ cookie }, 'legacy cookie not opened')
    return null
  }
  try {
    const session = openLegacy(found, value, rules, nowMs)
    if (!isRefusal(session)) return session
    const { sessionName, tenant, isFirst } = rules
    logRefused(log, isFirst, { sessionName, tenant, cookie, reason: session.reason })
  } catch (error) {
    log.error({ cookie, err: error }, 'an opener of legacy cookies returned an invalid result')
  }
  return null
}

function newest (sessions: readonly Opened[]): Opened {
  return sessions.filter(session => session !== null).sort(newestFirst)[0] ?? null
}

function isThenable (answer: unknown): answer is PromiseLike<LegacySession | null> {
  return typeof (answer as { then?: unknown } | null)?.then === 'function'
}

function linesUnder (cookieName: string, attributes: CookieAttributes): (settings: OwnSettings) => CookieLines {
  const usual = new CookieLines(attributes)
  return settings => settings.attributes === null
    ? usual
    : new CookieLines(attributesWith({ cookieName, attributes }, settings.attributes))
}
