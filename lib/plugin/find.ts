import { NotReadyError } from '../errors'
import type { OwnSettings } from '../session/own-settings'
import type { OpenedSession } from '../session/policy'
import type { OpeningLog } from './deferred-log'
import type { SessionDefinition } from './definition'
import type { FormerCookie } from './former-cookies'
import { headerSource, openSealed, tokenSource, type Source } from './open'
import { tellRefused } from './refusals'
import { judge, type Asks, type Judged } from './standing'

/** A session that a request brought, and the old cookie it was in; null where it was in its own. */
export interface Found extends Judged {
  readonly former: FormerCookie | null
  /** The settings that sessions in that old cookie had. */
  readonly formerSettings: readonly OwnSettings[]
}

const NONE: readonly OwnSettings[] = []

/** Sessions of one cookie, the newest first; none where it brought none. */
interface Candidates {
  readonly former: FormerCookie | null
  readonly opened: readonly OpenedSession[]
}

/**
 * The session that a Cookie header brings in its own cookie, or else in an old one. Throws FST_SESSION_NOT_READY where
 * somebody must be asked first, and has not been.
 */
export function findInHeader (definition: SessionDefinition, header: string | undefined, log: OpeningLog): Found | null {
  const source = headerSource(header)
  const candidates = definition.revocation === null ? findAtOnce(definition, source, log) : null
  if (candidates !== null) return foundIn(candidates, { opened: candidates.opened[0] as OpenedSession, standing: 'good', over: [] })
  if (definition.revocation !== null || hasWaitingOpener(definition, source)) throw new NotReadyError(definition.options.sessionName)
  return null
}

/** The session in a token alone, whole: no header, so no stamp is asked, and nobody else who would have to be waited for. */
export function findInToken (definition: SessionDefinition, token: string, log: OpeningLog): OpenedSession | null {
  return findAtOnce(definition, tokenSource(token), log)?.opened[0] ?? null
}

/**
 * As the two above, and asks whoever must be asked; at once where that is nobody. What is over is found, too.
 * Rejects with what an opener of old cookies says of itself; what else went wrong is part of the answer.
 */
export function findAsking (definition: SessionDefinition, source: Source, log: OpeningLog, asks: Asks = 'when due'): Answer | Promise<Answer> {
  const candidates = hasWaitingOpener(definition, source) ? findInTurn(definition, source, log) : findAtOnce(definition, source, log)
  if (candidates instanceof Promise) return candidates.then(async found => await judged(definition, found, log, asks))
  return judged(definition, candidates, log, asks)
}

/** What was found, or why nobody can tell. */
export type Answer = { readonly found: Found | null, readonly error: null } | { readonly found: null, readonly error: unknown }

export const NOTHING_FOUND: Answer = Object.freeze({ found: null, error: null })

export function hasWaitingOpener ({ formerCookies }: SessionDefinition, { values }: Source): boolean {
  return formerCookies.some(({ immediate, cookieName }) => !immediate && values(cookieName).length > 0)
}

/** Using the session now renews it, or moves it from an old cookie, which renews it too. */
export function wouldRenew ({ opened }: Found): boolean {
  return opened.isRenewalDue || opened.isMoved
}

/** The session for a route that looks at it and does not renew it. A change still writes it. */
export function withoutRenewal (found: Found): Found {
  return { ...found, opened: { ...found.opened, isRenewalDue: false, isMoved: false } }
}

function judged (definition: SessionDefinition, candidates: Candidates | null, log: OpeningLog, asks: Asks): Answer | Promise<Answer> {
  if (candidates === null) return NOTHING_FOUND
  const judgement = judge(definition, candidates.opened, asks)
  const found = (result: Judged): Answer => {
    tellOver(definition, candidates.former, result.over, log)
    return { found: foundIn(candidates, result), error: null }
  }
  return judgement instanceof Promise ? judgement.then(found).catch(error => ({ found: null, error })) : found(judgement)
}

/** Each of these opened, and its session was ended. */
export function tellOver (
  { sessionName, options, isFirst }: SessionDefinition, former: FormerCookie | null, over: readonly OpenedSession[],
  log: OpeningLog
): void {
  const cookie = former?.cookieName ?? options.cookieName
  for (const { envelope: { id } } of over) tellRefused(log, isFirst, { sessionName, cookie, reason: 'revoked', id })
}

async function findInTurn (definition: SessionDefinition, source: Source, log: OpeningLog): Promise<Candidates | null> {
  const own = openOwn(definition, source, log)
  if (own !== null) return own
  for (const former of definition.formerCookies) {
    const opened = await former.open(source, definition.policy.now(), log)
    if (opened !== null) return { former, opened: [opened] }
  }
  return null
}

function findAtOnce (definition: SessionDefinition, source: Source, log: OpeningLog): Candidates | null {
  const own = openOwn(definition, source, log)
  if (own !== null) return own
  for (const former of definition.formerCookies) {
    if (!former.immediate) continue
    const opened = former.open(source, definition.policy.now(), log) as OpenedSession | null
    if (opened !== null) return { former, opened: [opened] }
  }
  return null
}

function openOwn (definition: SessionDefinition, source: Source, log: OpeningLog): Candidates | null {
  const opened = openSealed(definition, source, definition.policy.now(), log)
  return opened.length === 0 ? null : { former: null, opened }
}

function foundIn ({ former }: Candidates, { opened, standing, over }: Judged): Found {
  if (former === null) return { opened, standing, over, former, formerSettings: NONE }
  // What lies under another name is none of the session's own cookies.
  return { opened: { ...opened, formerSettings: NONE }, standing, over, former, formerSettings: opened.formerSettings }
}
