import fp = require('fastify-plugin')
import type { FastifyInstance } from 'fastify'
import { sealedOpener as ofFormerName } from './lib/legacy/sealed'
import { secureSessionOpener as ofSecureSession } from './lib/legacy/secure-session'
import { registerSessions } from './lib/plugin/plugin'
import { fileKeyring as ofFile } from './lib/stores/keyring-file'
import { redisKeyring as inRedis } from './lib/stores/keyring-redis'
import { wrappedKeyring as ofWrapped } from './lib/keyring/wrapped-keyring'
import { memoryRevocation as revokedInMemory } from './lib/stores/revocation-memory'
import { redisRevocation as revokedInRedis } from './lib/stores/revocation-redis'
import type * as ofControl from './types/control'
import type * as ofCookie from './types/cookie'
import type * as ofDeviceBound from './types/device-bound'
import type * as ofEvents from './types/events'
import type * as ofFastify from './types/fastify'
import type * as ofGuard from './types/guard'
import type * as ofHandOver from './types/hand-over'
import type * as ofKeyring from './types/keyring'
import type * as ofLegacy from './types/legacy'
import type * as ofOptions from './types/options'
import type * as ofRevocation from './types/revocation'
import type * as ofSealing from './types/sealing'
import type * as ofSession from './types/session'
import type * as ofTenants from './types/tenants'
import type * as ofTokens from './types/tokens'

/**
 * Encrypted cookie sessions for Fastify 5. Register it once; each request then has `request.session`.
 * @param options of one session, or an array of them for several named sessions
 * @throws {FST_SESSION_INVALID_OPTION} if an option is unknown, wrong, or contradicts another
 * @throws {FST_SESSION_INVALID_KEY} if a key is not 32 bytes, or a `secret` or `salt` has the wrong length
 * @throws {FST_SESSION_INVALID_KEYRING} if the text of the keyring is invalid at boot
 * @throws {FST_SESSION_KEYRING_UNAVAILABLE} if the keyring cannot be read at boot
 * @throws {FST_SESSION_NO_GUARDED_MEMORY} if the process already holds too many keys
 * @example
 * await app.register(secureSession, { key: process.env['SESSION_KEY'] })
 * app.get('/', async request => request.session.get('user'))
 */
function secureSession (app: FastifyInstance, options: secureSession.Options): Promise<void>
/** The same with a callback, for a plugin that wraps this one. */
function secureSession (app: FastifyInstance, options: secureSession.Options, next: (error?: Error) => void): void
function secureSession (
  app: FastifyInstance, options: secureSession.Options, next?: (error?: Error) => void
): Promise<void> | undefined {
  const loading = registerSessions(app, options)
  if (next === undefined) return loading
  loading.then(() => { next() }, next)
}

