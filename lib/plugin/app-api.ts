import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import { describe, invalid, isObject } from '../checks'
import { withoutCookies } from '../cookies/header'
import { NOT_SPLIT } from '../core/format'
import { returnPath } from '../guard/login-redirect'
import { securitySchemesOf } from '../guard/openapi'
import { hashOfSubject, keyOf } from '../revocation/keys'
import type { Revocation } from '../revocation/revocation'
import { NO_OBSERVER } from '../session/context'
import type { OpenedSession } from '../session/opened'
import { unwrap } from '../session/proxy'
import { countParts, sealSession } from '../session/sealing'
import { Session } from '../session/session'
import type { TenantControl } from '../../types/control'
import { withIssueTimes } from './apply'
import { linesFor, named, sessionNamed, subjectText, type SessionDefinition } from './definition'
import { headerSource, loadNow, tokenSource, type SessionSource } from './load'
import { envelopeOf, sealedSubject } from './plan'
import { loadAndVerify } from './preload'
import { sessionsOfAllScopes } from './sibling-scopes'
import { hasTenants, refuseWithoutTenant } from './request-tenants'
import { openFor, sealFor } from './tokens'
import { seekKeyOf, seekKeysIn } from './unknown-keys'
import { isRefused } from './verify'

const SESSION_ID = /^[0-9a-f]{32}$/
/** What `forTenant` has in place of `createSecureSession` and `encodeSecureSession`. */
const SEALING = 'encode(values) or cookiesFor(values)'

/** `app.secureSession`, `createSecureSession`, `encodeSecureSession` and `decodeSecureSession`. */
export function decorateApp (app: FastifyInstance, definitions: readonly SessionDefinition[]): void {
  app.decorate('secureSession', Object.freeze({
    ...controlOf(definitions, app),
    async forTenant (id: unknown, cookie?: unknown) {
      return controlOf(await definitionsForTenant(definitions, id, cookie), app, definitions)
    }
  }))
  app.decorate('createSecureSession', function createSecureSession (
    data?: Record<string, unknown> | null, name?: string
  ) {
    return newSession(known(definitions, name, 'createSecureSession()', SEALING), data).proxy
  } as FastifyInstance['createSecureSession'])

  app.decorate('encodeSecureSession', function encodeSecureSession (proxy: unknown, name?: string): string {
    const definition = known(definitions, name, 'encodeSecureSession()', SEALING)
    const session = unwrap(proxy)
    if (session === undefined) throw invalid(`encodeSecureSession() takes a session; found ${describe(proxy)}`)
    return tokenOf(definition, session, definition.options.transport !== 'cookie')
  })

  app.decorate('decodeSecureSession', function decodeSecureSession (
    token: unknown, log: FastifyBaseLogger = app.log, name?: string
  ) {
    const definition = known(definitions, name, 'decodeSecureSession()', 'decode(token)')
    const candidates = typeof token === 'string' ? loadNow(definition, tokenSource(token), log) : null
    return candidates === null ? null : proxyOf(definition, candidates.sessions[0] as OpenedSession)
  } as FastifyInstance['decodeSecureSession'])
}

