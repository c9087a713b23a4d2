import fastify from 'fastify'
import secureSession, { fileKeyring, redisKeyring, sealedOpener, secureSession as named, secureSessionOpener } from 'fastify-sealed-session'
import type { Duration, KeyringStore, LegacyOpener, LegacySession, Options, RedisKeyringClient, Rotation, Serializer, Session, SessionData, SessionInfo } from 'fastify-sealed-session'

interface Flash { note: string }
interface User { id: string, roles: string[] }

declare module 'fastify-sealed-session' {
  interface SessionData {
    user: User
    visits: number
    data: string
  }
}

declare module 'fastify' {
  interface FastifyRequest {
    readonly flash: Session<Flash>
  }
}

const app = fastify()
app.register(secureSession, { key: Buffer.alloc(32) })
app.register(named, [{ key: ['a', Buffer.alloc(32)] }, { secret: 'x', salt: Buffer.alloc(16), sessionName: 'flash', cookie: { sameSite: 'strict', maxAge: 5 } }])
app.register(import('fastify-sealed-session'), { key: 'x' })

app.register(secureSession, {
  key: process.env['SESSION_KEY'], cookie: { domain: process.env['DOMAIN'] }, idle: process.env['IDLE']
})
app.register(secureSession, { key: [process.env['SESSION_KEY'], process.env['OLD_KEY']] })
app.register(secureSession, { keyring: process.env['KEYRING'], secret: process.env['SECRET'], salt: undefined })

const store: KeyringStore = { read: async () => null, update: async (_expected, _next) => true }
const client: RedisKeyringClient = { get: async () => null, eval: async () => 1 }
const rotation: Rotation = { every: '30d', activateIn: 3600, keepFor: '90d' }
app.register(secureSession, { keyring: '/etc/app/keys.json', rotation, reloadEvery: '10s' })
app.register(secureSession, [{ keyring: new URL('file:///keys.json') }, { keyring: store }, { keyring: fileKeyring('keys.json', { othersMayRead: true }) }, { keyring: redisKeyring(client, { key: 'ring' }) }])
// @ts-expect-error half a store
app.register(secureSession, { keyring: { read: async () => null } })
// @ts-expect-error no rotation without its pace
app.register(secureSession, { keyring: store, rotation: { activateIn: '1h' } })

const found: LegacySession = { data: { user: 'ada' }, createdAt: Date.now() }
const opener: LegacyOpener = { cookieName: 'old', keep: true, open: async (value, nowMs) => nowMs > 0 && value !== '' ? found : null }
app.register(secureSession, { key: 'x', legacy: [opener, secureSessionOpener({ key: ['x'], expiry: '1d' }), sealedOpener({ cookieName: 'session', cookie: { path: '/app' } })] })
// @ts-expect-error an opener that opens nothing
app.register(secureSession, { key: 'x', legacy: [{ cookieName: 'old' }] })
// @ts-expect-error under which name?
sealedOpener({ key: 'x' })

// @ts-expect-error an unknown option
app.register(secureSession, { key: 'x', cokie: {} })
// @ts-expect-error a wrong type
app.register(secureSession, { key: 5 })
// @ts-expect-error more cookies than Node lets pass
app.register(secureSession, { key: 'x', maxCookies: 4 })

app.get('/', async (request, reply) => {
  const { session, flash } = request

  const user: User | undefined = session.get('user')
  const visits: number | undefined = session.visits
  session.set('user', { id: '1', roles: [] })
  session.set('user', undefined)
  session.user = { id: '1', roles: [] }
  session.visits = undefined
  session.regenerate(['user'])
  session.regenerate()
  session.options({ maxAge: 60, path: '/' })
  const info: SessionInfo = session.info
  const copy: { user?: User, visits?: number } = session.data()
  const untyped = session.get('anything')
  const text: string | undefined = session.get('data')
  flash.set('note', 'x')
  const note: string | undefined = flash.note

  // @ts-expect-error not a user
  session.set('user', 'ada')
  // @ts-expect-error an unknown name
  session.set('usr', user)
  // @ts-expect-error a number, not text
  const wrong: string = session.get('visits')
  // @ts-expect-error an unknown property
  session.usr = user
  // @ts-expect-error reserved: reading gives the method
  session.data = 'text'
  // @ts-expect-error read-only
  session.info = info
  // @ts-expect-error read-only
  session.changed = true
  // @ts-expect-error the info is frozen
  session.info.id = 'x'
  const keep: string[] = ['user', '_csrf']
  session.regenerate(keep)
  // @ts-expect-error no cookie option
  session.options({ maxAge: 'long' })
  // @ts-expect-error the session itself cannot be replaced
  request.session = session
  // @ts-expect-error not a note
  flash.set('user', user)

  // @ts-expect-error a name of other libraries: delete() ends a session here
  session.destroy()
  // @ts-expect-error a name of other libraries: the reply writes the session by itself
  await session.save()

  const lines: string[] = reply.commitSession()
  return [visits, copy, untyped, text, note, wrong, lines]
})

const made = app.createSecureSession({ user: { id: '1', roles: [] } })
app.createSecureSession()
app.createSecureSession({})
app.createSecureSession({ visits: undefined, data: 'text' })
app.createSecureSession<Flash>({ note: 'x' }, 'flash').get('note')
// @ts-expect-error not a user
app.createSecureSession({ user: 'ada' })
// @ts-expect-error an unknown name
app.createSecureSession({ usr: { id: '1', roles: [] } })
// @ts-expect-error not a note
app.createSecureSession<Flash>({ user: { id: '1', roles: [] } })

const { cookiesFor, stripCookies } = app.secureSession
const cookies: Record<string, string> = { ...cookiesFor({ visits: 1 }), ...cookiesFor<Flash>({ note: 'x' }, 'flash') }
// @ts-expect-error not a number of visits
app.secureSession.cookiesFor({ visits: 'many' })
const others: string | undefined = stripCookies(process.env['COOKIE'], 'flash') ?? stripCookies(['a=1'])

const token: string = app.encodeSecureSession(made)
const decoded = app.decodeSecureSession(token, app.log, 'session')
const roles: string[] | undefined = decoded?.get('user')?.roles
// @ts-expect-error it may be null
decoded.get('user')

const options: Options = { key: 'x' }
const serializer: Serializer = { serialize: data => JSON.stringify(data), deserialize: bytes => JSON.parse(bytes.toString()) }
const idle: Duration = '15m'
const whole: SessionData = { user: { id: '1', roles: [] }, visits: 1, data: '' }
export default [options, serializer, idle, whole, roles, cookies, others]
