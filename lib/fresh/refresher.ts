import { CommittedError, GrantEndedError, ProviderUnavailableError } from '../errors'
import { MINUTE_MS, SECOND_MS, type Clock } from '../time'
import { within } from '../timers'
import { isInvalidGrant, unavailable, withoutTokens } from './failure'
import { Fleet, type FleetResult, type ResultSealer } from './fleet'
import type { Grant, GrantMemory, PendingRefresh } from './grant-memory'
import type { FreshSettings } from './options'
import { refreshedSetOf, tokenSetOf, type TokenSet } from './token-set'

/** What is used of a session. */
export interface TokenSession {
  get (key: string): unknown
  set (key: string, value: unknown): void
  unset (key: string): void
  readonly changed: boolean
  readonly info: { readonly id: string }
}

/** A request that needs tokens. */
export interface TokenRequest {
  readonly request: never
  readonly session: TokenSession
  /** False once the session's cookie can no longer be sent. */
  readonly canWrite: () => boolean
  readonly sealer: ResultSealer
  readonly log: Record<'warn' | 'debug', (fields: object, message: string) => void>
}

/** A refresh that waits for the provider. */
interface UnderWay {
  readonly grant: Grant
  readonly tokens: TokenSet
}

type Outcome =
  | { readonly kind: 'given', readonly value: unknown }
  | { readonly kind: 'refused' }
  | { readonly kind: 'failed', readonly error: unknown }

/** While the provider is unavailable, requests whose token is still good ask it this often. */
const RETRY_MS = 5 * SECOND_MS
/** How long after `timeout` the provider's answer is waited for, by no request. */
const LATEST_MS = MINUTE_MS
const LATE = Symbol('late')

/** The tokens under one key of the sessions of an app. */
export class Refresher {
  readonly settings: FreshSettings
  readonly #scope: string
  readonly #memory: GrantMemory
  readonly #fleet: Fleet | null
  readonly #now: Clock
  /** By the ids of the sessions. */
  readonly #underWay = new Map<string, UnderWay>()
  #isWarned = false

  constructor (settings: FreshSettings, memory: GrantMemory, now: Clock) {
    const { sessionName, key, lock, timeoutMs } = settings
    this.settings = settings
    this.#scope = `${sessionName}\0${key}`
    this.#memory = memory
    this.#now = now
    this.#fleet = lock === null ? null : new Fleet(lock, this.#scope, timeoutMs, now)
  }

  /** The access token, for `request.freshToken()`. */
  async freshToken (by: TokenRequest, refused: string | undefined): Promise<string> {
    const held = this.#heldBy(by.session)
    if (held === null) throw new GrantEndedError()
    this.#note(held, by)
    const tokens = await this.#freshAfter(held, refused, by)
    this.#keep(tokens, held, by)
    if (tokens === null) throw new GrantEndedError()
    return tokens.accessToken
  }

  /** For `request.newestTokens()`. */
  async newestTokens (by: TokenRequest): Promise<object | null> {
    const held = this.#heldBy(by.session)
    let tokens = held === null ? null : await this.#newestHere(held)
    const seen = new Set<string>()
    try {
      while (this.#fleet !== null && tokens !== null && !seen.has(tokens.name)) {
        seen.add(tokens.name)
        const found = await this.#fleet.find(tokens.name, by.sealer)
        if (found === undefined) break
        tokens = found
      }
    } catch (error) {
      this.#warn(by, error, 'it is unknown whether another server has newer tokens')
    }
    return tokens === null ? null : JSON.parse(tokens.json)
  }

  /**
   * Before a session is written: a request that began before a refresh would put the tokens of before back into the
   * browser.
   */
  adoptNewest (session: TokenSession): void {
    if (this.#memory.isEmpty(this.#now()) || !session.changed) return
    const held = this.#heldBy(session)
    if (held !== null) this.#replace(session, this.#newestKnown(held), held)
  }

  /** Null without tokens. Throws FST_SESSION_INVALID_OPTION. */
  #heldBy (session: TokenSession): TokenSet | null {
    const value = session.get(this.settings.key)
    if (value === undefined || value === null) return null
    return tokenSetOf(value, this.#scope, `the session's value "${this.settings.key}" must be`)
  }

  /** The session may have changed while its request waited, or be sent. */
  #keep (tokens: TokenSet | null, held: TokenSet, { session, canWrite }: TokenRequest): void {
    if (tokens === held || !canWrite()) return
    if (this.#heldBy(session)?.name === held.name) this.#replace(session, tokens, held)
  }

  #replace (session: TokenSession, tokens: TokenSet | null, held: TokenSet): void {
    if (tokens === null) session.unset(this.settings.key)
    else if (tokens.name !== held.name) session.set(this.settings.key, JSON.parse(tokens.json))
  }

