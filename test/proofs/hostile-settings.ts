import { randomBytes } from 'node:crypto'
import type { Certificate } from '../helpers/certificate'
import type { Dice } from './dice'

/** One thing that a store or an opener does when it is asked. */
export interface Turn {
  readonly how: string
  readonly ms?: number
  readonly what?: string
}

export interface LegacySettings {
  readonly kind: 'opener' | 'sealed' | 'secure-session'
  readonly options: { readonly cookieName: string, readonly [name: string]: unknown }
}

export interface OneSession {
  readonly name: string
  readonly cookieName: string
  /** Those options of the plugin that are plain data. */
  readonly options: Readonly<Record<string, unknown>>
  readonly hasSerializer: boolean
  readonly hasSubject: boolean
  readonly keyring: { readonly text: string, readonly turns: readonly Turn[] } | null
  readonly revocation: null | {
    readonly options: Readonly<Record<string, unknown>>
    readonly store: { readonly turns: readonly Turn[], readonly max: number, readonly name: string | null }
  }
  readonly legacy: readonly LegacySettings[]
}

/** Where the logger looks at the session, and how; null where it does not. */
export interface LoggerSettings {
  readonly level: string
  readonly req: string | null
  readonly res: string | null
  readonly err: string | null
  readonly mixin: string | null
  readonly controller: string | null
  readonly childLook: string | null
}

/** What one server is, as plain data: `hostile-app.js` builds it. */
export interface ServerSettings {
  readonly package: string
  readonly http2: boolean
  readonly tls: Certificate | null
  readonly fastify: Readonly<Record<string, unknown>>
  readonly logger: LoggerSettings
  readonly hooks: { readonly when: 'before' | 'after', readonly names: readonly string[], readonly look: string | null }
  readonly errorHandler: { readonly style: 'plain' | 'async', readonly how: string } | null
  readonly frameworkErrors: string | null
  readonly notFound: boolean
  readonly genReqId: boolean
  /** `@fastify/websocket` is there. */
  readonly websocket: boolean
  /** The app has registered `@fastify/cookie` itself. */
  readonly cookie: boolean
  readonly legacyKey: string
  readonly sessions: readonly OneSession[]
}

/** What all servers of a run share. */
export interface Given {
  readonly package: string
  readonly certificate: Certificate
  /** A keyring file, and what is in it. */
  readonly ring: { readonly file: string, readonly text: string }
}

/** How an error handler may behave; a request asks for one by its header `x-error`. */
export const ERROR_HANDLERS = [
  'reply', 'throw', 'rethrow', 'header', 'redirect', 'read', 'write', 'delete', 'login', 'commit', 'status', 'type',
  'later', 'response'
] as const

const { LOOK_NAMES } = require('./hostile-looks.js') as { LOOK_NAMES: readonly string[] }
const LOOKS = ['get', 'get', ...LOOK_NAMES]
const HOOKS = [
  'onRequest', 'preParsing', 'preValidation', 'preHandler', 'preSerialization', 'onSend', 'onResponse', 'onRequestAbort'
]

const REJECTIONS = ['error', 'undefined', 'null', 'text', 'object', 'getter', 'frozen', 'status'] as const
const NONSENSE = [
  'nothing', 'null', 'text', 'empty', 'texts', 'negative', 'notNumbers', 'object', 'endless', 'far'
] as const
const DAY_MS = 86_400_000
const GOOD: Turn = { how: 'answer' }

/** Draws a server. The same dice give the same one, save for its keys. */
export function drawSettings (dice: Dice, { package: folder, certificate, ring }: Given): ServerSettings {
  const http2 = dice.chance(0.25)
  const hasTimeoutHook = dice.chance(0.2)
  const look = (share: number): string | null => dice.chance(share) ? dice.oneOf(LOOKS) : null
  return {
    package: folder,
    http2,
    tls: dice.chance(0.3) ? certificate : null,
    fastify: drawServerOptions(dice, { hasTimeoutHook, http2 }),
    logger: {
      level: dice.oneOf(['debug', 'debug', 'info', 'warn', 'trace']),
      req: look(0.4),
      res: look(0.4),
      err: look(0.4),
      mixin: look(0.35),
      controller: look(0.2),
      childLook: look(0.2)
    },
    hooks: {
      when: dice.oneOf(['before', 'after']),
      names: [...HOOKS, ...(hasTimeoutHook ? ['onTimeout'] : [])].filter(() => dice.chance(0.6)),
      look: look(0.3)
    },
    errorHandler: dice.chance(0.7) ? { style: dice.oneOf(['plain', 'async']), how: dice.oneOf(ERROR_HANDLERS) } : null,
    frameworkErrors: dice.chance(0.5) ? dice.oneOf(ERROR_HANDLERS) : null,
    notFound: dice.chance(0.5),
    genReqId: dice.chance(0.3),
    websocket: !http2 && dice.chance(0.7),
    cookie: dice.chance(0.3),
    legacyKey: randomBytes(32).toString('base64'),
    sessions: drawSessions(dice, ring)
  }
}

