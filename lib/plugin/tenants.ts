import type { FastifyRequest } from 'fastify'
import { BoundedMap } from '../bounded-map'
import { invalid } from '../checks'
import type { TokenKeys } from '../core/token'
import type { KeyDerivation } from '../keyring/keyring'
import { NO_TENANT_KEYS, TenantKeys } from '../keyring/tenant-keys'
import type { ResolvedSession } from '../options/options'
import {
  checkTenant, cookieIn, makesDotSegment, sessionOfTenant, tenantIn, type DeclaredCookie, type ResolvedTenants
} from '../options/tenants'
import { keyringFailed } from '../store-failure'
import { SECOND_MS } from '../time'
import { within } from '../timers'
import { define, type DefinitionKeys, type SessionDefinition, type SharedParts } from './definition'
import type { SessionKeys } from './keys'
import { infoDotSegment, NOT_IN_PATH } from './log'

/** How many tenants a server keeps: some 6 MB. The one that was used the longest ago is dropped for a new one. */
const MOST_TENANTS = 1000

/** The keys of a tenant, as long as the server keeps them. */
export interface TenantKeysInUse extends DefinitionKeys {
  /** No longer reads them again. They go on working for requests that have them. */
  close (): void
}

/** Where the keys of tenants come from. */
export interface TenantKeySource {
  /** The ring of all tenants, or the function that gives each its own. */
  readonly origin: KeyDerivation | ((tenant: string) => unknown)
  /** Reads an unknown key again; null where that is known only for a tenant, or is never needed. */
  readonly seeker: DefinitionKeys['seeker']
  /** `open` returns promises. */
  readonly isAsync: boolean
  /** Fails with FST_SESSION_STORE_UNAVAILABLE, FST_SESSION_INVALID_OPTION, or what a function of the app throws. */
  open (tenant: string): TenantKeysInUse | Promise<TenantKeysInUse>
}

/** One ring for all tenants. */
export function sharedKeys ({ keyring, seeker }: SessionKeys): TenantKeySource {
  return {
    origin: keyring,
    seeker,
    isAsync: false,
    open: tenant => ({ keyring: new TenantKeys(keyring, tenant), seeker, close () {} })
  }
}

/** Each of two rings opens what the other one seals now. */
function isSameOrigin (one: TenantKeySource['origin'], other: TenantKeySource['origin'], nowMs: number): boolean {
  if (typeof one === 'function' || typeof other === 'function') return one === other
  const [a, b] = [one, other].map(ring => ring.tokenKeys('cookie', '')) as [TokenKeys, TokenKeys]
  return [[a, b], [b, a]].every(([a, b]) => a?.find((b as TokenKeys).sealing(nowMs).id, nowMs) !== undefined)
}

/** Every request waits for the keys of its tenant, also for a public page, because it may use the session. */
const LONGEST_WAIT_MS = SECOND_MS

interface Tenant {
  readonly id: string
  readonly keys: TenantKeysInUse
  readonly definitions: Map<DeclaredCookie, SessionDefinition>
}

/** A tenant whose keys are read. */
interface Opening {
  readonly tenant: Promise<Tenant>
  /** What requests wait for. It rejects with FST_SESSION_STORE_UNAVAILABLE when they have waited for long enough. */
  readonly inTime: Promise<Tenant>
}

/** The definitions of one session for the tenants of an app. */
export class Tenants {
  /** The definition of the app for each declared cookie. */
  readonly declared: readonly SessionDefinition[]
  /** The keys of a tenant may have to be read from a store. */
  readonly isAsync: boolean
  readonly #rules: ResolvedTenants
  readonly #keys: TenantKeySource
  readonly #shared: SharedParts
  /** Those that were used last. */
  readonly #known = new BoundedMap<Tenant>(MOST_TENANTS)
  readonly #opening = new Map<string, Opening>()
  #isClosed = false

  constructor (session: ResolvedSession, rules: ResolvedTenants, keys: TenantKeySource, shared: SharedParts) {
    this.#rules = rules
    this.#keys = keys
    this.#shared = shared
    this.isAsync = keys.isAsync
    const noKeys = { keyring: NO_TENANT_KEYS, seeker: keys.seeker }
    this.declared = rules.declared.map(({ session: { legacy, options } }, index) => {
      const all = index === 0 ? session.options : options
      return define({ ...session, legacy, options: all }, noKeys, shared, null, this)
    })
  }

