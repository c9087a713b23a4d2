import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import { describe, invalid, isObject } from '../checks'
import { withoutCookies } from '../cookies/header'
import { hashOfSubject, keyOf } from '../revocation/keys'
import type { Revocation } from '../revocation/revocation'
import { UNWATCHED } from '../session/policy'
import { Session } from '../session/session'
import { viewOf } from '../session/view'
import type { SecureSessionControl } from '../../types/control'
import { named, type SessionDefinition } from './definition'
import { findAsking } from './find'
import { tokenSource } from './open'
import { securitySchemesOf } from './openapi'
import { newSession, tokenOf } from './outside-request'
import { sessionsOfAllScopes } from './sibling-scopes'
import { isEnded } from './standing'
import { subjectText } from './subject'

const SESSION_ID = /^[0-9a-f]{32}$/

/** What `app.secureSession` is: sessions ended from afar, and what a document of the API says of them. */
export function controlOf (definitions: readonly SessionDefinition[], app: FastifyInstance): SecureSessionControl {
  return Object.freeze({
    securitySchemes: securitySchemesOf(definitions),

    async revoke (id: string, name?: string) {
      if (typeof id !== 'string' || !SESSION_ID.test(id)) {
        throw invalid(`secureSession.revoke() takes the id of a session, 32 hex digits; found ${describe(id)}`)
      }
      const all = revocable(definitions, name)
      await Promise.all(all.map(async ({ revocation }) => { await revocation.endSession(id) }))
    },

    async revokeSubject (subject: string | number, name?: string) {
      const text = subjectText(subject, 'secureSession.revokeSubject() takes')
      const all = revocable(definitions, name)
      await Promise.all(all.map(async ({ revocation, sessionName }) => {
        await revocation.endSubject(keyOf(hashOfSubject(sessionName, text)))
      }))
    },

    async decode (token: unknown, log: FastifyBaseLogger = app.log, name?: string) {
      const definition = sessionNamed(definitions, name)
      if (typeof token !== 'string') return null
      const { found, error } = await findAsking(definition, tokenSource(token), log, 'always')
      if (error !== null) throw error
      return found === null || isEnded(found) ? null : viewOf(new Session(definition.policy, UNWATCHED, found.opened))
    },

    cookiesFor (values: unknown, name?: string) {
      const definition = sessionNamed(definitions, name)
      if (!isObject(values)) {
        throw invalid(`secureSession.cookiesFor() takes the values of a session, an object; found ${describe(values)}`)
      }
      const { parts } = definition.sealing
      const texts = parts.cut(tokenOf(definition, newSession(definition, values)))
      return Object.fromEntries(texts.map((text, part) => [parts.names[part], text]))
    },

    stripCookies (header: unknown, name?: string) {
      const meant = name === undefined ? sessionsOfAllScopes(app) : [named(definitions, name)]
      return withoutCookies(headerText(header), cookieNamesOf(meant))
    }
  }) as SecureSessionControl
}

/** The session of this name; without one, the first of the registration. Throws FST_SESSION_UNKNOWN_NAME. */
function sessionNamed (definitions: readonly SessionDefinition[], name: string | undefined): SessionDefinition {
  return name === undefined ? definitions[0] as SessionDefinition : named(definitions, name)
}

type Revocable = SessionDefinition & { readonly revocation: Revocation }

/** The session of this name, or all that can be ended. Throws FST_SESSION_INVALID_OPTION where there is none. */
function revocable (definitions: readonly SessionDefinition[], name: string | undefined): Revocable[] {
  const meant = name === undefined ? definitions : [named(definitions, name)]
  const all = meant.filter((definition): definition is Revocable => definition.revocation !== null)
  if (all.length === 0) throw invalid('sessions can be ended from afar only with the option "revocation"')
  return all
}

/** The names of all cookies that these sessions may lie in, also those of an earlier configuration or library. */
function cookieNamesOf (definitions: readonly SessionDefinition[]): ReadonlySet<string> {
  return new Set(definitions.flatMap(({ sealing, stampName, formerCookies }) => [
    ...sealing.parts.names, stampName, ...formerCookies.flatMap(({ names }) => names)
  ]))
}

/** The Cookie header as one text: Node.js joins several header fields the same way (RFC 9113 section 8.2.3). */
function headerText (header: unknown): string {
  if (header === undefined || header === null) return ''
  if (typeof header === 'string') return header
  if (Array.isArray(header) && header.every(field => typeof field === 'string')) return header.join('; ')
  const found = describe(header)
  throw invalid(`secureSession.stripCookies() takes a Cookie header, a string or an array of strings; found ${found}`)
}