/** @param ofAllTenants the definitions of the app, with the cookies of all tenants */
function controlOf (
  definitions: readonly SessionDefinition[], app: FastifyInstance, ofAllTenants = definitions
): TenantControl {
  return Object.freeze({
    securitySchemes: securitySchemesOf(definitions),

    async revoke (id: string, name?: string) {
      if (typeof id !== 'string' || !SESSION_ID.test(id)) {
        throw invalid(`secureSession.revoke() takes the id of a session, 32 hex digits; found ${describe(id)}`)
      }
      const all = revocable(definitions, name)
      await Promise.all(all.map(async ({ revocation }) => { await revocation.revokeId(id) }))
    },

    async revokeSubject (subject: string | number, name?: string) {
      const text = subjectText(subject, 'secureSession.revokeSubject() takes')
      const all = revocable(definitions, name, 'secureSession.revokeSubject()')
      await Promise.all(all.map(async ({ revocation, sessionName, tenant }) => {
        await revocation.revokeSubject(keyOf(hashOfSubject(sessionName, text, tenant)))
      }))
    },

    async decode (token: unknown, log: FastifyBaseLogger = app.log, name?: string) {
      const definition = known(definitions, name, 'secureSession.decode()')
      if (typeof token !== 'string') return null
      await seekKeyOf(definition, token)
      return await sessionIn(definition, tokenSource(token), log)
    },

    async open (header: unknown, log: FastifyBaseLogger = app.log, name?: string) {
      const definition = known(definitions, name, 'secureSession.open()')
      const cookie = headerText(header, 'open')
      await seekKeysIn(definition, cookie)
      return await sessionIn(definition, headerSource({ headers: { cookie }, rawHeaders: [] }), log)
    },

    encode (values: unknown, name?: string) {
      const definition = known(definitions, name, 'secureSession.encode()')
      const session = newSession(definition, valuesIn(values, 'encode'))
      return tokenOf(definition, session, definition.options.transport !== 'cookie')
    },

    cookiesFor (values: unknown, name?: string) {
      return cookiesOf(known(definitions, name, 'secureSession.cookiesFor()'), values)
    },

    sealToken: (purpose: unknown, data: unknown, options?: unknown) => sealFor(definitions, purpose, data, options),

    async openToken (purpose: unknown, token: unknown, options?: unknown) {
      return await openFor(definitions, purpose, token, options)
    },

    returnPath,

    stripCookies (header: unknown, name?: string) {
      const meant = name === undefined ? sessionsOfAllScopes(app) : [named(ofAllTenants, name)]
      return withoutCookies(headerText(header, 'stripCookies'), cookieNamesOf(meant))
    }
  }) as TenantControl
}

const FOR_TENANT = 'secureSession.forTenant()'

/** Those of a tenant, and those of sessions without the option `tenant`. */
async function definitionsForTenant (
  definitions: readonly SessionDefinition[], id: unknown, cookie: unknown
): Promise<SessionDefinition[]> {
  const all = definitions.filter(hasTenants)
  if (all.length === 0) throw invalid(`${FOR_TENANT} needs a session with the option "tenant"`)
  const isChoosing = all.some(({ tenants }) => tenants.hasChoice)
  return await Promise.all(definitions.map(async definition => {
    if (!hasTenants(definition)) return definition
    const { tenants } = definition
    return await tenants.definitionFor(id, tenants.hasChoice || !isChoosing ? cookie : undefined, FOR_TENANT)
  }))
}

/** The session of this name. Throws FST_SESSION_UNKNOWN_NAME, and FST_SESSION_INVALID_OPTION without its tenant. */
function known (
  definitions: readonly SessionDefinition[], name: string | undefined, method: string, instead?: string
): SessionDefinition {
  const definition = sessionNamed(definitions, name)
  refuseWithoutTenant(definition, method, instead)
  return definition
}

/** Of a tenant: without the sessions that have no tenants, since user 42 there is another user. Else all. */
function ofTenantOrAll (definitions: readonly SessionDefinition[]): readonly SessionDefinition[] {
  const own = definitions.filter(({ tenant }) => tenant !== null)
  return own.length === 0 ? definitions : own
}

/** The cookies of a new session with these values, by name. */
function cookiesOf (definition: SessionDefinition, given: unknown): Record<string, string> {
  const values = valuesIn(given, 'cookiesFor')
  if (definition.options.transport === 'bearer') {
    throw invalid('secureSession.cookiesFor(): with the option "transport": "bearer" a session has no cookies; ' +
      'use secureSession.encode(values)')
  }
  const { parts } = definition.sealing
  const texts = parts.cut(tokenOf(definition, newSession(definition, values), false))
  return Object.fromEntries(texts.map((text, part) => [parts.names[part] as string, text]))
}

