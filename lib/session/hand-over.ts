import { isObject } from '../checks'
import { fingerprint, randomize } from '../core/aead'
import { ID_BYTES, LABEL } from '../core/format'
import { MALFORMED, type Refusal } from '../core/refusal'
import type { TokenKeys } from '../core/token'
import { MINUTE_MS } from '../time'
import type { SessionRecord } from './codec'
import { contextOf, jsonOfData, openPurposeToken, sealPurposeToken } from './purpose-token'

/**
 * A session goes to another site in a ticket. The browser begins a flow at the receiver, which keeps a nonce of it in a
 * cookie. The sender seals the ticket for this flow, so only this browser can use it.
 */

/** What a ticket is bound to. */
export interface TicketParties {
  /** The URL of the sender's route. */
  readonly from: string
  /** The URL of the receiver's route. */
  readonly to: string
  /** The hash of the nonce, see `flowIdOf`. */
  readonly flowId: string
}

/** What a ticket carries. */
export interface TicketContent {
  readonly authenticatedAtMs: number
  /** When the session of the sender began: the new session is revoked with it. */
  readonly createdAtMs: number
  readonly values: SessionRecord
}

export interface OpenedTicket extends TicketContent {
  readonly id: Buffer
  readonly madeAtMs: number
  readonly expiresAtMs: number
}

/** What a browser has begun at the receiver. */
export interface Flow {
  /** NONCE_BYTES random bytes, in base64url. */
  readonly nonce: string
  /** The index of the sender's URL in the option. */
  readonly fromIndex: number
  /** Where the browser goes afterwards. */
  readonly then: string
  readonly begunAtMs: number
}

const NONCE_BYTES = 16
const FLOW_ID = /^[\w-]{21}[AQgw]$/
/** How long a user may take at the sender, such as for a login. */
export const FLOW_MS = 15 * MINUTE_MS
/** In parallel tabs. More do not fit in the cookie. */
const MOST_FLOWS = 4

/** The hash of the nonce of a flow: only this leaves the receiver. */
export function flowIdOf (nonce: string): string {
  return fingerprint(`${LABEL}hand-over\0${nonce}`, NONCE_BYTES).toString('base64url')
}

export function isFlowId (text: unknown): text is string {
  return typeof text === 'string' && FLOW_ID.test(text)
}

export function newNonce (): string {
  return randomize(Buffer.allocUnsafe(NONCE_BYTES)).toString('base64url')
}

/** The associated data of a ticket. */
export function ticketContext ({ from, to, flowId }: TicketParties): Buffer {
  return Buffer.from(`${from}\0${to}\0${flowId}`)
}

/**
 * Throws FST_SESSION_NOT_SERIALIZABLE, FST_SESSION_TOO_LARGE.
 * @param nowMs when it is made, and not before its session was created
 */
export function sealTicket (
  content: TicketContent, keys: TokenKeys, parties: TicketParties, ttlMs: number, nowMs: number
): string {
  const { authenticatedAtMs, createdAtMs, values } = content
  const json = jsonOfData({ authenticatedAt: authenticatedAtMs, createdAt: createdAtMs, values }) as string
  return sealed(json, keys, ticketContext(parties), ttlMs, nowMs)
}

/** Never throws. Whether it was used before is not known here. */
export function openTicket (
  text: string, keys: TokenKeys, parties: TicketParties, nowMs: number
): OpenedTicket | Refusal {
  const opened = openPurposeToken(text, keys, ticketContext(parties), nowMs)
  if ('ok' in opened) return opened
  const { once, data: { authenticatedAt, createdAt, values }, ...token } = opened
  if (once || !isTime(authenticatedAt) || !isTime(createdAt) || !isObject(values)) return MALFORMED
  return { ...token, authenticatedAtMs: authenticatedAt, createdAtMs: createdAt, values }
}

function isTime (value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

/** The flows in the cookies of a browser. What does not open is ignored. */
export function openFlows (texts: readonly string[], keys: TokenKeys, at: string, nowMs: number): Flow[] {
  return texts.flatMap(text => {
    const opened = openPurposeToken(text, keys, flowContext(at), nowMs)
    return 'ok' in opened ? [] : opened.data['flows'] as Flow[]
  }).filter(({ begunAtMs }) => nowMs - begunAtMs < FLOW_MS)
}

/** The newest of these flows, for the cookie. */
export function sealFlows (flows: readonly Flow[], keys: TokenKeys, at: string, nowMs: number): string {
  const json = jsonOfData({ flows: flows.slice(-MOST_FLOWS) }) as string
  return sealed(json, keys, flowContext(at), FLOW_MS, nowMs)
}

function flowContext (at: string): Buffer {
  return contextOf('flows', at)
}

function sealed (json: string, keys: TokenKeys, context: Buffer, ttlMs: number, nowMs: number): string {
  const id = randomize(Buffer.allocUnsafe(ID_BYTES))
  return sealPurposeToken({ id, madeAtMs: nowMs, expiresAtMs: nowMs + ttlMs, once: false, json }, keys, context)
}
