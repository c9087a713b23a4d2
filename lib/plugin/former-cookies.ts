import { invalid } from '../checks'
import type { CookieAttributes } from '../cookies/attributes'
import { CookieLines } from '../cookies/lines'
import { STAMP_SUFFIX } from '../core/format'
import type { Values } from '../core/parts'
import { fixedTerms, Keyring } from '../keyring/keyring'
import { FormerName } from '../legacy/sealed'
import { OpenerOfSecureSession } from '../legacy/secure-session'
import type { ResolvedLegacy } from '../options/legacy'
import type { ResolvedOptions, ResolvedSession } from '../options/options'
import { adopt } from '../session/adopted'
import type { OwnSettings } from '../session/own-settings'
import type { OpenedSession } from '../session/policy'
import { sealingWith } from '../session/sealing'
import { legacyStoreFailed } from '../store-failure'
import type { LegacyOpener, LegacySession } from '../../types/legacy'
import type { OpeningLog } from './deferred-log'
import { isRefusal, laterFirst, openSealed, type Source } from './open'
import { attributesWith, isAllowed } from './own-attributes'
import { tellRefused, type IsFirst } from './refusals'

/** An old cookie from which sessions move into their own. */
export interface FormerCookie {
  readonly cookieName: string
  /** The names of all cookies that a session there may lie in. */
  readonly names: readonly string[]
  readonly keep: boolean
  /** `open` never returns a promise. */
  readonly immediate: boolean
  /** Its sessions say when they began. */
  readonly isDated: boolean
  /** The names of those of its cookies that were sealed by keys of the session. */
  readonly namesOfOwnKeys: readonly string[]
  /** The newest session in its cookies there, or null. Throws FST_SESSION_STORE_UNAVAILABLE where an opener says that it cannot tell. */
  open (source: Source, nowMs: number, log: OpeningLog): Answer | Promise<Answer>
  /** The names of further cookies in which something of it lies, where these are the values of cookies. */
  others (values: Values): readonly string[]
  /** The lines that set, and clear, it where a session with such settings had it. */
  lines (settings: OwnSettings): CookieLines
}

type Answer = OpenedSession | null

interface AdoptingOptions extends ResolvedOptions {
  readonly isFirst: IsFirst
}

const NONE: readonly string[] = []

/** The status of an error by which an opener says that its store is away: taking the user for a stranger could lose the session. */
const CANNOT_TELL = 503

/** Throws FST_SESSION_INVALID_KEY, or what an opener throws that is being prepared. */
export async function openFormerCookies (
  { options, legacy }: ResolvedSession, keyring: Keyring, isFirst: IsFirst
): Promise<FormerCookie[]> {
  const opened: FormerCookie[] = []
  for (const one of legacy) {
    const { opener } = one
    opened.push(opener instanceof FormerName
      ? await sealedBefore(one, opener, options, keyring, isFirst)
      : await ofAnother(one, opener, { ...options, isFirst }))
  }
  return opened
}

/** A cookie of ours, under the name it had. */
async function sealedBefore (
  { cookieName, attributes, keep }: ResolvedLegacy, former: FormerName, options: ResolvedOptions, own: Keyring,
  isFirst: IsFirst
): Promise<FormerCookie> {
  const materials = await former.materials()
  const keys = materials === null ? own : new Keyring(fixedTerms(materials))
  const stampName = cookieName + STAMP_SUFFIX
  const sealed = {
    sessionName: options.sessionName,
    sealing: sealingWith({ ...options, cookieName }, keys.tokenKeys('cookie', cookieName)),
    stampName,
    stampKeys: keys.tokenKeys('stamp', stampName),
    isFirst
  }
  return {
    cookieName,
    names: [...sealed.sealing.parts.names, stampName],
    keep,
    immediate: true,
    isDated: true,
    namesOfOwnKeys: materials === null ? [cookieName, stampName] : NONE,
    others: values => [stampName, ...sealed.sealing.parts.further(values)],
    lines: linesUnder(cookieName, attributes),
    open (source, nowMs, log) {
      const [opened] = openSealed(sealed, source, nowMs, log)
      if (opened === undefined) return null
      // What was allowed under the old name may be wrong for the new one, such as a domain for `__Host-`.
      const settings = isAllowed(options, opened.settings.attributes) ? opened.settings : { ...opened.settings, attributes: null }
      return { ...opened, settings, isRenewalDue: false, isMoved: true }
    }
  }
}

