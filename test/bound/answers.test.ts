import { generateKeyPairSync, sign } from 'node:crypto'
import t, { type Test } from 'tap'
import { SignJWT } from 'jose'
import { sealChallenge } from '../../lib/bound/tokens'
import { KEY, type TestApp } from '../helpers/app'
import { setCookies } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'
import { keysFor } from '../helpers/ring'
import {
  boundBrowser, BY_BROWSER, cookieLines, DeviceBrowser, jwtOf, loggedIn, MINUTE_MS, shopOf
} from './site'

/** What the two routes answer: to browsers, and to malformed input. */

const NO_STORE = 'no-store'

type Given = Record<string, string | undefined>

/** The outcome of a registration that should fail: 400, nothing set, and the browser goes on with its pass. */
async function isRefused (t: Test, browser: DeviceBrowser, headers: Given, what: string): Promise<void> {
  const reply = await browser.post('register', headers)
  t.strictSame([reply.statusCode, reply.body, setCookies(reply), reply.headers['secure-session-challenge']], [400, '', [], undefined], what)
  t.equal(reply.headers['cache-control'], NO_STORE)
}

/** The outcome of a refresh without a good proof: 403 and a challenge. */
async function isChallenged (t: Test, browser: DeviceBrowser, headers: Given, what: string): Promise<void> {
  const { identifier } = browser
  const reply = await browser.post('refresh', { 'sec-secure-session-id': identifier, ...headers })
  t.strictSame([reply.statusCode, reply.body, setCookies(reply), reply.headers['cache-control']], [403, '', [], NO_STORE], what)
  t.match(reply.headers['secure-session-challenge'], /^"[\w-]{92}";id="[\w-]{168}"$/)
  t.equal(browser.identifier, identifier)
}

for (const quote of [(text: string) => text, (text: string) => `"${text}"`, (text: string) => `"${text}";a=1`]) {
  t.test(`headers are read bare and quoted: ${quote('text')}`, async t => {
    const app = await shopOf(t)
    const browser = await loggedIn(app)
    const registration = jwtOf(browser.keys.privateKey, { jti: browser.offered }, { jwk: browser.jwk })
    t.equal((await browser.register({ 'secure-session-response': quote(registration) })).statusCode, 200)
    const refresh = jwtOf(browser.keys.privateKey, { jti: browser.challenge })
    const headers = { 'sec-secure-session-id': quote(browser.identifier), 'secure-session-response': quote(refresh) }
    t.equal((await browser.refresh(headers)).statusCode, 204)
    t.match(await browser.ask('/me'), { user: 'ada', bound: true })
  })
}

t.test('JWTs of another maker, jose, are accepted', async t => {
  const app = await shopOf(t)
  const browser = await loggedIn(app)
  const by = async (payload: object, header: object): Promise<string> => {
    return await new SignJWT(payload as never).setProtectedHeader({ alg: 'ES256', typ: 'dbsc+jwt', ...header }).sign(browser.keys.privateKey)
  }
  const registered = await browser.register({ 'secure-session-response': await by({ jti: browser.offered }, { jwk: browser.jwk }) })
  t.equal(registered.statusCode, 200)
  const refreshed = await browser.refresh({ 'secure-session-response': await by({ jti: browser.challenge, iat: 1, aud: 'x' }, {}) })
  t.equal(refreshed.statusCode, 204)
  t.match(await browser.ask('/me'), { user: 'ada', bound: true })
})

t.test('extra members of the header, the payload and the key are ignored', async t => {
  const app = await shopOf(t)
  const browser = await loggedIn(app)
  const payload = { jti: browser.offered, iat: 1, sub: 'x', authorization: 'y', key: { kty: 'EC' } }
  const jwt = jwtOf(browser.keys.privateKey, payload, { kid: 'z', crit: ['x'], jwk: { ...browser.jwk, d: 'x', alg: 'ES256', use: 'sig', key_ops: [] } })
  const registered = await browser.register({ 'secure-session-response': jwt })
  t.equal(registered.statusCode, 200)
  t.equal(browser.identifier.length, 168, 'and nothing of it is sealed')
  t.equal((await browser.refresh()).statusCode, 204)
})

