import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import secureSession from '../../index'
import { writeKeyring } from '../../lib/keyring/document'
import { keyOf, rotated } from '../../lib/keyring/lifecycle'
import { changeKeyring } from '../../lib/keyring/stored-keyring'
import { rewrap } from '../../lib/keyring/wrapped-keyring'
import { addRoutes, appWith } from '../helpers/app'
import { Browser } from '../helpers/browser'
import { fakeTime } from '../helpers/clock'
import { keyNumber, MemoryStore } from '../helpers/keyrings'

const { wrappedKeyring } = secureSession

/** A service that keeps the wrapping key: it masks the data key, and appends the number of the mask. */
class Kms {
  readonly masks = [randomBytes(32)]
  calls: string[] = []
  isDown = false

  rotate (): void { this.masks.push(randomBytes(32)) }

  wrap = async (dataKey: Buffer): Promise<Uint8Array> => {
    this.#call('wrap')
    return Buffer.concat([this.#masked(dataKey, this.masks.length - 1), Buffer.from([this.masks.length - 1])])
  }

  unwrap = async (wrapped: Buffer): Promise<Uint8Array> => {
    this.#call('unwrap')
    return this.#masked(wrapped.subarray(0, -1), wrapped.at(-1) as number)
  }

  #call (name: string): void {
    this.calls.push(name)
    if (this.isDown) throw new Error('the KMS is down')
  }

  #masked (bytes: Buffer, number: number): Buffer {
    const mask = this.masks[number]
    if (mask === undefined) throw new Error('no such key')
    return Buffer.from(bytes.map((byte, at) => byte ^ (mask[at] as number)))
  }
}

const TEXT = writeKeyring([keyNumber(1, 0)])

/** A store in memory that has this keyring, wrapped. */
async function wrappedStore (kms = new Kms(), text = TEXT): Promise<{ inner: MemoryStore, kms: Kms }> {
  const inner = new MemoryStore(null)
  await wrappedKeyring(inner, kms).update(null, text)
  kms.calls = []
  return { inner, kms }
}

t.test('what is stored contains no key, and reads as what was written', async t => {
  const { inner, kms } = await wrappedStore()
  const material = Buffer.alloc(32, 1)
  for (const encoding of ['base64url', 'base64', 'hex'] as const) t.notMatch(inner.text, material.toString(encoding))
  t.strictSame(Object.keys(JSON.parse(inner.text as string)), ['version', 'wrappedKey', 'sealed'])
  t.equal(await wrappedKeyring(inner, kms).read(), TEXT)
  t.equal(wrappedKeyring(inner, kms).name, 'wrapped keyring in memory')
  t.equal(await wrappedKeyring(new MemoryStore(null), kms).read(), null)
})

t.test('each write has a data key of its own', async t => {
  const stored = [await wrappedStore(), await wrappedStore()].map(({ inner }) => JSON.parse(inner.text as string))
  t.not(stored[0].wrappedKey, stored[1].wrappedKey)
  t.not(stored[0].sealed, stored[1].sealed)
})

t.test('the key is unwrapped once for each change, not for each read', async t => {
  const { inner, kms } = await wrappedStore()
  const keyring = wrappedKeyring(inner, kms)
  for (let read = 0; read < 3; read++) t.equal(await keyring.read(), TEXT)
  t.strictSame(kms.calls, ['unwrap'])
  await wrappedKeyring(inner, kms).update(TEXT, writeKeyring([keyNumber(2, 0)]))
  kms.calls = []
  for (let read = 0; read < 3; read++) t.equal(await keyring.read(), writeKeyring([keyNumber(2, 0)]))
  t.strictSame(kms.calls, ['unwrap'])
})

t.test('a write succeeds only if the store still holds what was read', async t => {
  const { inner, kms } = await wrappedStore()
  const keyring = wrappedKeyring(inner, kms)
  const next = writeKeyring([keyNumber(2, 0)])
  t.equal(await keyring.update(null, next), false)
  t.equal(await keyring.update(next, next), false)
  inner.insteadOfWriting = async () => false
  t.equal(await keyring.update(TEXT, next), false, 'another writer came between')
  inner.insteadOfWriting = null
  t.equal(await keyring.read(), TEXT)
  t.equal(await keyring.update(TEXT, next), true)
  t.equal(await keyring.read(), next)
})

