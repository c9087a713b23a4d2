import t, { type Test } from 'tap'
import secureSession from '../../index'
import { sodium } from '../../lib/core/sodium'
import { addRoutes, appWith, KEY, OTHER_KEY, type TestApp } from '../helpers/app'
import { setCookies } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'
import { loggedInBefore, oldApp, oldCookie } from './old-app'
import { quickPassphrases } from '../helpers/quick-passphrases'

t.teardown(quickPassphrases())

const { secureSessionOpener } = secureSession
const OLD_KEY = Buffer.from('c3'.repeat(32), 'hex')
const SECRET = 'averylogphrasebiggerthanthirtytwochars'
const NOW_S = Math.floor(Date.UTC(2026, 0, 1) / 1000)

type OpenerOptions = Parameters<typeof secureSessionOpener>[0]

async function newApp (t: Test, opener: OpenerOptions = { key: OLD_KEY }): Promise<TestApp> {
  const app = await appWith(t, { key: KEY, legacy: [secureSessionOpener(opener)] })
  addRoutes(app)
  return app
}

async function dataIn (app: TestApp, cookie: string): Promise<unknown> {
  return (await app.inject({ url: '/get', headers: { cookie: `session=${cookie}` } })).json()
}

/** A cookie as the old library seals it, with whatever is inside. */
function sealed (plaintext: string, key = OLD_KEY): string {
  const message = Buffer.from(plaintext)
  const ciphertext = Buffer.alloc(message.length + 16)
  const nonce = Buffer.alloc(24, 7)
  require('sodium-native').crypto_secretbox_easy(ciphertext, message, nonce, key)
  return encodeURIComponent(`${ciphertext.toString('base64')};${nonce.toString('base64')}`)
}

t.test('a session of @fastify/secure-session migrates to the new format with the first write, and stays', async t => {
  const before = await loggedInBefore(t, { key: OLD_KEY, cookie: { path: '/' } })
  const app = await newApp(t)
  const browser = before.copy(app)
  t.strictSame(await browser.json('/get'), { user: 'ada' })
  const response = await browser.get('/touch')
  t.match(setCookies(response), [/^session=AQ[\w-]+; Path=\/; HttpOnly; SameSite=Lax$/], 'one line: it takes the old one\'s place')
  t.strictSame(setCookies(await browser.get('/get')), [], 'it has migrated')
  t.strictSame(await browser.json('/get'), { user: 'ada' })
  await browser.get('/touch')
  const lines = app.lines.filter(({ msg }) => /migrated/.test(msg))
  t.match(lines, [{ cookie: 'session', from: 'session' }])
  t.equal(lines.length, 1, 'the second write migrates nothing')
})

t.test('a request that does not use a legacy session migrates nothing', async t => {
  const before = await loggedInBefore(t, { key: OLD_KEY })
  const app = await newApp(t)
  const response = await before.copy(app).get('/untouched')
  t.strictSame(setCookies(response), [])
  t.notOk(app.lines.some(({ msg }) => /migrated/.test(msg)))
})

t.test('changes of the request that migrates the session are written with it', async t => {
  const before = await loggedInBefore(t, { key: OLD_KEY })
  const app = await newApp(t)
  const changed = before.copy(app)
  await changed.get('/set/role/admin')
  t.strictSame(await changed.json('/get'), { user: 'ada', role: 'admin' })
  const deleted = before.copy(app)
  await deleted.get('/delete')
  t.equal(deleted.header, '')
  const regenerated = before.copy(app)
  await regenerated.get('/regenerate?keep=user')
  t.strictSame(await regenerated.json('/get'), { user: 'ada' })
})

t.test('old keys in every form open, also several keys', async t => {
  const before = await oldCookie(t, { user: 'ada' }, { key: OLD_KEY })
  for (const key of [OLD_KEY, OLD_KEY.toString('base64'), [OTHER_KEY, OLD_KEY], [OTHER_KEY.toString('base64'), OLD_KEY.toString('base64')]]) {
    t.strictSame(await dataIn(await newApp(t, { key }), before), { user: 'ada' })
  }
  t.strictSame(await dataIn(await newApp(t, { key: OTHER_KEY }), before), {})
})

t.test('an old passphrase opens, with a salt as text or bytes, and without one', async t => {
  for (const salt of ['mq9hDxBVDbspDR6n', Buffer.from('0123456789abcdef'), '\u00e9q9hDxBVDbspDR6n', undefined]) {
    const given = salt === undefined ? {} : { salt }
    const before = await oldCookie(t, { user: 'ada' }, { secret: SECRET, ...given })
    t.strictSame(await dataIn(await newApp(t, { secret: SECRET, ...given }), before), { user: 'ada' })
  }
})

