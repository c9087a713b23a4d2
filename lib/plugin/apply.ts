import type { FastifyBaseLogger } from 'fastify'
import { registrationOffer } from '../bound/exchange'
import { passOf } from '../bound/status'
import { maxAge } from '../cookies/lines'
import { NOT_SPLIT } from '../core/format'
import { writeStamp } from '../core/stamp'
import { plaintext, sealToken } from '../core/token'
import { RequiredError } from '../errors'
import { about, bound, renewed, sealed } from '../events'
import type { ResolvedDeviceBound } from '../options/device-bound'
import { keyOf, keyOfId } from '../revocation/keys'
import type { Revocation } from '../revocation/revocation'
import { isDatedAtSealing, withCreatedAt, type SessionMeta } from '../session/meta'
import type { OpenedSession } from '../session/opened'
import { sealSession } from '../session/sealing'
import { LONGEST_COOKIE_MS, SECOND_MS } from '../time'
import { linesFor, type ExchangeKeys, type SessionDefinition } from './definition'
import { lifetimeOf } from './lifetime'
import { warnNearTheLimit, warnNotMigrated } from './log'
import { envelopeOf } from './plan'
import type { BindingPlan, EndPlan, Plan, StampPlan, WritePlan } from './plan-types'
import { expiresAtMsOf } from './revoker'
import { refOf, type VerifiedSession } from './verify'

const NONE: readonly string[] = []

/**
 * Revokes and looks up what a plan needs before the cookies go out; null if nothing. Resolves to the time up to which
 * the sessions of the user who logs in are revoked, 0 if none are or no user logs in. Rejects with
 * FST_SESSION_STORE_UNAVAILABLE, and with FST_SESSION_REQUIRED if the session continues the login of a revoked one.
 */
export function prepareStore (definition: SessionDefinition, plan: Plan): Promise<number> | null {
  const { revocation } = definition
  if (revocation === null) return null
  switch (plan.kind) {
    case 'none': case 'not-migrated': case 'renew': return null
    case 'end': return plan.revoke.length === 0 ? null : revokeEnded(definition, revocation, plan.revoke)
    default: return needsStore(plan) ? prepareWrite(definition, revocation, plan) : null
  }
}

async function revokeEnded (
  definition: SessionDefinition, revocation: Revocation, all: readonly OpenedSession[]
): Promise<number> {
  for (const ended of all) {
    await revocation.revokeReplaced(refOf(ended), 'revoked', expiresAtMsOf(definition, ended))
  }
  return 0
}

function needsStore ({ revoke, keepUntilMs, login }: WritePlan): boolean {
  return revoke.length > 0 || keepUntilMs !== null || login !== null
}

async function prepareWrite (
  definition: SessionDefinition, revocation: Revocation, { revoke, keepUntilMs, login, meta }: WritePlan
): Promise<number> {
  for (const replaced of revoke) {
    const wasActive = await revocation.revokeReplaced(refOf(replaced), 'replaced', expiresAtMsOf(definition, replaced))
    if (!wasActive && meta.continuesLogin) throw new RequiredError()
  }
  if (keepUntilMs !== null) await revocation.keepUntil(meta.id.text, keepUntilMs)
  return login === null ? 0 : await revocation.revokedBeforeOf(keyOf(login))
}

export interface Applied {
  /** The Set-Cookie lines. */
  readonly lines: readonly string[]
  /** The value of Secure-Session-Registration, by which the browser registers a key; null for none. */
  readonly offer: string | null
  /** The value of the response header with the bearer token, empty where the session has ended; null for none. */
  readonly token: string | null
  /** Publishes the events, when it is sure that the lines go out; null where there are none. */
  readonly publish: (() => void) | null
}

const NOTHING: Applied = Object.freeze({ lines: NONE, offer: null, token: null, publish: null })
const ENDED_TOKEN = ''

export interface ApplyContext {
  readonly definition: SessionDefinition
  readonly verified: VerifiedSession | null
  /** What `prepareStore` resolved to. */
  readonly revokedBeforeMs: number
  readonly overTls: boolean
  readonly log: FastifyBaseLogger
}

/** Carries out a plan: seals at most once, and writes the Set-Cookie lines or the bearer token. */
export function apply (context: ApplyContext, plan: Plan): Applied {
  switch (plan.kind) {
    case 'none': return clear(context, plan.clear)
    case 'end': return { ...clear(context, plan.clear), token: tokenAfter(plan) }
    case 'not-migrated':
      warnNotMigrated(context.definition, plan.tooLarge, context.log)
      return clear(context, plan.clear)
    case 'renew': return joined(
      clear(context, plan.clear), stampLine(context, plan.meta, plan.stamp),
      writeBinding(context, plan.meta, plan.binding))
    default: return write(context, plan)
  }
}

/** The value of the response header where the reply has no new token. */
function tokenAfter ({ endsToken }: WritePlan | EndPlan): string | null {
  return endsToken ? ENDED_TOKEN : null
}

function clear (context: ApplyContext, cookies: Plan['clear']): Applied {
  return { ...NOTHING, lines: clearLines(context, cookies) }
}