const b64 = (value: unknown): string => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

/** JWTs that are none, by the key and the challenge that a good one would have. */
function badJwts (browser: DeviceBrowser, jti: string, header: object): Record<string, string | undefined> {
  const { privateKey } = browser.keys
  const good = jwtOf(privateKey, { jti }, header)
  const [head, payload, signature] = good.split('.') as [string, string, string]
  const bent = (text: string): string => (text.startsWith('A') ? 'B' : 'A') + text.slice(1)
  return {
    'no header at all': undefined,
    'an empty text': '',
    'two parts': `${head}.${payload}`,
    'four parts': `${good}.${signature}`,
    'a text of more than 2048 characters': jwtOf(privateKey, { jti, x: 'x'.repeat(2048) }, header),
    'padding after the header': `${head}=.${payload}.${signature}`,
    'white space in it': `${head}. ${payload}.${signature}`,
    'plain base64': `${head}.${payload}+.${signature}`,
    'a header that is no JSON': `${b64('{')}.${payload}.${signature}`,
    'a header that is not UTF-8': `${Buffer.from([0x22, 0xff, 0x22]).toString('base64url')}.${payload}.${signature}`,
    'a signed header with a member that is not UTF-8': notUtf8(privateKey, good),
    'a header that is an array': `${b64([])}.${payload}.${signature}`,
    'a header that is null': `${b64(null)}.${payload}.${signature}`,
    'a payload that is a text': `${head}.${b64('"x"')}.${signature}`,
    'an empty payload': `${head}..${signature}`,
    'alg none': jwtOf(privateKey, { jti }, { ...header, alg: 'none' }),
    'alg none and no signature': `${b64({ alg: 'none', typ: 'dbsc+jwt', ...header })}.${payload}.`,
    'alg RS256': jwtOf(privateKey, { jti }, { ...header, alg: 'RS256' }),
    'alg HS256': jwtOf(privateKey, { jti }, { ...header, alg: 'HS256' }),
    'no alg': `${b64({ typ: 'dbsc+jwt', ...header })}.${payload}.${signature}`,
    'typ jwt': jwtOf(privateKey, { jti }, { ...header, typ: 'jwt' }),
    'typ dbsc+aik': jwtOf(privateKey, { jti }, { ...header, typ: 'dbsc+aik' }),
    'no jti': jwtOf(privateKey, {}, header),
    'a jti that is a number': jwtOf(privateKey, { jti: 7 }, header),
    'a jti that is an object': jwtOf(privateKey, { jti: { jti } }, header),
    'a jti of another length': jwtOf(privateKey, { jti: jti + 'A' }, header),
    'a jti that was altered': jwtOf(privateKey, { jti: jti.slice(0, -2) + 'AA' }, header),
    'a signature of 63 bytes': `${head}.${payload}.${b64('x'.repeat(63))}`,
    'a signature of 65 bytes': `${head}.${payload}.${b64('x'.repeat(65))}`,
    'a signature that is no base64url': `${head}.${payload}.${signature.slice(1)}*`,
    'a signature of zeros': `${head}.${payload}.${Buffer.alloc(64).toString('base64url')}`,
    'a signature that was altered': `${head}.${payload}.${bent(signature)}`,
    'a payload that was altered': `${head}.${b64({ jti, x: 1 })}.${signature}`,
    'a signature of another key': jwtOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, { jti }, header),
    'two JWTs': `${good}, ${good}`,
    'a quote that does not end': `"${good}`
  }
}

