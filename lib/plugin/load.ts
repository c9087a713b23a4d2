import type { IncomingHttpHeaders } from 'node:http'
import {
  hasPass, hasProofOfOtherMark, provenAtMs, UNBOUND, UNPROVEN, UNPROVEN_BESIDE_FOREIGN, UNPROVEN_BESIDE_OLD,
  type BindingState
} from '../bound/status'
import { openProof, type Proof } from '../bound/tokens'
import type { RequestHead } from '../cookies/authorization'
import { cookieValues } from '../cookies/header'
import { encodedLength } from '../core/bytes'
import { NOT_SPLIT, STAMP_BYTES, TOKEN_OVERHEAD_BYTES } from '../core/format'
import type { CookieParts, Values } from '../core/parts'
import { MALFORMED, type Refusal } from '../core/refusal'
import { readStamp } from '../core/stamp'
import { openToken, plaintext, type TokenKeys } from '../core/token'
import { isFromTheFuture } from '../session/expiry'
import type { OpenedSession } from '../session/opened'
import { NOT_STAMPED, openSession, type RelatedCookies, type Sealing, type StampedTimes } from '../session/sealing'
import type { OwnSettings } from '../session/settings'
import type { TransportOption } from '../../types/session'
import { loadBearer } from './bearer'
import type { SessionDefinition } from './definition'
import type { LegacyCookie } from './legacy-cookies'
import { logRefused, logStampFromTheFuture, type IsFirst, type OpeningLog } from './log'

const STAMP_CHARACTERS = encodedLength(TOKEN_OVERHEAD_BYTES + STAMP_BYTES)
const NONE: readonly OwnSettings[] = []
const NO_PROOFS: readonly Proof[] = []
const NO_SESSIONS: readonly OpenedSession[] = []

/** Where cookies and bearer tokens are read. */
export interface SessionSource {
  /** Null for a token alone. */
  readonly head: RequestHead | null
  readonly values: Values
  /** Whole tokens; null for one that cannot be whole. */
  readonly tokens: (parts: CookieParts) => ReadonlyArray<string | null>
  /** Where the cookies beside a token are looked for; undefined for a token alone. */
  readonly header: string | undefined
  /** Of the request; none for a token alone. */
  readonly headers: IncomingHttpHeaders
  /** What was opened before for this request. */
  readonly kept: ReadonlyMap<SealedCookies, readonly OpenedSession[]> | null
}

const NO_HEADERS: IncomingHttpHeaders = Object.freeze({})

/** @param head of a request, or its Cookie header alone */
export function headerSource (head: RequestHead, kept: SessionSource['kept'] = null): SessionSource {
  const { headers } = head
  const { cookie: header } = headers
  const values: Values = name => cookieValues(header, name)
  return { head, values, tokens: parts => parts.tokensIn(values), header, headers, kept }
}

/** One whole token, without a header. */
export function tokenSource (token: string): SessionSource {
  return {
    head: null, values: () => [token], tokens: () => [token], header: undefined, headers: NO_HEADERS, kept: null
  }
}

/** What opened in one cookie name, the session's own or a legacy one, or in a bearer token. */
export interface Candidates {
  /** One or more: that of a bearer token, then those in cookies, the newest first. */
  readonly sessions: readonly OpenedSession[]
  /** The legacy cookie that they were in; null for the session's own cookies. */
  readonly legacy: LegacyCookie | null
  /** The settings of the sessions in that legacy cookie. */
  readonly legacySettings: readonly OwnSettings[]
  /** Both: a bearer token opened, and the request has a cookie of the session, too. */
  readonly cameIn: TransportOption
}

/**
 * The sessions that a request brings: in the session's own cookies, or else in the first legacy cookie that opens. Null
 * for none. A promise only where `needsPromise`; it rejects with FST_SESSION_STORE_UNAVAILABLE.
 */
export function load (
  definition: SessionDefinition, source: SessionSource, log: OpeningLog
): Candidates | null | Promise<Candidates | null> {
  return needsPromise(definition, source) ? loadInTurn(definition, source, log) : loadNow(definition, source, log)
}

/** As `load`, without the openers of legacy cookies that return promises. */
export function loadNow (definition: SessionDefinition, source: SessionSource, log: OpeningLog): Candidates | null {
  const own = loadOwn(definition, source, log)
  if (own !== undefined) return own
  for (const legacy of definition.legacyCookies) {
    if (!legacy.immediate) continue
    const opened = legacy.open(source, definition.context.now(), log) as OpenedSession | null
    if (opened !== null) return legacyCandidates(legacy, opened)
  }
  return null
}

/** The session's own token or cookies. Undefined where legacy cookies are to be looked at, null where they are not. */
function loadOwn (
  definition: SessionDefinition, source: SessionSource, log: OpeningLog
): Candidates | null | undefined {
  if (definition.options.transport !== 'cookie' && source.head !== null) {
    const bearer = loadBearer(definition, source.head, log)
    if (bearer?.cameIn === 'both' && definition.revocation !== null) return withCookies(bearer, definition, source, log)
    if (bearer !== undefined) return bearer
  }
  const sessions = openSealed(definition, source, definition.context.now(), log)
  return sessions.length === 0 ? undefined : { sessions, legacy: null, legacySettings: NONE, cameIn: 'cookie' }
}

/** None of them is used. A login or a logout revokes them. */
function withCookies (
  bearer: Candidates, definition: SessionDefinition, source: SessionSource, log: OpeningLog
): Candidates {
  const inCookies = openSealed(definition, source, definition.context.now(), log)
  return { ...bearer, sessions: [...bearer.sessions, ...inCookies] }
}

