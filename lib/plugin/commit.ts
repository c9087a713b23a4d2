import type { FastifyBaseLogger } from 'fastify'
import type { Envelope } from '../core/envelope'
import { NOT_SPLIT } from '../core/format'
import { writeStamp } from '../core/stamp'
import { plaintext, sealToken } from '../core/token'
import { TooLargeError } from '../errors'
import { renewed, sealed } from '../events'
import { keyOfId } from '../revocation/keys'
import { sealSession } from '../session/sealing'
import type { Session } from '../session/session'
import { clearAll, clearReplaced } from './clearing'
import { lifetimeOf, linesFor, type SessionDefinition } from './definition'
import type { Found } from './find'
import { bearerOf } from './standing'
import { warnNearTheLimit, warnNotMoved } from './warnings'

/** A session that a request touched, and what is known of where it was. */
export interface Commitment {
  readonly definition: SessionDefinition
  readonly session: Session
  /** Null where the request brought no session. */
  readonly found: Found | null
  /** The Cookie header. */
  readonly header: string | undefined
  readonly overTls: boolean
  readonly log: FastifyBaseLogger
  /** The request looked at the session, and so renews it; false where only the plugin did. */
  readonly isUsed: boolean
  /** The latest known cut-off of whoever logs in by it. */
  readonly cutOffMs: number
  readonly events: LaterEvents
}

/** Keeps what is to be published until it is sure that the lines go out: another session's failure can keep them back. */
export interface LaterEvents {
  later (publish: () => void): void
}

const NONE: readonly string[] = []

/**
 * The Set-Cookie lines that carry what a request did to a session. A change writes the data cookie, and so does a move
 * from an old cookie; use alone writes at most the stamp.
 * Throws FST_SESSION_NOT_SERIALIZABLE or FST_SESSION_TOO_LARGE; the browser then keeps the cookie it has.
 */
export function linesToCommit (commitment: Commitment): readonly string[] {
  const { definition, session, found, overTls, log } = commitment
  if (found !== null && found.former !== null && isSettled(definition, session, found)) return NONE
  if (session.deleted) {
    settle(commitment)
    return clearAll(commitment)
  }
  const token = seal(commitment)
  // A session that stays in its old cookie has no stamp of its own.
  if (token === null) return found?.former == null ? stampLines(commitment, commitment.isUsed) : NONE
  settle(commitment)
  const { settings, identity, isNew } = session.head
  const lines = linesFor(definition, settings)
  warnNearTheLimit(definition, token.length, lines.attributesBytes, log)
  if (found !== null && found.former !== null && !session.head.isNew) {
    const cookie = definition.options.cookieName
    log.info({ cookie, from: found.former.cookieName }, 'a session moved from an old cookie')
  }
  if (sealed.hasSubscribers) {
    commitment.events.later(() => { sealed.publish({ session: definition.sessionName, id: keyOfId(identity.id), length: token.length, isNew }) })
  }
  const lifetime = lifetimeOf(definition, session, identity.renewedAtMs)
  const { parts } = definition.sealing
  const texts = parts.cut(token)
  const set = texts.map((text, part) => lines.set(parts.names[part] as string, text, overTls, lifetime))
  return [...clearReplaced(commitment, lines, texts.length), ...set, ...stampLines(commitment, false)]
}

/** Throws what `linesToCommit` would throw of a session that was changed. */
export function refuseUnsealable (definition: SessionDefinition, session: Session): void {
  if (session.deleted || !session.isEdited) return
  sealEnvelope(definition, session, session.envelope(0))
}

/** Another request has changed this session already, while this one only read it in its old cookie. */
function isSettled ({ settledMoves, policy }: SessionDefinition, session: Session, { opened }: Found): boolean {
  return !session.isEdited && settledMoves.has(opened.envelope.id, policy.now())
}

/** Of a change that goes out, be it in the old cookie or in the session's own: a session that moved kept its id. */
function settle ({ definition: { formerCookies, settledMoves, policy }, session, found }: Commitment): void {
  if (formerCookies.length > 0 && found !== null && session.isEdited) settledMoves.add(found.opened.envelope.id, policy.now())
}

/** The session's token, if it is to be written. One that only moves and does not fit stays where it is. */
function seal ({ definition, session, log, cutOffMs }: Commitment): string | null {
  const envelope = session.changedEnvelope(cutOffMs)
  if (envelope === null) return null
  try {
    return sealEnvelope(definition, session, envelope)
  } catch (error) {
    if (session.isEdited || !(error instanceof TooLargeError)) throw error
    warnNotMoved(definition, error, log)
    return null
  }
}

/**
 * The token of a session, whose lines have room for the attributes of this very session. Throws FST_SESSION_TOO_LARGE.
 * @param envelope of the session
 */
export function sealEnvelope (definition: SessionDefinition, session: Session, envelope: Envelope): string {
  const { attributesBytes } = linesFor(definition, session.head.settings)
  return sealSession(envelope, definition.sealing, session, definition.policy.now(), attributesBytes)
}

/**
 * A stamp where the session was used and renewal is due, or where the store was asked whether it is over. It never touches
 * the data cookie, so it can undo no other request's write.
 */
function stampLines (commitment: Commitment, isRenewing: boolean): readonly string[] {
  const { definition, session, found, overTls } = commitment
  const { isNew, isRenewalDue, identity, settings } = session.head
  const isRenewed = isRenewing && isRenewalDue
  const isChecked = found?.standing === 'checked' && definition.sealing.recheckMs !== Infinity
  if (isNew || found === null || !(isRenewed || isChecked)) return NONE
  if (renewed.hasSubscribers) {
    commitment.events.later(() => { renewed.publish({ session: definition.sessionName, id: keyOfId(identity.id), isRenewed, isChecked }) })
  }
  const nowMs = definition.policy.now()
  const stamp = {
    id: identity.id,
    renewedAtMs: isRenewed ? Math.max(nowMs, identity.renewedAtMs) : identity.renewedAtMs,
    checkedAtMs: definition.revocation?.checkedAtMs(bearerOf(found.opened, [])) ?? found.opened.checkedAtMs
  }
  const token = sealToken(writeStamp(stamp, plaintext), definition.stampKeys.sealing(nowMs), NOT_SPLIT)
  return [linesFor(definition, settings).set(definition.stampName, token, overTls, lifetimeOf(definition, session, nowMs))]
}
