import type { FastifyRequest } from 'fastify'
import { NotReadyError } from '../errors'
import type { OpenedSession } from '../session/opened'
import type { SessionDefinition } from './definition'
import { headerSource, loadNow, needsPromise, openSealed, type SealedCookies } from './load'
import { DeferredLog, warnNotReady, type OpeningLog } from './log'
import { PreloadedSessions } from './preload'
import { ReplyWriter, type SessionsToWrite } from './reply-writer'
import { RequestSession } from './request-session'
import { hasTenants, RequestTenants } from './request-tenants'
import { mayRenew } from './route-config'
import { logVerified } from './verified-log'
import { verifyWithoutStore, type VerifiedSession } from './verify'

const NONE: readonly never[] = []

/** The request's property that holds its context. */
export const CONTEXT = Symbol('fastify-sealed-session.context')

/** The context of a request, made when it is first needed. */
export function contextOf (request: FastifyRequest): RequestContext {
  const holder = request as unknown as { [CONTEXT]?: RequestContext | null }
  holder[CONTEXT] ??= new RequestContext(request)
  return holder[CONTEXT]
}

/** The sessions of one request: each is loaded when it is first used. */
export class RequestContext implements SessionsToWrite {
  readonly request: FastifyRequest
  /** Writes them into the reply. */
  readonly writer: ReplyWriter
  all: readonly RequestSession[] = NONE
  /** Those whose error `read` has thrown. */
  #thrown: readonly SessionDefinition[] = NONE
  /** What `peek` has opened. */
  #kept: Map<SealedCookies, readonly OpenedSession[]> | null = null
  /** Null where no session of the app can need a promise. */
  #preloaded: PreloadedSessions | null = null
  /** Null until a session with the option `tenant` is used. */
  #tenants: RequestTenants | null = null
  /** A session is being loaded. A log line that is written meanwhile may read it. */
  #isLoading = false

  constructor (request: FastifyRequest) {
    this.request = request
    this.writer = new ReplyWriter(request, this)
  }

