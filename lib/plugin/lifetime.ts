import { expires, maxAge } from '../cookies/lines'
import { withOwnLimits } from '../session/expiry'
import type { SessionMeta } from '../session/meta'
import { LONGEST_COOKIE_MS, SECOND_MS } from '../time'
import type { SessionDefinition } from './definition'
import { warnExpiresPassed, warnOwnMaxAge } from './log'

/**
 * For how long the browser is to keep the session's cookies, as an attribute; empty where they end with the browser.
 */
export function lifetimeOf (
  definition: SessionDefinition, { settings, authenticatedAtMs }: SessionMeta, nowMs: number
): string {
  const { attributes, persistent } = definition.options
  const limits = withOwnLimits(definition.context.limits, settings)
  if (settings.persistent === false) return ''
  if (settings.maxAgeMs !== null) {
    warnOwnMaxAge(definition, settings.maxAgeMs, limits)
    return maxAge(Math.ceil(settings.maxAgeMs / SECOND_MS))
  }
  const isConfigured = attributes.maxAgeS !== null || attributes.expires !== null
  // With own limits, or persistent: the configured lifetime is that of other sessions.
  const isOwn = settings.persistent !== null || settings.idleMs !== null || settings.absoluteMs !== null
  if (isConfigured && !isOwn) return configuredLifetime(definition, nowMs)
  if (!isConfigured && !persistent && settings.persistent === null) return ''
  const lifeMs = Math.min(authenticatedAtMs + limits.absoluteMs - nowMs, LONGEST_COOKIE_MS)
  return maxAge(Math.ceil(lifeMs / SECOND_MS))
}

/** As it was given. With both, a browser goes by Max-Age: RFC 6265bis section 5.7. */
function configuredLifetime (definition: SessionDefinition, nowMs: number): string {
  const { maxAgeS, expires: date } = definition.options.attributes
  const maxAgeAttribute = maxAgeS === null ? '' : maxAge(maxAgeS)
  if (date === null) return maxAgeAttribute
  // Expires has whole seconds. With one that has passed, the browser would drop the cookie of a login at once.
  if (Math.floor(date.getTime() / SECOND_MS) * SECOND_MS > nowMs) return maxAgeAttribute + expires(date)
  warnExpiresPassed(definition, date)
  return maxAgeAttribute
}