  /** As far as this process knows, without a wait. */
  #newestKnown (held: TokenSet): TokenSet | null {
    const newest = this.#memory.find(held.name, this.#now())?.newest
    return newest === undefined ? held : newest
  }

  /** After a refresh that is under way. If it fails, what is known. */
  async #newestHere (held: TokenSet): Promise<TokenSet | null> {
    const refresh = this.#memory.find(held.name, this.#now())?.refresh ?? null
    if (refresh !== null) await this.#answerOf(refresh).catch(() => {})
    return this.#newestKnown(held)
  }

  /** Null if the grant has ended. */
  async #freshAfter (held: TokenSet, refused: string | undefined, by: TokenRequest): Promise<TokenSet | null> {
    const grant = this.#memory.find(held.name, this.#now())
    const known = this.#newestKnown(held)
    if (known === null) return null
    const isGood = (): boolean => known.accessToken !== refused && known.expiresAtMs > this.#now()
    if (known.refreshToken === null) return isGood() ? known : null
    if (isGood() && this.#lasts(known)) return known
    const pending = grant?.refresh ?? null
    if (isGood() && (pending === null ? this.#mayNotAsk(grant, by) : pending.isLate)) return known
    if (pending === null && !by.canWrite()) throw new CommittedError(this.settings.sessionName)
    try {
      return await this.#answerOf(pending ?? this.#begin(grant, known, by))
    } catch (error) {
      if (error instanceof ProviderUnavailableError && isGood()) return known
      throw error
    }
  }

  #lasts ({ expiresAtMs }: TokenSet): boolean {
    return expiresAtMs - this.#now() > this.settings.beforeMs
  }

  /** The session cannot be written, or the provider was unavailable a moment ago. */
  #mayNotAsk (grant: Grant | undefined, { canWrite }: TokenRequest): boolean {
    return !canWrite() || (grant !== undefined && this.#now() < grant.retryAtMs)
  }

  /** Nothing is awaited between the look at `grant` and this call. */
  #begin (found: Grant | undefined, tokens: TokenSet, by: TokenRequest): PendingRefresh {
    const grant: Grant = found ?? { newest: undefined, refresh: null, retryAtMs: 0 }
    this.#memory.remember(grant, tokens.name, this.#now())
    const { id } = by.session.info
    this.#underWay.set(id, { grant, tokens })
    let endWait!: () => void
    const late = new Promise<void>(resolve => { endWait = resolve })
    const result = this.#refresh(grant, tokens, by, () => {
      pending.isLate = true
      endWait()
    }).finally(() => {
      grant.refresh = null
      this.#underWay.delete(id)
    })
    const pending: PendingRefresh = { result, late, isLate: false }
    grant.refresh = pending
    result.catch(error => { if (pending.isLate) this.#warn(by, error, 'a refresh failed after its timeout') })
    return pending
  }

  /** Throws FST_SESSION_PROVIDER_UNAVAILABLE where the provider takes longer than `timeout`. The refresh goes on. */
  async #answerOf ({ result, late, isLate }: PendingRefresh): Promise<TokenSet | null> {
    const { timeoutMs } = this.settings
    const answer = isLate ? within(timeoutMs, result, LATE) : Promise.race([result, late.then(() => LATE)])
    const tokens = await (answer as Promise<TokenSet | null | typeof LATE>)
    if (tokens !== LATE) return tokens
    throw unavailable(new Error(`"refresh" took longer than ${timeoutMs / SECOND_MS} seconds`))
  }

  /** Another server may have refreshed the tokens of this session, while this one asks the provider, too. */
  #note (held: TokenSet, { session }: TokenRequest): void {
    if (this.#underWay.size === 0) return
    const found = this.#underWay.get(session.info.id)
    if (found === undefined || held.expiresAtMs <= found.tokens.expiresAtMs) return
    const { grant, tokens } = found
    const nowMs = this.#now()
    if ((grant.newest ?? tokens).name !== tokens.name || this.#memory.find(held.name, nowMs) !== undefined) return
    grant.newest = held
    this.#memory.remember(grant, held.name, nowMs)
  }

  async #refresh (grant: Grant, tokens: TokenSet, by: TokenRequest, onLate: () => void): Promise<TokenSet | null> {
    try {
      const seen = new Set([tokens.name])
      let before = tokens
      for (;;) {
        const { result, isFound } = await this.#result(before, by, onLate)
        // A request has brought newer tokens meanwhile, such as those of another grant.
        const { newest = before } = grant
        if (newest !== null && newest.name !== before.name) return newest
        this.#settle(grant, before, result)
        // A provider may give the same tokens again: the result leads to itself then.
        if (result === null || !isFound || this.#lasts(result) || seen.has(result.name)) return result
        seen.add(result.name)
        before = result
      }
    } catch (error) {
      if (error instanceof ProviderUnavailableError) {
        grant.retryAtMs = this.#now() + RETRY_MS
        if (tokens.expiresAtMs > this.#now()) this.#warn(by, error, 'a token could not be refreshed, and is still good')
      }
      throw error
    }
  }

  #settle (grant: Grant, before: TokenSet, result: TokenSet | null): void {
    const nowMs = this.#now()
    grant.newest = result
    grant.retryAtMs = 0
    this.#memory.remember(grant, before.name, nowMs)
    if (result !== null) this.#memory.remember(grant, result.name, nowMs)
  }

  async #result (tokens: TokenSet, by: TokenRequest, onLate: () => void): Promise<FleetResult> {
    const ask = async (): Promise<TokenSet | null> => await this.#ask(tokens, by, onLate)
    if (this.#fleet === null) return { result: await ask(), isFound: false }
    return await this.#fleet.refresh(tokens.name, by.sealer, ask, error => {
      this.#warn(by, error, 'new tokens were not given to the other servers, which may use the old ones up')
    })
  }

  /**
   * Asks the provider. Null if it refuses. It does not end with `timeout`: the provider may have spent the refresh
   * token before its answer comes, and until then nothing else may send that.
   */
  async #ask (tokens: TokenSet, by: TokenRequest, onLate: () => void): Promise<TokenSet | null> {
    const abort = new AbortController()
    const asked = this.#outcome(tokens, by, abort.signal)
    let outcome = await within(this.settings.timeoutMs, asked, null)
    if (outcome === null) {
      onLate()
      outcome = await within(LATEST_MS, asked, null)
    }
    if (outcome === null) {
      abort.abort()
      throw unavailable(new Error(`"refresh" gave nothing within ${LATEST_MS / SECOND_MS} seconds after its timeout`))
    }
    if (outcome.kind === 'failed') {
      const sent = [tokens.accessToken, tokens.refreshToken as string]
      throw unavailable(withoutTokens(outcome.error, sent))
    }
    if (outcome.kind === 'refused') {
      by.log.debug({ session: this.settings.sessionName, key: this.settings.key }, 'the provider has ended a grant')
      return null
    }
    const refreshed = refreshedSetOf(outcome.value, this.#scope, tokens)
    if (!this.#lasts(refreshed)) this.#warnTooShort(by)
    return refreshed
  }

  async #outcome (tokens: TokenSet, { request }: TokenRequest, signal: AbortSignal): Promise<Outcome> {
    try {
      const value: unknown = await this.settings.refresh(JSON.parse(tokens.json) as never, request, signal)
      return value === null ? { kind: 'refused' } : { kind: 'given', value }
    } catch (error) {
      return isInvalidGrant(error) ? { kind: 'refused' } : { kind: 'failed', error }
    }
  }

  #warn ({ log }: TokenRequest, error: unknown, message: string): void {
    const { sessionName, key } = this.settings
    log.warn({ err: error, session: sessionName, key }, message)
  }

  /** Once: each request would refresh. */
  #warnTooShort ({ log }: TokenRequest): void {
    if (this.#isWarned) return
    this.#isWarned = true
    const { sessionName, key, beforeMs } = this.settings
    log.warn({ session: sessionName, key },
      `new tokens end within ${beforeMs / SECOND_MS} seconds, the option "before", so each request refreshes them: ` +
      'make it shorter')
  }
}