t.test('one key may serve the old format and the new format', async t => {
  const before = await oldCookie(t, { user: 'ada' }, { key: KEY })
  t.strictSame(await dataIn(await newApp(t, { key: KEY }), before), { user: 'ada' })
})

t.test('the signature of `signed: true` is removed and ignored', async t => {
  const before = await loggedInBefore(t, { key: OLD_KEY, cookie: { signed: true } })
  const value = before.cookies.get('session') as string
  t.match(decodeURIComponent(value), /;[^;]*\.[^;]+$/)
  const app = await newApp(t)
  t.strictSame(await dataIn(app, value), { user: 'ada' })
  t.strictSame(await dataIn(app, encodeURIComponent(decodeURIComponent(value).replace(/\..*/, '.AAAA'))), { user: 'ada' })
})

t.test('a legacy cookie opens with and without percent-encoding', async t => {
  const before = await oldCookie(t, { user: 'ada' }, { key: OLD_KEY })
  const app = await newApp(t)
  t.equal(app.decodeSecureSession(before)?.get('user'), 'ada')
  t.equal(app.decodeSecureSession(decodeURIComponent(before))?.get('user'), 'ada')
  t.equal(app.decodeSecureSession(`${before}A`), null)
})

t.test('the old time limit applies, to the second', async t => {
  const clock = fakeClock(t)
  const before = await oldCookie(t, { user: 'ada' }, { key: OLD_KEY })
  const app = await newApp(t)
  clock.advance(86_400_000 - 1)
  t.strictSame(await dataIn(app, before), { user: 'ada' })
  clock.advance(1)
  t.strictSame(await dataIn(app, before), {}, 'the limit of this server is a second shorter')
})

t.test('an own expiry of the old library applies, and so do the limits of this server', async t => {
  const clock = fakeClock(t)
  const before = await oldCookie(t, { user: 'ada' }, { key: OLD_KEY })
  const hour = await newApp(t, { key: OLD_KEY, expiry: 3600 })
  const week = await newApp(t, { key: OLD_KEY, expiry: '7d' })
  const both = await appWith(t, { key: KEY, expiry: '7d', legacy: [secureSessionOpener({ key: OLD_KEY, expiry: '7d' })] })
  addRoutes(both)
  clock.advance(3600_000 - 1)
  t.strictSame(await dataIn(hour, before), { user: 'ada' })
  clock.advance(1)
  t.strictSame(await dataIn(hour, before), {})
  clock.advance(86_400_000)
  t.strictSame(await dataIn(week, before), {}, 'not renewed for longer than "idle"')
  t.strictSame(await dataIn(both, before), { user: 'ada' })
})

t.test('the age of a migrated session is the time of its last write', async t => {
  const clock = fakeClock(t)
  const before = await oldCookie(t, { user: 'ada' }, { key: OLD_KEY })
  const app = await newApp(t)
  const beganAt = clock.nowMs
  clock.advance(3600_000)
  const { createdAt, isNew, id } = (await app.inject({ url: '/info', headers: { cookie: `session=${before}` } })).json()
  t.equal(createdAt, beganAt)
  t.equal(isNew, false)
  t.match(id, /^[0-9a-f]{32}$/)
})

t.test('parallel requests with one legacy cookie get one session, and another cookie gets another', async t => {
  const before = await loggedInBefore(t, { key: OLD_KEY })
  const other = await loggedInBefore(t, { key: OLD_KEY })
  const app = await newApp(t)
  const ids = await Promise.all([before, before, before, other].map(async browser => (await browser.copy(app).json('/info')).id))
  t.equal(new Set(ids.slice(0, 3)).size, 1)
  t.not(ids[0], ids[3])
})

t.test('an old session without its timestamp, or with another value in its place, is refused', async t => {
  fakeClock(t)
  const app = await newApp(t)
  t.strictSame(await dataIn(app, sealed(`{"user":"ada","__ts":${NOW_S}}`)), { user: 'ada' }, 'so it would open')
  for (const plaintext of [
    '{"user":"ada"}', '{"user":"ada","__ts":null}', `{"user":"ada","__ts":"${NOW_S}"}`, '{"user":"ada","__ts":true}', '{"user":"ada","__ts":1e999}',
    `{"user":"ada","__ts":${NOW_S + 120}}`, '{"user":"ada","__ts":0}', '{"user":"ada","__ts":-1}', 'null', '42', '"text"', '[]', '{', ''
  ]) {
    t.strictSame(await dataIn(app, sealed(plaintext)), {}, plaintext)
  }
})

