import type { FastifyReply } from 'fastify'
import { describe, duration, invalid, isObject, refuseUnknown, text } from '../checks'
import { RequiredError, StaleError } from '../errors'
import { isUser } from '../session/meta'
import type { Session } from '../session/session'
import { unwrap } from '../session/proxy'
import { SECOND_MS } from '../time'
import type { GuardHook } from '../../types/guard'
import { named, type SessionDefinition } from '../plugin/definition'
import { contextOf } from '../plugin/request-context'

/** Decides which requests may use a route, by one of their sessions. */
export interface Guard {
  readonly definition: SessionDefinition
  /** Null where a login may be as old as its session. */
  readonly freshWithinMs: number | null
  readonly hook: GuardHook
}

type When = (session: unknown) => unknown

const KNOWN = ['sessionName', 'when', 'freshWithin']

/** Guards by their hooks: the guards of a route are found by its hooks. */
const guards = new WeakMap<object, Guard>()

export function guardBehind (hook: object): Guard | undefined {
  return guards.get(hook)
}

/** Throws FST_SESSION_INVALID_OPTION, FST_SESSION_UNKNOWN_NAME. */
export function makeGuard (definitions: readonly SessionDefinition[], options: unknown = {}): Guard {
  if (!isObject(options)) throw invalid(`the options of a guard must be an object; found ${describe(options)}`)
  refuseUnknown(options, KNOWN, 'guard: option')
  const first = definitions[0] as SessionDefinition
  const definition = named(definitions, text(options, 'sessionName', first.options.sessionName))
  const when = readWhen(options['when'], definition)
  const freshWithinMs = options['freshWithin'] === undefined ? null : duration(options['freshWithin'], 'freshWithin', 0)
  const guard: Guard = { definition, freshWithinMs, hook: hookOf(definition, when, freshWithinMs) }
  guards.set(guard.hook, guard)
  return guard
}

function readWhen (when: unknown, { options: { subject, sessionName } }: SessionDefinition): When | null {
  if (typeof when === 'function') return when as When
  if (when !== undefined) {
    throw invalid('option "when" must be a function such as session => session.has(\'user\'); ' +
      `found ${describe(when)}`)
  }
  if (subject === null) {
    throw invalid(`a guard needs the option "subject" of session "${sessionName}", or its own option "when": ` +
      'a session alone proves nothing, since anonymous clients have one, too')
  }
  return null
}

function hookOf (definition: SessionDefinition, when: When | null, freshWithinMs: number | null): GuardHook {
  const { options: { sessionName }, context: { now } } = definition
  const challenge = challengeOf(definition)
  return async function requireSession (request, reply) {
    if (!(sessionName in request)) {
      throw invalid(`a guard of session "${sessionName}" is in a scope whose requests do not have it`)
    }
    const proxy = contextOf(request).open(definition)
    const session = unwrap(proxy) as Session
    // Awaited: a promise is always truthy.
    const mayPass = when === null ? isUser(session.subject()) : Boolean(await when(proxy))
    if (!mayPass) {
      putChallenge(reply, challenge)
      throw new RequiredError()
    }
    if (freshWithinMs !== null && now() - session.info.authenticatedAt >= freshWithinMs) {
      const maxAgeS = Math.floor(freshWithinMs / SECOND_MS)
      putChallenge(reply, `${challenge}, error="insufficient_user_authentication", max_age="${maxAgeS}"`)
      throw new StaleError(freshWithinMs / SECOND_MS)
    }
  }
}

/**
 * RFC 9110 section 11.6.1 requires a challenge with every 401. No scheme is registered for cookies; browsers ignore an
 * unknown scheme. Its parameters are those of draft-broyer-http-cookie-auth, and of RFC 9470 section 3.
 */
function challengeOf ({ options: { sessionName, cookieName } }: SessionDefinition): string {
  const realm = sessionName.replace(/[^ -~]/g, '_').replace(/["\\]/g, '\\$&')
  return `Cookie realm="${realm}", cookie-name=${cookieName}`
}

/** If one of several guards is sufficient, each guard that refused adds its challenge. */
function putChallenge (reply: FastifyReply, challenge: string): void {
  const present = [reply.getHeader('www-authenticate') ?? []].flat().map(String)
  if (present.includes(challenge)) return
  reply.header('www-authenticate', present.length === 0 ? challenge : [...present, challenge])
}