function write (context: ApplyContext, plan: WritePlan): Applied {
  const { definition, verified, overTls, log } = context
  const { sealing, options: { cookieName } } = definition
  const meta = withIssueTimes(context, plan.meta)
  const token = sealSession(envelopeOf(meta, plan.content), sealing, plan.parts, definition.context.now())
  const publish = sealedEvent(definition, meta, token.length)
  if (plan.transport === 'bearer') {
    warnNearTheLimit(definition, token.length, sealing.parts.longest(NOT_SPLIT), log)
    return { ...NOTHING, token, publish }
  }
  const limit = sealing.parts.longest(definition.options.maxCookies, plan.lines.attributesBytes)
  warnNearTheLimit(definition, token.length, limit, log)
  if (plan.kind === 'migrate') {
    log.info({ cookie: cookieName, from: verified?.legacy?.cookieName }, 'a session migrated from a legacy cookie')
  }

  const lifetime = lifetimeOf(definition, meta, meta.renewedAtMs)
  const set = sealing.parts.cut(token).map((text, part) => {
    return plan.lines.set(sealing.parts.names[part] as string, text, overTls, lifetime)
  })
  const session = { lines: set, offer: null, token: tokenAfter(plan), publish }
  if (plan.clear.length === 0 && plan.stamp === null && plan.binding === null) return session
  return joined(
    { ...session, lines: [...clearLines(context, plan.clear), ...set] },
    writeBinding(context, meta, plan.binding),
    plan.stamp === null ? NOTHING : stampLine(context, meta, plan.stamp))
}

function joined (...parts: readonly Applied[]): Applied {
  const events = parts.flatMap(({ publish }) => publish ?? [])
  return {
    lines: parts.flatMap(({ lines }) => lines),
    offer: parts.find(({ offer }) => offer !== null)?.offer ?? null,
    token: parts.find(({ token }) => token !== null)?.token ?? null,
    publish: events.length === 0 ? null : () => { for (const publish of events) publish() }
  }
}

/** The pass, and the offer to register a key. */
function writeBinding ({ definition }: ApplyContext, meta: SessionMeta, binding: BindingPlan | null): Applied {
  if (binding === null) return NOTHING
  const { passName, bindingLines, context: { now } } = definition
  const { mark, setsPass, offersRegistration } = binding
  const nowMs = now()
  // As long as a browser can keep it, where the session outlives the browser: the server limits the session.
  const lifetime = lifetimeOf(definition, meta, nowMs) === '' ? '' : maxAge(LONGEST_COOKIE_MS / SECOND_MS)
  return {
    lines: setsPass ? [bindingLines.set(passName, passOf(mark), true, lifetime)] : NONE,
    offer: offersRegistration ? offerOf(definition, mark, nowMs) : null,
    token: null,
    publish: offersRegistration ? offeredEvent(definition, meta) : null
  }
}

/**
 * The meta to seal now. A session that begins now is dated after every revocation of its user. A clock behind another
 * machine's never turns the time back.
 */
export function withIssueTimes (
  { definition, revokedBeforeMs }: Pick<ApplyContext, 'definition' | 'revokedBeforeMs'>, meta: SessionMeta
): SessionMeta {
  const { revocation, context } = definition
  const isDated = revocation !== null && isDatedAtSealing(meta)
  const created = isDated ? withCreatedAt(meta, revocation.createdAt(meta.createdAtMs, revokedBeforeMs)) : meta
  return { ...created, renewedAtMs: Math.max(context.now(), created.renewedAtMs) }
}

function clearLines ({ overTls }: ApplyContext, cookies: Plan['clear']): string[] {
  return cookies.map(({ name, lines }) => lines.clear(name, overTls))
}

function stampLine (
  { definition, verified, overTls }: ApplyContext, meta: SessionMeta, { isRenewed, isChecked }: StampPlan
): Applied {
  const { stampName, stampKeys, context, revocation } = definition
  const { opened } = verified as VerifiedSession
  const nowMs = context.now()
  const stamp = {
    id: meta.id.bytes,
    renewedAtMs: isRenewed ? Math.max(nowMs, meta.renewedAtMs) : meta.renewedAtMs,
    checkedAtMs: revocation === null ? opened.checkedAtMs : revocation.checkedAtMs(refOf(opened))
  }
  const token = sealToken(writeStamp(stamp, plaintext), stampKeys.sealing(nowMs), NOT_SPLIT)
  const lines = linesFor(definition, meta.settings)
  return {
    lines: [lines.set(stampName, token, overTls, lifetimeOf(definition, meta, nowMs))],
    offer: null,
    token: null,
    publish: renewedEvent(definition, meta, isRenewed, isChecked)
  }
}

function offerOf ({ exchangeKeys, options: { deviceBound } }: SessionDefinition, mark: Buffer, nowMs: number): string {
  const { challenge } = exchangeKeys as ExchangeKeys
  return registrationOffer((deviceBound as ResolvedDeviceBound).path, mark, challenge, nowMs)
}

type Named = Pick<SessionDefinition, 'sessionName' | 'tenant'>

function offeredEvent ({ sessionName, tenant }: Named, { id }: SessionMeta): Applied['publish'] {
  if (!bound.hasSubscribers) return null
  return () => { bound.publish({ ...about(sessionName, tenant), id: keyOfId(id.text), step: 'offered', why: null }) }
}

function sealedEvent (
  { sessionName, tenant }: Named, { id, lineage }: SessionMeta, length: number
): Applied['publish'] {
  if (!sealed.hasSubscribers) return null
  const isNew = lineage !== 'same'
  return () => { sealed.publish({ ...about(sessionName, tenant), id: keyOfId(id.text), length, isNew }) }
}

function renewedEvent (
  { sessionName, tenant }: Named, { id }: SessionMeta, isRenewed: boolean, isChecked: boolean
): Applied['publish'] {
  if (!renewed.hasSubscribers) return null
  return () => { renewed.publish({ ...about(sessionName, tenant), id: keyOfId(id.text), isRenewed, isChecked }) }
}
