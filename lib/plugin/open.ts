import { cookieValues } from '../cookies/header'
import { encodedLength } from '../core/bytes'
import { NOT_SPLIT, STAMP_BYTES, TOKEN_OVERHEAD_BYTES } from '../core/format'
import type { CookieParts, Values } from '../core/parts'
import { MALFORMED, type Refusal } from '../core/refusal'
import { readStamp } from '../core/stamp'
import { openToken, plaintext, type TokenKeys } from '../core/token'
import { isFromTheFuture } from '../session/expiry'
import { NOT_STAMPED, openSession, type Sealing, type StampedTimes, type StampOf } from '../session/sealing'
import type { OpenedSession } from '../session/policy'
import type { OpeningLog } from './deferred-log'
import { tellRefused, tellStampFromTheFuture, type IsFirst } from './refusals'

const STAMP_CHARACTERS = encodedLength(TOKEN_OVERHEAD_BYTES + STAMP_BYTES)

/** Where cookies are read. */
export interface Source {
  readonly values: Values
  /** Whole tokens; null for one that cannot be whole. */
  readonly tokens: (parts: CookieParts) => ReadonlyArray<string | null>
  /** Where stamps are looked for. */
  readonly header: string | undefined
}

export function headerSource (header: string | undefined): Source {
  const values: Values = name => cookieValues(header, name)
  return { values, tokens: parts => parts.join(values), header }
}

/** A token alone, whole. */
export function tokenSource (token: string): Source {
  return { values: () => [token], tokens: () => [token], header: undefined }
}

/** Under which names sealed cookies lie, and by which keys. */
export interface SealedSource {
  readonly sessionName: string
  readonly sealing: Sealing
  readonly stampName: string
  readonly stampKeys: TokenKeys
  readonly isFirst: IsFirst
}

/**
 * The sessions in these cookies, the newest first: a subdomain can toss one in, so each is tried. A refusal goes
 * to the debug log, for it is a stranger's doing, unless it says that the clocks differ.
 */
export function openSealed (sealed: SealedSource, { tokens, header }: Source, nowMs: number, log: OpeningLog): OpenedSession[] {
  const { sealing, sessionName, isFirst } = sealed
  const all: OpenedSession[] = []
  for (const token of tokens(sealing.parts)) {
    const opened = token === null ? MALFORMED : openSession(token, sealing, nowMs, stampIn(sealed, header, nowMs, log))
    if (isRefusal(opened)) tellRefused(log, isFirst, { sessionName, cookie: sealing.cookieName, reason: opened.reason })
    else all.push(opened)
  }
  if (all.length < 2) return all
  // The others lie elsewhere in the browser: whoever logs out wants them gone as well.
  const formerSettings = all.map(({ settings }) => settings)
  return all.sort(laterFirst).map(opened => ({ ...opened, formerSettings }))
}

function stampIn (
  { stampName, stampKeys, sessionName, isFirst }: SealedSource, header: string | undefined, nowMs: number,
  log: OpeningLog
): StampOf {
  return sessionId => {
    let latest: StampedTimes = NOT_STAMPED
    for (const token of cookieValues(header, stampName)) {
      if (token.length !== STAMP_CHARACTERS) continue
      const length = openToken(token, stampKeys, NOT_SPLIT, nowMs)
      const stamp = typeof length === 'number' ? readStamp(plaintext, length) : length
      if (isRefusal(stamp) || stamp.id !== sessionId) continue
      if (isFromTheFuture(Math.max(stamp.renewedAtMs, stamp.checkedAtMs), nowMs)) {
        tellStampFromTheFuture(log, isFirst, sessionName, stampName)
        continue
      }
      latest = { renewedAtMs: Math.max(latest.renewedAtMs, stamp.renewedAtMs), checkedAtMs: Math.max(latest.checkedAtMs, stamp.checkedAtMs) }
    }
    return latest
  }
}

/** In the order of when they were written; of two written at once the one first that began later. */
export function laterFirst ({ envelope: a }: OpenedSession, { envelope: b }: OpenedSession): number {
  return b.renewedAtMs - a.renewedAtMs || b.createdAtMs - a.createdAtMs
}

export function isRefusal (result: object): result is Refusal {
  return 'ok' in result
}
