import type { FastifyBaseLogger } from 'fastify'
import { BoundedMap } from '../bounded-map'
import { returned } from '../checks'
import { KeySeeker } from '../keyring/key-seeker'
import { LiveKeyring } from '../keyring/live-keyring'
import { nameOf } from '../keyring/stored-keyring'
import { TenantKeys } from '../keyring/tenant-keys'
import { readStore, type KeyringByTenant } from '../options/keys'
import type { ResolvedOptions } from '../options/options'
import { keyringFailed } from '../store-failure'
import { MINUTE_MS, SECOND_MS, type Clock } from '../time'
import type { KeyringStore } from '../../types/keyring'
import { keyringLog } from './keyring-log'
import type { TenantKeySource, TenantKeysInUse } from './tenants'

/** After a failure, a keyring is not read for this long; for twice as long after the next one, and so on. */
const FIRST_PAUSE_MS = SECOND_MS
const LONGEST_PAUSE_MS = MINUTE_MS
const MOST_FAILURES = 1000

interface Failure {
  readonly error: Error
  readonly atMs: number
  readonly pauseMs: number
}

/** A keyring of each tenant, by the option `keyring` as a function. It is opened when a request first needs it. */
export class KeyringsOfTenants implements TenantKeySource {
  readonly origin: KeyringByTenant['keyringOf']
  readonly seeker = null
  readonly isAsync = true
  readonly #source: KeyringByTenant
  readonly #options: ResolvedOptions
  readonly #now: Clock
  readonly #log: FastifyBaseLogger
  readonly #failures = new BoundedMap<Failure | null>(MOST_FAILURES)

  constructor (source: KeyringByTenant, options: ResolvedOptions, now: Clock, log: FastifyBaseLogger) {
    this.origin = source.keyringOf
    this.#source = source
    this.#options = options
    this.#now = now
    this.#log = log
  }

  /** A keyring that could not be read is not read again for a while. */
  async open (tenant: string): Promise<TenantKeysInUse> {
    const failure = this.#failures.get(tenant) ?? null
    if (failure !== null && Math.abs(this.#now() - failure.atMs) < failure.pauseMs) throw keyringFailed(failure.error)
    return await this.#open(tenant, readStore(returned(this.#source.keyringOf(tenant))), failure)
  }

  async #open (tenant: string, store: KeyringStore, before: Failure | null): Promise<TenantKeysInUse> {
    const { reloadEveryMs, rotation } = this.#source
    const reporter = keyringLog(this.#log, this.#options, store, tenant)
    try {
      const live = await LiveKeyring.open({ store, reloadEveryMs, rotation, now: this.#now, reporter })
      if (before !== null) {
        this.#failures.set(tenant, null)
        reporter.recovered()
      }
      const seeker = new KeySeeker(live, this.#now)
      return { keyring: new TenantKeys(live.keyring, tenant), seeker, close () { live.close() } }
    } catch (cause) {
      const error = cause as Error
      const pauseMs = before === null ? FIRST_PAUSE_MS : Math.min(2 * before.pauseMs, LONGEST_PAUSE_MS)
      this.#failures.set(tenant, { error, atMs: this.#now(), pauseMs })
      if (before === null) this.#warn(tenant, store, error)
      throw keyringFailed(error)
    }
  }

  #warn (tenant: string, store: KeyringStore, error: Error): void {
    const { code } = error as { code?: string }
    this.#log.warn({ session: this.#options.sessionName, keyring: nameOf(store), tenant, code },
      `the keyring of a tenant could not be read, and its sessions fail with 503 until it can: ${error.message}`)
  }
}
