import t from 'tap'
import secureSession from '../../index'
import { appWith, KEY, WARN } from '../helpers/app'

const STORE = secureSession.memoryRevocation()

const INVALID: [string, object, RegExp][] = [
  ['an unknown option', { cokie: {} }, /"cokie" is unknown; known are cookieName, idle/],
  ['an unknown cookie attribute', { cookie: { httponly: true } }, /"httponly" is unknown/],
  ['cookie beside cookieOptions', { cookie: {}, cookieOptions: {} }, /"cookie" and "cookieOptions"/],
  ['idle beside expiry', { idle: 1, expiry: 1 }, /"idle" and "expiry"/],
  ['a cookie option of the wrong type', { cookie: 'lax' }, /"cookie" must be an object/],
  ['an empty name', { sessionName: '' }, /"sessionName" must be a string that is not empty/],
  ['a name of the wrong type', { sessionName: 7 }, /"sessionName".*found 7/],
  ['a cookie name with a space', { cookieName: 'my session' }, /"cookieName".*must be a cookie name/],
  ['a cookie name with a semicolon', { cookieName: 'a;b' }, /must be a cookie name/],
  ['a session name that is not a cookie name', { sessionName: 'säsh' }, /must be a cookie name/],
  ['idle of zero', { idle: 0 }, /"idle" must be seconds above 0.*found 0/],
  ['a negative idle', { idle: -1 }, /"idle"/],
  ['idle that is not a number', { idle: NaN }, /"idle"/],
  ['an infinite idle', { idle: Infinity }, /"idle"/],
  ['idle of a thousand years', { idle: '1000y' }, /"idle"/],
  ['idle of less than a millisecond', { idle: 0.0001 }, /"idle"/],
  ['idle in quotes without a unit', { idle: '3600' }, /"idle" must be seconds above 0, or text such as "15m"/],
  ['a cookie path longer than browsers accept', { cookie: { path: `/${'a'.repeat(1024)}` } }, /cookie\.path/],
  ['a domain longer than a host name can be', { cookie: { domain: `${'a.'.repeat(127)}org` } }, /cookie\.domain/],
  ['idle of null', { idle: null }, /"idle".*found null/],
  ['persistent of null', { persistent: null }, /"persistent".*found null/],
  ['padTo of null', { padTo: null }, /"padTo".*found null/],
  ['a cookie option of null', { cookie: null }, /"cookie" must be an object; found null/],
  ['a cookie name that leaves no room', { cookieName: 'n'.repeat(513) }, /must be a cookie name/],
  ['an Expires in the past', { cookie: { expires: new Date(0) } }, /cookie\.expires.*in the future/],
  ['a session name that a request has already', { sessionName: 'headers' }, /"sessionName": a request has a property "headers" already/],
  ['a session name of the Object prototype', { sessionName: 'toString' }, /"sessionName".*already/],
  ['a session name that Fastify uses itself', { sessionName: 'body' }, /"sessionName".*already/],
  ['idle in words', { idle: 'soon' }, /"idle".*a string of 4 characters/],
  ['idle of the wrong type', { idle: [] }, /"idle".*an array/],
  ['an expiry that is not a duration', { expiry: 'never' }, /"idle"/],
  ['absolute of null', { absolute: null }, /"absolute".*found null/],
  ['renewAfter as long as idle', { idle: 60, renewAfter: 60 }, /"renewAfter" must be shorter/],
  ['persistent of the wrong type', { persistent: 'yes' }, /"persistent" must be true or false/],
  ['a persistent session with an absolute limit over 400 days', { persistent: true, absolute: '401d' }, /"absolute" must be 400 days/],
  ['maxCookies above three', { maxCookies: 4 }, /"maxCookies" .* from 1 to 3/],
  ['maxCookies below one', { maxCookies: 0 }, /"maxCookies" .* from 1 to 3/],
  ['a negative padTo', { padTo: -1 }, /"padTo"/],
  ['a fractional padTo', { padTo: 1.5 }, /"padTo"/],
  ['a padTo that does not fit', { padTo: 4096 }, /"padTo"/],
  ['a serializer without functions', { serializer: {} }, /"serializer"/],
  ['a serializer without deserialize', { serializer: { serialize () {} } }, /"serializer"/],
  ['a subject that is not a function', { subject: 'user' }, /"subject" must be a function.*found a string of 4/],
  ['openapi of the wrong type', { openapi: 'yes' }, /"openapi" must be true or false/],
  ['revocation of the wrong type', { revocation: true }, /"revocation" must be an object.*found true/],
  ['revocation without a store', { revocation: {} }, /"revocation.store" must be what memoryRevocation.*found undefined/],
  ['a revocation store without raise', { revocation: { store: { cutOffs () {} } } }, /"revocation.store".*cutOffs and raise/],
  ['a store that is null', { revocation: { store: null } }, /"revocation.store".*found null/],
  ['an unknown option of revocation', { revocation: { store: STORE, retry: 1 } }, /"revocation": "retry" is unknown; known are store, recheck, onError, timeout/],
  ['a negative recheck', { revocation: { store: STORE, recheck: -1 } }, /"revocation.recheck"/],
  ['a recheck in words', { revocation: { store: STORE, recheck: 'often' } }, /"revocation.recheck"/],
  ['an unknown onError', { revocation: { store: STORE, onError: 'throw' } }, /"revocation.onError" must be "refuse" or "allow"/],
  ['a timeout of zero', { revocation: { store: STORE, timeout: 0 } }, /"revocation.timeout"/],
  ['a timeout of an hour', { revocation: { store: STORE, timeout: '1h' } }, /"revocation.timeout" must be a minute at most/],
  ['cacheControl of the wrong type', { cacheControl: 'no-store' }, /"cacheControl"/],
  ['a relative path', { cookie: { path: 'app' } }, /cookie\.path/],
  ['a path that ends the attribute', { cookie: { path: '/; Domain=evil' } }, /cookie\.path/],
  ['a path with a line break', { cookie: { path: '/\r\nX: y' } }, /cookie\.path/],
  ['a domain that ends the attribute', { cookie: { domain: 'a.b; Path=/' } }, /cookie\.domain/],
  ['httpOnly of the wrong type', { cookie: { httpOnly: 1 } }, /cookie\.httpOnly/],
  ['secure of the wrong type', { cookie: { secure: 'yes' } }, /cookie\.secure/],
  ['an unknown sameSite', { cookie: { sameSite: 'loose' } }, /cookie\.sameSite/],
  ['a sameSite that is a name of the Object prototype', { cookie: { sameSite: 'constructor' } }, /cookie\.sameSite/],
  ['an unknown priority', { cookie: { priority: 'urgent' } }, /cookie\.priority/],
  ['partitioned of the wrong type', { cookie: { partitioned: 'true' } }, /cookie\.partitioned/],
  ['a Max-Age of zero', { cookie: { maxAge: 0 } }, /cookie\.maxAge/],
  ['a Max-Age as text', { cookie: { maxAge: '60' } }, /cookie\.maxAge/],
  ['a Max-Age over 400 days', { cookie: { maxAge: 400 * 86400 + 1 } }, /cookie\.maxAge.*400 days/],
  ['an Expires over 400 days', { cookie: { expires: new Date(Date.now() + 401 * 86400_000) } }, /cookie\.expires.*400 days/],
  ['an invalid date as Expires', { cookie: { expires: new Date('x') } }, /cookie\.expires/],
  ['an Expires of the wrong type', { cookie: { expires: 'tomorrow' } }, /cookie\.expires/],
  ['__Host- with a domain', { cookieName: '__Host-s', cookie: { domain: 'example.org' } }, /must not have a domain/],
  ['__Host- with another path', { cookieName: '__Host-s', cookie: { path: '/app' } }, /needs path: "\/"/],
  ['__Host- without Secure', { cookieName: '__Host-s', cookie: { secure: false } }, /needs secure: true/],
  ['__host- in another case', { cookieName: '__hOST-s', cookie: { secure: false } }, /needs secure: true/],
  ['__Secure- without Secure', { cookieName: '__Secure-s', cookie: { secure: false } }, /needs secure: true/],
  ['__Http- without HttpOnly', { cookieName: '__Http-s', cookie: { httpOnly: false } }, /needs httpOnly: true/],
  ['__Host-Http- without HttpOnly', { cookieName: '__Host-Http-s', cookie: { httpOnly: false } }, /needs httpOnly: true/],
  ['__Host-Http- with a path', { cookieName: '__Host-Http-s', cookie: { path: '/a' } }, /needs path/],
  ['SameSite=None without Secure', { cookie: { sameSite: 'none', secure: false } }, /sameSite: "none" needs secure/],
  ['Partitioned without Secure', { cookie: { partitioned: true, secure: false } }, /partitioned: true needs secure/]
]

