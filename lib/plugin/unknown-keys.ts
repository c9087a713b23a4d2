import type { FastifyInstance, FastifyRequest } from 'fastify'
import { parseStringHeader } from '../bound/exchange'
import type { RequestHead } from '../cookies/authorization'
import { cookieValues } from '../cookies/header'
import { keyIdIn } from '../core/token'
import type { KeySeeker } from '../keyring/key-seeker'
import { sessionTokenIn } from './bearer'
import type { SessionDefinition } from './definition'
import { hasTenants } from './request-tenants'
import { resumeAfter } from './resume'

interface Sought {
  readonly names: readonly string[]
  /** The session may be in a bearer token. */
  readonly isBearer: boolean
  readonly seeker: KeySeeker
}

/** The definitions for a request, where they are known. */
type DefinitionsOf = (
  request: FastifyRequest, definitions: readonly SessionDefinition[]
) => readonly SessionDefinition[]

/**
 * A cookie may name a key that another server has just begun to use. Then the keyring is read again before the handler
 * runs, because `request.session` cannot wait. Nothing is decrypted here.
 */
export function seekUnknownKeys (
  app: FastifyInstance, definitions: readonly SessionDefinition[], definitionsOf: DefinitionsOf
): void {
  const all = definitions.flatMap(definition => hasTenants(definition) ? [] : soughtOf(definition))
  const ofTenants = definitions.filter(hasTenants).filter(({ seeker, tenants }) => seeker !== null || tenants.isAsync)
  if (all.length + ofTenants.length === 0) return
  const allFor = ofTenants.length === 0
    ? () => all
    : (request: FastifyRequest) => [...all, ...definitionsOf(request, ofTenants).flatMap(soughtOf)]
  const readsBearer = definitions.some(({ options: { transport } }) => transport !== 'cookie')
  app.addHook('onRequest', function seekKeys (request, reply, done) {
    const { headers } = request.raw
    const { cookie: header, 'sec-secure-session-id': identifier } = headers
    const isSent = (header ?? identifier) !== undefined || (readsBearer && headers.authorization !== undefined)
    const isSought = isSent && request.routeOptions.config.session !== false
    const seeking = isSought ? seek(allFor(request), header, parseStringHeader(identifier), request.raw) : null
    if (seeking === null) done()
    else resumeAfter(seeking, reply, done)
  })
}

/** None where the keys never change. */
function soughtOf ({ seeker, options, flowNames, legacyCookies }: SessionDefinition): Sought[] {
  const { cookieName, stampName, proofName, transport } = options
  const legacyNames = legacyCookies.flatMap(({ namesOfOwnKeys }) => namesOfOwnKeys)
  const names = transport === 'bearer' ? [] : [cookieName, stampName, proofName, ...flowNames, ...legacyNames]
  return seeker === null ? [] : [{ names, isBearer: transport !== 'cookie', seeker }]
}

/** Reads the keyring again if a cookie of the session in this header names an unknown key. Never rejects. */
export async function seekKeysIn (definition: SessionDefinition, header: string): Promise<void> {
  await seek(soughtOf(definition), header, null, null)
}

/** Reads the keyring again if the key that sealed a token is not known. Never rejects. */
export async function seekKeyOf ({ seeker }: SessionDefinition, token: string): Promise<void> {
  const keyId = keyIdIn(token)
  if (keyId !== null && seeker !== null && seeker.isWorthSeeking(keyId)) await seeker.seek(keyId)
}

/** The key that sealed a token is not known, and the keyring could not be read to find out whether there is one. */
export function mayOpenLater ({ seeker }: SessionDefinition, token: string): boolean {
  const keyId = keyIdIn(token)
  return keyId !== null && seeker !== null && seeker.isWorthSeeking(keyId)
}

/**
 * Null where every key is known.
 * @param identifier in the header Sec-Secure-Session-Id; null for none
 * @param head of a request, where a bearer token is looked for; null for none
 */
function seek (
  all: readonly Sought[], header: string | undefined, identifier: string | null, head: RequestHead | null
): Promise<unknown> | null {
  let seeking: Array<Promise<void>> | null = null
  const seekKeyOf = (token: string, seeker: KeySeeker): void => {
    const id = keyIdIn(token)
    if (id === null || !seeker.isWorthSeeking(id)) return
    seeking ??= []
    seeking.push(seeker.seek(id))
  }
  for (const { names, isBearer, seeker } of all) {
    const bearer = isBearer && head !== null ? sessionTokenIn(head) : null
    if (bearer !== null) seekKeyOf(bearer, seeker)
    for (const name of names) {
      for (const token of cookieValues(header, name)) seekKeyOf(token, seeker)
    }
    if (identifier !== null) seekKeyOf(identifier, seeker)
  }
  return seeking === null ? null : Promise.all(seeking)
}
