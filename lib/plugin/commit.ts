import type { FastifyBaseLogger } from 'fastify'
import type { CookieLines } from '../cookies/lines'
import { NOT_SPLIT } from '../core/format'
import { writeStamp } from '../core/stamp'
import { plaintext, sealToken } from '../core/token'
import { sealSession } from '../session/sealing'
import type { Session } from '../session/session'
import { lifetimeOf, linesFor, type SessionDefinition } from './definition'
import { warnNearTheLimit } from './warnings'

const NONE: readonly string[] = []

/**
 * The Set-Cookie lines that carry what a request did to a session. A change writes the data cookie; use alone writes at
 * most the stamp. Throws FST_SESSION_NOT_SERIALIZABLE or FST_SESSION_TOO_LARGE; the browser then keeps the cookie it has.
 */
export function linesToCommit (definition: SessionDefinition, session: Session, overTls: boolean, log: FastifyBaseLogger): readonly string[] {
  if (session.deleted) return clearFormer(definition, session, null, overTls)
  const envelope = session.changedEnvelope()
  if (envelope === null) return renewal(definition, session, overTls)

  const token = sealSession(envelope, definition.sealing, session, definition.policy.now())
  warnNearTheLimit(definition, token.length, log)
  const lines = linesFor(definition, session.settings)
  const set = lines.set(definition.options.cookieName, token, overTls, lifetimeOf(definition, session, session.identity.renewedAtMs))
  const isWhereItWas = session.formerSettings.every(settings => settings === session.settings)
  return isWhereItWas ? [set] : [...clearFormer(definition, session, lines, overTls), set]
}

/** A stamp where the session was used and renewal is due. It never touches the data cookie, so it can undo no other request's write. */
function renewal (definition: SessionDefinition, session: Session, overTls: boolean): readonly string[] {
  if (!session.isRenewalDue) return NONE
  const nowMs = definition.policy.now()
  const length = writeStamp({ id: session.identity.id, renewedAtMs: nowMs, checkedAtMs: 0 }, plaintext)
  const token = sealToken(length, definition.stampKeys.sealing(nowMs), NOT_SPLIT)
  return [linesFor(definition, session.settings).set(definition.options.stampName, token, overTls, lifetimeOf(definition, session, nowMs))]
}

/** Clears both cookies wherever the browser may hold earlier ones, but where `kept` is about to write. */
function clearFormer (definition: SessionDefinition, session: Session, kept: CookieLines | null, overTls: boolean): string[] {
  const { cookieName, stampName } = definition.options
  const cleared: string[] = []
  const scopes = new Set(kept === null ? [] : [kept.scope])
  for (const settings of session.formerSettings) {
    const lines = linesFor(definition, settings)
    if (scopes.has(lines.scope)) continue
    scopes.add(lines.scope)
    cleared.push(lines.clear(cookieName, overTls), lines.clear(stampName, overTls))
  }
  return cleared
}
