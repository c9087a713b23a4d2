import t from 'tap'
import secureSession from '../../index'
import { appWith, bareApp, KEY } from '../helpers/app'
import { fakeClock } from '../helpers/clock'

const INVALID = { code: 'FST_SESSION_INVALID_OPTION' }

class Point { x = 1 }

t.test('data that JSON can write as it is comes back as it was', async t => {
  const { sealToken, openToken } = (await appWith(t)).secureSession
  const all: object[] = [
    {}, { a: null, b: [1, 'x', true, { c: {} }], d: -1.5 }, { text: 'ü😀\u2028"\\' }, { '': 0 }, { toString: 1, constructor: 2, ok: false, data: { data: 1 } }
  ]
  for (const data of all) t.strictSame(await openToken('p', sealToken('p', data, { ttl: 60 })), data)
  t.strictSame(await openToken('p', sealToken('p', { a: undefined, b: 1 }, { ttl: 60 })), { b: 1 })
  t.strictSame(await openToken('p', sealToken('p', Object.assign(Object.create(null), { a: 1 }), { ttl: 60 })), { a: 1 })
})

t.test('a key named __proto__ is a key, and changes no prototype', async t => {
  const { sealToken, openToken } = (await appWith(t)).secureSession
  const data = JSON.parse('{"__proto__":{"isAdmin":true},"user":17}')
  const opened = await openToken('p', sealToken('p', data, { ttl: 60 })) as Record<string, unknown>
  t.equal(Object.getPrototypeOf(opened), Object.prototype)
  t.strictSame(Object.keys(opened), ['__proto__', 'user'])
  t.equal(opened['isAdmin'], undefined)
})

t.test('a toJSON says how the data is written', async t => {
  const { sealToken, openToken } = (await appWith(t)).secureSession
  const user = new (class User { toJSON (): object { return { user: 17 } } })()
  t.strictSame(await openToken('p', sealToken('p', user, { ttl: 60 })), { user: 17 })
  t.strictSame(await openToken('p', sealToken('p', { at: new Date(0) }, { ttl: 60 })), { at: '1970-01-01T00:00:00.000Z' })
  for (const toJSON of [() => undefined, () => 'x', () => [1]]) t.throws(() => sealToken('p', { toJSON }, { ttl: 60 }), INVALID)
  t.throws(() => sealToken('p', { toJSON: () => NaN }, { ttl: 60 }), { code: 'FST_SESSION_NOT_SERIALIZABLE' })
  t.throws(() => sealToken('p', { toJSON () { throw new Error('no') } }, { ttl: 60 }), { code: 'FST_SESSION_NOT_SERIALIZABLE' })
})

t.test('what JSON would write as something else is refused with its path, as in a session', async t => {
  const { sealToken } = (await appWith(t)).secureSession
  const cycle: Record<string, unknown> = {}
  cycle['self'] = cycle
  for (const value of [new Map(), NaN, Infinity, () => 1, Symbol('x'), new Point(), new Date(NaN)]) {
    t.throws(() => sealToken('p', { a: [{ b: value }] }, { ttl: 60 }), { code: 'FST_SESSION_NOT_SERIALIZABLE', path: 'data.a[0].b' })
  }
  for (const data of [new Map(), new Point(), () => 1, Symbol('x'), 1n, { a: 1n }, cycle]) {
    t.throws(() => sealToken('p', data as object, { ttl: 60 }), { code: 'FST_SESSION_NOT_SERIALIZABLE', path: 'data' })
  }
})

t.test('data that is no object is refused', async t => {
  const { sealToken } = (await appWith(t)).secureSession
  for (const data of [undefined, null, 'secret', 17, true, ['a'], new Date(0)]) {
    t.throws(() => sealToken('p', data as object, { ttl: 60 }), { ...INVALID, message: /must be an object/ })
    t.throws(() => sealToken('p', data as object, { ttl: 60 }), { message: /^(?!.*secret)/ })
  }
})

