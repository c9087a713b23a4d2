import { generateKeyPairSync } from 'node:crypto'
import t, { type Test } from 'tap'
import secureSession from '../../index'
import type { TestApp } from '../helpers/app'
import { setCookies } from '../helpers/browser'
import { recordCalls } from '../helpers/calls'
import { fakeClock, type FakeClock } from '../helpers/clock'
import { boundBrowser, cookieLines, DeviceBrowser, HOUR_MS, jwtOf, loggedIn, MINUTE_MS, shopOf, type Jwk } from './site'

/** What a thief or a stranger may try, and what comes of it. */

interface Theft {
  readonly clock: FakeClock
  readonly app: TestApp
  readonly user: DeviceBrowser
  /** With the whole jar, and what was sent to the routes. */
  readonly thief: DeviceBrowser
}

async function theft (t: Test, options: object = {}): Promise<Theft> {
  const clock = fakeClock(t)
  const app = await shopOf(t, options)
  const user = await boundBrowser(app)
  const thief = user.copy()
  Object.assign(thief, { keys: generateKeyPairSync('ec', { namedCurve: 'P-256' }) })
  return { clock, app, user, thief }
}

t.test('the whole jar is good until its proof is over, also for a browser that knows device bound sessions', async t => {
  const { clock, thief } = await theft(t)
  clock.advance(11 * MINUTE_MS - 1)
  t.match(await thief.ask('/me'), { user: 'ada' })
  clock.advance(1)
  t.match(await thief.ask('/me'), { user: null })
  t.equal((await thief.refresh()).statusCode, 403, 'without the key it cannot sign')
})

t.test('a session without a cookie beside it, or with one of another kind or session, is unproven', async t => {
  const { app, user } = await theft(t)
  const eve = await loggedIn(app, 'eve')
  const bound = await boundBrowser(app, 'eve')
  const [session, proof] = ['session', 'session.d'].map(name => user.cookies.get(name)) as [string, string]
  const cookies = {
    'the session alone': { session },
    'a proof in the place of the session': { session: proof, 'session.d': proof },
    'the session in the place of the proof': { session, 'session.d': session },
    'the proof in the place of the pass': { session, 'session.u': proof },
    'a pass that was guessed': { session, 'session.u': 'A'.repeat(22) },
    'the pass of another session': { session, 'session.u': eve.cookies.get('session.u') },
    'the proof of another session': { session, 'session.d': bound.cookies.get('session.d') },
    'the identifier of the key': { session, 'session.d': user.identifier, 'session.u': user.identifier },
    'the challenge': { session, 'session.d': user.challenge }
  }
  for (const [what, jar] of Object.entries(cookies)) {
    const cookie = Object.entries(jar).map(([name, value]) => `${name}=${value}`).join('; ')
    t.match((await app.inject({ url: '/me', headers: { cookie } })).json(), { user: null, isNew: true }, what)
  }
})

t.test('four cookies of a name are tried, and none that is malformed is an error', async t => {
  const { app, user } = await theft(t)
  const junk = ['', '=', 'x'.repeat(91), 'x'.repeat(22), user.challenge, `${user.cookies.get('session.d')}=`, '"', '%00', 'é'.repeat(22), '\u{1f510}'.repeat(11)]
  const session = `session=${user.cookies.get('session')}`
  for (const name of ['session.d', 'session.u']) {
    for (const value of junk) {
      const reply = await app.inject({ url: '/me', headers: { cookie: `${session}; ${name}=${value}` } })
      t.match([reply.statusCode, reply.json(), setCookies(reply)], [200, { user: null }, []], `${name}: ${value}`)
    }
  }
  const proof = `session.d=${user.cookies.get('session.d')}`
  const among = async (before: number): Promise<any> => (await app.inject({ url: '/me', headers: { cookie: `${session}; ${Array(before).fill('session.d=x').join('; ')}; ${proof}` } })).json()
  t.match([await among(3), await among(4)], [{ user: 'ada' }, { user: null }])
})

t.test('a jar from before the first refresh is not stopped', async t => {
  const { clock, app } = await theft(t)
  const user = await loggedIn(app)
  const thief = user.copy()
  await user.register()
  await user.refresh()
  clock.advance(HOUR_MS)
  t.match(await thief.ask('/me'), { user: 'ada', bound: false })
})

t.test('a key of the thief\'s own cannot be registered with a bound jar, nor the registration replayed', async t => {
  const { user, thief, app } = await theft(t)
  const offered = user.offered as string
  t.equal((await thief.register()).statusCode, 400)
  const replayed = jwtOf(user.keys.privateKey, { jti: offered }, { jwk: user.jwk })
  t.equal((await thief.post('register', { 'secure-session-response': replayed })).statusCode, 400)
  thief.cookies.set('session.u', (await loggedIn(app, 'eve')).cookies.get('session.u') as string)
  t.equal((await thief.register()).statusCode, 400, 'nor with the pass of another session')
})

t.test('a thief with the identifier cannot refresh: by no signature, their own, their own key, or alg none', async t => {
  const { thief, user } = await theft(t)
  const { challenge } = user
  const jwk: Jwk = thief.jwk
  const none = `${Buffer.from('{"alg":"none","typ":"dbsc+jwt"}').toString('base64url')}.${Buffer.from(JSON.stringify({ jti: challenge })).toString('base64url')}.`
  for (const [what, jwt] of Object.entries({
    'no signature': undefined,
    'their own signature': jwtOf(thief.keys.privateKey, { jti: challenge }),
    'their own key in the header': jwtOf(thief.keys.privateKey, { jti: challenge }, { jwk }),
    'alg none': none,
    'the challenge of the registration': jwtOf(user.keys.privateKey, { jti: user.offered })
  })) {
    const reply = await thief.post('refresh', { 'sec-secure-session-id': user.identifier, 'secure-session-response': jwt })
    t.strictSame([reply.statusCode, setCookies(reply)], [403, []], what)
  }
})

