import t from 'tap'
import { KEY_BYTES } from '../../lib/core/aead'
import { sodium } from '../../lib/core/sodium'
import { keyFromPassphrase } from '../../lib/keyring/passphrase'
import type secureSession from '../../index'
import { addRoutes, appWith, KEY, WARN } from '../helpers/app'
import { Browser } from '../helpers/browser'
import { quickPassphrases } from '../helpers/quick-passphrases'

const SECRET = 'correct horse battery staple, and more'
const SALT = Buffer.from('0123456789abcdef')

t.test('servers with the same passphrase and salt open each other\'s sessions', async t => {
  t.teardown(quickPassphrases())
  const secret = 'a passphrase of exactly 32 bytes'
  const [one, other] = [await appWith(t, { secret, salt: SALT }), await appWith(t, { secret: Buffer.from(secret), salt: '0123456789abcdef' })]
  addRoutes(one)
  addRoutes(other)
  const browser = new Browser(one)
  await browser.get('/set/user/ada')
  t.strictSame((await other.inject({ url: '/get', headers: { cookie: browser.header } })).json(), { user: 'ada' })
})

t.test('another salt makes another key', async t => {
  t.teardown(quickPassphrases())
  const [one, other] = await Promise.all([keyFromPassphrase(Buffer.from(SECRET), SALT), keyFromPassphrase(Buffer.from(SECRET))])
  t.notSame(one, other)
})

t.test('the key of a passphrase is Argon2id with libsodium\'s moderate limits', async t => {
  t.match(sodium, { crypto_pwhash_OPSLIMIT_MODERATE: 3, crypto_pwhash_MEMLIMIT_MODERATE: 256 * 1024 * 1024, crypto_pwhash_ALG_ARGON2ID13: 2 })
  const expected = Buffer.alloc(KEY_BYTES)
  await sodium.crypto_pwhash_async(expected, Buffer.from(SECRET), SALT, 3, 256 * 1024 * 1024, 2)
  t.strictSame(await keyFromPassphrase(Buffer.from(SECRET), SALT), expected)
})

t.test('the passphrase is stretched once, at boot, off the main thread', async t => {
  let calls = 0
  const original = sodium.crypto_pwhash_async
  t.teardown(() => { sodium.crypto_pwhash_async = original })
  sodium.crypto_pwhash_async = async (...args) => { calls++; return await original(...args) }
  let turns = 0
  const turning = setInterval(() => { turns++ }, 1)
  const app = await appWith(t, { secret: SECRET, salt: SALT })
  clearInterval(turning)
  addRoutes(app)
  const browser = new Browser(app)
  for (let request = 0; request < 5; request++) await browser.get(`/set/a/${request}`)
  t.equal(calls, 1)
  t.ok(turns > 0, 'the event loop turned meanwhile')
})

t.test('a passphrase without a salt works, with a warning', async t => {
  t.teardown(quickPassphrases())
  const app = await appWith(t, { secret: SECRET })
  t.match(app.lines.find(({ level }) => level === WARN), { msg: /"secret" is used without "salt"/ })
  t.notOk(JSON.stringify(app.lines).includes('horse'))
})

t.test('a salt together with a key is ignored', async t => {
  await appWith(t, { key: KEY, salt: 'whatever' })
})

t.test('a passphrase that is too short or a salt of the wrong length is refused, with the length', async t => {
  for (const [options, message, found] of [
    [{ secret: 'x'.repeat(31) }, 'secret must be at least 32 bytes', 'found 31 bytes'],
    [{ secret: '' }, 'secret must be at least 32 bytes', 'found 0 bytes'],
    [{ secret: SECRET, salt: 'x' }, 'salt must be length 16', 'found 1 bytes'],
    [{ secret: SECRET, salt: Buffer.alloc(17) }, 'salt must be length 16', 'found 17 bytes']
  ] as const) {
    await t.rejects(appWith(t, options as secureSession.Options), { code: 'FST_SESSION_INVALID_KEY', message, cause: { message: found } })
  }
  for (const secret of [42, null]) {
    await t.rejects(appWith(t, { secret } as unknown as secureSession.Options), { code: 'FST_SESSION_INVALID_KEY', message: /secret must be a string or a Buffer; found/ })
  }
  await t.rejects(appWith(t, { secret: SECRET, salt: 42 } as unknown as secureSession.Options), { code: 'FST_SESSION_INVALID_KEY', message: /salt must be a string or a Buffer; found number/ })
})
