import type { FastifyReply, FastifyRequest } from 'fastify'
import { boolean, describe, duration, invalid, isObject, refuseUnknown, sessionFunction, text } from '../checks'
import { RequiredError, StaleError, UnboundError } from '../errors'
import { isUser } from '../session/meta'
import type { Session } from '../session/session'
import { unwrap } from '../session/proxy'
import { MINUTE_MS, SECOND_MS } from '../time'
import type { GuardHook } from '../../types/guard'
import type { TransportOption } from '../../types/session'
import { bearerChallengeOf, bearerProblem, challengeOf } from '../plugin/challenge'
import { named, type SessionDefinition } from '../plugin/definition'
import { warnNeverBound } from '../plugin/log'
import { contextOf } from '../plugin/request-context'
import {
  endWithRedirect, isSentToLogin, readLoginRedirect, redirectToLogin, type LoginRedirect
} from './login-redirect'
import { pathOfTarget } from '../site-path'

/** Decides which requests may use a route, by one of their sessions. */
export interface Guard {
  readonly definition: SessionDefinition
  /** Null where a login may be as old as its session. */
  readonly freshWithinMs: number | null
  /** In what the session may come: in cookies alone if it must be bound. */
  readonly accepts: TransportOption
  /** The session must be bound to a device. */
  readonly isBound: boolean
  /** Null where any proof is enough. */
  readonly provenWithinMs: number | null
  /** Null where navigations get the 401, too. */
  readonly redirect: LoginRedirect | null
  readonly hook: GuardHook
}

type When = (session: never) => unknown

const KNOWN = [
  'sessionName', 'when', 'freshWithin', 'bound', 'provenWithin', 'redirectTo', 'returnTo', 'transport'
]
/** For clocks that differ; and so that no link can use up the signings that a browser makes for a site. */
const SHORTEST_PROVEN_WITHIN_MS = 2 * MINUTE_MS

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
  const provenWithinMs = readProvenWithin(options['provenWithin'])
  const isBound = boolean(options, 'bound', false) || provenWithinMs !== null
  const accepts = readTransport(options['transport'], isBound, definition)
  const redirect = readLoginRedirect(options)
  const rules = { definition, freshWithinMs, accepts, isBound, provenWithinMs, redirect }
  const guard: Guard = { ...rules, hook: hookOf(rules, when) }
  if (isBound) warnNeverBound(definition)
  guards.set(guard.hook, guard)
  return guard
}

function readProvenWithin (option: unknown): number | null {
  if (option === undefined) return null
  const provenWithinMs = duration(option, 'provenWithin', 0)
  if (provenWithinMs >= SHORTEST_PROVEN_WITHIN_MS) return provenWithinMs
  throw invalid('option "provenWithin" must be 2 minutes or more, since clocks differ and browsers limit how often ' +
    `they sign; found ${provenWithinMs / SECOND_MS} seconds`)
}

/** Throws FST_SESSION_INVALID_OPTION, also where the guard would refuse every request. */
function readTransport (
  transport: unknown, isBound: boolean, { options: { transport: configured, sessionName } }: SessionDefinition
): TransportOption {
  if (transport !== undefined && transport !== 'cookie' && transport !== 'bearer') {
    throw invalid(`option "transport" of a guard must be "cookie" or "bearer"; found ${describe(transport)}`)
  }
  const accepts = transport ?? configured
  if (configured !== 'both' && accepts !== configured) {
    throw invalid(`option "transport" of a guard: session "${sessionName}" never comes as "${accepts}", by its own ` +
      'option "transport"')
  }
  if (!isBound) return accepts
  if (accepts !== 'bearer') return 'cookie'
  throw invalid('options "bound" and "provenWithin" of a guard need cookies: a bearer token is bound to no device')
}

function readWhen (when: unknown, { options: { subject, sessionName } }: SessionDefinition): When | null {
  const given = sessionFunction(when, 'when')
  if (given === null && subject === null) {
    throw invalid(`a guard needs the option "subject" of session "${sessionName}", or its own option "when": ` +
      'a session alone proves nothing, since anonymous clients have one, too')
  }
  return given
}

function hookOf (
  { definition, freshWithinMs, accepts, isBound, provenWithinMs, redirect }: Omit<Guard, 'hook'>, when: When | null
): GuardHook {
  const { options: { sessionName }, context: { now } } = definition
  return async function requireSession (request, reply) {
    if (!(sessionName in request)) {
      throw invalid(`a guard of session "${sessionName}" is in a scope whose requests do not have it`)
    }
    const context = contextOf(request)
    const own = context.definitionOf(definition)
    // Without a tenant there are no users, and no page for a login.
    if (own === null) throw requiredWith(reply, challengesOf(definition, accepts, request))
    const proxy = context.open(own)
    const session = unwrap(proxy) as Session
    // Awaited: a promise is always truthy.
    const isAllowed = when === null ? isUser(session.subject()) : Boolean(await when(proxy as never))
    if (!isAllowed || (accepts !== 'both' && session.transport !== accepts)) {
      // A user who is logged in needs other rights, and no login.
      const isSent = redirect !== null && !isUser(session.subject()) && isSentToLogin(redirect, request)
      if (isSent) return await redirectToLogin(redirect, request, reply)
      throw requiredWith(reply, challengesOf(own, accepts, request))
    }
    if (freshWithinMs !== null && now() - session.info.authenticatedAt >= freshWithinMs) {
      if (redirect !== null && isSentToLogin(redirect, request)) return await redirectToLogin(redirect, request, reply)
      const maxAgeS = Math.floor(freshWithinMs / SECOND_MS)
      const challenge = session.transport === 'bearer' ? bearerChallengeOf(own, null) : challengeOf(own)
      putChallenge(reply, `${challenge}, error="insufficient_user_authentication", max_age="${maxAgeS}"`)
      throw new StaleError(freshWithinMs / SECOND_MS)
    }
    if (!isBound) return
    const { provenAt } = session.info
    if (provenAt === null) {
      putChallenge(reply, challengeOf(own))
      throw new UnboundError()
    }
    if (provenWithinMs !== null && now() - provenAt >= provenWithinMs) {
      // Without the cookie of its proof, the browser makes another one before it repeats the request.
      context.requestNewProof(own)
      return await endWithRedirect(reply, onThisHost(request.originalUrl), 307)
    }
  }
}

function requiredWith (reply: FastifyReply, challenges: readonly string[]): Error {
  for (const challenge of challenges) putChallenge(reply, challenge)
  return new RequiredError()
}

/** The challenges for a request without a session that is accepted. */
function challengesOf (definition: SessionDefinition, accepts: TransportOption, request: FastifyRequest): string[] {
  const challenges = accepts === 'bearer' ? [] : [challengeOf(definition)]
  if (accepts === 'cookie') return challenges
  const problem = bearerProblem(contextOf(request).verifiedOf(definition), request.raw.headers)
  return [...challenges, bearerChallengeOf(definition, problem)]
}

/** The path and query of a request target, as browsers resolve them on the host that they asked. */
function onThisHost (target: string): string {
  const path = pathOfTarget(target)
  if (/^\/(?![/\\])/.test(path)) return path
  return path.startsWith('/') ? `/.${path}` : `/./${path}`
}

/** If one of several guards is sufficient, each guard that refused adds its challenge. */
function putChallenge (reply: FastifyReply, challenge: string): void {
  const present = [reply.getHeader('www-authenticate') ?? []].flat().map(String)
  if (present.includes(challenge)) return
  reply.header('www-authenticate', present.length === 0 ? challenge : [...present, challenge])
}