t.test('a signed refresh that is replayed with its session gives a proof within the life of the challenge, and none after', async t => {
  const { clock, user, thief } = await theft(t)
  const jwt = jwtOf(user.keys.privateKey, { jti: user.challenge })
  await user.refresh()
  const replay = async (): Promise<number> => (await thief.copy().post('refresh', { 'sec-secure-session-id': user.identifier, 'secure-session-response': jwt })).statusCode
  clock.advance(12 * MINUTE_MS - 1)
  t.equal(await replay(), 204)
  clock.advance(1)
  t.equal(await replay(), 403)
})

t.test('an identifier without its session, or with another, is told to end, and nothing is set or cleared', async t => {
  const { app, user } = await theft(t)
  const eve = await boundBrowser(app, 'eve')
  for (const jar of [{}, { session: 'x' }, Object.fromEntries(eve.cookies), { 'session.d': user.cookies.get('session.d') as string }]) {
    const thief = user.copy()
    thief.cookies.clear()
    for (const [name, value] of Object.entries(jar)) thief.cookies.set(name, value)
    const reply = await thief.refresh()
    t.match([reply.statusCode, reply.json(), setCookies(reply)], [200, { continue: false }, []])
  }
})

t.test('a thief with minutes left stays bound to the key of the user, whatever they do', async t => {
  const { clock, app, thief } = await theft(t, { revocation: { store: secureSession.memoryRevocation() } })
  for (const url of ['/write/page', '/touch', '/me']) {
    const reply = await thief.get(url)
    t.notOk(cookieLines(reply).some(line => line.endsWith('.u') || line.endsWith('.d')), url)
    t.match(reply.json(), { bound: true })
  }
  t.equal((await thief.register()).statusCode, 400)
  clock.advance(11 * MINUTE_MS)
  t.match(await thief.ask('/me'), { user: null })
  t.match(app.lines.findLast(({ reason }) => reason !== undefined), { reason: 'unproven' })
})

t.test('a script that reads the challenge and signs with its own key cannot register it', async t => {
  const app = await shopOf(t)
  const browser = await loggedIn(app)
  for (const mode of ['cors', 'same-origin', 'navigate', 'websocket', '']) {
    t.equal((await browser.register({ 'sec-fetch-mode': mode })).statusCode, 400, mode)
  }
})

t.test('pages of another site at a page that writes: nothing is written', async t => {
  const { clock, user } = await theft(t)
  clock.advance(HOUR_MS)
  user.dropProof()
  for (const [mode, dest] of [['navigate', 'document'], ['navigate', 'iframe'], ['no-cors', 'image'], ['cors', 'empty']] as const) {
    const reply = await user.copy().get('/write/page', { headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': mode, 'sec-fetch-dest': dest } })
    t.strictSame(setCookies(reply), [], dest)
    t.equal(reply.statusCode, mode === 'navigate' ? 200 : 401)
  }
})

t.test('strangers with identifiers and JWTs cost at most two small opens each, and no signature', async t => {
  const { app, user, thief } = await theft(t)
  const record = recordCalls(t)
  const stranger = user.copy()
  stranger.cookies.clear()
  const cost = async (browser: DeviceBrowser, step: string, headers: Record<string, string | undefined>): Promise<string[]> => {
    const { sodium } = await record(async () => await browser.copy().post(step, headers))
    return sodium
  }
  const jwt = jwtOf(thief.keys.privateKey, { jti: user.challenge }, {})
  const forged = `${user.identifier.slice(0, -4)}AAAA`
  t.strictSame(await cost(stranger, 'refresh', { 'sec-secure-session-id': forged, 'secure-session-response': jwt }), ['decrypt'])
  t.strictSame(await cost(stranger, 'refresh', { 'sec-secure-session-id': 'A'.repeat(168), 'secure-session-response': jwt }), [])
  t.strictSame(await cost(stranger, 'refresh', { 'sec-secure-session-id': user.identifier, 'secure-session-response': jwt }), ['decrypt'])
  t.strictSame(await cost(stranger, 'register', { 'secure-session-response': jwtOf(thief.keys.privateKey, { jti: user.challenge }, { jwk: thief.jwk }) }), [])
  t.equal(app.lines.filter(({ level }) => level > 20 && level !== 30).length, 0, 'and no line of the log above debug')
})

t.test('a subdomain that plants cookies of its own takes no session over, and locks out only with five', async t => {
  const { app, user } = await theft(t)
  const planted = async (before: string): Promise<any> => (await app.inject({ url: '/me', headers: { cookie: `${before}; ${user.header}` } })).json()
  t.match(await planted('session.u=x; session.d=x; session=x'), { user: 'ada', bound: true })
  t.match(await planted(Array(4).fill('session.d=x').join('; ')), { user: null })
})

t.test('a newer session of another mark that was planted does not end the key of the user', async t => {
  const { clock, app, user } = await theft(t)
  clock.advance(1000)
  const eve = await boundBrowser(app, 'eve')
  const cookie = `session=${eve.cookies.get('session')}; ${user.header}`
  const reply = await user.copy().refresh({ cookie })
  t.equal(reply.statusCode, 204)
  t.match((await app.inject({ url: '/me', headers: { cookie } })).json(), { user: 'ada' }, 'it has no proof, and the other one counts')
  const register = await loggedIn(app)
  const planted = `session=${eve.cookies.get('session')}; ${register.header}`
  t.equal((await register.register({ cookie: planted })).statusCode, 200)
})
