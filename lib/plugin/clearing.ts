import { isUnproven } from '../bound/status'
import { cookieValues } from '../cookies/header'
import type { CookieLines } from '../cookies/lines'
import { LEAST_PER_PART, MOST_PARTS, NOT_SPLIT } from '../core/format'
import { isRenewalDue, withOwnLimits } from '../session/expiry'
import { isAnother, type SessionMeta } from '../session/meta'
import { NO_SETTINGS, type OwnSettings } from '../session/settings'
import { linesFor } from './definition'
import type { LegacyCookie } from './legacy-cookies'
import type { BindingPlan, ClearedCookie, PlanInput } from './plan-types'

const NONE: readonly ClearedCookie[] = []

/**
 * All cookies that the browser may have of a session that was deleted or revoked: its own, and every legacy cookie,
 * kept or not.
 */
export function clearAll (input: PlanInput): readonly ClearedCookie[] {
  if (input.transport === 'bearer') return NONE
  const clearing = new Clearing()
  clearOwn(clearing, input)
  clearLegacy(clearing, input)
  clearBinding(clearing, input)
  return clearing.cookies
}

/**
 * The cookies to clear when a session is written: those that it was in, and will not be in. All of them, if it is
 * another session.
 * @param written the lines that write it
 * @param parts the number of cookies that it will be in
 * @param binding what is about to be written beside it
 */
export function clearReplaced (
  input: PlanInput, meta: SessionMeta, written: CookieLines, parts: number, binding: BindingPlan | null
): readonly ClearedCookie[] {
  const { definition, session, verified, transport } = input
  if (transport === 'bearer') return NONE
  const migrated = verified !== null && verified.legacy !== null && !verified.legacy.keep ? verified.legacy : null
  const isWhereItWas = session.cookieSettings.every(settings => settings === meta.settings)
  const leftovers = leftoversOf(input, parts)
  const isNewBinding = binding !== null && binding.isNewBinding
  if (isWhereItWas && migrated === null && !isAnother(meta) && leftovers.length === 0 && !isNewBinding) {
    return proofToClear(input)
  }
  const clearing = new Clearing()
  for (const name of leftovers) clearing.clear(name, written)
  for (const name of definition.sealing.parts.names.slice(0, parts)) clearing.spare(name, written)
  clearing.spare(definition.stampName, written)
  if (isNewBinding) clearing.spare(definition.passName, definition.bindingLines)
  clearOwn(clearing, input)
  if (isAnother(meta)) clearLegacy(clearing, input)
  else if (migrated !== null) clearMigrated(clearing, input, migrated.cookieName)
  if (isNewBinding) {
    clearing.clear(definition.proofName, definition.bindingLines)
    clearPassOfKept(clearing, input)
  } else if (isAnother(meta) && meta.mark === null) clearBinding(clearing, input)
  else for (const { name, lines } of proofToClear(input)) clearing.clear(name, lines)
  return clearing.cookies
}

/**
 * The proof, where the browser must sign again: a guard requires a more recent proof, or the proof is of another mark.
 * While a browser has the cookie, it does not sign.
 */
export function proofToClear ({ definition, verified, mustClearProof }: PlanInput): readonly ClearedCookie[] {
  const binding = verified === null ? null : verified.opened.binding
  if (!mustClearProof && !(isUnproven(binding) && binding.hasForeignProof)) return NONE
  return [{ name: definition.proofName, lines: definition.bindingLines }]
}

/** The pass and the proof of the session that the request brought. */
function clearBinding (clearing: Clearing, { definition, verified, head }: PlanInput): void {
  const { passName, proofName, bindingLines } = definition
  const isMarked = verified !== null && verified.opened.mark !== null
  for (const name of [passName, proofName]) {
    if (isMarked || isIn(head.headers.cookie, name)) clearing.clear(name, bindingLines)
  }
}

function clearOwn (clearing: Clearing, input: PlanInput): void {
  const { definition, session, head: { headers: { cookie: header } } } = input
  const names = definition.sealing.parts.names.slice(0, mostParts(input))
    .filter((name, part) => part === 0 || session.deleted || isIn(header, name))
  if (mayBeStamped(input)) names.push(definition.stampName)
  for (const settings of session.cookieSettings) {
    const lines = linesFor(definition, settings)
    for (const name of names) clearing.clear(name, lines)
  }
}

