import assert from 'node:assert/strict'
import { types } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { createSealer, type Sealer } from '../../lib/sealer'
import { appWith, type TestApp } from '../helpers/app'
import { read, type Reader } from './format'
import {
  ABSOLUTE_MS, anyText, IDLE_MS, KEYS, NOW_MS, sessionData, sessionPlaintext, stampPlaintext, tokenOf, withEdits
} from './inputs'
import { property, testAll } from './properties'

type Control = Awaited<ReturnType<TestApp['secureSession']['forTenant']>>

const OPTIONS = { key: KEYS, idle: IDLE_MS / 1000, absolute: ABSOLUTE_MS / 1000, now: () => NOW_MS }
const JSON_SERIALIZER = {
  serialize: (data: object) => JSON.stringify(data),
  deserialize: (bytes: Buffer) => JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
}
const plain = createSealer(OPTIONS)
const custom = createSealer({ ...OPTIONS, serializer: JSON_SERIALIZER })
const longName = 'n'.repeat(500)
const named = createSealer({ ...OPTIONS, cookieName: longName })

function readerOf (sealer: Sealer): Reader {
  const cookieName = sealer === named ? longName : 'session'
  const customData = sealer === custom ? 'json' : 'refused'
  return { keys: KEYS, cookieName, nowMs: NOW_MS, idleMs: IDLE_MS, absoluteMs: ABSOLUTE_MS, customData }
}

/** The sealer and the reader that is made from the specification answer the same. */
function opensAsSpecified (text: string, sealer: Sealer): string {
  const opened = sealer.open(text)
  const expected = read(text, readerOf(sealer))
  if (typeof expected === 'string') {
    assert.deepEqual(opened, { ok: false, reason: expected })
    return expected
  }
  assert.ok(opened.ok, `it is refused: ${opened.ok ? '' : opened.reason}`)
  assert.deepEqual(opened.data, expected.json)
  const { id, createdAt, renewedAt } = opened.info
  assert.deepEqual([id, createdAt, renewedAt], [expected.id, expected.createdAtMs, expected.renewedAtMs])
  return 'opened'
}

/** A text that opens must be one of these, to the letter. */
function opensOnlyIfAmong (text: string, sealedTokens: readonly string[]): void {
  const outcome = opensAsSpecified(text, plain)
  if (!sealedTokens.includes(text)) assert.notEqual(outcome, 'opened')
}

function wouldFit (data: object): boolean {
  return Buffer.byteLength(JSON.stringify(data)) < 2500
}

/** JSON writes it, and reads it back as it was. */
function isJson (value: unknown, isMember = true): boolean {
  if (value === undefined) return isMember
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'object') return false
  if (Array.isArray(value)) return Array.from(value).every(element => isJson(element, false))
  if (types.isDate(value)) return !Number.isNaN(value.getTime())
  const prototype: unknown = Object.getPrototypeOf(value)
  return (prototype === null || prototype === Object.prototype) && Object.values(value).every(member => isJson(member))
}

const anyObject = fc.dictionary(fc.string(), fc.anything({
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withTypedArray: true,
  withSparseArray: true,
  withNullPrototype: true,
  withObjectString: true
}), { maxKeys: 4 })

const token = tokenOf(sessionPlaintext)
const tokenOfAnyUse = tokenOf(fc.oneof(sessionPlaintext, stampPlaintext))
const tokenAndEdited = token.chain(({ token }) => fc.tuple(fc.constant(token), withEdits(fc.constant(token))))
const otherText = fc.oneof(anyText, fc.stringMatching(/^AQ[\w-]{1,90}$/), fc.base64String({ maxLength: 200 }))

/** Ids of two tenants, which may differ by one character or begin alike. */
const twoTenants = fc.tuple(fc.stringMatching(/^[\w.:-]{1,60}$/), fc.stringMatching(/^[\w.:-]{1,4}$/))
  .map(([id, more]) => [id, id + more] as const)
const sessionOfTenants = fc.record({
  ids: fc.oneof(twoTenants, fc.constantFrom<readonly [string, string]>(['a', 'A'], ['.', '..'])),
  length: fc.oneof(fc.nat(200), fc.nat(7500)),
  picks: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 })
})

