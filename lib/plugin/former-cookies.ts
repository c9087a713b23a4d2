import type { FastifyBaseLogger } from 'fastify'
import { invalid } from '../checks'
import type { CookieAttributes } from '../cookies/attributes'
import { CookieLines } from '../cookies/lines'
import { STAMP_SUFFIX } from '../core/format'
import { fixedTerms, Keyring } from '../keyring/keyring'
import { FormerName } from '../legacy/sealed'
import type { ResolvedLegacy } from '../options/legacy'
import type { ResolvedOptions, ResolvedSession } from '../options/options'
import { adopt } from '../session/adopted'
import type { OwnSettings } from '../session/own-settings'
import type { OpenedSession } from '../session/policy'
import { sealingWith } from '../session/sealing'
import type { LegacyOpener, LegacySession } from '../../types/legacy'
import { isRefusal, logRefusal, openSealed } from './open'
import { attributesWith, isAllowed } from './own-attributes'

/** An old cookie from which sessions move into their own. */
export interface FormerCookie {
  readonly cookieName: string
  readonly keep: boolean
  /** `open` never returns a promise. */
  readonly immediate: boolean
  /** All names under which something of it lies in a browser. */
  readonly names: readonly string[]
  /** Its tokens are sealed by the keys of the session. */
  readonly isOfOwnKeys: boolean
  /** What may be tried on these values of it, one after the other, until something opens. */
  attempts (values: readonly string[], header: string | undefined, nowMs: number, log: FastifyBaseLogger): readonly Attempt[]
  /** The lines that set, and clear, it where a session with such settings had it. */
  lines (settings: OwnSettings): CookieLines
}

/** The status of an error by which an opener says that its store is away: taking the user for a stranger could lose the session. */
const CANNOT_TELL = 503

/** A session, or null where this does not open. A promise only where the cookie is not `immediate`. */
export type Attempt = () => Promise<OpenedSession | null> | OpenedSession | null

/** Throws FST_SESSION_INVALID_KEY, or what an opener throws that is being prepared. */
export async function openFormerCookies ({ options, legacy }: ResolvedSession, keyring: Keyring): Promise<FormerCookie[]> {
  const opened: FormerCookie[] = []
  for (const one of legacy) {
    const { opener } = one
    opened.push(opener instanceof FormerName ? await sealedBefore(one, opener, options, keyring) : await ofAnother(one, opener, options))
  }
  return opened
}

/** A cookie of ours, under the name it had. */
async function sealedBefore ({ cookieName, attributes, keep }: ResolvedLegacy, former: FormerName, options: ResolvedOptions, own: Keyring): Promise<FormerCookie> {
  const materials = await former.materials()
  const keys = materials === null ? own : new Keyring(fixedTerms(materials))
  const stampName = cookieName + STAMP_SUFFIX
  const source = {
    sealing: sealingWith({ ...options, cookieName }, keys.tokenKeys('cookie', cookieName)),
    stampName,
    stampKeys: keys.tokenKeys('stamp', stampName)
  }
  return {
    cookieName,
    keep,
    immediate: true,
    names: [cookieName, stampName],
    isOfOwnKeys: materials === null,
    lines: linesUnder(cookieName, attributes),
    attempts: (values, header, nowMs, log) => [() => {
      const opened = openSealed(source, values, header, nowMs, log)
      if (opened === null) return null
      // What was allowed under the old name may be wrong for the new one, such as a domain for `__Host-`.
      const settings = isAllowed(options, opened.settings.attributes) ? opened.settings : { ...opened.settings, attributes: null }
      return { ...opened, settings, isRenewalDue: false, isMoved: true }
    }]
  }
}

/** A cookie of another library. */
async function ofAnother ({ cookieName, attributes, keep }: ResolvedLegacy, opener: LegacyOpener, options: ResolvedOptions): Promise<FormerCookie> {
  await opener.prepare?.()
  const { immediate = false } = opener
  return {
    cookieName,
    keep,
    immediate,
    names: [cookieName],
    isOfOwnKeys: false,
    lines: linesUnder(cookieName, attributes),
    attempts: (values, _header, nowMs, log) => values.map(value => () => {
      const take = (found: LegacySession | null): OpenedSession | null => {
        const adopted = found === null ? null : adopt(found, value, options, nowMs)
        if (adopted === null || !isRefusal(adopted)) return adopted
        logRefusal(log, cookieName, adopted)
        return null
      }
      const answer = ask(opener, value, nowMs, log)
      if (!(answer instanceof Promise)) return take(answer)
      if (immediate) throw invalid('an opener in "legacy" that is "immediate" returned a promise')
      return answer.then(take)
    })
  }
}

/** What an opener throws is no answer, for a stranger may have sent what it stumbled over; unless it says that it cannot tell now. */
function ask (opener: LegacyOpener, value: string, nowMs: number, log: FastifyBaseLogger): Promise<LegacySession | null> | LegacySession | null {
  const failed = (error: unknown): null => {
    if ((error as { statusCode?: number } | null)?.statusCode === CANNOT_TELL) throw error
    log.debug({ cookie: opener.cookieName, err: error }, 'an opener of old cookies threw, which counts as not opened')
    return null
  }
  try {
    const answer = opener.open(value, nowMs)
    return isThenable(answer) ? Promise.resolve(answer).catch(failed) : answer
  } catch (error) {
    return failed(error)
  }
}

function isThenable (answer: unknown): answer is PromiseLike<LegacySession | null> {
  return typeof (answer as { then?: unknown } | null)?.then === 'function'
}

function linesUnder (cookieName: string, attributes: CookieAttributes): (settings: OwnSettings) => CookieLines {
  const usual = new CookieLines(attributes)
  return settings => settings.attributes === null ? usual : new CookieLines(attributesWith({ cookieName, attributes }, settings.attributes))
}