  /**
   * The definition for a request; null where it is of no tenant. Fails with FST_SESSION_STORE_UNAVAILABLE,
   * FST_SESSION_INVALID_OPTION, or what a function of the app throws.
   */
  definitionOf (request: FastifyRequest): SessionDefinition | null | Promise<SessionDefinition> {
    const { tenantOf, cookieOf } = this.#rules
    const id = tenantIn(tenantOf(request as never))
    if (id === null) return null
    const cookie = cookieOf === null ? this.#first : cookieIn(cookieOf(request as never), this.#rules, id)
    if (!makesDotSegment(cookie, id)) return this.#find(id, cookie, 'inTime')
    infoDotSegment(this.#first.session.options, this.#shared, request)
    return null
  }

  /**
   * The definition for a tenant, without a request.
   * @param choice what the option `cookie` would return; undefined for the first of `cookies`
   */
  async definitionFor (id: unknown, choice: unknown, where: string): Promise<SessionDefinition> {
    const tenant = checkTenant(id, `${where} takes`)
    const cookie = choice === undefined
      ? this.#first
      : cookieIn(choice, this.#rules, tenant, `${where} takes as cookie`)
    if (makesDotSegment(cookie, tenant)) throw invalid(`${where}: the id "${tenant}" ${NOT_IN_PATH}`)
    return await this.#find(tenant, cookie, 'tenant')
  }

  /** The cookie depends on the request. */
  get hasChoice (): boolean {
    return this.#rules.cookieOf !== null
  }

  /** What other options than these the session of another scope has, so that it is not the same; null for none. */
  differenceFrom (other: Tenants | null, nowMs: number): string | null {
    if (other === null) return 'no "tenant"'
    const [{ tenantOf, cookieOf }, others] = [this.#rules, other.#rules]
    if (tenantOf !== others.tenantOf) return 'another "tenant"'
    const [own, theirs] = [this.declared, other.declared].map(all => all.map(({ options, lines }) => {
      return options.cookieName + lines.scope
    }).join())
    if (cookieOf !== others.cookieOf || own !== theirs) return 'another "cookie" or other "cookies"'
    return isSameOrigin(this.#keys.origin, other.#keys.origin, nowMs) ? null : 'other keys'
  }

  /** No keys are read again from now on. */
  close (): void {
    this.#isClosed = true
    for (const { keys } of this.#known.values()) keys.close()
  }

  get #first (): DeclaredCookie {
    return this.#rules.declared[0] as DeclaredCookie
  }

  #find (
    id: string, cookie: DeclaredCookie, wait: keyof Opening
  ): SessionDefinition | Promise<SessionDefinition> {
    const known = this.#known.get(id)
    if (known !== undefined) {
      // Set again, it is the last to be removed.
      this.#known.set(id, known)
      return this.#definitionIn(known, cookie)
    }
    const opening = this.#opening.get(id) ?? this.#open(id)
    if ('keys' in opening) return this.#definitionIn(opening, cookie)
    return opening[wait].then(tenant => this.#definitionIn(tenant, cookie))
  }

  /** Requests that wait for the same keys share one tenant: it is stored in the step in which the opening ends. */
  #open (id: string): Tenant | Opening {
    const keys = this.#keys.open(id)
    if (!(keys instanceof Promise)) return this.#store(id, keys)
    const tenant = keys.then(opened => this.#store(id, opened), (error: unknown) => {
      this.#opening.delete(id)
      throw error
    })
    const opening = { tenant, inTime: inTime(tenant) }
    this.#opening.set(id, opening)
    return opening
  }

  #store (id: string, keys: TenantKeysInUse): Tenant {
    const tenant = { id, keys, definitions: new Map() }
    this.#opening.delete(id)
    this.#known.set(id, tenant)?.keys.close()
    if (this.#isClosed) keys.close()
    return tenant
  }

  #definitionIn ({ id, keys, definitions }: Tenant, cookie: DeclaredCookie): SessionDefinition {
    const definition = definitions.get(cookie) ?? define(sessionOfTenant(cookie, id), keys, this.#shared, id)
    definitions.set(cookie, definition)
    return definition
  }
}

/** It may reject with no request waiting. */
function inTime (opening: Promise<Tenant>): Promise<Tenant> {
  const limited = within(LONGEST_WAIT_MS, opening, null).then(tenant => {
    if (tenant !== null) return tenant
    throw keyringFailed(new Error(`the keyring was not read within ${LONGEST_WAIT_MS / SECOND_MS} second`))
  })
  limited.catch(() => {})
  return limited
}
