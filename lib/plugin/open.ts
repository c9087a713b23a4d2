import type { FastifyBaseLogger } from 'fastify'
import { cookieValues } from '../cookies/header'
import { encodedLength } from '../core/bytes'
import { NOT_SPLIT, STAMP_BYTES, TOKEN_OVERHEAD_BYTES } from '../core/format'
import type { Refusal } from '../core/refusal'
import { readStamp } from '../core/stamp'
import { openToken, plaintext } from '../core/token'
import { isFromTheFuture } from '../session/expiry'
import { openSession, type StampedAt } from '../session/sealing'
import type { OwnSettings } from '../session/own-settings'
import type { OpenedSession } from '../session/policy'
import type { SessionDefinition } from './definition'

const STAMP_CHARACTERS = encodedLength(TOKEN_OVERHEAD_BYTES + STAMP_BYTES)

/**
 * The session that a Cookie header brings, or null. Several cookies of the name are each tried, since a subdomain can
 * toss one in; the newest that opens wins. A refusal goes to the debug log, for it is a stranger's doing.
 */
export function openFromHeader (definition: SessionDefinition, header: string | undefined, log: FastifyBaseLogger): OpenedSession | null {
  const { options, sealing, policy } = definition
  const nowMs = policy.now()
  const formerSettings: OwnSettings[] = []
  let newest: OpenedSession | null = null
  for (const token of cookieValues(header, options.cookieName)) {
    const opened = openSession(token, sealing, nowMs, stampedAtIn(definition, header, nowMs))
    if (isRefusal(opened)) {
      logRefusal(log, options.cookieName, opened)
    } else {
      formerSettings.push(opened.settings)
      if (newest === null || isNewer(opened, newest)) newest = opened
    }
  }
  // The older ones lie elsewhere in the browser: whoever logs out wants them gone as well.
  return newest === null || formerSettings.length === 1 ? newest : { ...newest, formerSettings }
}

/** The session in a token alone: no header, so no stamp is asked. */
export function openFromToken (definition: SessionDefinition, token: string, log: FastifyBaseLogger): OpenedSession | null {
  const opened = openSession(token, definition.sealing, definition.policy.now())
  if (!isRefusal(opened)) return opened
  logRefusal(log, definition.options.cookieName, opened)
  return null
}

function stampedAtIn ({ options, stampKeys }: SessionDefinition, header: string | undefined, nowMs: number): StampedAt {
  return sessionId => {
    let latest = 0
    for (const token of cookieValues(header, options.stampName)) {
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

function isRefusal (result: object): result is Refusal {
  return 'ok' in result
}

function logRefusal (log: FastifyBaseLogger, cookie: string, { reason }: Refusal): void {
  log.debug({ cookie, reason }, 'session cookie refused')
}
