import type { FastifyBaseLogger } from 'fastify'
import { cookieValues } from '../cookies/header'
import { encodedLength } from '../core/bytes'
import { NOT_SPLIT, STAMP_BYTES, TOKEN_OVERHEAD_BYTES } from '../core/format'
import type { Refusal } from '../core/refusal'
import { readStamp } from '../core/stamp'
import { openToken, plaintext, type TokenKeys } from '../core/token'
import { isFromTheFuture } from '../session/expiry'
import { openSession, type Sealing, type StampedAt } from '../session/sealing'
import type { OwnSettings } from '../session/own-settings'
import type { OpenedSession } from '../session/policy'

const STAMP_CHARACTERS = encodedLength(TOKEN_OVERHEAD_BYTES + STAMP_BYTES)

/** Under which names sealed cookies lie, and by which keys. */
export interface SealedSource {
  readonly sealing: Sealing
  readonly stampName: string
  readonly stampKeys: TokenKeys
}

/**
 * The session in these values of a cookie, or null. Several cookies of the name are each tried, since a subdomain can
 * toss one in; the newest that opens wins. A refusal goes to the debug log, for it is a stranger's doing.
 * @param header where the stamp is looked for
 */
export function openSealed (source: SealedSource, values: readonly string[], header: string | undefined, nowMs: number, log: FastifyBaseLogger): OpenedSession | null {
  const { sealing } = source
  const formerSettings: OwnSettings[] = []
  let newest: OpenedSession | null = null
  for (const token of values) {
    const opened = openSession(token, sealing, nowMs, stampedAtIn(source, header, nowMs))
    if (isRefusal(opened)) {
      logRefusal(log, sealing.cookieName, opened)
    } else {
      formerSettings.push(opened.settings)
      newest = newest === null ? opened : newer(newest, opened)
    }
  }
  // The older ones lie elsewhere in the browser: whoever logs out wants them gone as well.
  return newest === null || formerSettings.length === 1 ? newest : { ...newest, formerSettings }
}

function stampedAtIn ({ stampName, stampKeys }: SealedSource, header: string | undefined, nowMs: number): StampedAt {
  return sessionId => {
    let latest = 0
    for (const token of cookieValues(header, stampName)) {
      if (token.length !== STAMP_CHARACTERS) continue
      const length = openToken(token, stampKeys, NOT_SPLIT, nowMs)
      const stamp = typeof length === 'number' ? readStamp(plaintext, length) : length
      if (isRefusal(stamp) || stamp.id !== sessionId || isFromTheFuture(stamp.renewedAtMs, nowMs)) continue
      latest = Math.max(latest, stamp.renewedAtMs)
    }
    return latest
  }
}

/** The one that was written later; of two written at once the one that began later, and else the first. */
export function newer (a: OpenedSession, b: OpenedSession): OpenedSession {
  const { envelope: one } = a
  const { envelope: other } = b
  const isLater = one.renewedAtMs === other.renewedAtMs ? other.createdAtMs > one.createdAtMs : other.renewedAtMs > one.renewedAtMs
  return isLater ? b : a
}

export function isRefusal (result: object): result is Refusal {
  return 'ok' in result
}

export function logRefusal (log: FastifyBaseLogger, cookie: string, { reason }: Refusal): void {
  log.debug({ cookie, reason }, 'session cookie refused')
}