t.test('old values with special JavaScript names are ordinary values', async t => {
  fakeClock(t)
  const app = await newApp(t)
  const response = await app.inject({ url: '/get', headers: { cookie: `session=${sealed(`{"__proto__":{"admin":true},"constructor":1,"get":2,"__ts":${NOW_S}}`)}` } })
  t.equal(response.body, '{"__proto__":{"admin":true},"constructor":1,"get":2}')
})

t.test('a legacy cookie with a flipped bit, another length or another spelling does not open', async t => {
  const app = await newApp(t)
  const good = decodeURIComponent(await oldCookie(t, { user: 'ada' }, { key: OLD_KEY }))
  t.equal(app.decodeSecureSession(good)?.get('user'), 'ada')
  const [cipher, nonce] = good.split(';') as [string, string]
  for (const [part, put] of [[cipher, (text: string) => `${text};${nonce}`], [nonce, (text: string) => `${cipher};${text}`]] as const) {
    const bytes = Buffer.from(part, 'base64')
    for (let at = 0; at < bytes.length * 8; at++) {
      const flipped = Buffer.from(bytes)
      flipped[at >> 3] = (flipped[at >> 3] as number) ^ (1 << (at & 7))
      if (app.decodeSecureSession(put(flipped.toString('base64'))) !== null) t.fail(`bit ${at} flipped`)
    }
  }
  for (let length = 0; length < good.length; length++) {
    if (app.decodeSecureSession(good.slice(0, length)) !== null) t.fail(`cut to ${length}`)
  }
  for (const spelling of [`${good};`, `;${good}`, ` ${good}`, `${good} `, good.replace(';', ';;'), `${cipher}=;${nonce}`, `${cipher}\n;${nonce}`, `${cipher};${nonce}.`, `${cipher};${nonce}=`, `${good}.a.b`, '%', '%zz', ';', '%3B', `%zz;${nonce}`, `${cipher};%zz`, `AAAA;${nonce}`, `;${nonce}`, `${good}.${'A'.repeat(500)}`, `${'A'.repeat(5000)};${nonce}`]) {
    t.equal(app.decodeSecureSession(spelling), null, spelling.slice(0, 20))
  }
})

t.test('the old passphrase is stretched once per opener, at boot, and off the main thread', async t => {
  let calls = 0
  const original = sodium.crypto_pwhash_async
  t.teardown(() => { sodium.crypto_pwhash_async = original })
  sodium.crypto_pwhash_async = async (...args) => { calls++; return await original(...args) }
  const legacy = [secureSessionOpener({ secret: SECRET })]
  await appWith(t, { key: KEY, legacy })
  await appWith(t, { key: KEY, legacy })
  t.equal(calls, 1)
})

t.test('an opener shows no key, and does not change the keys that it was given', async t => {
  const key = Buffer.from(OLD_KEY)
  const opener = secureSessionOpener({ key })
  await appWith(t, { key: KEY, legacy: [opener] })
  const { inspect } = await import('node:util')
  t.notMatch(inspect(opener, { depth: 9, showHidden: true }) + JSON.stringify(opener), /c3|w8PD/)
  t.ok(key.equals(OLD_KEY))
})

t.test('wrong options of secureSessionOpener throw at the call', async t => {
  const tooShort = Buffer.alloc(31)
  for (const [options, code] of [
    [undefined, 'OPTION'], [null, 'OPTION'], [{}, 'OPTION'], [{ cookieName: 'session' }, 'OPTION'], [{ key: OLD_KEY, keys: [] }, 'OPTION'], [{ key: OLD_KEY, expiry: 'soon' }, 'OPTION'], [{ key: OLD_KEY, secret: SECRET }, 'OPTION'],
    [{ key: tooShort }, 'KEY'], [{ key: [OLD_KEY, tooShort] }, 'KEY'], [{ secret: 'short' }, 'KEY'], [{ secret: SECRET, salt: 'short' }, 'KEY']
  ] as const) {
    t.throws(() => secureSessionOpener(options as unknown as OpenerOptions), { code: `FST_SESSION_INVALID_${code}` })
  }
})

t.test('the old library creates the cookies that these tests use', async t => {
  const app = await oldApp(t, { key: OLD_KEY })
  t.equal(app.decodeSecureSession(decodeURIComponent(sealed(`{"user":"ada","__ts":${Math.floor(Date.now() / 1000)}}`)))?.get('user'), 'ada')
  t.equal(app.decodeSecureSession(decodeURIComponent(sealed('{"user":"eve"}')))?.get('user'), 'eve', 'without its timestamp it would live for ever')
})
