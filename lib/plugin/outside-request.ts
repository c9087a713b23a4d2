import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import { InvalidOptionError } from '../errors'
import { describe } from '../checks'
import { UNWATCHED } from '../session/policy'
import { Session } from '../session/session'
import { behind, viewOf, type SessionView } from '../session/view'
import { sealEnvelope } from './commit'
import { named, type SessionDefinition } from './definition'
import { findInToken } from './find'

/** `createSecureSession`, `encodeSecureSession` and `decodeSecureSession`: sessions without a request. */
export function decorateOutsideRequest (app: FastifyInstance, definitions: readonly SessionDefinition[]): void {
  const main = definitions[0] as SessionDefinition

  app.decorate('createSecureSession', function createSecureSession (
    data?: Record<string, unknown> | null, name = main.options.sessionName
  ): SessionView {
    return viewOf(newSession(named(definitions, name), data))
  } as FastifyInstance['createSecureSession'])

  app.decorate('encodeSecureSession', function encodeSecureSession (
    view: unknown, name = main.options.sessionName
  ): string {
    const definition = named(definitions, name)
    const session = behind(view)
    if (session === undefined) {
      throw new InvalidOptionError(`encodeSecureSession() takes a session; found ${describe(view)}`)
    }
    return tokenOf(definition, session)
  })

  app.decorate('decodeSecureSession', function decodeSecureSession (
    token: unknown, log: FastifyBaseLogger = app.log, name = main.options.sessionName
  ): SessionView | null {
    const definition = named(definitions, name)
    const opened = typeof token === 'string' ? findInToken(definition, token, log) : null
    return opened === null ? null : viewOf(new Session(definition.policy, UNWATCHED, opened))
  } as FastifyInstance['decodeSecureSession'])
}

/** A session of no request, with these values. */
export function newSession ({ policy }: SessionDefinition, data: Record<string, unknown> | null | undefined): Session {
  const session = new Session(policy, UNWATCHED, null)
  for (const [key, value] of Object.entries(data ?? {})) session.set(key, value)
  return session
}

/** Throws FST_SESSION_NOT_SERIALIZABLE, FST_SESSION_TOO_LARGE. */
export function tokenOf (definition: SessionDefinition, session: Session): string {
  return sealEnvelope(definition, session, session.envelope(0, definition.sealing.codec))
}
