import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { sealed, type Use } from './format'

/** What the properties are tried with: session data, plaintexts and tokens, good and bad. */

export const KEYS: Buffer[] = [Buffer.alloc(32, 0x5a), Buffer.alloc(32, 0x5b)]
export const STRANGE_KEY = Buffer.alloc(32, 0x5c)
export const NOW_MS = Date.UTC(2026, 0, 1)
export const IDLE_MS = 3_600_000
export const ABSOLUTE_MS = 86_400_000
const LATEST_MS = 2 ** 48 - 1
const TYPES = [1, 2, 3, 4, 5, 6, 127, 128, 129, 130]

/** Another thing than the usual one in so many of 100 inputs. */
export function seldom<T> (percent: number, usual: fc.Arbitrary<T>, other: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc.oneof({ weight: 100 - percent, arbitrary: usual }, { weight: percent, arbitrary: other })
}

/** Any text that JavaScript can hold, lone surrogates included. */
export const anyText = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.array(fc.integer({ min: 0, max: 0xffff })).map(units => String.fromCharCode(...units))
)

const SPECIAL_NAMES = ['__proto__', 'constructor', 'toString', 'toJSON', '0', '42', '', 'get', 'user']
const memberName = fc.oneof(anyText, fc.constantFrom(...SPECIAL_NAMES))
const memberValue = fc.oneof(fc.jsonValue(), anyText, fc.double({ noNaN: true, noDefaultInfinity: true }))

/** The data of a session: an object of JSON values. */
export const sessionData = fc.dictionary(memberName, memberValue, { maxKeys: 6 })

export const bytes = (least: number, most: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ minLength: least, maxLength: most }).map(array => Buffer.from(array))

const word = fc.stringMatching(/^[A-Za-z0-9_-]{1,12}$/)

interface Edit {
  readonly at: number
  readonly removed: number
  readonly put: string
}

const MARKS = ['=', '.', ' ', '\n', '"', ';', '%', '+', '/', '\0', '{', '}', '[', ']', ',', ':', '\\', '0']
const edit: fc.Arbitrary<Edit> = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  removed: fc.oneof(fc.nat(4), fc.nat(200)),
  put: fc.oneof(fc.constant(''), word, anyText, fc.constantFrom(...MARKS))
})

function edited (text: string, edits: readonly Edit[]): string {
  return edits.reduce((text, { at, removed, put }) => {
    const index = Math.floor(at * text.length)
    return text.slice(0, index) + put + text.slice(index + removed)
  }, text)
}

/** The same text, cut, with something put in or taken out here and there. */
export function withEdits (text: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.tuple(text, fc.array(edit, { minLength: 1, maxLength: 3 })).map(([text, edits]) => edited(text, edits))
}

const LIMITS = [NOW_MS, NOW_MS - IDLE_MS, NOW_MS - ABSOLUTE_MS, NOW_MS + 60_000, NOW_MS - IDLE_MS / 4]
const nearLimit = fc.tuple(fc.constantFrom(...LIMITS), fc.integer({ min: -2, max: 2 })).map(([near, ms]) => near + ms)

/** Recent as a rule, near to each limit, and anywhere in the range. */
export const time = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: IDLE_MS - 1 }).map(ms => NOW_MS - ms) },
  { weight: 4, arbitrary: nearLimit },
  { weight: 3, arbitrary: fc.constant(NOW_MS - 1000) },
  { weight: 1, arbitrary: fc.maxSafeNat().map(ms => ms % (LATEST_MS + 1)) }
)

function sixBytes (ms: number): Buffer {
  const buffer = Buffer.alloc(6)
  buffer.writeUIntBE(ms, 0, 6)
  return buffer
}

const DURATIONS = [0, 1, IDLE_MS, ABSOLUTE_MS, 2 * ABSOLUTE_MS, LATEST_MS]
const duration = fc.oneof(fc.constantFrom(...DURATIONS), fc.nat(2 * ABSOLUTE_MS))

const jsonText = fc.oneof(
  { weight: 6, arbitrary: sessionData.map(data => JSON.stringify(data)) },
  { weight: 2, arbitrary: fc.json() },
  { weight: 3, arbitrary: withEdits(sessionData.map(data => JSON.stringify(data))) },
  { weight: 1, arbitrary: anyText }
)

const SHORT_VALUES = [Buffer.of(0), Buffer.of(1), Buffer.of(2), Buffer.alloc(0), Buffer.alloc(16, 7)]
const extensionValue = fc.oneof(
  { weight: 4, arbitrary: duration.map(sixBytes) },
  { weight: 4, arbitrary: time.map(sixBytes) },
  { weight: 1, arbitrary: fc.constantFrom(...SHORT_VALUES) },
  { weight: 1, arbitrary: jsonText.map(text => Buffer.from(text)) },
  { weight: 1, arbitrary: bytes(0, 20) }
)

const ATTRIBUTES = ['{"path":"/x"}', '{"sameSite":"Strict","secure":true}', '{"path":null}']
  .map(text => Buffer.from(text))

/** Of a type, and what it must hold. */
const goodExtension = fc.oneof(
  fc.tuple(fc.constantFrom(1, 2, 128), duration.map(sixBytes)),
  fc.tuple(fc.constant(6), time.map(sixBytes)),
  fc.tuple(fc.constant(3), fc.constantFrom(Buffer.of(0), Buffer.of(1))),
  fc.tuple(fc.constant(4), sessionData.map(data => Buffer.from(JSON.stringify(data)))),
  fc.tuple(fc.constant(4), fc.constantFrom(...ATTRIBUTES)),
  fc.tuple(fc.constant(5), fc.constantFrom(Buffer.alloc(0), Buffer.alloc(16, 7))),
  fc.tuple(fc.integer({ min: 7, max: 127 }), bytes(0, 20))
)

