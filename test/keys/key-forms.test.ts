import t, { type Test } from 'tap'
import { appWith, bareApp, addRoutes, KEY, OTHER_KEY } from '../helpers/app'
import { Browser } from '../helpers/browser'
import secureSession from '../../index'

const FORMS: Record<string, string | Uint8Array> = {
  'a Buffer': KEY,
  'a Uint8Array': new Uint8Array(KEY),
  'a view into a larger buffer': Buffer.concat([Buffer.alloc(5), KEY, Buffer.alloc(5)]).subarray(5, 37),
  base64: KEY.toString('base64'),
  'base64 without padding': KEY.toString('base64').replace('=', ''),
  base64url: KEY.toString('base64url'),
  hex: KEY.toString('hex'),
  'upper-case hex': KEY.toString('hex').toUpperCase(),
  'text with a newline': `${KEY.toString('base64url')}\n`,
  'text with the line end of Windows': `${KEY.toString('hex')}\r\n`,
  'the Buffer of a text file': Buffer.from(`${KEY.toString('base64')}\n`)
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
  const writer = await appWith(t, { key: KEY })
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
    t.match(error, { code: 'FST_SESSION_INVALID_KEY', message: new RegExp(`key must be 32 bytes.*found ${length} bytes`) })
    t.notMatch(error.message, /kk/)
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
  for (const key of [42, true, null, {}]) {
    t.match(await bootError(t, { key }), { code: 'FST_SESSION_INVALID_KEY', message: /key must be a string or a Buffer/ })
  }
  for (const key of [[42], [null], [[KEY]]]) {
    t.match(await bootError(t, { key }), { code: 'FST_SESSION_INVALID_KEY', message: /"key"\[0\]: Key must be string or buffer/ })
  }
  t.match(await bootError(t, { key: [] }), { code: 'FST_SESSION_INVALID_KEY', message: /empty array/ })
})

t.test('the error for a key file that a shell or an editor broke says what is wrong', async t => {
  t.match(await bootError(t, { key: Buffer.concat([KEY, Buffer.from('\n')]) }), { message: /found 33 bytes, the last of them a newline/ })
  const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(KEY.toString('base64'), 'utf16le')])
  t.match(await bootError(t, { key: utf16 }), { message: /found 90 bytes that start like UTF-16/ })
})

t.test('a key that is given twice counts once', async t => {
  await appWith(t, { key: [KEY, KEY.toString('hex'), KEY] })
})

t.test('exactly one source of keys must be given', async t => {
  t.match(await bootError(t, {}), { code: 'FST_SESSION_INVALID_OPTION', message: /found none.*generate/ })
  t.match(await bootError(t, undefined), { code: 'FST_SESSION_INVALID_OPTION' })
  t.match(await bootError(t, { key: KEY, secret: 's'.repeat(32) }), { code: 'FST_SESSION_INVALID_OPTION', message: /found key and secret/ })
})