t.test('of writers at the same time, each change is kept', async t => {
  const { inner, kms } = await wrappedStore()
  await Promise.all(Array.from({ length: 10 }, async () => {
    await changeKeyring(wrappedKeyring(inner, kms), keys => rotated(keys, 1000, { activateInMs: 10, keepForMs: 10 }))
  }))
  t.equal(JSON.parse(await wrappedKeyring(inner, kms).read() as string).keys.length, 11)
})

t.test('if any character of the stored text is changed, the keyring is refused or the same', async t => {
  const { inner, kms } = await wrappedStore()
  const text = inner.text as string
  for (let at = 0; at < text.length; at++) {
    for (const character of ['A', '"', ' ', '\u00e9']) {
      inner.text = text.slice(0, at) + character + text.slice(at + 1)
      const read = await wrappedKeyring(inner, kms).read().catch(error => error.code)
      const isRefused = ['FST_SESSION_INVALID_KEYRING', 'FST_SESSION_KEYRING_UNAVAILABLE'].includes(read)
      if (!isRefused && read !== TEXT) t.fail(`character ${at}: ${String(read)}`)
    }
  }
  for (let length = 0; length < text.trimEnd().length; length++) {
    inner.text = text.slice(0, length)
    const code = await wrappedKeyring(inner, kms).read().catch(error => error.code)
    if (code !== 'FST_SESSION_INVALID_KEYRING') t.fail(`${length} characters: ${String(code)}`)
  }
})

t.test('the keyring and the data key of two texts do not fit', async t => {
  const kms = new Kms()
  const [one, other] = [await wrappedStore(kms), await wrappedStore(kms)].map(({ inner }) => inner) as [MemoryStore, MemoryStore]
  const mixed = { ...JSON.parse(one.text as string), sealed: JSON.parse(other.text as string).sealed }
  one.text = JSON.stringify(mixed)
  await t.rejects(wrappedKeyring(one, kms).read(), {
    code: 'FST_SESSION_INVALID_KEYRING', message: /^wrapped keyring in memory is invalid: its data key does not open it/
  })
})

t.test('a text that is not a wrapped keyring is refused, and the message says what to do', async t => {
  const kms = new Kms()
  const inner = new MemoryStore([keyNumber(1, 0)])
  const texts: Readonly<Record<string, RegExp>> = {
    [TEXT]: /not wrapped yet: wrap it with "npx fastify-sealed-session rewrap --wrapping FILE"/,
    '{"version":2,"wrappedKey":"AA","sealed":"AA"}': /must be JSON with "version" 1/,
    '{"version":1,"wrappedKey":1,"sealed":"AA"}': /must be JSON with/,
    '{"version":1,"wrappedKey":"AA"}': /must be JSON with/,
    '{"version":1,"wrappedKey":"AA","sealed":"AA"}': /its "sealed" is too short/,
    '{"version":1,"wrappedKey":"AA","sealed":"A+"}': /its "sealed" is not base64url/,
    [`{"version":1,"wrappedKey":"A","sealed":"${'A'.repeat(100)}"}`]: /its "wrappedKey" is not base64url/,
    '[]': /must be JSON with/,
    '': /must be JSON with/
  }
  for (const [text, message] of Object.entries(texts)) {
    inner.text = text
    await t.rejects(wrappedKeyring(inner, kms).read(), { code: 'FST_SESSION_INVALID_KEYRING', message })
  }
})

t.test('a wrap or unwrap that fails, or returns something else, is an error without a key', async t => {
  const { inner, kms } = await wrappedStore()
  const text = inner.text
  for (const wrong of [undefined, 7, '', Buffer.alloc(0), Buffer.alloc(16_385), { length: 32 }]) {
    const wrapping = { wrap: async () => wrong as never, unwrap: kms.unwrap }
    await t.rejects(wrappedKeyring(inner, wrapping).update(TEXT, TEXT), {
      code: 'FST_SESSION_KEYRING_UNAVAILABLE', message: /data key of wrapped keyring in memory cannot be wrapped: wrap\(\) must return/
    })
  }
  for (const wrong of [undefined, 7, '', 'x'.repeat(31), Buffer.alloc(31), Buffer.alloc(33)]) {
    const wrapping = { wrap: kms.wrap, unwrap: () => wrong as never }
    await t.rejects(wrappedKeyring(inner, wrapping).read(), {
      code: 'FST_SESSION_KEYRING_UNAVAILABLE', message: /cannot be unwrapped: unwrap\(\) must return/
    })
  }
  kms.isDown = true
  await t.rejects(wrappedKeyring(inner, kms).read(), { message: /cannot be unwrapped: the KMS is down$/ })
  t.equal(inner.text, text, 'nothing was written')
})

