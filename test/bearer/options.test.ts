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
    { transport: 'bearer', deviceBound: {} }, { transport: 'bearer', legacy: [secureSession.sealedOpener({ cookieName: 'a' })] }, { transport: 'bearer', legacy: {} }, { transport: 'bearer', handOver: {} }
  ]
  for (const options of wrong) await t.rejects(boot(options), INVALID, JSON.stringify(options))
  const right: Options[] = [
    { transport: undefined, bearerHeader: undefined }, { transport: 'cookie' }, { transport: 'bearer', legacy: [], maxCookies: 1, deviceBound: false },
    { transport: 'both', maxCookies: 3, deviceBound: true, subject: () => undefined }, { transport: 'bearer', bearerHeader: 'X-Session' }
  ]
  for (const options of right) await t.resolves(boot(options), JSON.stringify(options))
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