t.test('a token has 2,048 characters at most; more is refused with the size, the limit and the largest keys', async t => {
  const { sealToken, openToken } = (await appWith(t)).secureSession
  const most = 2048 * 3 / 4 - 46 - 29 - '{"text":""}'.length
  const data = { text: 'x'.repeat(most) }
  const token = sealToken('p', data, { ttl: 60 })
  t.equal(token.length, 2048)
  t.strictSame(await openToken('p', token), data)
  t.throws(() => sealToken('p', { text: 'x'.repeat(most + 1) }, { ttl: 60 }), {
    code: 'FST_SESSION_TOO_LARGE', message: 'the token cannot be written', bytes: 2050, limit: 2048, largest: [{ key: 'text', bytes: most + 3 }]
  })
  t.throws(() => sealToken('p', { text: 'ü'.repeat(most / 2) + 'x', id: 1 }, { ttl: 60 }), {
    code: 'FST_SESSION_TOO_LARGE', detail: /needs 20\d\d characters, and 2048 fit in a URL.*"text" \d+, "id" 1/
  })
  t.throws(() => sealToken('p', { text: 'x'.repeat(1_000_000) }, { ttl: 60 }), { code: 'FST_SESSION_TOO_LARGE' })
})

t.test('maxLength allows a token of up to 12,279 characters, where both calls have it', async t => {
  const { sealToken, openToken } = (await appWith(t)).secureSession
  const most = Math.floor(12_279 * 3 / 4) - 46 - 29 - '{"text":""}'.length
  const data = { text: 'x'.repeat(most) }
  const token = sealToken('p', data, { ttl: 60, maxLength: 12_279 })
  t.equal(token.length, 12_279)
  t.strictSame(await openToken('p', token, { maxLength: 12_279 }), data)
  for (const maxLength of [undefined, 12_278]) t.equal(await openToken('p', token, { maxLength }), null)
  const large = { text: 'x'.repeat(most + 1) }
  t.throws(() => sealToken('p', large, { ttl: 60, maxLength: 12_279 }), { code: 'FST_SESSION_TOO_LARGE', limit: 12_279, detail: /12279 are the option "maxLength"/ })
  t.throws(() => sealToken('p', { text: 'x' }, { ttl: 60, maxLength: 64 }), { code: 'FST_SESSION_TOO_LARGE', limit: 64 })
  for (const maxLength of [0, 12_280, 1.5, NaN, '100', null]) {
    const wrong = { maxLength: maxLength as number }
    t.throws(() => sealToken('p', {}, { ttl: 60, ...wrong }), { ...INVALID, message: /"maxLength" must be a whole number from 1 to 12279/ })
    await t.rejects(openToken('p', token, wrong), INVALID)
  }
})