type PlainOptions = Readonly<Record<string, unknown>>

/** These options in so many of all cases. */
function someOf (dice: Dice): (share: number, options: PlainOptions) => PlainOptions {
  return (share, options) => dice.chance(share) ? options : {}
}

interface Needs {
  readonly hasTimeoutHook: boolean
  readonly http2: boolean
}

function drawServerOptions (dice: Dice, { hasTimeoutHook, http2 }: Needs): PlainOptions {
  const some = someOf(dice)
  return {
    ...some(0.3, { handlerTimeout: dice.oneOf([30, 100, 250]) }),
    ...some(0.3, { requestTimeout: dice.oneOf([50, 500]) }),
    ...some(hasTimeoutHook ? 1 : 0.2, { connectionTimeout: dice.oneOf([100, 300]) }),
    ...some(0.3, { keepAliveTimeout: 100 }),
    ...some(0.2, { maxRequestsPerSocket: 2 }),
    ...some(0.4, { bodyLimit: 64 }),
    ...some(0.4, { trustProxy: true }),
    ...some(0.2, { exposeHeadRoutes: false }),
    ...some(0.2, { return503OnClosing: false }),
    ...some(0.3, { forceCloseConnections: http2 ? true : dice.oneOf([true, 'idle']) }),
    ...some(0.2, { routerOptions: { maxParamLength: 20, ignoreTrailingSlash: true } })
  }
}

function drawSessions (dice: Dice, ring: Given['ring']): OneSession[] {
  const count = dice.oneOf([1, 1, 1, 2, 3])
  const store = drawStore(dice)
  const names = ['session', 'admin', 'guest'].slice(0, count)
  return names.map((name, index) => drawSession(dice, name, index, { ...store, ring }))
}

/** What the store of one server does: well, slowly, not at all, or one after the other. */
interface StoreMood {
  readonly timeout: string
  readonly turns: readonly Turn[]
}

function drawStore (dice: Dice): StoreMood {
  const timeoutMs = dice.oneOf([40, 120, 400])
  const longestMs = 2 * timeoutMs
  const slow = (): Turn => ({ how: dice.oneOf(['answer', 'late']), ms: Math.round(dice.between(0, longestMs)) })
  const failing = (): Turn => dice.oneOf<Turn>([
    { how: 'reject', ms: dice.oneOf([0, 5, longestMs]), what: dice.oneOf(REJECTIONS) },
    { how: 'reject', ms: 0, what: dice.oneOf(REJECTIONS) },
    { how: 'throw', what: dice.oneOf(REJECTIONS) },
    { how: 'never' },
    { how: 'nonsense', ms: dice.oneOf([0, 5]), what: dice.oneOf(NONSENSE) },
    { how: 'thenable', ms: 1 }
  ])
  const drawTurn = dice.oneOf<() => Turn>([
    () => GOOD,
    () => GOOD,
    () => ({ how: 'answer', ms: dice.oneOf([0, 5, 15]) }),
    slow,
    failing,
    () => dice.oneOf([() => GOOD, slow, failing])()
  ])
  return { timeout: `${timeoutMs}ms`, turns: Array.from({ length: 17 }, drawTurn) }
}

