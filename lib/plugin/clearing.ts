import { cookieValues } from '../cookies/header'
import type { CookieLines } from '../cookies/lines'
import { LEAST_PER_PART, MOST_PARTS, NOT_SPLIT } from '../core/format'
import { isRenewalDue, withOwnLimits } from '../session/expiry'
import { NO_SETTINGS, type OwnSettings } from '../session/own-settings'
import type { Commitment } from './commit'
import { linesFor } from './definition'
import type { FormerCookie } from './former-cookies'

const NONE: readonly string[] = []

/** Clears all that the browser may hold of a session that is over: its own cookies, and every old one, kept or not. */
export function clearAll (commitment: Commitment): readonly string[] {
  const clearing = new Clearing(commitment.overTls)
  clearOwn(clearing, commitment)
  clearFormerAll(clearing, commitment)
  return clearing.lines
}

/**
 * Clears what the session was in, wherever that is not where `written` is about to write it; where it has become another session, all of that.
 * @param parts in how many cookies it is about to lie
 */
export function clearReplaced (commitment: Commitment, written: CookieLines, parts: number): readonly string[] {
  const { definition, session, found } = commitment
  const isMoving = found !== null && found.former !== null && !found.former.keep
  const isWhereItWas = session.formerSettings.every(settings => settings === session.head.settings)
  const leftovers = leftoversOf(commitment, parts)
  if (isWhereItWas && !isMoving && !session.head.isAnother && leftovers.length === 0) return NONE
  const clearing = new Clearing(commitment.overTls)
  for (const name of leftovers) clearing.clear(name, written)
  for (const name of definition.sealing.parts.names.slice(0, parts)) clearing.spare(name, written)
  clearing.spare(definition.stampName, written)
  clearOwn(clearing, commitment)
  if (session.head.isAnother) clearFormerAll(clearing, commitment)
  else if (isMoving) clearMoved(clearing, commitment, found.former.cookieName)
  return clearing.lines
}

function clearOwn (clearing: Clearing, commitment: Commitment): void {
  const { definition, session } = commitment
  const names = definition.sealing.parts.names.slice(0, mostParts(commitment))
    .filter((name, part) => part === 0 || session.deleted || isIn(commitment.header, name))
  if (mayBeStamped(commitment)) names.push(definition.stampName)
  for (const settings of session.formerSettings) {
    const lines = linesFor(definition, settings)
    for (const name of names) clearing.clear(name, lines)
  }
}

/** The cookies of further parts that the browser sent and that belong to no session any more, once it lies in so many. */
function leftoversOf (commitment: Commitment, parts: number): readonly string[] {
  const most = mostParts(commitment)
  return most <= parts ? NONE : commitment.definition.sealing.parts.names.slice(parts, most).filter(name => isIn(commitment.header, name))
}

/**
 * Over how many cookies the browser may hold a session, be it one that does not open. Where sessions are split, all
 * names of parts are the session's own: `maxCookies` may have been higher. Where they are not, only those that a first
 * part announces.
 */
function mostParts ({ definition: { options: { maxCookies }, sealing: { parts } }, header = '' }: Commitment): number {
  if (maxCookies > NOT_SPLIT) return MOST_PARTS
  if (header.length < LEAST_PER_PART) return NOT_SPLIT
  return NOT_SPLIT + parts.further(name => cookieValues(header, name)).length
}

/** Every old cookie, also where the request did not send it: it may lie on another path. */
function clearFormerAll (clearing: Clearing, commitment: Commitment): void {
  clearOrigin(clearing, commitment)
  for (const former of commitment.definition.formerCookies) clearFormer(clearing, commitment, former, NO_SETTINGS)
}

/** The old cookie of this name, wherever it may lie: a browser may hold it at several paths. */
function clearMoved (clearing: Clearing, commitment: Commitment, name: string): void {
  clearOrigin(clearing, commitment)
  for (const former of commitment.definition.formerCookies) {
    if (former.cookieName === name && !former.keep) clearFormer(clearing, commitment, former, NO_SETTINGS)
  }
}

/** The old cookie that the session came from, with the attributes that the session had there. */
function clearOrigin (clearing: Clearing, commitment: Commitment): void {
  const { found } = commitment
  if (found === null || found.former === null) return
  for (const settings of found.formerSettings) clearFormer(clearing, commitment, found.former, settings)
}

function clearFormer (clearing: Clearing, { header }: Commitment, former: FormerCookie, settings: OwnSettings): void {
  const lines = former.lines(settings)
  clearing.clear(former.cookieName, lines)
  for (const name of former.others(name => cookieValues(header, name))) {
    if (isIn(header, name)) clearing.clear(name, lines)
  }
}

/** A stamp is written only where renewal or a check is due, so a young session has none. */
function mayBeStamped ({ definition: { stampName, policy, sealing }, found, header }: Commitment): boolean {
  if (isIn(header, stampName)) return true
  if (found === null) return false
  const { envelope, settings } = found.opened
  const { renewAfterMs } = withOwnLimits(policy.limits, settings)
  return isRenewalDue(envelope.createdAtMs, Math.min(policy.limits.renewAfterMs, renewAfterMs, sealing.recheckMs), policy.now())
}

function isIn (header: string | undefined, name: string): boolean {
  return cookieValues(header, name).length > 0
}

/** Lines that clear cookies, each once: a browser tells cookies of one name apart by their scope. */
class Clearing {
  readonly lines: string[] = []
  readonly #overTls: boolean
  readonly #settled = new Set<string>()

  constructor (overTls: boolean) {
    this.#overTls = overTls
  }

  /** This one is about to be written. */
  spare (name: string, { scope }: CookieLines): void {
    this.#settled.add(name + scope)
  }

  clear (name: string, lines: CookieLines): void {
    if (this.#settled.has(name + lines.scope)) return
    this.spare(name, lines)
    this.lines.push(lines.clear(name, this.#overTls))
  }
}
