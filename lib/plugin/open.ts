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
      if (newest === null || isNewer(opened, newest)) newest = opened
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

function isNewer (a: OpenedSession, b: OpenedSession): boolean {
  if (a.envelope.renewedAtMs !== b.envelope.renewedAtMs) return a.envelope.renewedAtMs > b.envelope.renewedAtMs
  return a.envelope.createdAtMs > b.envelope.createdAtMs
}

export function isRefusal (result: object): result is Refusal {
  return 'ok' in result
}

export function logRefusal (log: FastifyBaseLogger, cookie: string, { reason }: Refusal): void {
  log.debug({ cookie, reason }, 'session cookie refused')
}