/** A good JWT, signed again with a byte in its header that is no UTF-8. */
function notUtf8 (privateKey: DeviceBrowser['keys']['privateKey'], good: string): string {
  const [head, payload] = good.split('.') as [string, string]
  const open = Buffer.from(head, 'base64url').subarray(0, -1)
  const bytes = Buffer.concat([open, Buffer.from(',"x":"'), Buffer.from([0xff]), Buffer.from('"}')])
  const signed = `${bytes.toString('base64url')}.${payload}`
  const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' })
  return `${signed}.${signature.toString('base64url')}`
}

/** Keys that are none. */
function badKeys ({ keys, jwk }: DeviceBrowser): Record<string, unknown> {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' })
  const offCurve = Buffer.from(jwk.y, 'base64url')
  offCurve[31] = (offCurve[31] as number) ^ 1
  return {
    'no key': undefined,
    null: null,
    'a text': 'key',
    'an array': [jwk],
    'another type': { ...jwk, kty: 'OKP' },
    RSA: { kty: 'RSA', n: 'A'.repeat(342), e: 'AQAB' },
    'a key of another type with the coordinates': { ...jwk, kty: 'RSA' },
    'another curve': publicKey.export({ format: 'jwk' }),
    'the name of another curve': { ...jwk, crv: 'secp256k1' },
    'no x': { ...jwk, x: undefined },
    'a number for y': { ...jwk, y: 7 },
    'a short x': { ...jwk, x: jwk.x.slice(0, 40) },
    'a long y': { ...jwk, y: `${jwk.y}AAAA` },
    'a very long y': { ...jwk, y: 'A'.repeat(1900) },
    padding: { ...jwk, x: `${jwk.x}=` },
    'a point off the curve': { ...jwk, y: offCurve.toString('base64url') },
    'the point at zero': { ...jwk, x: Buffer.alloc(32).toString('base64url'), y: Buffer.alloc(32).toString('base64url') },
    'the key of another browser': generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }),
    'a name of Object.prototype for it': Object.keys(keys)
  }
}

t.test('a registration with a malformed JWT or key gets 400, and the good one is accepted after all of them', async t => {
  const app = await shopOf(t)
  const browser = await loggedIn(app)
  const { jwk } = browser
  for (const [what, jwt] of Object.entries(badJwts(browser, browser.offered as string, { jwk }))) {
    await isRefused(t, browser, { 'secure-session-response': jwt }, what)
  }
  for (const [what, jwk] of Object.entries(badKeys(browser))) {
    await isRefused(t, browser, { 'secure-session-response': jwtOf(browser.keys.privateKey, { jti: browser.offered }, { jwk }) }, `the key is ${what}`)
  }
  t.equal((await browser.register()).statusCode, 200)
})

t.test('a refresh with a malformed JWT, or with a key in it, gets 403 and a challenge', async t => {
  const app = await shopOf(t)
  const browser = await boundBrowser(app)
  const { challenge, jwk } = browser
  for (const [what, jwt] of Object.entries(badJwts(browser, challenge, {}))) {
    await isChallenged(t, browser, { 'secure-session-response': jwt }, what)
  }
  for (const [what, key] of Object.entries({ 'its own': jwk, ...badKeys(browser) })) {
    if (key === undefined) continue
    const jwt = jwtOf(browser.keys.privateKey, { jti: challenge }, { jwk: key })
    await isChallenged(t, browser, { 'secure-session-response': jwt }, `with a key: ${what}`)
  }
  t.equal((await browser.refresh({}, challenge)).statusCode, 204)
})

t.test('a JWT has at most 2048 characters, however they are spread over its parts', async t => {
  const app = await shopOf(t)
  const browser = await boundBrowser(app)
  const jwtWith = (kid: number, x: number): string => {
    return jwtOf(browser.keys.privateKey, { jti: browser.challenge, x: 'x'.repeat(x) }, { kid: 'y'.repeat(kid) })
  }
  // Not every length of a text is one in base64url.
  const almost = Math.floor((2048 - jwtWith(600, 0).length) * 3 / 4)
  const jwts = [600, 601, 602].flatMap(kid => [-3, -2, -1, 0, 1].map(more => jwtWith(kid, almost + more)))
  const [longest, longer] = [2048, 2049].map(length => jwts.find(jwt => jwt.length === length)) as [string, string]
  t.strictSame([longest.length, longer.length], [2048, 2049])
  t.equal((await browser.copy().refresh({ 'secure-session-response': longest })).statusCode, 204)
  await isChallenged(t, browser.copy(), { 'secure-session-response': longer }, 'of 2049 characters')
})