function valuesIn (values: unknown, method: string): Record<string, unknown> {
  if (isObject(values)) return values
  throw invalid(`secureSession.${method}() takes the values of a session, an object; found ${describe(values)}`)
}

/** Rejects with FST_SESSION_STORE_UNAVAILABLE. */
async function sessionIn (
  definition: SessionDefinition, source: SessionSource, log: FastifyBaseLogger
): Promise<object | null> {
  const { verified, error } = await loadAndVerify(definition, source, log, 'always')
  if (error !== null) throw error
  return verified === null || isRefused(verified) ? null : proxyOf(definition, verified.opened)
}

function proxyOf ({ context }: SessionDefinition, opened: OpenedSession): object {
  return new Session(context, NO_OBSERVER, opened).proxy
}

/** A session without a request, with these values. */
function newSession ({ context }: SessionDefinition, data: Record<string, unknown> | null | undefined): Session {
  const session = new Session(context, NO_OBSERVER, null)
  for (const [key, value] of Object.entries(data ?? {})) session.set(key, value)
  return session
}

/**
 * Throws FST_SESSION_NOT_SERIALIZABLE, FST_SESSION_TOO_LARGE.
 * @param isBearer the token is never split, and has no cookie attributes beside it
 */
function tokenOf (definition: SessionDefinition, session: Session, isBearer: boolean): string {
  const { context: { codec, now } } = definition
  const subject = session.subject()
  const meta = withIssueTimes({ definition, revokedBeforeMs: 0 }, session.metaFor(subject))
  const data = session.serialized(codec)
  const content = { data, subject: subject ?? sealedSubject(session, meta, data), customSerializer: codec.custom }
  const sealing = isBearer ? { ...definition.sealing, maxCookies: NOT_SPLIT } : definition.sealing
  const attributesBytes = isBearer ? 0 : linesFor(definition, meta.settings).attributesBytes
  const envelope = envelopeOf(meta, content)
  return sealSession(envelope, sealing, countParts(envelope, sealing, attributesBytes, () => session.data()), now())
}

type Revocable = SessionDefinition & { readonly revocation: Revocation }

/**
 * The session of this name, or all that can be revoked. Throws FST_SESSION_INVALID_OPTION where there is none.
 * @param needsTenant the method, where it needs the tenant of each; it throws FST_SESSION_INVALID_OPTION without
 */
function revocable (
  definitions: readonly SessionDefinition[], name: string | undefined, needsTenant: string | null = null
): Revocable[] {
  const meant = name === undefined ? ofTenantOrAll(definitions) : [named(definitions, name)]
  const all = meant.filter((definition): definition is Revocable => definition.revocation !== null)
  if (all.length === 0) throw invalid('sessions can be revoked by id or subject only with the option "revocation"')
  if (needsTenant !== null) for (const definition of all) refuseWithoutTenant(definition, needsTenant)
  return all
}

/** The names of all cookies that may contain these sessions, those of `legacy` among them. */
function cookieNamesOf (definitions: readonly SessionDefinition[]): ReadonlySet<string> {
  const all = definitions.flatMap(definition => definition.tenants?.declared ?? [definition])
  return new Set(all.flatMap(({ sealing, stampName, passName, proofName, legacyCookies, flowNames }) => [
    ...sealing.parts.names, stampName, passName, proofName, ...flowNames,
    ...legacyCookies.flatMap(({ names }) => names)
  ]))
}

/** The Cookie header as one text: Node.js joins several header fields the same way (RFC 9113 section 8.2.3). */
function headerText (header: unknown, method: string): string {
  if (header === undefined || header === null) return ''
  if (typeof header === 'string') return header
  if (Array.isArray(header) && header.every(field => typeof field === 'string')) return header.join('; ')
  const found = describe(header)
  throw invalid(`secureSession.${method}() takes a Cookie header, a string or an array of strings; found ${found}`)
}