function drawSession (dice: Dice, name: string, index: number, around: StoreMood & Pick<Given, 'ring'>): OneSession {
  const { turns, ring } = around
  const cookieName = dice.oneOf([name, name, `${name}-cookie`, `__Host-${name}`, `__Secure-${name}`])
  const hasSerializer = dice.chance(0.25)
  const key = randomBytes(32).toString('base64')
  const keys = dice.oneOf(['key', 'key', 'key', 'keys', 'keyring', 'file'])
  const maxCookies = dice.oneOf([1, 1, 2, 3])
  return {
    name,
    cookieName,
    options: {
      ...drawKeys(dice, keys, key, ring.file),
      cookieName,
      maxCookies,
      ...drawPlainOptions(dice, cookieName)
    },
    hasSerializer,
    hasSubject: dice.chance(0.75),
    keyring: keys === 'keyring' ? { text: ring.text, turns } : null,
    revocation: dice.chance(0.75) ? drawRevocation(dice, around) : null,
    legacy: dice.chance(0.5) ? drawLegacy(dice, index) : []
  }
}

function drawKeys (dice: Dice, how: string, key: string, file: string): Record<string, unknown> {
  if (how === 'key') return { key }
  if (how === 'keys') return { key: [key, randomBytes(32).toString('base64')] }
  return {
    ...(how === 'file' ? { keyring: file } : {}),
    reloadEvery: dice.oneOf(['50ms', '500ms', '10s']),
    ...(dice.chance(0.5) ? { rotation: { every: dice.oneOf(['1s', '1d']), activateIn: '100ms', keepFor: '1d' } } : {})
  }
}

function drawPlainOptions (dice: Dice, cookieName: string): PlainOptions {
  const some = someOf(dice)
  const [cookie, idle] = [dice.oneOf(['cookie', 'cookieOptions']), dice.oneOf(['idle', 'expiry'])]
  return {
    ...some(0.5, { [cookie]: drawCookieOptions(dice, cookieName.startsWith('__')) }),
    ...some(0.5, { [idle]: dice.oneOf(['30s', 3600, '1d']), renewAfter: dice.oneOf(['1ms', '50ms', '1s']) }),
    ...some(0.3, { absolute: '40d' }),
    ...some(0.3, { persistent: true }),
    ...some(0.3, { padTo: dice.oneOf([16, 256]) }),
    ...some(0.2, { cacheControl: false }),
    ...some(0.2, { openapi: true })
  }
}

function drawCookieOptions (dice: Dice, isPrefixed: boolean): PlainOptions {
  const some = someOf(dice)
  return {
    secure: isPrefixed || dice.oneOf([true, false, 'auto']),
    ...some(0.3, { sameSite: dice.oneOf(['strict', 'lax', true, false]) }),
    ...some(0.2, isPrefixed ? {} : { domain: 'example.com' }),
    ...some(0.2, { maxAge: 3600 }),
    ...some(0.1, { expires: Date.now() + DAY_MS }),
    ...some(0.2, { priority: 'high' })
  }
}

function drawRevocation (dice: Dice, { timeout, turns }: StoreMood): NonNullable<OneSession['revocation']> {
  return {
    options: {
      timeout,
      recheck: dice.oneOf([0, 0, '20ms', '5m']),
      onError: dice.oneOf(['refuse', 'refuse', 'allow']),
      ...(dice.chance(0.2) ? { longest: '30d' } : {})
    },
    store: { turns, max: dice.oneOf([10, 100_000]), name: dice.oneOf([null, 'the store']) }
  }
}

const IMMEDIATE = ['opens', 'opens', 'null', 'throw', 'throw-undefined', '503', 'nonsense', 'unwritable']
const WAITING = [...IMMEDIATE, 'reject', 'reject-503']

function drawLegacy (dice: Dice, index: number): LegacySettings[] {
  const opener = (name: string, immediate: boolean): LegacySettings => {
    const turn = (): Turn => ({ how: dice.oneOf(immediate ? IMMEDIATE : WAITING), ms: dice.oneOf([0, 5, 30]) })
    const turns = Array.from({ length: 7 }, turn)
    return { kind: 'opener', options: { cookieName: `${name}-${index}`, immediate, keep: dice.chance(0.2), turns } }
  }
  return [
    opener('immediate', true),
    opener('waiting', false),
    { kind: 'sealed' as const, options: { cookieName: `former-${index}` } },
    { kind: 'secure-session' as const, options: { cookieName: `peer-${index}` } }
  ].filter(() => dice.chance(0.6))
}