t.test('an identifier that is none gets 400, one that does not open ends the key', async t => {
  const app = await shopOf(t)
  const browser = await boundBrowser(app)
  const { identifier } = browser
  const refresh = async (id: string | undefined): Promise<unknown[]> => {
    const reply = await browser.copy().post('refresh', { 'sec-secure-session-id': id })
    t.equal(reply.headers['cache-control'], NO_STORE)
    return [reply.statusCode, reply.body, cookieLines(reply)]
  }
  const malformed = [undefined, '', '""', 'x', identifier.slice(1), `${identifier}A`, `${identifier.slice(0, -1)}+`, `${identifier.slice(0, -1)}=`, `${identifier.slice(0, -1)} `, `"${identifier}`, '"\\"', `+${identifier.slice(1)}`, `x"${identifier}"`, `"${identifier}"x`]
  for (const id of malformed) t.strictSame(await refresh(id), [400, '', []], String(id))
  const proofs = [...browser.cookies.values()].map(value => value.padEnd(168, 'A').slice(0, 168))
  const bent = Array.from({ length: 168 }, (_, at) => identifier.slice(0, at) + (identifier[at] === 'B' ? 'C' : 'B') + identifier.slice(at + 1))
  for (const id of [...bent, ...proofs, 'A'.repeat(168), 'AQ'.padEnd(168, 'A')]) {
    t.strictSame(await refresh(id), [200, JSON.stringify({ session_identifier: id, continue: false }), []])
  }
  t.match(await browser.ask('/me'), { bound: true })
})

for (const step of ['register', 'refresh'] as const) {
  for (const [what, headers, status] of [
    ['made by a script with cors', { 'sec-fetch-mode': 'cors' }, 400],
    ['made by a script of the origin', { 'sec-fetch-mode': 'same-origin' }, 400],
    ['made by a form', { 'sec-fetch-mode': 'navigate' }, 400],
    ['made by another site', { 'sec-fetch-site': 'cross-site' }, 400],
    ['of an older browser, without these headers', { 'sec-fetch-site': undefined, 'sec-fetch-mode': undefined, 'sec-fetch-dest': undefined, origin: undefined }, 200],
    ['of a subdomain', { 'sec-fetch-site': 'same-site' }, 200]
  ] as const) {
    t.test(`a ${step} that is ${what}: ${status}`, async t => {
      const app = await shopOf(t)
      const browser = await loggedIn(app)
      if (step === 'refresh') await browser.register()
      const reply = step === 'register' ? await browser.register(headers as never) : await browser.refresh(headers as never)
      t.equal(reply.statusCode, status === 200 && step === 'refresh' ? 204 : status)
      if (status === 400) t.strictSame([reply.body, setCookies(reply)], ['', []])
    })
  }
}

t.test('the challenge of a registration is good for five minutes', async t => {
  const clock = fakeClock(t)
  const app = await shopOf(t)
  for (const [ms, status] of [[0, 200], [-MINUTE_MS, 200], [-MINUTE_MS - 1, 400], [5 * MINUTE_MS - 1, 200], [5 * MINUTE_MS, 400]] as const) {
    const browser = await loggedIn(app)
    clock.advance(ms)
    t.equal((await browser.register()).statusCode, status, String(ms))
    clock.advance(-ms)
  }
})