t.test('a wrong purpose, option or session is an error of the call', async t => {
  const { sealToken, openToken } = (await appWith(t)).secureSession
  for (const purpose of [undefined, null, '', 17, 'a b', 'ä', 'a\0', 'a/b', 'p\n', 'x'.repeat(65), {}] as string[]) {
    t.throws(() => sealToken(purpose, {}, { ttl: 60 }), INVALID)
    await t.rejects(openToken(purpose, 'x'), INVALID)
  }
  t.ok(sealToken(`A.b_c:d-9${'x'.repeat(55)}`, {}, { ttl: 60 }))
  for (const ttl of [undefined, null, 0, -1, 0.9, '999ms', '15', 'x', NaN, Infinity, '401d', 34_560_001, '100y', {}] as number[]) {
    t.throws(() => sealToken('p', {}, { ttl }), { ...INVALID, message: /"ttl" must be from 1 second to 400 days/ })
  }
  t.throws(() => sealToken('p', {}), { ...INVALID, message: /"ttl"/ })
  for (const audience of ['', 17, null, {}, 'x'.repeat(513), '\ud800'] as string[]) {
    t.throws(() => sealToken('p', {}, { ttl: 60, audience }), { ...INVALID, message: /"audience" must be text/ })
    await t.rejects(openToken('p', 'x', { audience }), INVALID)
  }
  t.ok(sealToken('p', {}, { ttl: 60, audience: '😀'.repeat(256) }))
  for (const once of [1, 'true', null]) t.throws(() => sealToken('p', {}, { ttl: 60, once: once as never }), { ...INVALID, message: /"once" must be/ })
  for (const options of [null, 60, '15m', []] as never[]) {
    t.throws(() => sealToken('p', {}, options), { ...INVALID, message: /takes its options in an object/ })
    await t.rejects(openToken('p', 'x', options), INVALID)
  }
  t.throws(() => sealToken('p', {}, { ttl: 60, expiresIn: 60 } as never), { ...INVALID, message: /"expiresIn" is unknown/ })
  await t.rejects(openToken('p', 'x', { ttl: 60 } as never), { ...INVALID, message: /"ttl" is unknown/ })
  t.throws(() => sealToken('p', {}, { ttl: 60, sessionName: 'none' }), { code: 'FST_SESSION_UNKNOWN_NAME' })
  await t.rejects(openToken('p', 'x', { sessionName: 'none' }), { code: 'FST_SESSION_UNKNOWN_NAME' })
})

t.test('the option tokens has the defaults of each purpose, and a call can give others', async t => {
  const clock = fakeClock(t)
  const tokens = { mail: { ttl: '1h', audience: 'web' }, reset: { ttl: 60 } }
  const app = await appWith(t, { key: KEY, tokens })
  tokens.mail.ttl = '1s'
  const { sealToken, openToken } = app.secureSession
  const token = sealToken('mail', { a: 1 })
  clock.advance(3_599_999)
  t.strictSame(await openToken('mail', token), { a: 1 })
  t.strictSame(await openToken('mail', token, { audience: undefined }), { a: 1 })
  t.equal(await openToken('mail', token, { audience: 'app' }), null)
  t.strictSame(await openToken('mail', sealToken('mail', { a: 2 }, { audience: 'app' }), { audience: 'app' }), { a: 2 })
  t.throws(() => sealToken('other', {}), INVALID)
  const longer = sealToken('reset', { a: 3 }, { ttl: 120 })
  clock.advance(119_999)
  t.equal(await openToken('mail', token), null)
  t.strictSame(await openToken('reset', longer), { a: 3 })
})

t.test('the option tokens is checked at boot', async t => {
  const wrong: ReadonlyArray<[tokens: unknown, message: RegExp]> = [
    [null, /"tokens" must be an object/],
    [['login'], /"tokens" must be an object/],
    [{ 'a b': { ttl: 60 } }, /"tokens": a purpose must have/],
    [{ login: '15m' }, /"tokens.login" must be an object/],
    [{ login: {} }, /"tokens.login": "ttl" must be/],
    [{ login: { ttl: '500d' } }, /"tokens.login": "ttl" must be/],
    [{ login: { ttl: 60, audience: '' } }, /"tokens.login": "audience" must be/],
    [{ login: { ttl: 60, once: 1 } }, /"tokens.login": "once" must be/],
    [{ login: { ttl: 60, single: true } }, /"tokens.login": "single" is unknown/],
    [{ login: { ttl: 60, once: true } }, /"tokens.login": a token that opens "once" needs the option "revocation"/]
  ]
  for (const [tokens, message] of wrong) {
    await t.rejects(async () => await bareApp(t).register(secureSession, { key: KEY, tokens: tokens as never }), { ...INVALID, message })
  }
  await t.resolves(appWith(t, { key: KEY, tokens: undefined }))
  await t.resolves(appWith(t, { key: KEY, tokens: { login: { ttl: 60, once: true } }, revocation: { store: secureSession.memoryRevocation() } }))
})