t.test('a data key that unwraps to another one does not open the keyring', async t => {
  const { inner, kms } = await wrappedStore()
  const other = { wrap: kms.wrap, unwrap: async () => Buffer.alloc(32) }
  await t.rejects(wrappedKeyring(inner, other).read(), { code: 'FST_SESSION_INVALID_KEYRING' })
})

t.test('wrappedKeyring takes a store, and an object with wrap and unwrap', async t => {
  const kms = new Kms()
  const store = new MemoryStore(null)
  for (const wrong of [undefined, null, '/etc/app/keys.json', { read: store.read }, { update: store.update }]) {
    t.throws(() => wrappedKeyring(wrong as never, kms), { code: 'FST_SESSION_INVALID_OPTION', message: /keyring store with read and update/ })
  }
  for (const wrong of [undefined, null, 'key', {}, { wrap: kms.wrap }, { unwrap: kms.unwrap }]) {
    t.throws(() => wrappedKeyring(store, wrong as never), { code: 'FST_SESSION_INVALID_OPTION', message: /functions wrap and unwrap/ })
  }
})

t.test('rewrap changes the wrapping key, and wraps a keyring that is plain text', async t => {
  const kms = new Kms()
  const inner = new MemoryStore([keyNumber(1, 0)])
  await rewrap(inner, kms)
  t.equal(await wrappedKeyring(inner, kms).read(), TEXT)
  kms.rotate()
  await rewrap(inner, kms)
  kms.masks[0] = randomBytes(32)
  t.equal(await wrappedKeyring(inner, kms).read(), TEXT, 'the first wrapping key is not needed any more')
})

t.test('rewrap fails without a keyring, for an invalid one, and where another writer always comes first', async t => {
  const kms = new Kms()
  const inner = new MemoryStore(null)
  await t.rejects(rewrap(inner, kms), { code: 'FST_SESSION_KEYRING_UNAVAILABLE', message: /does not exist/ })
  inner.text = '{"version":1,"keys":[]}'
  await t.rejects(rewrap(inner, kms), { code: 'FST_SESSION_INVALID_KEYRING' })
  inner.text = TEXT
  inner.insteadOfWriting = async () => false
  await t.rejects(rewrap(inner, kms), { code: 'FST_SESSION_KEYRING_UNAVAILABLE', message: /by another writer at each attempt/ })
  t.equal(inner.text, TEXT)
})

async function server (t: Test, keyring: ReturnType<typeof wrappedKeyring>, options = {}): Promise<Browser> {
  const app = await appWith(t, { keyring, reloadEvery: '12h', ...options })
  addRoutes(app)
  return new Browser(app)
}

t.test('servers read a wrapped keyring, rotate it, and go on with it if the KMS is down', async t => {
  const time = fakeTime(t)
  const { inner, kms } = await wrappedStore(new Kms(), writeKeyring([keyOf(Buffer.alloc(32, 1), time.nowMs)]))
  const rotation = { every: '30d', activateIn: '2d' }
  const servers = [await server(t, wrappedKeyring(inner, kms), { rotation }), await server(t, wrappedKeyring(inner, kms), { rotation })] as const
  await servers[0].get('/set/user/ada')
  servers[1].cookies.set('session', servers[0].cookies.get('session') as string)
  t.strictSame(await servers[1].json('/get'), { user: 'ada' })
  await time.pass(30 * 86_400_000)
  t.equal(JSON.parse(await wrappedKeyring(inner, kms).read() as string).keys.length, 2)
  kms.isDown = true
  await time.pass(86_400_000)
  await servers[1].get('/set/user/eve')
  t.strictSame(await servers[1].json('/get'), { user: 'eve' })
})

t.test('a server does not start if the key cannot be unwrapped', async t => {
  const { inner, kms } = await wrappedStore()
  kms.isDown = true
  await t.rejects(server(t, wrappedKeyring(inner, kms)), { code: 'FST_SESSION_KEYRING_UNAVAILABLE', message: /the KMS is down/ })
})