declare namespace secureSession {
  /**
   * The values of your sessions. Declare your own keys.
   * @example
   * declare module 'fastify-sealed-session' {
   *   interface SessionData { user: { id: number } }
   * }
   */
  export interface SessionData {}
  /** A session: its methods, and its values in property style. */
  export type Session<T = SessionData> = ofSession.Session<T>
  /** The id and the times of a session, in milliseconds since 1970. */
  export type SessionInfo = ofSession.SessionInfo
  /** The argument of `session.options()`. */
  export type SessionSettings = ofSession.SessionSettings
  /** The options of one session. */
  export type SessionOptions = ofOptions.SessionOptions
  /** The options of the plugin: those of one session, or an array of them. */
  export type Options = ofFastify.SecureSessionOptions
  /** A number of seconds above 0, or text with a unit such as `'15m'`. */
  export type Duration = ofSealing.Duration
  /** One key: 32 bytes, or the same as text in base64, base64url or 64 hex digits. */
  export type KeyInput = ofSealing.KeyInput
  /** One key or several: the first seals, all open. */
  export type KeyInputs = ofSealing.KeyInputs
  /** Attributes of a cookie, as `@fastify/cookie` takes them. */
  export type CookieOptions = ofCookie.CookieOptions
  /** Writes and reads the data of a session. */
  export type Serializer = ofSealing.Serializer
  /** Storage for a keyring. */
  export type KeyringStore = ofKeyring.KeyringStore
  /** The options of `fileKeyring`. */
  export type FileKeyringOptions = ofKeyring.FileKeyringOptions
  /** The methods that `redisKeyring` uses of a client. */
  export type RedisKeyringClient = ofKeyring.RedisKeyringClient
  /** The options of `redisKeyring`. */
  export type RedisKeyringOptions = ofKeyring.RedisKeyringOptions
  /** The functions that `wrappedKeyring` calls. */
  export type KeyWrapping = ofKeyring.KeyWrapping
  /** The option `rotation`: key rotation by the servers. */
  export type Rotation = ofKeyring.Rotation
  /** Opens cookies of another library. */
  export type LegacyOpener = ofLegacy.LegacyOpener
  /** What a `LegacyOpener` returns. */
  export type LegacySession = ofLegacy.LegacySession
  /** What `sealedOpener` returns. */
  export type SealedOpener = ofLegacy.SealedOpener
  /** The options of `sealedOpener`. */
  export type SealedOpenerOptions = ofLegacy.SealedOpenerOptions
  /** The options of `secureSessionOpener`. */
  export type SecureSessionOpenerOptions = ofLegacy.SecureSessionOpenerOptions
  /** Storage for revoked sessions and subjects. */
  export type RevocationStore = ofRevocation.RevocationStore
  /** The option `revocation`. */
  export type RevocationOptions = ofRevocation.RevocationOptions
  /** The options of `memoryRevocation`. */
  export type MemoryRevocationOptions = ofRevocation.MemoryRevocationOptions
  /** The methods that `redisRevocation` uses of a client. */
  export type RedisRevocationClient = ofRevocation.RedisRevocationClient
  /** The options of `redisRevocation`. */
  export type RedisRevocationOptions = ofRevocation.RedisRevocationOptions
  /** The option `deviceBound`. */
  export type DeviceBoundOptions = ofDeviceBound.DeviceBoundOptions
  /** One entry of the option `cookies`. */
  export type DeclaredCookie = ofTenants.DeclaredCookie
  /** What the option `cookie` returns, where it is a function. */
  export type CookieChoice = ofTenants.CookieChoice
  /** What `app.secureSession.forTenant` resolves to. */
  export type TenantControl = ofControl.TenantControl
  /** `app.secureSession`. */
  export type SecureSessionControl = ofControl.SecureSessionControl
  /** One entry of the option `tokens`. */
  export type TokenOptions = ofTokens.TokenOptions
  /** The options of `secureSession.sealToken`. */
  export type SealTokenOptions = ofTokens.SealTokenOptions
  /** The options of `secureSession.openToken`. */
  export type OpenTokenOptions = ofTokens.OpenTokenOptions
  /** The option `handOver`. */
  export type HandOverOptions = ofHandOver.HandOverOptions
  /** `handOver.send`. */
  export type HandOverSenderOptions = ofHandOver.HandOverSenderOptions
  /** `handOver.receive`. */
  export type HandOverReceiverOptions = ofHandOver.HandOverReceiverOptions
  /** The options of `session.handOver`. */
  export type HandOverUrlOptions = ofHandOver.HandOverUrlOptions
  /** The options of `reply.handOver`. */
  export type HandOverFormOptions = ofHandOver.HandOverFormOptions
  /** The options of `reply.beginHandOver`. */
  export type BeginHandOverOptions = ofHandOver.BeginHandOverOptions
  /** A security scheme of OpenAPI, as `app.secureSession.securitySchemes` has them. */
  export type SessionSecurityScheme = ofControl.SessionSecurityScheme
  /** The messages on `node:diagnostics_channel`, by the name of the channel. */
  export type SessionEvents = ofEvents.SessionEvents
  /** The options of `app.requireSession` and `app.sessionGuard`. */
  export type GuardOptions = ofGuard.GuardOptions
  /** `app.requireSession`. */
  export type RequireSession = ofGuard.RequireSession
  /** `SessionOptions`, by the name that `@fastify/secure-session` gives them. */
  export type SecureSessionPluginOptions = SessionOptions
  // Not `export const`: an editor shows the doc comments of the functions at the import, too.
  export {
    ofFile as fileKeyring,
    inRedis as redisKeyring,
    ofWrapped as wrappedKeyring,
    revokedInMemory as memoryRevocation,
    revokedInRedis as redisRevocation,
    ofSecureSession as secureSessionOpener,
    ofFormerName as sealedOpener
  }
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
module.exports.wrappedKeyring = ofWrapped
module.exports.memoryRevocation = revokedInMemory
module.exports.redisRevocation = revokedInRedis
module.exports.secureSessionOpener = ofSecureSession
module.exports.sealedOpener = ofFormerName

export = secureSession
