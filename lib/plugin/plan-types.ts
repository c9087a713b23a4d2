import type { RequestHead } from '../cookies/authorization'
import type { CookieLines } from '../cookies/lines'
import type { TooLargeError } from '../errors'
import type { SessionMeta } from '../session/meta'
import type { OpenedSession } from '../session/opened'
import type { Session } from '../session/session'
import type { Transport } from '../../types/session'
import type { SessionDefinition } from './definition'
import type { VerifiedSession } from './verify'

/** All that a plan depends on. */
export interface PlanInput {
  readonly definition: SessionDefinition
  readonly session: Session
  /** Null where the request brought no session. */
  readonly verified: VerifiedSession | null
  /** Of the request. */
  readonly head: RequestHead
  /** In what the session is written. */
  readonly transport: Transport
  /** The request came over TLS. */
  readonly overTls: boolean
  /** The request used the session; false where only the plugin has looked at it. */
  readonly isUsed: boolean
  /** The browser must sign again: a guard requires a more recent proof. */
  readonly mustClearProof: boolean
}

/** What a reply does with a session. */
export type Plan = NonePlan | NotMigratedPlan | RenewPlan | WritePlan | EndPlan

/** No session is written. */
export interface NonePlan {
  readonly kind: 'none'
  readonly clear: readonly ClearedCookie[]
}

/** A session that has no room in the new cookie stays in the legacy one. */
export interface NotMigratedPlan {
  readonly kind: 'not-migrated'
  readonly clear: readonly ClearedCookie[]
  readonly tooLarge: TooLargeError
}

/** The stamp is written, and not the data cookie: this undoes no write of a parallel request. */
export interface RenewPlan {
  readonly kind: 'renew'
  readonly meta: SessionMeta
  readonly stamp: StampPlan
  readonly binding: BindingPlan | null
  readonly clear: readonly ClearedCookie[]
}

/**
 * The data cookie is written, or the token of a bearer session, alone.
 * - `write`: the session that the request brought, or the first one.
 * - `migrate`: as `write`, and the session was in a legacy cookie until now.
 * - `replace`: another session, in place of the one that the request brought.
 */
export interface WritePlan {
  readonly kind: 'write' | 'migrate' | 'replace'
  readonly transport: Transport
  /** To be dated when it is sealed. */
  readonly meta: SessionMeta
  readonly content: SealedContent
  readonly lines: CookieLines
  /** In how many cookies it will be. */
  readonly parts: number
  readonly clear: readonly ClearedCookie[]
  /** The session is in a cookie, and the request had a bearer token, too: the reply tells the client to forget it. */
  readonly endsToken: boolean
  /** To be revoked in the store first. */
  readonly revoke: readonly OpenedSession[]
  /** Until then the store must keep a revocation of this id; null where that has not changed. */
  readonly keepUntilMs: number | null
  /** The subject that logs in by this session, hashed: the store knows up to when its sessions are revoked. */
  readonly login: Buffer | null
  readonly binding: BindingPlan | null
  readonly stamp: StampPlan | null
}

/** The session has ended. */
export interface EndPlan {
  readonly kind: 'end'
  readonly clear: readonly ClearedCookie[]
  /** The reply tells the client to forget its bearer token, by an empty header. */
  readonly endsToken: boolean
  /** To be revoked in the store first. */
  readonly revoke: readonly OpenedSession[]
}

/** What is sealed besides the meta. */
export interface SealedContent {
  readonly data: string | Buffer
  readonly subject: Buffer | null
  readonly customSerializer: boolean
}

/** Why a stamp is written: the session was used and its renewal is due, or the store was asked about it. */
export interface StampPlan {
  readonly isRenewed: boolean
  readonly isChecked: boolean
}

/** What goes out beside the cookie of a session with a mark. */
export interface BindingPlan {
  readonly mark: Buffer
  /** The session has this mark, or this name, from now on: no earlier proof counts. */
  readonly isNewBinding: boolean
  readonly setsPass: boolean
  /** The browser is asked to register a key. */
  readonly offersRegistration: boolean
}

/** A cookie to clear, and the Set-Cookie lines that have its scope. */
export interface ClearedCookie {
  readonly name: string
  readonly lines: CookieLines
}
