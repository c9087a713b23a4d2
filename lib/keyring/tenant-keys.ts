import { tenantContext } from '../core/format'
import type { TokenKey, TokenKeys } from '../core/token'
import { invalid } from '../checks'
import type { KeyDerivation, KeyUse } from './keyring'

const TENANT_ID = /^[\w.:-]{1,64}$/
/** What a tenant's id must be, for messages. */
export const TENANT_ID_CHARACTERS = '1 to 64 letters, digits or characters of "._:-"'

export function isTenantId (id: unknown): id is string {
  return typeof id === 'string' && TENANT_ID.test(id)
}

/**
 * The keys of a ring for the tokens of one tenant. The derived keys are those of the ring, so that tenants take no
 * guarded memory of their own. The tenant is in the associated data.
 */
export class TenantKeys implements KeyDerivation {
  /** For tokens of no tenant. */
  readonly ring: KeyDerivation
  readonly #context: Buffer
  /** The keys of this tenant, by those of the ring: a key that leaves the ring is not kept here. */
  readonly #ofTenant = new WeakMap<TokenKey, TokenKey>()

  constructor (ring: KeyDerivation, tenant: string) {
    this.ring = ring
    this.#context = tenantContext(tenant)
  }

  tokenKeys (use: KeyUse, cookieName: string): TokenKeys {
    const keys = this.ring.tokenKeys(use, cookieName)
    return {
      sealing: nowMs => this.#keyOfTenant(keys.sealing(nowMs)),
      find: (id, nowMs) => {
        const key = keys.find(id, nowMs)
        return key === undefined ? undefined : this.#keyOfTenant(key)
      }
    }
  }

  /** One object for each key: the token cache compares them. */
  #keyOfTenant (key: TokenKey): TokenKey {
    const existing = this.#ofTenant.get(key)
    if (existing !== undefined) return existing
    const own = key.withContext(this.#context)
    this.#ofTenant.set(key, own)
    return own
  }
}

/** In place of keys, where the tenant is not known: seals and opens nothing. */
export const NO_TENANT_KEYS: KeyDerivation = {
  tokenKeys: () => ({
    sealing () { throw invalid('this session has the option "tenant", and no tenant is known here') },
    find: () => undefined
  })
}
