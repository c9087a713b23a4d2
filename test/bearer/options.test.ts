import t from 'tap'
import secureSession from '../../index'
import { appWith, bareApp, KEY, OTHER_KEY } from '../helpers/app'
import { addLogins, site } from './client'

const INVALID = { code: 'FST_SESSION_INVALID_OPTION' }

type Options = Record<string, unknown>

async function boot (...options: Options[]): Promise<void> {
  const all = options.map((one, index) => ({ key: index === 0 ? KEY : OTHER_KEY, ...one }))
  const app = bareApp(t)
  await app.register(secureSession, all as secureSession.SessionOptions[])
  await app.close()
}

t.test('transport and bearerHeader are checked at boot', async t => {
  const wrong: Options[] = [
    { transport: 'header' }, { transport: null }, { transport: true }, { transport: ['bearer'] },
    { bearerHeader: 'session-token' }, { transport: 'cookie', bearerHeader: 'session-token' },
    ...['', 'a b', 'a:b', 'sitzungsschlüssel', 'a\r\nb', 'x'.repeat(65), 5, null, {}].map(bearerHeader => ({ transport: 'bearer', bearerHeader })),
    ...['Set-Cookie', 'set-cookie2', 'Authorization', 'cookie', 'WWW-Authenticate', 'Cache-Control', 'vary', 'Location', 'content-type', 'Content-Length',
      'Transfer-Encoding', 'connection', 'date', 'ETag', 'Access-Control-Expose-Headers', 'Secure-Session-Registration', 'proxy-authenticate', 'refresh',
      'CDN-Cache-Control', 'strict-transport-security', '__proto__', '-a', '1a', 'X-Accel-Redirect', 'x-sendfile', 'HTTP2-Settings', 'permissions-policy',
      'server-timing', 'timing-allow-origin', 'service-worker-allowed', 'reporting-endpoints', 'expect', 'origin', 'range', 'user-agent', 'x-forwarded-for',
      'forwarded', 'status', 'set-login'].map(bearerHeader => ({ transport: 'both', bearerHeader })),
    { transport: 'bearer', maxCookies: 2 }, { transport: 'bearer', deviceBound: true, subject: () => undefined },
    { transport: 'bearer', deviceBound: {} }, { transport: 'bearer', legacy: [secureSession.sealedOpener({ cookieName: 'a' })] }, { transport: 'bearer', legacy: {} }, { transport: 'bearer', handOver: {} },
    { transport: 'bearer', persistent: true }, { transport: 'bearer', cookieOptions: { path: '/a' } },
    ...[{ path: '/app' }, { domain: 'example.com' }, { httpOnly: false }, { secure: true }, { sameSite: 'none', secure: true }, { sameSite: false },
      { priority: 'high' }, { partitioned: true }, { expires: new Date(Date.now() + 3_600_000) }].map(cookie => ({ transport: 'bearer', cookie })),
    { transport: 'bearer', tenant: () => undefined, cookie: () => ({}), cookies: [{ namePrefix: 'a' }, { namePrefix: 'b', path: '/b' }] }
  ]
  for (const options of wrong) await t.rejects(boot(options), INVALID, JSON.stringify(options))
  const right: Options[] = [
    { transport: undefined, bearerHeader: undefined }, { transport: 'cookie' }, { transport: 'bearer', legacy: [], maxCookies: 1, deviceBound: false },
    { transport: 'both', maxCookies: 3, deviceBound: true, subject: () => undefined }, { transport: 'bearer', bearerHeader: 'X-Session' },
    { transport: 'bearer', persistent: false, cookieName: '__Host-app', cookie: { path: '/', httpOnly: true, secure: 'auto', sameSite: 'lax', maxAge: 3600 } },
    { transport: 'bearer', tenant: () => undefined, cookie: () => ({}), cookies: [{ namePrefix: 'a' }, { namePrefix: 'b' }] },
    { transport: 'both', persistent: true, cookie: { path: '/app', secure: true } }
  ]
  for (const options of right) await t.resolves(boot(options), JSON.stringify(options))
})

t.test('the error for an option without effect names it as it was given', async t => {
  const messageOf = async (options: Options): Promise<string> => await boot({ transport: 'bearer', ...options }).then(() => '', error => error.message)
  t.match(await messageOf({ cookie: { sameSite: 'none' } }), 'option "cookie.sameSite" needs cookies')
  t.match(await messageOf({ cookieOptions: { maxAge: 60, priority: 'low' } }), 'option "cookieOptions.priority" needs cookies')
  t.match(await messageOf({ tenant: () => undefined, cookie: () => ({}), cookies: [{ domain: 'example.com' }] }), 'option "cookies[0].domain" needs cookies')
})