/** The request has a legacy cookie whose opener returns promises. */
export function needsPromise ({ legacyCookies }: SessionDefinition, { values }: SessionSource): boolean {
  return legacyCookies.some(({ immediate, cookieName }) => !immediate && values(cookieName).length > 0)
}

async function loadInTurn (
  definition: SessionDefinition, source: SessionSource, log: OpeningLog
): Promise<Candidates | null> {
  const own = loadOwn(definition, source, log)
  if (own !== undefined) return own
  for (const legacy of definition.legacyCookies) {
    const opened = await legacy.open(source, definition.context.now(), log)
    if (opened !== null) return legacyCandidates(legacy, opened)
  }
  return null
}

function legacyCandidates (legacy: LegacyCookie, opened: OpenedSession): Candidates {
  return {
    sessions: [{ ...opened, cookieSettings: NONE }], legacy, legacySettings: opened.cookieSettings, cameIn: 'cookie'
  }
}

/** The name and the keys of sealed cookies. */
export interface SealedCookies {
  readonly sessionName: string
  /** In the events; null without the option `tenant`. */
  readonly tenant: string | null
  readonly sealing: Sealing
  readonly stampName: string
  readonly stampKeys: TokenKeys
  readonly passName: string
  readonly proofName: string
  /** Null where proofs are ignored. */
  readonly proofKeys: TokenKeys | null
  readonly proofForMs: number
  readonly isFirst: IsFirst
}

/** The sessions in these cookies, the newest first. A subdomain can set a cookie of the same name, so each is tried. */
export function openSealed (
  sealed: SealedCookies, { tokens, header, kept }: SessionSource, nowMs: number, log: OpeningLog
): readonly OpenedSession[] {
  const known = kept?.get(sealed)
  if (known !== undefined) return known
  const { sealing, sessionName, tenant, isFirst } = sealed
  const candidates = tokens(sealing.parts)
  if (candidates.length === 0) return NO_SESSIONS
  const sessions: OpenedSession[] = []
  const related = new RelatedInHeader(sealed, header, nowMs, log)
  for (const token of candidates) {
    const opened = token === null ? MALFORMED : openSession(token, sealing, nowMs, related)
    if (!isRefusal(opened)) sessions.push(opened)
    else logRefused(log, isFirst, { sessionName, tenant, cookie: sealing.cookieName, reason: opened.reason })
  }
  if (sessions.length < 2) return sessions
  const cookieSettings = sessions.map(({ settings }) => settings)
  return sessions.sort(newestFirst).map(session => ({ ...session, cookieSettings }))
}

/** By the time of sealing; of two sealed at once, the one that began later. */
export function newestFirst (a: OpenedSession, b: OpenedSession): number {
  return b.sealedAtMs - a.sealedAtMs || b.createdAtMs - a.createdAtMs
}

export function isRefusal (result: object): result is Refusal {
  return 'ok' in result
}

/** The stamps, passes and proofs in a Cookie header. */
class RelatedInHeader implements RelatedCookies {
  readonly #sealed: SealedCookies
  readonly #header: string | undefined
  readonly #nowMs: number
  readonly #log: OpeningLog
  /** Those that open, once they are needed. */
  #proofs: readonly Proof[] | null = null

  constructor (sealed: SealedCookies, header: string | undefined, nowMs: number, log: OpeningLog) {
    this.#sealed = sealed
    this.#header = header
    this.#nowMs = nowMs
    this.#log = log
  }

  stampOf (id: Buffer): StampedTimes {
    const { stampName, stampKeys, sessionName, isFirst } = this.#sealed
    let latest: StampedTimes = NOT_STAMPED
    for (const token of cookieValues(this.#header, stampName)) {
      if (token.length !== STAMP_CHARACTERS) continue
      const opened = openToken(token, stampKeys, NOT_SPLIT, this.#nowMs)
      const stamp = isRefusal(opened) ? opened : readStamp(plaintext, opened.plaintextBytes)
      if (isRefusal(stamp) || !stamp.id.equals(id)) continue
      if (isFromTheFuture(Math.max(stamp.renewedAtMs, stamp.checkedAtMs), this.#nowMs)) {
        logStampFromTheFuture(this.#log, isFirst, sessionName, stampName)
        continue
      }
      latest = {
        renewedAtMs: Math.max(latest.renewedAtMs, stamp.renewedAtMs),
        checkedAtMs: Math.max(latest.checkedAtMs, stamp.checkedAtMs)
      }
    }
    return latest
  }

  bindingOf (mark: Buffer): BindingState | null {
    if (this.#header === undefined) return null
    this.#proofs ??= this.#openProofs()
    const { passName, proofForMs } = this.#sealed
    const atMs = provenAtMs(mark, this.#proofs, proofForMs, this.#nowMs)
    if (atMs !== null) return { kind: 'bound', provenAtMs: atMs }
    if (hasPass(mark, cookieValues(this.#header, passName))) return UNBOUND
    if (this.#proofs.length === 0) return UNPROVEN
    return hasProofOfOtherMark(mark, this.#proofs) ? UNPROVEN_BESIDE_FOREIGN : UNPROVEN_BESIDE_OLD
  }

  #openProofs (): readonly Proof[] {
    const { proofName, proofKeys } = this.#sealed
    if (proofKeys === null) return NO_PROOFS
    return cookieValues(this.#header, proofName)
      .map(token => openProof(token, proofKeys, this.#nowMs))
      .filter(proof => proof !== null)
  }
}