/** A cookie of another library. */
async function ofAnother (
  { cookieName, attributes, keep }: ResolvedLegacy, opener: LegacyOpener, options: AdoptingOptions
): Promise<FormerCookie> {
  await opener.prepare?.()
  const { immediate = false } = opener
  const rules = { ...options, cookieName }
  return {
    cookieName,
    names: [cookieName],
    keep,
    immediate,
    isDated: opener instanceof OpenerOfSecureSession,
    namesOfOwnKeys: NONE,
    others: () => NONE,
    lines: linesUnder(cookieName, attributes),
    open (source, nowMs, log) {
      const values = source.values(cookieName)
      const take = (found: LegacySession | null, index: number): Answer => adopted(found, values[index] as string, rules, nowMs, log)
      const answers = values.map(value => ask(opener, cookieName, value, nowMs, log))
      if (!answers.some(isThenable)) return newest((answers as Array<LegacySession | null>).map(take))
      if (immediate) throw invalid('an opener in "legacy" that is "immediate" returned a promise')
      return Promise.all(answers).then(all => newest(all.map(take)))
    }
  }
}

/** What an opener throws is no answer, for a stranger may have sent what it stumbled over; unless it says that it cannot tell now. */
function ask (opener: LegacyOpener, cookie: string, value: string, nowMs: number, log: OpeningLog): LegacySession | null | PromiseLike<LegacySession | null> {
  const failed = (error: unknown): null => {
    if (saysUnavailable(error)) throw legacyStoreFailed(error)
    log.debug({ cookie, err: error }, 'an opener of old cookies threw, which counts as not opened')
    return null
  }
  try {
    const answer = opener.open(value, nowMs)
    if (!isThenable(answer)) return answer
    const settled = Promise.resolve(answer).catch(failed)
    // Whoever waits is told; where another cookie's opener fails at once, nobody waits any more.
    settled.catch(() => {})
    return settled
  } catch (error) {
    return failed(error)
  }
}

function saysUnavailable (error: unknown): boolean {
  return (error as { statusCode?: unknown } | null | undefined)?.statusCode === CANNOT_TELL
}

/** What an opener found, as a session of ours. An opener that is wrong about one cookie must not lock its user out of every page. */
function adopted (
  found: LegacySession | null, value: string, rules: AdoptingOptions, nowMs: number, log: OpeningLog
): Answer {
  const cookie = rules.cookieName
  if (found === null) {
    log.debug({ cookie }, 'old cookie not opened')
    return null
  }
  try {
    const session = adopt(found, value, rules, nowMs)
    if (!isRefusal(session)) return session
    tellRefused(log, rules.isFirst, { sessionName: rules.sessionName, cookie, reason: session.reason })
  } catch (error) {
    log.error({ cookie, err: error }, 'an opener of old cookies returned what is no session')
  }
  return null
}

function newest (answers: readonly Answer[]): Answer {
  return answers.filter(answer => answer !== null).sort(laterFirst)[0] ?? null
}

function isThenable (answer: unknown): answer is PromiseLike<LegacySession | null> {
  return typeof (answer as { then?: unknown } | null)?.then === 'function'
}

function linesUnder (cookieName: string, attributes: CookieAttributes): (settings: OwnSettings) => CookieLines {
  const usual = new CookieLines(attributes)
  return settings => settings.attributes === null ? usual : new CookieLines(attributesWith({ cookieName, attributes }, settings.attributes))
}
