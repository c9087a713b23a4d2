import fp = require('fastify-plugin')
import type { FastifyInstance } from 'fastify'
import { sealedOpener as ofFormerName } from './lib/legacy/sealed'
import { secureSessionOpener as ofSecureSession } from './lib/legacy/secure-session'
import { secureSession as plugin } from './lib/plugin/plugin'
import { fileKeyring as ofFile } from './lib/stores/keyring-file'
import { redisKeyring as inRedis } from './lib/stores/keyring-redis'
import { memoryRevocation as revokedInMemory } from './lib/stores/revocation-memory'
import { redisRevocation as revokedInRedis } from './lib/stores/revocation-redis'
import type * as ofControl from './types/control'
import type * as ofCookie from './types/cookie'
import type * as ofEvents from './types/events'
import type * as ofFastify from './types/fastify'
import type * as ofGuard from './types/guard'
import type * as ofKeyring from './types/keyring'
import type * as ofLegacy from './types/legacy'
import type * as ofOptions from './types/options'
import type * as ofRevocation from './types/revocation'
import type * as ofSealing from './types/sealing'
import type * as ofSession from './types/session'

/**
 * Encrypted cookie sessions for Fastify 5: `app.register(secureSession, { key })`, then `request.session`.
 * Rejects with FST_SESSION_INVALID_OPTION or FST_SESSION_INVALID_KEY if the options are wrong, and with
 * FST_SESSION_INVALID_KEYRING or FST_SESSION_KEYRING_UNAVAILABLE if there is no valid keyring at boot.
 */
function secureSession (app: FastifyInstance, options: secureSession.Options): Promise<void>
/** The same with a callback, for a plugin that wraps this one. */
function secureSession (app: FastifyInstance, options: secureSession.Options, next: (error?: Error) => void): void
function secureSession (
  app: FastifyInstance, options: secureSession.Options, next?: (error?: Error) => void
): Promise<void> | undefined {
  const loading = plugin(app, options)
  if (next === undefined) return loading
  loading.then(() => { next() }, next)
}

declare namespace secureSession {
  /** The values of your sessions: declare your own keys with `declare module 'fastify-sealed-session'`. */
  export interface SessionData {}
  export type Session<T = SessionData> = ofSession.Session<T>
  export type SessionInfo = ofSession.SessionInfo
  export type SessionSettings = ofSession.SessionSettings
  export type SessionOptions = ofOptions.SessionOptions
  export type Options = ofFastify.SecureSessionOptions
  export type Duration = ofSealing.Duration
  export type KeyInput = ofSealing.KeyInput
  export type KeyInputs = ofSealing.KeyInputs
  export type CookieOptions = ofCookie.CookieOptions
  export type Serializer = ofSealing.Serializer
  export type KeyringStore = ofKeyring.KeyringStore
  export type FileKeyringOptions = ofKeyring.FileKeyringOptions
  export type RedisKeyringClient = ofKeyring.RedisKeyringClient
  export type RedisKeyringOptions = ofKeyring.RedisKeyringOptions
  export type Rotation = ofKeyring.Rotation
  export type LegacyOpener = ofLegacy.LegacyOpener
  export type LegacySession = ofLegacy.LegacySession
  export type SealedOpener = ofLegacy.SealedOpener
  export type SealedOpenerOptions = ofLegacy.SealedOpenerOptions
  export type SecureSessionOpenerOptions = ofLegacy.SecureSessionOpenerOptions
  export type RevocationStore = ofRevocation.RevocationStore
  export type RevocationOptions = ofRevocation.RevocationOptions
  export type MemoryRevocationOptions = ofRevocation.MemoryRevocationOptions
  export type RedisRevocationClient = ofRevocation.RedisRevocationClient
  export type RedisRevocationOptions = ofRevocation.RedisRevocationOptions
  export type SecureSessionControl = ofControl.SecureSessionControl
  export type SessionSecurityScheme = ofControl.SessionSecurityScheme
  export type SessionEvents = ofEvents.SessionEvents
  export type GuardOptions = ofGuard.GuardOptions
  export type RequireSession = ofGuard.RequireSession
  /** `SessionOptions`, by the name that `@fastify/secure-session` gives them. */
  export type SecureSessionPluginOptions = SessionOptions
  export const fileKeyring: typeof ofFile
  export const redisKeyring: typeof inRedis
  export const memoryRevocation: typeof revokedInMemory
  export const redisRevocation: typeof revokedInRedis
  export const secureSessionOpener: typeof ofSecureSession
  export const sealedOpener: typeof ofFormerName
  /** `secureSession`, by the name that `@fastify/secure-session` exports it under. */
  export { secureSession, secureSession as default, secureSession as fastifySecureSession }
}

// Static assignments: Node finds the names of a CommonJS module's exports without running it.
module.exports = fp(secureSession, { name: 'fastify-sealed-session', fastify: '5.x' })
module.exports.default = secureSession
module.exports.secureSession = secureSession
module.exports.fastifySecureSession = secureSession
module.exports.fileKeyring = ofFile
module.exports.redisKeyring = inRedis
module.exports.memoryRevocation = revokedInMemory
module.exports.redisRevocation = revokedInRedis
module.exports.secureSessionOpener = ofSecureSession
module.exports.sealedOpener = ofFormerName

export = secureSession