  /**
   * `request.session`. Null before the session is ready; and where it is not known, once the error was thrown in this
   * request, or where nothing would catch it. Throws FST_SESSION_STORE_UNAVAILABLE, FST_SESSION_UNPROVEN.
   */
  read (definition: SessionDefinition): object | null {
    if (definition.tenants !== null) return this.#readOfTenant(definition)
    const present = this.#find(definition)
    if (present === undefined && this.#isLoading) return null
    try {
      return (present ?? this.#load(definition)).use()
    } catch (error) {
      return this.#failedRead(definition, error)
    }
  }

  #readOfTenant (definition: SessionDefinition): object | null {
    try {
      const own = this.definitionOf(definition)
      return own === null ? this.tenants.unsent(definition) : this.read(own)
    } catch (error) {
      return this.#failedRead(definition, error)
    }
  }

  get tenants (): RequestTenants {
    this.#tenants ??= new RequestTenants(this.request)
    return this.#tenants
  }

  /** The definition for this request; null where it is of no tenant. Throws as `RequestTenants.definitionOf` does. */
  definitionOf (definition: SessionDefinition): SessionDefinition | null {
    return hasTenants(definition) ? this.tenants.definitionOf(definition) : definition
  }

  /** The definitions for this request, where they are known. */
  definitionsOf (definitions: readonly SessionDefinition[]): readonly SessionDefinition[] {
    return definitions.flatMap(definition => {
      try {
        return this.definitionOf(definition) ?? []
      } catch {
        // It is thrown where the request uses the session.
        return []
      }
    })
  }

  #failedRead (definition: SessionDefinition, error: unknown): null {
    if (error instanceof NotReadyError) {
      warnNotReady(definition, this.request)
      return null
    }
    if (this.writer.isOver || this.#thrown.includes(definition)) return null
    this.#thrown = [...this.#thrown, definition]
    throw error
  }

  /** The session. Throws FST_SESSION_NOT_READY, FST_SESSION_STORE_UNAVAILABLE, FST_SESSION_UNPROVEN. */
  open (definition: SessionDefinition): object {
    return (this.#find(definition) ?? this.#load(definition)).use()
  }

  /** What the request brought, if its session was opened here; null for none. */
  verifiedOf (definition: SessionDefinition): VerifiedSession | null {
    return this.#find(definition)?.verified ?? null
  }

  /** The newest session of the request, opened and not used. It is kept for the handler. */
  peek (definition: SessionDefinition): OpenedSession | undefined {
    const deferred = new DeferredLog()
    this.#kept ??= new Map()
    this.#isLoading = true
    try {
      const source = headerSource(this.request.raw)
      const sessions = openSealed(definition, source, definition.context.now(), deferred)
      this.#kept.set(definition, sessions)
      return sessions[0]
    } finally {
      deferred.flush(this.request.log)
      this.#isLoading = false
    }
  }

  /**
   * A session that was loaded elsewhere: the reply clears it if it was revoked, and stamps it if it was checked.
   * What an earlier hook has read or changed of it is not written.
   */
  setVerified (definition: SessionDefinition, verified: VerifiedSession): void {
    this.all = this.all.filter(session => session.definition !== definition)
    this.#add(definition, verified)
  }

  /** The reply clears the proof of a session that was opened, so that the browser makes another one. */
  requestNewProof (definition: SessionDefinition): void {
    this.#find(definition)?.requestNewProof()
  }

  /** Loads those of these sessions that need a promise; null where nothing must be waited for. */
  preload (definitions: readonly SessionDefinition[]): Promise<unknown> | null {
    this.#preloaded ??= new PreloadedSessions()
    const { raw, log } = this.request
    const deferred = new DeferredLog()
    const waiting = this.#preloaded.preload(definitions, headerSource(raw, this.#kept), deferred)
    if (waiting !== null) return waiting.finally(() => { deferred.flush(log) })
    deferred.flush(log)
    return null
  }

  addPreloaded (): boolean {
    if (this.#preloaded === null) return false
    for (const [definition, verified] of this.#preloaded.toBeWritten()) {
      if (this.#find(definition) === undefined) this.#add(definition, verified)
    }
    return true
  }

  #load (definition: SessionDefinition): RequestSession {
    const deferred = new DeferredLog()
    this.#isLoading = true
    try {
      return this.#add(definition, this.#verified(definition, deferred))
    } finally {
      deferred.flush(this.request.log)
      this.#isLoading = false
    }
  }

  #verified (definition: SessionDefinition, log: OpeningLog): VerifiedSession | null {
    const preloaded = this.#preloaded?.take(definition, log)
    if (preloaded !== undefined) return preloaded
    const source = headerSource(this.request.raw, this.#kept)
    const candidates = definition.revocation === null ? loadNow(definition, source, log) : null
    if (candidates !== null) {
      const verified = verifyWithoutStore(definition, candidates, source.headers)
      logVerified(definition, verified, source.headers, log)
      return verified
    }
    const isReady = definition.revocation === null && !needsPromise(definition, source)
    if (!isReady) throw new NotReadyError(definition.sessionName)
    return null
  }

  #find (definition: SessionDefinition): RequestSession | undefined {
    for (const session of this.all) {
      if (session.definition === definition) return session
    }
    return undefined
  }

  #add (definition: SessionDefinition, verified: VerifiedSession | null): RequestSession {
    const isRenewed = verified === null || !verified.opened.isRenewalDue || mayRenew(definition, this.request)
    const session = new RequestSession(definition, isRenewed ? verified : withoutRenewal(verified), this.writer)
    this.all = this.all.length === 0
      ? [session]
      : [...this.all, session].sort((a, b) => a.definition.index - b.definition.index)
    return session
  }
}

/** For a route that does not renew sessions. A change still writes the session. */
function withoutRenewal (verified: VerifiedSession): VerifiedSession {
  return { ...verified, opened: { ...verified.opened, isRenewalDue: false } }
}
