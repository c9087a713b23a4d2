import t from 'tap'
import secureSession from '../../index'
import { createSealer } from '../../lib/sealer'
import { addRoutes, appWith, bareApp, KEY } from '../helpers/app'
import { Browser } from '../helpers/browser'

// For the compiler as well: each option is typed so that undefined may be given, also under exactOptionalPropertyTypes.
const { fileKeyring, redisKeyring, sealedOpener, secureSessionOpener } = secureSession
const { memoryRevocation, redisRevocation } = secureSession

const CLIENT = { get: async () => null, eval: async () => 1 }

const ALL_UNDEFINED: secureSession.SessionOptions = {
  key: undefined,
  secret: undefined,
  salt: undefined,
  keyring: undefined,
  reloadEvery: undefined,
  rotation: undefined,
  sessionName: undefined,
  cookieName: undefined,
  cookie: undefined,
  cookieOptions: undefined,
  idle: undefined,
  expiry: undefined,
  absolute: undefined,
  renewAfter: undefined,
  persistent: undefined,
  maxCookies: undefined,
  padTo: undefined,
  serializer: undefined,
  legacy: undefined,
  cacheControl: undefined,
  subject: undefined,
  revocation: undefined,
  openapi: undefined
}

t.test('an option that is undefined counts as not given', async t => {
  const app = await appWith(t, { ...ALL_UNDEFINED, key: KEY })
  addRoutes(app)
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  t.strictSame(await browser.json('/get'), { user: 'ada' })
  const { decodeSecureSession } = await appWith(t)
  t.equal(decodeSecureSession(browser.cookies.get('session'))?.get('user'), 'ada', 'with the defaults it opens, too')
})

t.test('a cookie attribute, or an option of session.options(), that is undefined counts as not given', async t => {
  const attributes: secureSession.CookieOptions = {
    path: undefined,
    domain: undefined,
    httpOnly: undefined,
    secure: undefined,
    sameSite: undefined,
    partitioned: undefined,
    priority: undefined,
    maxAge: undefined,
    expires: undefined,
    signed: undefined,
    encode: undefined
  }
  const app = await appWith(t, { key: KEY, cookie: attributes })
  app.get('/', async ({ session }) => {
    session.set('a', 1)
    session.options({ ...attributes, idle: undefined, absolute: undefined, persistent: undefined })
    return {}
  })
  t.match((await app.inject('/')).headers['set-cookie'], /^session=[\w-]+; Path=\/; HttpOnly; SameSite=Lax$/)
})

t.test('an option of a guard, an opener, a store or the sealer that is undefined counts as not given', async t => {
  const store = memoryRevocation({ max: undefined, now: undefined })
  const where = { cookie: undefined, keep: undefined }
  const openers: secureSession.SessionOptions['legacy'] = [
    secureSessionOpener({
      key: KEY, secret: undefined, salt: undefined, expiry: undefined, cookieName: undefined, ...where
    }),
    sealedOpener({ cookieName: 'old', key: undefined, secret: undefined, salt: undefined, ...where }),
    {
      cookieName: 'older',
      ...where,
      immediate: undefined,
      prepare: undefined,
      open: () => ({ data: {}, id: undefined, createdAt: undefined, renewedAt: undefined })
    }
  ]
  const app = await appWith(t, {
    key: KEY,
    subject: session => session.get('user'),
    revocation: { store, recheck: undefined, onError: undefined, timeout: undefined, longest: undefined },
    legacy: openers
  })
  const guard = app.requireSession({ sessionName: undefined, when: undefined, freshWithin: undefined })
  app.get('/', { onRequest: guard, config: { session: undefined } }, async () => ({}))
  t.equal((await app.inject('/')).statusCode, 401)
  t.type(fileKeyring('keys.json', { othersMayRead: undefined }), 'object')
  t.type(redisKeyring(CLIENT, { key: undefined }), 'object')
  t.type(redisRevocation(CLIENT, { prefix: undefined }), 'object')
  const rotation: secureSession.Rotation = { every: '30d', activateIn: undefined, keepFor: undefined }
  t.type(rotation, 'object')
  const serializer = {
    serialize: JSON.stringify, deserialize: (bytes: Buffer) => JSON.parse(String(bytes)), writes: undefined
  }
  const sealer = createSealer({
    key: KEY, cookieName: undefined, idle: undefined, absolute: undefined, padTo: undefined, serializer, now: undefined
  })
  t.match(sealer.open(sealer.seal({ a: 1 })), { ok: true, data: { a: 1 } })
})

const REFUSED = { code: 'FST_SESSION_INVALID_OPTION', message: /undefined.*--env-file=\.env/ }

t.test('a key from an unset environment variable is refused at boot, with a hint about .env', async t => {
  const { FASTIFY_SEALED_SESSION_UNSET: unset } = process.env
  for (const options of [{ key: unset }, { secret: unset }, { keyring: unset }, { key: unset, secret: undefined }]) {
    await t.rejects(async () => await bareApp(t).register(secureSession, options), REFUSED)
  }
  await t.rejects(async () => await bareApp(t).register(secureSession, { key: [KEY, unset] }), {
    code: 'FST_SESSION_INVALID_KEY', message: /key"\[1\].*undefined.*--env-file=\.env/
  })
  t.throws(() => createSealer({ key: unset }), { ...REFUSED, code: 'FST_SESSION_INVALID_KEY' })
  t.throws(() => secureSessionOpener({ key: unset }), REFUSED)
  for (const attempt of [async () => await bareApp(t).register(secureSession, {}), async () => secureSessionOpener({})]) {
    t.notMatch(await messageOf(attempt), /undefined/, 'where none was given, none is said to be undefined')
  }
})

async function messageOf (attempt: () => Promise<unknown>): Promise<string> {
  try {
    await attempt()
  } catch (error) {
    return (error as Error).message
  }
  return 'nothing was thrown'
}
