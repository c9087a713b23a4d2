import type { FastifyBaseLogger } from 'fastify'
import { describe, invalid, isObject, refuseUnknown, type Input } from '../checks'
import { randomize } from '../core/aead'
import { ID_BYTES } from '../core/format'
import { checkPurpose, readAudience, readMaxLength, readSettings, withoutStore } from '../options/tokens'
import { contextOf, jsonOfData, openPurposeToken, sealPurposeToken } from '../session/purpose-token'
import { sessionNamed, type SessionDefinition } from './definition'
import { logTokenRefused } from './log'
import { refuseWithoutTenant } from './request-tenants'
import { seekKeyOf } from './unknown-keys'

const SEAL = 'secureSession.sealToken()'
const OPEN = 'secureSession.openToken()'

/** `app.secureSession.sealToken`. */
export function sealFor (
  definitions: readonly SessionDefinition[], purpose: unknown, data: unknown, options: unknown
): string {
  const call = callOf(definitions, purpose, options, ['ttl', 'audience', 'once', 'maxLength'], SEAL)
  const { context: { now }, revocation, purposeKeys } = call.definition
  const { ttlMs, audience, once } = readSettings(call.settings, SEAL)
  if (once && revocation === null) throw withoutStore(SEAL)
  const json = jsonOfData(data, readMaxLength(call.settings, SEAL))
  if (json === null) throw invalid(`${SEAL}: data must be an object such as { user: 42 }; found ${describe(data)}`)
  const madeAtMs = now()
  const id = randomize(Buffer.allocUnsafe(ID_BYTES))
  const token = { id, madeAtMs, expiresAtMs: madeAtMs + ttlMs, once, json }
  return sealPurposeToken(token, purposeKeys(), contextOf(call.purpose, audience))
}

/** `app.secureSession.openToken`. */
export async function openFor (
  definitions: readonly SessionDefinition[], purpose: unknown, token: unknown, options: unknown
): Promise<object | null> {
  const call = callOf(definitions, purpose, options, ['audience', 'log', 'maxLength'], OPEN)
  const { definition, settings } = call
  const { context: { now }, revocation, purposeKeys } = definition
  const context = contextOf(call.purpose, readAudience(settings['audience'], OPEN))
  const mostCharacters = readMaxLength(settings, OPEN)
  const text = typeof token === 'string' ? token : ''
  await seekKeyOf(definition, text)

  const log = (settings['log'] ?? definition.log) as FastifyBaseLogger
  const opened = openPurposeToken(text, purposeKeys(), context, now(), mostCharacters)
  if ('ok' in opened) return logTokenRefused(definition, call.purpose, opened.reason, log)
  if (!opened.once && settings['once'] !== true) return opened.data
  if (revocation === null) throw withoutStore(OPEN)
  const isFirst = await revocation.useUp(opened.id, opened.madeAtMs, opened.expiresAtMs)
  return isFirst ? opened.data : logTokenRefused(definition, call.purpose, 'used', log)
}

interface Call {
  readonly definition: SessionDefinition
  readonly purpose: string
  /** Those of the call; where it gives none, those of the option `tokens`. */
  readonly settings: Input
}

/** Throws FST_SESSION_INVALID_OPTION, FST_SESSION_UNKNOWN_NAME. */
function callOf (
  definitions: readonly SessionDefinition[], purpose: unknown, options: unknown, known: string[], where: string
): Call {
  const given = options === undefined ? {} : options
  if (!isObject(given)) throw invalid(`${where} takes its options in an object; found ${describe(given)}`)
  refuseUnknown(given, [...known, 'sessionName'], `${where}: option`)
  const name = checkPurpose(purpose, where)
  const definition = sessionNamed(definitions, given['sessionName'] as string | undefined)
  refuseWithoutTenant(definition, where)
  const own = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  return { definition, purpose: name, settings: { ...definition.options.tokens.get(name), ...own } }
}