for (const [name, options, message] of INVALID) {
  t.test(`${name} is refused at boot`, async t => {
    await t.rejects(appWith(t, { key: KEY, ...options } as secureSession.Options), { code: 'FST_SESSION_INVALID_OPTION', message })
  })
}

t.test('options that are not an object are refused at boot', async t => {
  for (const options of [[], ['session'], [null], 'key']) {
    await t.rejects(appWith(t, options as unknown as secureSession.Options), { code: 'FST_SESSION_INVALID_OPTION' })
  }
})

t.test('two sessions with the same property or the same cookie are refused at boot', async t => {
  for (const [options, message] of [
    [[{ key: KEY }, { key: KEY }], /"sessionName": two sessions would share "session"/],
    [[{ key: KEY }, { key: KEY, sessionName: 'other', cookieName: 'session' }], /"cookieName": two sessions would share "session"/],
    [[{ key: KEY }, { key: KEY, sessionName: 'other', cookieName: 'session.t' }], /"cookieName": two sessions would share "session\.t"/]
  ] as const) {
    await t.rejects(appWith(t, options), { code: 'FST_SESSION_INVALID_OPTION', message })
  }
})

t.test('a second registration in the same scope is refused, with a message that says what to do', async t => {
  const app = await appWith(t)
  app.register(secureSession, { key: KEY, sessionName: 'other' })
  await t.rejects(async () => { await app.ready() }, { code: 'FST_SESSION_INVALID_OPTION', message: /already.*array/ })
})