t.test('two sessions have two headers, also in nested scopes', async t => {
  const [one, two] = [{ transport: 'both' }, { transport: 'bearer', sessionName: 'b' }]
  await t.rejects(boot(one, two), INVALID)
  await t.rejects(boot({ ...one, bearerHeader: 'X-Token' }, { ...two, bearerHeader: 'x-token' }), INVALID)
  await t.resolves(boot({ ...one, bearerHeader: 'x-one' }, two))
  await t.resolves(boot(one, { sessionName: 'b' }))
  const app = await appWith(t, { key: KEY, transport: 'bearer' })
  await t.rejects(async () => { await app.register(async scope => { await scope.register(secureSession, { key: OTHER_KEY, sessionName: 'b', transport: 'bearer' }) }) }, INVALID)
})

t.test('the transport of one session is checked at the call', async t => {
  const answers = async (transport: 'cookie' | 'bearer' | 'both', given: unknown): Promise<unknown> => {
    const app = await site(t, { transport })
    app.get('/options', async ({ session }) => {
      const options = { transport: given } as secureSession.SessionSettings
      session.options(options)
      return { transport: session.info.transport, changed: session.changed }
    })
    const response = (await app.inject('/options')).json()
    await app.close()
    return response.code ?? response
  }
  for (const given of ['both', 'header', null, 1]) t.equal(await answers('both', given), INVALID.code)
  t.strictSame([await answers('cookie', 'bearer'), await answers('bearer', 'cookie')], [INVALID.code, INVALID.code])
  t.strictSame(await answers('cookie', 'cookie'), { transport: 'cookie', changed: false })
  t.strictSame(await answers('cookie', undefined), { transport: 'cookie', changed: false })
  t.strictSame(await answers('bearer', 'bearer'), { transport: 'bearer', changed: false })
  t.strictSame(await answers('both', undefined), { transport: 'cookie', changed: false })
  t.strictSame(await answers('both', 'bearer'), { transport: 'bearer', changed: false }, 'alone it is no change')
})

t.test('encodeSecureSession makes no token that would have to be split', async t => {
  const app = await site(t, { transport: 'both', maxCookies: 3 })
  const long = Array.from({ length: 1600 }, (_, index) => (index * 7919 % 65_521).toString(36)).join('')
  t.throws(() => app.encodeSecureSession(app.createSecureSession({ long })), { code: 'FST_SESSION_TOO_LARGE' })
  t.ok(Object.keys(app.secureSession.cookiesFor({ long })).length > 1)
  const token = app.encodeSecureSession(app.createSecureSession({ user: 'ada' }))
  t.match((await app.inject({ url: '/get', headers: { authorization: `Bearer ${token}` } })).json(), { user: 'ada' })
})

t.test('encodeSecureSession and a reply have the same limit for a token, whatever the attributes of the cookie', async t => {
  const app = await site(t, { transport: 'both', subject: undefined, cookie: { path: `/${'a'.repeat(500)}` } })
  app.get('/begin/:length', async ({ session, params }) => {
    session.set('text', 'x'.repeat(Number((params as { length: string }).length)))
    session.options({ transport: 'bearer' })
    return {}
  })
  const fits = (length: number): boolean => {
    try {
      return app.encodeSecureSession(app.createSecureSession({ text: 'x'.repeat(length) })) !== ''
    } catch {
      return false
    }
  }
  let length = 2900
  while (fits(length + 1)) length++
  t.strictSame([(await app.inject(`/begin/${length}`)).statusCode, (await app.inject(`/begin/${length + 1}`)).json().code], [200, 'FST_SESSION_TOO_LARGE'])
  t.throws(() => app.secureSession.cookiesFor({ text: 'x'.repeat(length) }), { code: 'FST_SESSION_TOO_LARGE' }, 'a cookie has less room')
})

t.test('the transport cannot be chosen after the session was written', async t => {
  const app = await site(t)
  app.get('/late', async ({ session }, reply) => {
    session.set('page', 'a')
    reply.commitSession()
    session.options({ transport: 'bearer' })
  })
  t.equal((await app.inject('/late')).json().code, 'FST_SESSION_COMMITTED')
})

t.test('the types know the transports', async t => {
  const options: secureSession.SessionOptions = { key: KEY, transport: 'both', bearerHeader: 'session-token' }
  const guard: secureSession.GuardOptions = { transport: 'cookie', when: () => true }
  // @ts-expect-error: a session is in one of the two
  const settings: secureSession.SessionSettings = { transport: 'both' }
  // @ts-expect-error: known are cookie, bearer and both
  const wrong: secureSession.SessionOptions = { transport: 'header' }
  const app = await appWith(t, options)
  addLogins(app)
  t.doesNotThrow(() => app.requireSession(guard))
  t.ok([settings, wrong])
  const scheme = app.secureSession.securitySchemes['session-bearer']
  t.equal(scheme?.type === 'http' && scheme.scheme satisfies 'bearer', 'bearer')
  const transport: 'cookie' | 'bearer' | null = app.createSecureSession().info.transport
  t.equal(transport, null)
})
