import t, { type Test } from 'tap'
import { appWith, bareApp, addRoutes, KEY, OTHER_KEY } from '../helpers/app'
import { Browser } from '../helpers/browser'
import secureSession from '../../index'

/** Its base64 has the characters in which base64url differs. */
const BYTES = Buffer.from('fbff'.repeat(16), 'hex')
const FORMS: Record<string, string | Uint8Array> = {
  'a Buffer': BYTES,
  'a Uint8Array': new Uint8Array(BYTES),
  'a view into a larger buffer': Buffer.concat([Buffer.alloc(5), BYTES, Buffer.alloc(5)]).subarray(5, 37),
  base64: BYTES.toString('base64'),
  'base64 without padding': BYTES.toString('base64').replace('=', ''),
  base64url: BYTES.toString('base64url'),
  'base64url with padding': `${BYTES.toString('base64url')}=`,
  hex: BYTES.toString('hex'),
  'upper-case hex': BYTES.toString('hex').toUpperCase(),
  'text with a newline': `${BYTES.toString('base64url')}\n`,
  'text with the line end of Windows': `${BYTES.toString('hex')}\r\n`,
  'the Buffer of a text file': Buffer.from(`${BYTES.toString('base64')}\n`)
}

async function bootError (t: Test, options: unknown): Promise<any> {
  const app = bareApp(t)
  try {
    await app.register(secureSession, options as secureSession.Options)
  } catch (error) {
    return error
  }
  return t.fail('it booted')
}

t.test('every form of a key is the same key', async t => {
  const writer = await appWith(t, { key: BYTES })
  addRoutes(writer)
  const browser = new Browser(writer)
  await browser.get('/set/user/ada')
  for (const [form, key] of Object.entries(FORMS)) {
    const reader = await appWith(t, { key })
    addRoutes(reader)
    const response = await reader.inject({ url: '/get', headers: { cookie: browser.header } })
    t.strictSame(response.json(), { user: 'ada' }, form)
  }
})

t.test('a key of the wrong length is refused at boot, with its length and without the key', async t => {
  for (const length of [0, 1, 31, 33, 64, 1000]) {
    const key = Buffer.alloc(length, 'k')
    const error = await bootError(t, { key })
    t.match(error, { code: 'FST_SESSION_INVALID_KEY', message: new RegExp(`^option "key": key must be 32 bytes.*found ${length} bytes$`) })
    t.notMatch(error.message, /kk/)
  }
  for (const length of [62, 63, 65, 66, 128]) {
    const error = await bootError(t, { key: 'a'.repeat(length) })
    t.match(error, { code: 'FST_SESSION_INVALID_KEY', message: new RegExp(`found text of ${length} characters$`) })
  }
  const error = await bootError(t, { key: 'not base64 of thirty-two bytes' })
  t.match(error, { code: 'FST_SESSION_INVALID_KEY', message: /key must be 32 bytes.*found text of 30 characters/ })
  t.notMatch(error.message, /not base64/)
})

t.test('one wrong key in an array is refused, and the message says which', async t => {
  for (const bad of [Buffer.alloc(5), 'short', Buffer.alloc(33)]) {
    for (const at of [0, 1, 2]) {
      const key: unknown[] = [KEY, OTHER_KEY]
      key.splice(at, 0, bad)
      t.match(await bootError(t, { key }), { code: 'FST_SESSION_INVALID_KEY', message: new RegExp(`key"\\[${at}\\]: key must be 32 bytes`) })
    }
  }
})

t.test('a value that is not a key is refused', async t => {
  for (const [key, found] of [[42, 'number'], [true, 'boolean'], [null, 'null'], [{}, 'object']] as const) {
    t.match(await bootError(t, { key }), { code: 'FST_SESSION_INVALID_KEY', message: new RegExp(`key must be a string or a Buffer; found ${found}$`) })
  }
  for (const [key, found] of [[[42], 'number$'], [[null], 'null$'], [[[KEY]], 'object$'], [[undefined], 'undefined; .*environment variable']] as const) {
    t.match(await bootError(t, { key }), { code: 'FST_SESSION_INVALID_KEY', message: new RegExp(`"key"\\[0\\]: Key must be string or buffer; found ${found}`) })
  }
  t.match(await bootError(t, { key: [] }), { code: 'FST_SESSION_INVALID_KEY', message: /empty array/ })
})

t.test('the error for a key file that a shell or an editor broke says what is wrong', async t => {
  t.match(await bootError(t, { key: Buffer.concat([KEY, Buffer.from('\n')]) }), { message: /found 33 bytes, the last of them a newline/ })
  const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(KEY.toString('base64'), 'utf16le')])
  t.match(await bootError(t, { key: utf16 }), { message: /found 90 bytes that start like UTF-16/ })
  const others = { 'ff first': Buffer.alloc(34, 0xff), 'fe second': Buffer.alloc(34, 0xfe), 'a newline within': Buffer.alloc(34, '\n') }
  for (const [name, key] of Object.entries(others)) t.match(await bootError(t, { key }), { message: /found 34 bytes$/ }, name)
})

t.test('a key that is given twice counts once', async t => {
  await appWith(t, { key: [KEY, KEY.toString('hex'), KEY] })
})

t.test('exactly one source of keys must be given', async t => {
  t.match(await bootError(t, {}), { code: 'FST_SESSION_INVALID_OPTION', message: /found none.*generate/ })
  t.match(await bootError(t, undefined), { code: 'FST_SESSION_INVALID_OPTION' })
  t.match(await bootError(t, { key: KEY, secret: 's'.repeat(32) }), { code: 'FST_SESSION_INVALID_OPTION', message: /found key and secret/ })
})