t.test('options of Fastify\'s register are accepted', async t => {
  await appWith(t, { key: KEY, prefix: '/x', logLevel: 'warn', logSerializers: {} } as unknown as secureSession.Options)
})

t.test('frozen and shared options are accepted, and are never changed', async t => {
  const cookie = Object.freeze({ path: '/app', httpOnly: false })
  const options = Object.freeze({ key: Object.freeze([KEY.toString('hex')]), cookie })
  const before = structuredClone(options)
  await appWith(t, options)
  await appWith(t, options)
  t.strictSame(options, before)
})

t.test('changing the options object after boot has no effect', async t => {
  const cookie = { path: '/app' }
  const app = await appWith(t, { key: KEY, cookie })
  cookie.path = '/other'
  app.get('/', async request => { request.session.set('a', 1); return {} })
  t.match((await app.inject('/')).headers['set-cookie'], /Path=\/app/)
})

t.test('the cookie options signed and encode are ignored, with one warning each', async t => {
  const app = await appWith(t, { key: KEY, cookie: { signed: true, encode: value => value } })
  t.strictSame(app.lines.filter(({ level }) => level === WARN).map(({ msg }) => msg.split(' ')[0]), ['cookie.encode', 'cookie.signed'])
  const quiet = await appWith(t, { key: KEY, cookie: { signed: false } })
  t.strictSame(quiet.lines.filter(({ level }) => level === WARN), [])
})
