import type { RouteOptions } from 'fastify'
import { invalid } from '../checks'
import type { SessionSecurityScheme } from '../../types/control'
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
  return Object.fromEntries(definitions.map(({ options: { sessionName, cookieName } }) => [sessionName, {
    type: 'apiKey',
    in: 'cookie',
    name: cookieName,
    description: 'A sealed session: the browser is given it at login, and sends it by itself.'
  }]))
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
  const names = new Set(shown.map(({ definition }) => definition.options.sessionName))
  const security = [...names].reduce(withSession, schema.security ?? [])
  const isForeign = hasOwnSerializer || !Object.values(schema.response ?? {}).every(isJsonSchema)
  const response = isForeign ? schema.response : withRefusal(schema.response, shown)
  const documented = { ...schema, security, ...(response !== undefined && { response }) }
  route.schema = documented as NonNullable<RouteOptions['schema']>
}

/**
 * Adds the session to each alternative of `security`, because a guard always requires it. If the app names the session
 * itself, nothing is changed.
 */
function withSession (security: Security, name: string): Security {
  if (security.some(alternative => Object.hasOwn(alternative, name))) return security
  return security.length === 0 ? [{ [name]: [] }] : security.map(alternative => ({ ...alternative, [name]: [] }))
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
    headers: { 'WWW-Authenticate': { type: 'string', description: 'Names the cookie of the session.' } },
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