/** The cookies of further parts that the browser sent, and that a session in `parts` cookies does not use. */
function leftoversOf (input: PlanInput, parts: number): readonly string[] {
  const most = mostParts(input)
  if (most <= parts) return []
  return input.definition.sealing.parts.names.slice(parts, most).filter(name => isIn(input.head.headers.cookie, name))
}

/**
 * The maximum number of cookies that a session in the browser may be in. With `maxCookies` above 1, all names of parts
 * belong to the session, because the option may have been higher. With 1, only those that a first part announces.
 */
function mostParts ({ definition: { options: { maxCookies }, sealing: { parts } }, head }: PlanInput): number {
  if (maxCookies > NOT_SPLIT) return MOST_PARTS
  const { cookie: header = '' } = head.headers
  if (header.length < LEAST_PER_PART) return NOT_SPLIT
  return NOT_SPLIT + parts.furtherNames(name => cookieValues(header, name)).length
}

/** Every legacy cookie, even if the request did not send it: it may have another path. */
function clearLegacy (clearing: Clearing, input: PlanInput): void {
  const { definition, head: { headers: { cookie: header } } } = input
  clearOrigin(clearing, input)
  for (const legacy of definition.legacyCookies) clearing.clearLegacy(legacy, NO_SETTINGS, header)
}

/** The legacy cookies of this name: a browser may hold it at several paths. */
function clearMigrated (clearing: Clearing, input: PlanInput, name: string): void {
  const { definition, head: { headers: { cookie: header } } } = input
  clearOrigin(clearing, input)
  for (const legacy of definition.legacyCookies) {
    if (legacy.cookieName === name && !legacy.keep) clearing.clearLegacy(legacy, NO_SETTINGS, header)
  }
}

/**
 * The pass of a session that stays in its legacy cookie: with it, a copy of the cookies would be good when the session
 * is bound under its new name.
 */
function clearPassOfKept (clearing: Clearing, { verified }: PlanInput): void {
  const legacy = verified === null ? null : verified.legacy
  if (legacy === null || legacy.passName === null) return
  clearing.clear(legacy.passName, legacy.lines(NO_SETTINGS))
}

/** The legacy cookie that the session came from, with the attributes that it had there. */
function clearOrigin (clearing: Clearing, { verified, head: { headers: { cookie: header } } }: PlanInput): void {
  if (verified === null || verified.legacy === null) return
  for (const settings of verified.legacySettings) clearing.clearLegacy(verified.legacy, settings, header)
}

/** A stamp is written only where renewal or a check is due, so a young session has none. */
function mayBeStamped ({ definition, verified, head: { headers: { cookie: header } } }: PlanInput): boolean {
  const { stampName, context, sealing } = definition
  if (isIn(header, stampName)) return true
  if (verified === null) return false
  const { createdAtMs, settings } = verified.opened
  const { renewAfterMs } = withOwnLimits(context.limits, settings)
  const leastMs = Math.min(context.limits.renewAfterMs, renewAfterMs, sealing.recheckMs)
  return isRenewalDue(createdAtMs, leastMs, context.now())
}

function isIn (header: string | undefined, name: string): boolean {
  return cookieValues(header, name).length > 0
}

/** Cookies to clear, each once per scope: a browser tells cookies of one name apart by their scope. */
class Clearing {
  readonly cookies: ClearedCookie[] = []
  readonly #settled = new Set<string>()

  /** This one will be written. */
  spare (name: string, { scope }: CookieLines): void {
    this.#settled.add(name + scope)
  }

  clear (name: string, lines: CookieLines): void {
    if (this.#settled.has(name + lines.scope)) return
    this.spare(name, lines)
    this.cookies.push({ name, lines })
  }

  clearLegacy (legacy: LegacyCookie, settings: OwnSettings, header: string | undefined): void {
    const lines = legacy.lines(settings)
    this.clear(legacy.cookieName, lines)
    for (const name of legacy.furtherNames(name => cookieValues(header, name))) {
      if (isIn(header, name)) this.clear(name, lines)
    }
  }
}
