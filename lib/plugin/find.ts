import type { FastifyBaseLogger } from 'fastify'
import { cookieValues } from '../cookies/header'
import { NotReadyError } from '../errors'
import type { OwnSettings } from '../session/own-settings'
import type { OpenedSession } from '../session/policy'
import type { SessionDefinition } from './definition'
import type { FormerCookie } from './former-cookies'
import { openSealed } from './open'

/** A session that a request brought, and the old cookie it was in; null where it was in its own. */
export interface Found {
  readonly opened: OpenedSession
  readonly former: FormerCookie | null
  /** The settings that sessions in that old cookie had. */
  readonly formerSettings: readonly OwnSettings[]
}

const NONE: readonly OwnSettings[] = []

/** Where cookies are read: the values of a name. */
type Values = (cookieName: string) => readonly string[]

/**
 * The session that a Cookie header brings in its own cookie, or else in an old one that can be opened at once.
 * Throws FST_SESSION_NOT_READY where an opener that must be waited for has not been asked yet.
 */
export function findInHeader (definition: SessionDefinition, header: string | undefined, log: FastifyBaseLogger): Found | null {
  const found = findAtOnce(definition, name => cookieValues(header, name), header, log)
  if (found === null && isToBeAsked(definition, header)) throw new NotReadyError(definition.options.sessionName)
  return found
}

/** The session in a token alone: no header, so no stamp is asked. */
export function findInToken (definition: SessionDefinition, token: string, log: FastifyBaseLogger): OpenedSession | null {
  return findAtOnce(definition, () => [token], undefined, log)?.opened ?? null
}

/** As `findInHeader`, and asks those openers as well that must be waited for. Null where there is nothing to ask them. */
export function findWaiting (definition: SessionDefinition, header: string, log: FastifyBaseLogger): Promise<Found | null> | null {
  return isToBeAsked(definition, header) ? findInTurn(definition, header, log) : null
}

function isToBeAsked ({ formerCookies }: SessionDefinition, header: string | undefined): boolean {
  return formerCookies.some(({ immediate, cookieName }) => !immediate && cookieValues(header, cookieName).length > 0)
}

async function findInTurn (definition: SessionDefinition, header: string, log: FastifyBaseLogger): Promise<Found | null> {
  const values: Values = name => cookieValues(header, name)
  const own = openOwn(definition, values, header, log)
  if (own !== null) return own
  for (const former of definition.formerCookies) {
    const opened = await former.open(values(former.cookieName), header, definition.policy.now(), log)
    if (opened !== null) return foundIn(former, opened)
  }
  return null
}

function findAtOnce (definition: SessionDefinition, values: Values, header: string | undefined, log: FastifyBaseLogger): Found | null {
  const own = openOwn(definition, values, header, log)
  if (own !== null) return own
  for (const former of definition.formerCookies) {
    if (!former.immediate) continue
    const opened = former.open(values(former.cookieName), header, definition.policy.now(), log) as OpenedSession | null
    if (opened !== null) return foundIn(former, opened)
  }
  return null
}

function openOwn (definition: SessionDefinition, values: Values, header: string | undefined, log: FastifyBaseLogger): Found | null {
  const opened = openSealed(definition, values(definition.options.cookieName), header, definition.policy.now(), log)
  return opened === null ? null : { opened, former: null, formerSettings: NONE }
}

function foundIn (former: FormerCookie, opened: OpenedSession): Found {
  // What lies under another name is none of the session's own cookies.
  return { opened: { ...opened, formerSettings: NONE }, former, formerSettings: opened.formerSettings }
}
