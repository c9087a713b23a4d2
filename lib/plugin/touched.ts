import type { FastifyReply, FastifyRequest } from 'fastify'
import { Session } from '../session/session'
import { opened } from '../events'
import { keyOfId } from '../revocation/keys'
import type { Watcher } from '../session/policy'
import { viewOf, type SessionView } from '../session/view'
import { forbidStoring, varyByCookie } from './caching'
import { linesToCommit, type LaterEvents } from './commit'
import type { SessionDefinition } from './definition'
import { errandsOf } from './errands'
import type { Found } from './find'
import { isEnded } from './standing'
import { warnSecureOverHttp, warnUntrustedProxy } from './warnings'

const NONE: readonly string[] = []

/** What the event says of what was known of a session. */
const CHECKS = { good: null, checked: 'good', unchecked: 'unchecked', over: null, replaced: null } as const

/** What holds the sessions of a request, and is told what happens to them. */
export interface Holder {
  /** Throws FST_SESSION_COMMITTED. */
  beforeChange (touched: Touched): void
  watchForLoss (): void
}

/** A session that a request touched, or that the plugin has to write though the request did not. */
export class Touched implements LaterEvents, Watcher {
  readonly definition: SessionDefinition
  readonly found: Found | null
  readonly session: Session
  readonly view: SessionView
  readonly #holder: Holder
  /** The request looked at it; false where only the plugin did. */
  #isUsed = false
  /** The reply writes its cookies. */
  #isWritten = false
  /** Failed: it could not be written, the error was thrown, and the error's reply goes out without it unless it is changed again. */
  state: 'open' | 'failed' | 'changed again' = 'open'
  /** The latest known cut-off of whoever logs in by it. */
  #cutOffMs = 0
  /** Null where nobody listens. */
  #untold: Array<() => void> | null = null

  constructor (definition: SessionDefinition, found: Found | null, holder: Holder) {
    this.#holder = holder
    this.definition = definition
    this.found = found
    this.session = new Session(definition.policy, this, found === null || found.standing === 'replaced' ? null : found.opened, found?.standing === 'over')
    this.view = viewOf(this.session)
  }

  /** The request looks at it. */
  use (): SessionView {
    const { found, definition: { sessionName, options } } = this
    const isFirst = !this.#isUsed
    // A subscriber may ask for the session, too.
    this.#isUsed = true
    if (isFirst && opened.hasSubscribers && found !== null && !isEnded(found)) {
      const cookie = found.former?.cookieName ?? options.cookieName
      opened.publish({ session: sessionName, cookie, id: keyOfId(found.opened.envelope.id), check: CHECKS[found.standing] })
    }
    return this.view
  }

  /** Runs its errands in the store; null where there are none. Throws where it cannot be written, and rejects where they failed. */
  runErrands (): Promise<void> | null {
    if (this.state === 'failed') return null
    const errands = errandsOf(this)
    return errands === null ? null : errands.then(cutOffMs => { this.#cutOffMs = cutOffMs })
  }

  /** The Set-Cookie lines. Throws where it cannot be written. */
  lines (request: FastifyRequest): readonly string[] {
    if (this.state === 'failed' || this.#saysNothing) return NONE
    const { raw: { headers: { cookie: header } }, log } = request
    const { definition, session, found } = this
    const overTls = request.protocol === 'https'
    this.#untold = null
    const lines = linesToCommit({ definition, session, found, header, overTls, log, isUsed: this.#isUsed, cutOffMs: this.#cutOffMs, events: this })
    this.#isWritten = lines.length > 0
    if (this.#isWritten && !overTls) {
      warnUntrustedProxy(definition, request)
      warnSecureOverHttp(definition, request, lines)
    }
    return lines
  }

  /** Tells caches what follows for them; returns the payload to send. */
  tellCaches (reply: FastifyReply, payload: unknown): unknown {
    if (!this.definition.options.cacheControl) return payload
    if (this.#isWritten && forbidStoring(this.definition, reply, payload)) return payload
    return this.#isUsed ? varyByCookie(reply, payload) : payload
  }

  beforeChange (): void {
    this.#holder.beforeChange(this)
  }

  handedOut (): void {
    this.#holder.watchForLoss()
  }

  later (publish: () => void): void {
    this.#untold ??= []
    this.#untold.push(publish)
  }

  /** The lines go out as they are: whoever listens is told. */
  tell (): void {
    this.#untold?.forEach(publish => { publish() })
  }

  /** As nearly always: it was looked at, and nothing is due. */
  get #saysNothing (): boolean {
    return this.session.isAsItWas && this.found?.standing !== 'checked'
  }
}