for (const proofFor of ['10m', '1s', '1d'] as const) {
  t.test(`with proofs for ${proofFor}, the challenge of a refresh is good for two minutes longer`, async t => {
    const clock = fakeClock(t)
    const app = await shopOf(t, { idle: '7d', deviceBound: { proofFor } })
    const forMs = { '10m': 10 * MINUTE_MS, '1s': 1000, '1d': 1440 * MINUTE_MS }[proofFor]
    const browser = await boundBrowser(app)
    clock.advance(MINUTE_MS + 1)
    await browser.prove()
    const { challenge } = browser
    for (const [ms, status] of [[-MINUTE_MS, 204], [-MINUTE_MS - 1, 403], [forMs + 2 * MINUTE_MS - 1, 204], [forMs + 2 * MINUTE_MS, 403]] as const) {
      clock.advance(ms)
      const reply = await browser.refresh({}, challenge)
      t.equal(reply.statusCode, status, String(ms))
      if (status === 204) t.match(setCookies(reply)[0], new RegExp(`; Max-Age=${forMs / 1000};`))
      clock.advance(-ms)
    }
  })
}

t.test('the first proof has a Max-Age of a minute, or of proofFor if that is shorter', async t => {
  for (const [proofFor, maxAge] of [['10m', 60], [61, 60], [30, 30], [1.9, 1]] as const) {
    const browser = await loggedIn(await shopOf(t, { deviceBound: { proofFor } }))
    t.match(setCookies(await browser.register())[0], new RegExp(`; Max-Age=${maxAge};`))
  }
})

t.test('a challenge for another purpose or mark, and one that the server did not make, do not fit', async t => {
  const clock = fakeClock(t)
  const app = await shopOf(t)
  const browser = await boundBrowser(app)
  const other = await boundBrowser(app, 'eve')
  const offered = browser.offered as string
  const mark = Buffer.from((await loggedIn(app)).cookies.get('session.u') as string, 'base64url')
  const made = (purpose: number, name = 'session.d'): string => sealChallenge({ mark, askedAtMs: clock.nowMs, purpose: purpose as 1 }, keysFor(name, 'challenge'), 0)
  const wrong = { 'of the registration': offered, 'of another session': other.challenge, 'for neither': made(0), 'of a third kind': made(3), 'of another cookie name': made(2, 'other.d') }
  for (const [what, challenge] of Object.entries(wrong)) {
    t.equal((await browser.refresh({}, challenge)).statusCode, 403, what)
  }
  const late = await loggedIn(app)
  late.offered = browser.challenge
  t.equal((await late.register()).statusCode, 400, 'that of a refresh, at a registration')
  late.offered = offered
  t.equal((await late.register()).statusCode, 400, 'that of another session, at a registration')
})

t.test('a body and a query are not read, a GET is 404, and no parser of the app runs', async t => {
  const app = await shopOf(t)
  const browser = await loggedIn(app)
  const headers = { ...BY_BROWSER, 'content-type': 'application/json', 'secure-session-response': jwtOf(browser.keys.privateKey, { jti: browser.offered }, { jwk: browser.jwk }) }
  t.equal((await browser.get('/dbsc/session/register?a=b', { method: 'POST', payload: '{broken', headers })).statusCode, 200)
  t.equal((await browser.get('/dbsc/session/register')).statusCode, 404)
  t.equal((await browser.get('/dbsc/session/refresh')).statusCode, 404)
})