const extension = fc.oneof(
  { weight: 6, arbitrary: goodExtension },
  { weight: 1, arbitrary: fc.tuple(fc.oneof(fc.constantFrom(...TYPES), fc.nat(255)), extensionValue) }
)

const seldomOff = (by: number): fc.Arbitrary<number> => seldom(5, fc.constant(0), fc.integer({ min: -by, max: by }))

const extensions = fc.array(fc.tuple(extension, seldomOff(3)), { maxLength: 4 }).map(all => {
  return Buffer.concat(all.map(([[type, value], off]) => {
    const head = Buffer.of(type, 0, 0)
    head.writeUInt16BE(Math.max(0, value.length + off), 1)
    return Buffer.concat([head, value])
  }))
})

/** Long ones are cut over several cookies. */
const data = fc.oneof(
  { weight: 8, arbitrary: sessionData.map(data => Buffer.from(JSON.stringify(data))) },
  { weight: 4, arbitrary: jsonText.map(text => Buffer.from(text)) },
  { weight: 1, arbitrary: bytes(0, 40) },
  { weight: 2, arbitrary: fc.nat(9300).map(length => Buffer.from(JSON.stringify({ long: 'x'.repeat(length) }))) }
)

const padding = fc.nat(40).map(zeros => Buffer.concat([Buffer.of(0x80), Buffer.alloc(zeros)]))
const NONE = Buffer.alloc(0)
const NONE_SET = Buffer.of(0)

/** Of a session's plaintext, laid out as the format says, with a fault here and there. */
export const sessionPlaintext: fc.Arbitrary<Buffer> = fc.record({
  flags: seldom(6, fc.constantFrom(0, 0, 0, 0, 1, 1, 2, 3), fc.nat(255)),
  id: fc.oneof(fc.constant(Buffer.alloc(16, 9)), bytes(16, 16)),
  createdAt: time,
  renewedAt: time,
  extensions: seldom(60, fc.constant(NONE), extensions),
  extensionsOff: seldomOff(40),
  data,
  padding: seldom(8, padding, bytes(0, 3)),
  cut: seldom(3, fc.constant(Infinity), fc.nat(80))
}).map(({ flags, id, createdAt, renewedAt, extensions, extensionsOff, data, padding, cut }) => {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(Math.max(0, extensions.length + extensionsOff))
  const head = [Buffer.of(flags), id, sixBytes(createdAt), sixBytes(renewedAt), length]
  return Buffer.concat([...head, extensions, data, (flags & 1) === 1 ? padding : NONE]).subarray(0, cut)
})

const dataLength = fc.integer({ min: 6200, max: 9000 })

/** Of a good session whose token is cut over three cookies. */
export const longPlaintext: fc.Arbitrary<Buffer> = fc.tuple(dataLength, bytes(16, 16)).map(([length, id]) => {
  const head = [NONE_SET, id, sixBytes(NOW_MS - 1000), sixBytes(NOW_MS - 1000), Buffer.alloc(2)]
  return Buffer.concat([...head, Buffer.from(JSON.stringify({ long: 'x'.repeat(length) }))])
})

const stampId = seldom(25, fc.constant(Buffer.alloc(16, 9)), bytes(16, 16))
const goodStamp = fc.tuple(stampId, time, fc.oneof(fc.constant(0), time))
  .map(([id, renewedAt, checkedAt]) => Buffer.concat([id, sixBytes(renewedAt), sixBytes(checkedAt)]))

export const stampPlaintext: fc.Arbitrary<Buffer> = seldom(10, goodStamp, bytes(0, 40))

export interface Sealed {
  readonly token: string
  /** Sealed as what it is taken for. */
  readonly isOurs: boolean
}

interface How {
  readonly key: Buffer
  readonly cookieName: string
  readonly use: Use
  readonly version: number
  readonly parts: number
}

/** Over how many cookies a token of this plaintext is cut, as a rule. */
function partsFor (plaintext: Buffer, cookieName: string): number {
  const characters = Math.ceil((plaintext.length + 46) * 4 / 3)
  if (characters <= 4092 - cookieName.length) return 1
  return characters <= 2 * (4090 - cookieName.length) ? 2 : 3
}

/** A token of this name and use; one in ten has another key, name, use, version or number of parts. */
export function tokenOf (
  plaintext: fc.Arbitrary<Buffer>, cookieName = 'session', use: Use = 'cookie'
): fc.Arbitrary<Sealed> {
  const wrongly: fc.Arbitrary<Partial<How>> = fc.record({
    key: fc.constantFrom(...KEYS, STRANGE_KEY),
    cookieName: fc.constantFrom(cookieName, 'sessio', 'other', `${cookieName}.t`, `${cookieName}.1`),
    use: fc.constantFrom<Use>('cookie', 'stamp'),
    version: fc.constantFrom(1, 0, 2, 255),
    parts: fc.constantFrom(0, 1, 2, 3, 4)
  }, { requiredKeys: [] })
  const how = seldom(10, fc.constant({}), wrongly)
  return fc.tuple(plaintext, bytes(24, 24), fc.constantFrom(...KEYS), how).map(([plaintext, nonce, key, wrong]) => {
    const right: How = { key, cookieName, use, version: 1, parts: partsFor(plaintext, cookieName) }
    const how = { ...right, ...wrong }
    const isOurs = KEYS.includes(how.key) && isDeepStrictEqual({ ...how, key }, right)
    return { token: sealed(plaintext, { ...how, nonce }), isOurs }
  })
}
