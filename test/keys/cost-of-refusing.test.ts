import t from 'tap'
import { sodium } from '../../lib/core/sodium'
import { addRoutes, appWith, KEY, OTHER_KEY } from '../helpers/app'
import { Browser } from '../helpers/browser'

const FIFTY_KEYS = [...Array.from({ length: 49 }, (_, index) => Buffer.alloc(32, index + 1)), KEY]

t.test('with fifty keys a valid cookie is decrypted once, a forged one once, and any other never', async t => {
  const app = await appWith(t, { key: FIFTY_KEYS })
  const older = await appWith(t, { key: KEY })
  const stranger = await appWith(t, { key: OTHER_KEY })
  for (const each of [app, older, stranger]) addRoutes(each)
  const tokenOf = async (from: typeof app): Promise<string> => {
    const browser = new Browser(from)
    await browser.get('/set/user/ada')
    return browser.cookies.get('session') as string
  }
  const good = await tokenOf(older)
  const tokens = { good, forged: `${good.slice(0, -4)}AAAA`, unknown: await tokenOf(stranger), junk: 'A'.repeat(4000), long: 'A'.repeat(15_000), short: 'A' }

  let calls = 0
  const { crypto_aead_xchacha20poly1305_ietf_decrypt: decrypt } = sodium
  t.teardown(() => { sodium.crypto_aead_xchacha20poly1305_ietf_decrypt = decrypt })
  sodium.crypto_aead_xchacha20poly1305_ietf_decrypt = (...args) => { calls++; return decrypt(...args) }

  const found: Record<string, unknown> = {}
  for (const [name, token] of Object.entries(tokens)) {
    calls = 0
    const { user } = (await app.inject({ url: '/get', headers: { cookie: `session=${token}` } })).json()
    found[name] = { calls, user }
  }
  const refused = { calls: 0, user: undefined }
  t.strictSame(found, { good: { calls: 1, user: 'ada' }, forged: { calls: 1, user: undefined }, unknown: refused, junk: refused, long: refused, short: refused })
})

t.test('a cookie that is longer than any issued one is not decoded', async t => {
  const app = await appWith(t)
  addRoutes(app)
  const { write } = Buffer.prototype
  let decoded = 0
  Buffer.prototype.write = function (this: Buffer, ...args: any[]) {
    if (args.includes('base64url')) decoded++
    return write.apply(this, args as [string])
  }
  t.teardown(() => { Buffer.prototype.write = write })
  await app.inject({ url: '/get', headers: { cookie: `session=${'A'.repeat(4086)}` } })
  t.equal(decoded, 0)
  await app.inject({ url: '/get', headers: { cookie: `session=${'A'.repeat(4085)}` } })
  t.equal(decoded, 1)
})