t.test('with site, the instructions say that all subdomains share the binding', async t => {
  const app = await shopOf(t, { cookie: { domain: 'example.com' }, deviceBound: { site: 'https://example.com', refreshInitiators: ['www.example.com', '*.example.org'] } })
  const browser = await loggedIn(app)
  const registered = await browser.register()
  t.match(registered.json(), {
    scope: { include_site: true, origin: 'https://example.com', scope_specification: [{ type: 'exclude', domain: '*', path: '/dbsc/session' }] },
    credentials: [{ type: 'cookie', name: 'session.d', attributes: 'Domain=example.com; Path=/; HttpOnly; Secure; SameSite=Lax' }],
    allowed_refresh_initiators: ['www.example.com', '*.example.org']
  })
  t.match(setCookies(registered)[0], /; Domain=example\.com; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
})

t.test('where other hosts may cause a refresh, a session that is missing is no reason to end the key', async t => {
  const app = await shopOf(t, { deviceBound: { refreshInitiators: ['*'] } })
  const browser = await boundBrowser(app)
  const alone = browser.copy()
  alone.cookies.clear()
  const reply = await alone.refresh()
  t.strictSame([reply.statusCode, cookieLines(reply)], [204, ['+session.d']])
  browser.cookies.set('session.d', alone.cookies.get('session.d') as string)
  t.match(await browser.ask('/me'), { user: 'ada', bound: true })
  const eve = await loggedIn(app, 'eve')
  const other = browser.copy()
  other.cookies.set('session', eve.cookies.get('session') as string)
  t.match((await other.refresh()).json(), { continue: false }, 'another session is')
  const stranger = alone.copy()
  await isChallenged(t, stranger, { 'secure-session-response': jwtOf(eve.keys.privateKey, { jti: stranger.challenge }) }, 'and the signature is checked')
})

t.test('a refresh is no use of the session: it does not renew it', async t => {
  const clock = fakeClock(t)
  const app = await shopOf(t)
  const browser = await boundBrowser(app)
  clock.advance(7 * 60 * MINUTE_MS)
  const reply = await browser.prove()
  t.strictSame([reply.statusCode, cookieLines(reply)], [204, ['+session.d']])
  t.strictSame(cookieLines(await browser.get('/me')), ['+session.t'])
})

t.test('why a browser got no proof is in the log, at level debug, without a secret', async t => {
  const app: TestApp = await shopOf(t)
  const browser = await boundBrowser(app)
  await browser.post('register', {})
  await browser.post('refresh', {})
  await browser.post('refresh', { 'sec-secure-session-id': browser.identifier })
  await browser.post('refresh', { 'sec-secure-session-id': 'A'.repeat(168) })
  const short = jwtOf(browser.keys.privateKey, { jti: browser.challenge }).slice(0, -4)
  await browser.refresh({ 'secure-session-response': short })
  const login = await loggedIn(app)
  const jwk = { ...login.jwk, x: login.jwk.x.slice(0, 40) }
  await login.register({ 'secure-session-response': jwtOf(login.keys.privateKey, { jti: login.offered }, { jwk }) })
  const lines = app.lines.filter(({ answer }) => answer !== undefined)
  t.match(lines, [
    { level: 20, answer: 'bad-request', reason: 'there is no JWT' },
    { answer: 'bad-request', reason: 'there is no identifier' },
    { answer: 'challenged', reason: 'there is no JWT' },
    { answer: 'ended', reason: 'unknown-device' },
    { answer: 'challenged', reason: 'there is no JWT' },
    { answer: 'bad-request', reason: 'there is no JWT' }
  ])
  t.equal(lines.length, 6)
  const secrets = [browser.identifier, browser.challenge, ...browser.cookies.values(), KEY.toString('hex')]
  t.notOk(secrets.some(secret => JSON.stringify(lines).includes(secret)))
})

t.test('a session without a mark cannot be registered, and the refresh of another one with it ends the key', async t => {
  const app = await shopOf(t)
  const unmarked = (await loggedIn(await shopOf(t, { deviceBound: undefined }))).cookies.get('session') as string
  const browser = await loggedIn(app)
  const [registering, refreshing] = [browser.copy(), browser.copy()]
  registering.cookies.set('session', unmarked)
  t.equal((await registering.register()).statusCode, 400)
  const registered = await browser.register()
  t.match([registered.statusCode, registered.headers['content-type']], [200, /^application\/json/])
  Object.assign(refreshing, { identifier: browser.identifier, challenge: browser.challenge })
  refreshing.cookies.set('session', unmarked)
  const ended = await refreshing.refresh()
  t.match([ended.statusCode, ended.json()], [200, { continue: false }])
  t.match(ended.headers['content-type'], /^application\/json/)
})
