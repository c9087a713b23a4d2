import type { FastifyRequest } from 'fastify'
import { invalid } from '../checks'
import { NotReadyError } from '../errors'
import { NO_OBSERVER } from '../session/context'
import { Session } from '../session/session'
import type { SessionDefinition } from './definition'
import { infoNotSent } from './log'
import type { Tenants } from './tenants'

/** A session with the option `tenant`. */
type WithTenants = SessionDefinition & { readonly tenants: Tenants }

/** The definition for a request; null for no tenant. Or the error that says why it is not known. */
type Found = { readonly definition: SessionDefinition | null } | { readonly error: unknown }

const ANONYMOUS = Buffer.alloc(0)

export function hasTenants (definition: SessionDefinition): definition is WithTenants {
  return definition.tenants !== null
}

/**
 * For a call outside of requests. Throws FST_SESSION_INVALID_OPTION.
 * @param instead the call for a tenant, where it is another one
 */
export function refuseWithoutTenant (definition: SessionDefinition, method: string, instead = 'it'): void {
  if (!hasTenants(definition)) return
  throw invalid(`${method}: session "${definition.sessionName}" has the option "tenant", so this needs a tenant: ` +
    `call ${instead} on what app.secureSession.forTenant(id) resolves to`)
}

/** The tenant of one request, for each session with the option `tenant`. The app is asked once for each. */
export class RequestTenants {
  readonly #request: FastifyRequest
  readonly #found = new Map<SessionDefinition, Found>()
  /** What a request of no tenant uses. */
  readonly #unsent = new Map<SessionDefinition, Session>()

  constructor (request: FastifyRequest) {
    this.#request = request
  }

  /** Finds the definitions whose keys may have to be read; null where nothing must be waited for. Never rejects. */
  prepare (definitions: readonly WithTenants[]): Promise<unknown> | null {
    const waiting = definitions.flatMap(definition => {
      const finding = this.#find(definition)
      return finding instanceof Promise ? finding : []
    })
    return waiting.length === 0 ? null : Promise.all(waiting)
  }

  /** Null for no tenant. Throws FST_SESSION_NOT_READY, and what `Tenants.definitionOf` fails with. */
  definitionOf (definition: WithTenants): SessionDefinition | null {
    // What must be waited for is found by `prepare` alone, so that a session is not ready by chance.
    if (!this.#found.has(definition) && !definition.tenants.isAsync) this.#find(definition)
    const found = this.#found.get(definition) ?? notReady(definition)
    if ('error' in found) throw found.error
    return found.definition
  }

  /** The session of a request of no tenant: a new one, which is not sent. */
  unsent (definition: SessionDefinition): object {
    const present = this.#unsent.get(definition)
    if (present !== undefined) return present.proxy
    const { context } = definition
    const subjectOf = context.subjectOf === null ? null : () => ANONYMOUS
    const beforeChange = (): void => { infoNotSent(definition, this.#request) }
    const session = new Session({ ...context, subjectOf }, { ...NO_OBSERVER, beforeChange }, null)
    this.#unsent.set(definition, session)
    return session.proxy
  }

  #find (definition: WithTenants): Promise<void> | undefined {
    const keep = (found: Found): void => { this.#found.set(definition, found) }
    // The app's function may use the session, or write a log line that does.
    keep(notReady(definition))
    try {
      const finding = definition.tenants.definitionOf(this.#request)
      if (finding instanceof Promise) {
        return finding.then(found => { keep({ definition: found }) }, error => { keep({ error }) })
      }
      keep({ definition: finding })
    } catch (error) {
      keep({ error })
    }
  }
}

function notReady ({ sessionName }: SessionDefinition): Found {
  return { error: new NotReadyError(sessionName) }
}