let site: Promise<TestApp> | undefined

function headerOf (cookies: Record<string, string>): string {
  return Object.entries(cookies).map(([name, value]) => `${name}=${value}`).join('; ')
}

testAll(
  property('an object of JSON values opens as it was sealed', sessionData, 600, data => {
    if (!wouldFit(data)) return
    for (const sealer of [plain, custom]) {
      const opened = sealer.open(sealer.seal(data))
      assert.ok(opened.ok)
      assert.deepEqual(opened.data, JSON.parse(JSON.stringify(data)))
    }
    assert.equal(opensAsSpecified(plain.seal(data), plain), 'opened')
  }),

  property('a value that JSON would alter is refused with a code, and any other comes back', anyObject, 600, data => {
    try {
      const opened = plain.open(plain.seal(data))
      assert.ok(opened.ok)
      assert.ok(Object.values(data).every(value => isJson(value)), 'it was sealed although JSON alters it')
      assert.deepEqual(opened.data, JSON.parse(JSON.stringify(data)))
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'FST_SESSION_TOO_LARGE') return assert.ok(!wouldFit(data))
      assert.equal(code, 'FST_SESSION_NOT_SERIALIZABLE', String(error))
      assert.ok(!Object.values(data).every(value => isJson(value)), 'it was refused although JSON keeps it')
    }
  }),

  property('a plaintext of any shape, once sealed, opens or is refused as specified', token, 1200, ({ token }) => {
    opensAsSpecified(token, plain)
    opensAsSpecified(token, custom)
  }),

  property('a token under a long cookie name opens as specified', tokenOf(sessionPlaintext, longName), 200, sealed => {
    opensAsSpecified(sealed.token, named)
  }),

  property('a token of another key, name, use, version or number of parts never opens', tokenOfAnyUse, 600, sealed => {
    const { token, isOurs } = sealed
    const outcome = opensAsSpecified(token, plain)
    if (!isOurs) assert.notEqual(outcome, 'opened')
  }),

  property('an edited token never opens', tokenAndEdited, 1000, ([token, text]) => {
    opensOnlyIfAmong(text, [token])
  }),

  property('two tokens spliced together never open', fc.tuple(token, token, fc.nat(), fc.nat()), 600, input => {
    const [{ token: a }, { token: b }, from, to] = input
    opensOnlyIfAmong(a.slice(0, from % a.length) + b.slice(to % b.length), [a, b])
  }),

  property('a session of one tenant opens at no other, in one cookie or several', sessionOfTenants, 40, async input => {
    const { ids, length, picks } = input
    site ??= appWith(t, { key: KEYS, maxCookies: 3, tenant: () => null })
    const { secureSession } = await site
    const [one, other] = await Promise.all(ids.map(async id => await secureSession.forTenant(id))) as [Control, Control]
    const values = { text: 'x'.repeat(length) }
    const [own, foreign] = [one.cookiesFor(values), other.cookiesFor(values)]
    // Twice: what is in the token cache may not open elsewhere either.
    for (let round = 0; round < 2; round++) {
      assert.equal((await one.open(headerOf(own)))?.get('text'), values.text)
      assert.equal(await other.open(headerOf(own)), null)
      assert.equal((await other.open(headerOf(foreign)))?.get('text'), values.text)
      assert.equal(await one.open(headerOf(foreign)), null)
    }
    const token = one.encode(values)
    assert.notEqual(await one.decode(token), null)
    assert.equal(await other.decode(token), null)
    assert.equal(plain.open(token).ok, false)

    const names = Object.keys(own)
    const mixed = Object.fromEntries(names.map((name, part) => [name, (picks[part] === true ? own : foreign)[name]]))
    const isOf = (cookies: Record<string, string>): boolean => names.every(name => mixed[name] === cookies[name])
    assert.equal(await one.open(headerOf(mixed as typeof own)) !== null, isOf(own))
    assert.equal(await other.open(headerOf(mixed as typeof own)) !== null, isOf(foreign))
  }),

  property('other text never opens', otherText, 800, text => {
    opensOnlyIfAmong(text, [])
  })
)
