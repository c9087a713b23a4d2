import { describe, invalid, isObject, refuseUnknown, type Input } from '../checks'
import { LONGEST_PURPOSE_TOKEN, LONGEST_TOKEN } from '../core/format'
import { durationMs, LONGEST_COOKIE_MS, SECOND_MS } from '../time'

/** The settings of the tokens for one purpose. */
export interface TokenSettings {
  readonly ttlMs: number
  /** Empty for none. */
  readonly audience: string
  /** A token opens once. */
  readonly once: boolean
}

const PURPOSE = /^[\w.:-]{1,64}$/
const MOST_AUDIENCE = 512
const LONE_SURROGATE = /\p{Surrogate}/u

/** What the option `tokens` says of each purpose, checked. Throws FST_SESSION_INVALID_OPTION. */
export function resolveTokens (tokens: unknown, hasRevocation: boolean): ReadonlyMap<string, Input> {
  if (tokens === undefined) return new Map()
  if (!isObject(tokens)) {
    throw invalid(`option "tokens" must be an object such as { login: { ttl: '15m' } }; found ${describe(tokens)}`)
  }
  return new Map(Object.entries(tokens).map(([name, given]) => {
    const purpose = checkPurpose(name, 'option "tokens"')
    const where = `option "tokens.${purpose}"`
    if (!isObject(given)) throw invalid(`${where} must be an object such as { ttl: '15m' }; found ${describe(given)}`)
    refuseUnknown(given, ['ttl', 'audience', 'once'], `${where}:`)
    if (readSettings(given, where).once && !hasRevocation) throw withoutStore(where)
    return [purpose, { ...given }]
  }))
}

/** Throws FST_SESSION_INVALID_OPTION. */
export function checkPurpose (purpose: unknown, where: string): string {
  if (typeof purpose === 'string' && PURPOSE.test(purpose)) return purpose
  throw invalid(`${where}: a purpose must have 1 to 64 letters, digits or characters of "._:-"; found ` +
    describe(purpose))
}

/** Throws FST_SESSION_INVALID_OPTION. */
export function readSettings ({ ttl, audience, once = false }: Input, where: string): TokenSettings {
  const ttlMs = durationMs(ttl) ?? 0
  if (ttlMs < SECOND_MS || ttlMs > LONGEST_COOKIE_MS) {
    throw invalid(`${where}: "ttl" must be from 1 second to 400 days, in seconds or as text such as "15m"; ` +
      `found ${describe(ttl)}`)
  }
  if (typeof once !== 'boolean') throw invalid(`${where}: "once" must be true or false; found ${describe(once)}`)
  return { ttlMs, audience: readAudience(audience, where), once }
}

/** Empty for none. Throws FST_SESSION_INVALID_OPTION. */
export function readAudience (audience: unknown, where: string): string {
  if (audience === undefined) return ''
  const isText = typeof audience === 'string' && audience !== '' && audience.length <= MOST_AUDIENCE
  if (isText && !LONE_SURROGATE.test(audience)) return audience
  throw invalid(`${where}: "audience" must be text of 1 to ${MOST_AUDIENCE} characters; found ${describe(audience)}`)
}

/** The most characters of a token. Throws FST_SESSION_INVALID_OPTION. */
export function readMaxLength ({ maxLength = LONGEST_PURPOSE_TOKEN }: Input, where: string): number {
  const isLength = Number.isInteger(maxLength) && (maxLength as number) >= 1 && (maxLength as number) <= LONGEST_TOKEN
  if (isLength) return maxLength as number
  throw invalid(`${where}: "maxLength" must be a whole number from 1 to ${LONGEST_TOKEN}; found ${describe(maxLength)}`)
}

/** FST_SESSION_INVALID_OPTION for a token that opens once. */
export function withoutStore (where: string): Error {
  return invalid(`${where}: a token that opens "once" needs the option "revocation", whose store remembers it; found ` +
    'no "revocation"')
}
