import type { RouteOptions } from 'fastify'
import { invalid } from '../checks'
import type { SessionSecurityScheme } from '../../types/control'
import type { TransportOption } from '../../types/session'
import type { SessionDefinition } from '../plugin/definition'
import type { Guard } from './guard'

/**
 * https://spec.openapis.org/oas/v3.1.1.html#components-object: names "MUST use keys that match the regular expression".
 */
const COMPONENT_NAME = /^[a-zA-Z0-9._-]+$/

type Response = Readonly<Record<string, unknown>>
type Security = ReadonlyArray<Readonly<Record<string, readonly string[]>>>

/** A route's schema as `@fastify/swagger` reads it. */
interface RouteSchema {
  readonly hide?: boolean
  readonly security?: Security
  readonly response?: Response
}

/**
 * The sessions as security schemes, by their names. Throws FST_SESSION_INVALID_OPTION where a document could not name
 * one.
 */
export function securitySchemesOf (
  definitions: readonly SessionDefinition[]
): Readonly<Record<string, SessionSecurityScheme>> {
  const unnamed = definitions.find(({ options: { openapi, sessionName } }) => {
    return openapi && !COMPONENT_NAME.test(sessionName)
  })
  if (unnamed !== undefined) {
    throw invalid(`option "openapi": "${unnamed.options.sessionName}" cannot be a name in an OpenAPI document: ` +
      'use letters, digits, ".", "-" and "_"')
  }
  const names = definitions.filter(({ options: { openapi } }) => openapi)
    .flatMap(({ options: { sessionName, transport } }) => schemeNames(sessionName, transport))
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) {
    throw invalid(`option "openapi": two sessions would share the security scheme "${twice}": choose another ` +
      '"sessionName" for one of them')
  }
  return Object.fromEntries(definitions.flatMap(schemesOf))
}

function schemesOf (
  { options: { sessionName, cookieName, transport, bearerHeader } }: SessionDefinition
): ReadonlyArray<readonly [string, SessionSecurityScheme]> {
  const inCookie: SessionSecurityScheme = {
    type: 'apiKey',
    in: 'cookie',
    name: cookieName,
    description: 'A sealed session: the browser is given it at login, and sends it by itself.'
  }
  const asBearer: SessionSecurityScheme = {
    type: 'http',
    scheme: 'bearer',
    description: `A sealed session, for clients without cookies: a reply with the header "${bearerHeader}" has a new ` +
      'token, or is empty where the client must forget its token.'
  }
  return schemeNames(sessionName, transport).map(name => [name, name === sessionName ? inCookie : asBearer])
}

/** The names of the security schemes of a session that may come in these. */
function schemeNames (sessionName: string, transport: TransportOption): readonly string[] {
  const bearer = `${sessionName}-bearer`
  return transport === 'both' ? [sessionName, bearer] : [transport === 'cookie' ? sessionName : bearer]
}

/**
 * Adds the guards of a route to its schema. Call it after Fastify has compiled the schema: then only the document of
 * the API changes, and neither the schema object of the app nor the replies of the route.
 * @param hasOwnSerializer the app's schemas may not be JSON Schema, so no schema is added to them
 */
export function documentGuards (route: RouteOptions, guards: readonly Guard[], hasOwnSerializer: boolean): void {
  const shown = guards.filter(({ definition }) => definition.options.openapi)
  const schema = (route.schema ?? {}) as RouteSchema
  if (shown.length === 0 || schema.hide === true) return
  const security = alternativesOf(shown).reduce(withSession, schema.security ?? [])
  const isForeign = hasOwnSerializer || !Object.values(schema.response ?? {}).every(isJsonSchema)
  const response = isForeign ? schema.response : withRefusal(schema.response, shown)
  const documented = { ...schema, security, ...(response !== undefined && { response }) }
  route.schema = documented as NonNullable<RouteOptions['schema']>
}

/** For each session, the security schemes that all of its guards accept. */
function alternativesOf (guards: readonly Guard[]): ReadonlyArray<readonly string[]> {
  const accepted = new Map<string, readonly string[]>()
  for (const { definition: { options: { sessionName } }, accepts } of guards) {
    const names = schemeNames(sessionName, accepts)
    accepted.set(sessionName, (accepted.get(sessionName) ?? names).filter(name => names.includes(name)))
  }
  return [...accepted.values()]
}

/**
 * Adds the session to each alternative of `security`, because a guard always requires it: in each of the schemes that
 * the guard accepts. If the app names the session itself, nothing is changed.
 */
function withSession (security: Security, names: readonly string[]): Security {
  if (security.some(alternative => names.some(name => Object.hasOwn(alternative, name)))) return security
  const others = security.length === 0 ? [{}] : security
  return others.flatMap(alternative => names.map(name => ({ ...alternative, [name]: [] })))
}

function isJsonSchema (schema: unknown): boolean {
  const prototype: unknown = Object.getPrototypeOf(Object(schema))
  return prototype === Object.prototype || prototype === null
}

function withRefusal (response: Response | undefined, guards: readonly Guard[]): Response {
  // For a route without responses, swagger documents this 200. It does not if there is a 401.
  if (response === undefined) return { 200: { type: 'null', description: 'Default Response' }, 401: refusal(guards) }
  if (Object.hasOwn(response, '401')) return response
  // Fastify serializes a 401 by these schemas, if they exist.
  return { ...response, 401: response['4xx'] ?? response['4XX'] ?? response['default'] ?? refusal(guards) }
}

/** Why a guard answers 401. */
const CAUSES: ReadonlyArray<{ code: string, text: string, isPossible: (guard: Guard) => boolean }> = [
  { code: 'FST_SESSION_REQUIRED', text: 'No user is logged in', isPossible: () => true },
  {
    code: 'FST_SESSION_STALE',
    text: 'the login is too old',
    isPossible: ({ freshWithinMs }) => freshWithinMs !== null
  },
  { code: 'FST_SESSION_UNBOUND', text: 'the session is not bound to a device', isPossible: ({ isBound }) => isBound },
  {
    code: 'FST_SESSION_UNPROVEN',
    text: 'another site or origin caused the request, and nothing proves the session',
    isPossible: ({ definition }) => definition.options.deviceBound !== null
  }
]

/** The reply of a guard, as Fastify writes an error. */
function refusal (guards: readonly Guard[]): object {
  const causes = CAUSES.filter(({ isPossible }) => guards.some(isPossible))
  const codes = causes.map(({ code }) => code)
  return {
    description: `${causes.map(({ text }) => text).join(', or ')}.`,
    headers: { 'WWW-Authenticate': { type: 'string', description: challengeText(guards) } },
    // By its media type, so that a route's own `produces` does not apply to it.
    content: {
      'application/json': {
        schema: {
          type: 'object',
          required: ['statusCode', 'code', 'error', 'message'],
          properties: {
            statusCode: { type: 'integer' },
            code: { type: 'string', enum: codes },
            error: { type: 'string' },
            message: { type: 'string' }
          }
        }
      }
    }
  }
}

function challengeText (guards: readonly Guard[]): string {
  const inCookie = guards.some(({ accepts }) => accepts !== 'bearer') ? ['the cookie of the session'] : []
  const asBearer = guards.some(({ accepts }) => accepts !== 'cookie') ? ['the scheme Bearer'] : []
  return `Names ${[...inCookie, ...asBearer].join(', or ')}.`
}
