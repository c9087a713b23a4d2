import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { parseKeyring, writeKeyring, type KeyRecord } from '../../lib/keyring/document'
import { keyThatSeals, pruned, revoked, ringOf, rotated, rotatedBySchedule } from '../../lib/keyring/lifecycle'
import { addRoutes, appWith } from '../helpers/app'
import { Browser } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'
import { MemoryStore } from '../helpers/keyrings'
import { keyIdOf } from './format'
import { anyText, bytes, withEdits } from './inputs'
import { property, testAll, withTeardown } from './properties'
import { inOrder, opensUntilMs, sealsAt } from './ring'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const START_MS = Date.UTC(2026, 0, 1)
const CODE = 'FST_SESSION_INVALID_KEYRING'
const NAMES = ['id', 'key', 'createdAt', 'activatesAt', 'expiresAt', 'revokedAt']

fakeClock(t, START_MS)

/** What messages say themselves. */
const SAID = [...NAMES, '2026-01-31T12:00:00.000Z'].join(' ')

/** Of which no eight characters may show in a message. */
function secretsIn (text: string): string[] {
  return text.match(/[\w+/=-]{20,}/g) ?? []
}

function showsNothingOf (message: string, text: string): void {
  for (const secret of secretsIn(text)) {
    for (let at = 0; at + 8 <= secret.length; at++) {
      const shown = secret.slice(at, at + 8)
      assert.ok(!message.includes(shown) || SAID.includes(shown), `it shows ${shown}`)
    }
  }
}

type Json = Record<string, unknown>

/** The keys of a document that is as docs/keys.md says, else null. */
function keysOf (text: string): Json[] | null {
  let document: Json
  try {
    document = JSON.parse(text.startsWith('\ufeff') ? text.slice(1) : text)
  } catch {
    return null
  }
  if (text.length > 2 ** 20 || !hasOnly(document, ['version', 'keys']) || document['version'] !== 1) return null
  if (!Array.isArray(document['keys'])) return null
  const keys: Json[] = document['keys']
  const ids = new Set(keys.map(key => key?.['id']))
  const isGood = keys.every(key => isKey(key)) && ids.size === keys.length
  return isGood && keys.some(({ revokedAt }) => revokedAt == null) ? keys : null
}

function hasOnly (value: unknown, names: readonly string[]): value is Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.keys(value).every(name => names.includes(name))
}

function isKey (record: unknown): boolean {
  if (!hasOnly(record, NAMES)) return false
  const { id, key, createdAt, activatesAt, expiresAt, revokedAt } = record
  if (typeof key !== 'string') return false
  const material = Buffer.from(key, 'base64url')
  const isMaterial = material.length === 32 && material.toString('base64url') === key
  if (!isMaterial || keyIdOf(material).toString('hex') !== id) return false
  return [createdAt, activatesAt].every(isTime) && [expiresAt, revokedAt].every(value => value == null || isTime(value))
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$/
type Six = [number, number, number, number, number, number]

function isTime (value: unknown): boolean {
  if (typeof value !== 'string' || !TIME.test(value)) return false
  const [year, month, day, hour, minute, second] = value.match(/\d\d(\d\d(?=-))?/g)?.map(Number) as Six
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  const days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0
  return day >= 1 && day <= days && hour < 24 && minute < 60 && second < 60
}

/** A ring is read where it is as documented; else the error has its code and shows nothing of it. */
function isReadOrRefused (text: string): string | null {
  const expected = keysOf(text)
  let records: KeyRecord[]
  try {
    records = parseKeyring(text)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    assert.equal(code, CODE, String(error))
    assert.equal(expected, null, `a good ring is refused: ${message}`)
    assert.ok(!/[\r\n]/.test(message))
    showsNothingOf(message, text)
    return message
  }
  assert.ok(expected !== null, 'a bad ring is taken')
  const time = (value: unknown): number | null => value == null ? null : Date.parse(String(value))
  assert.deepEqual(records, expected.map(({ id, key, createdAt, activatesAt, expiresAt, revokedAt }) => ({
    id,
    material: Buffer.from(String(key), 'base64url'),
    createdAtMs: time(createdAt),
    activatesAtMs: time(activatesAt),
    expiresAtMs: time(expiresAt),
    revokedAtMs: time(revokedAt)
  })))
  assert.deepEqual(parseKeyring(writeKeyring(records)), records, 'it does not read back as it is written')
  return null
}

const ms = fc.integer({ min: -400, max: 400 }).map(days => START_MS + days * DAY_MS)
const isoTime = ms.map(ms => new Date(ms).toISOString())
const goodKey = fc.record({
  material: bytes(32, 32),
  createdAt: isoTime,
  activatesAt: isoTime,
  expiresAt: fc.option(isoTime),
  revokedAt: fc.option(isoTime, { freq: 3 })
}).map(({ material, ...times }) => {
  return { id: keyIdOf(material).toString('hex'), key: material.toString('base64url'), ...times }
})
const goodKeys = fc.uniqueArray(goodKey, { minLength: 1, maxLength: 4, selector: ({ id }) => id })
  .filter(keys => keys.some(({ revokedAt }) => revokedAt === null))
const goodText = fc.tuple(goodKeys, fc.constantFrom(undefined, 2, '\t'), fc.constantFrom('', '\ufeff'))
  .map(([keys, space, mark]) => mark + JSON.stringify({ version: 1, keys }, null, space))
const anyJson = fc.oneof(fc.json(), fc.json().map(text => `{"version":1,"keys":[${text}]}`), anyText)

const otherValue = fc.oneof(
  fc.jsonValue(), anyText, isoTime, isoTime.map(text => text.replace('.000Z', 'Z')), withEdits(isoTime),
  bytes(31, 33).map(material => material.toString('base64url')),
  fc.tuple(fc.integer({ min: 0, max: 2030 }), fc.nat(13), fc.nat(32), fc.nat(24), fc.nat(60))
    .map(([year, month, day, hour, minute]) => {
      return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:59Z`
    })
)

function two (number: number): string {
  return String(number).padStart(2, '0')
}

/** A good ring with one member of one key altered. */
const alteredKey = fc.tuple(goodKeys, fc.nat(), fc.oneof(fc.constantFrom(...NAMES), fc.string()), otherValue)
  .map(([keys, at, name, value]) => {
    const index = at % keys.length
    const altered = keys.map((key, each) => each === index ? { ...key, [name]: value } : key)
    return { text: JSON.stringify({ version: 1, keys: altered }), index, name }
  })
const anyRing = fc.oneof(goodText, withEdits(goodText), alteredKey.map(({ text }) => text))

/** What is done to a ring: by hand, or by the servers. */
type Act =
  | { readonly do: 'rotate' | 'rotate by schedule', readonly activateInMs: number, readonly keepForMs: number }
  | { readonly do: 'revoke', readonly at: number, readonly keepForMs: number }
  | { readonly do: 'prune', readonly alsoRevoked: boolean }
  | { readonly do: 'wait', readonly ms: number }

const activateInMs = fc.oneof(fc.constantFrom(0, 60 * MINUTE_MS), fc.nat(30 * DAY_MS))
const keepForMs = fc.oneof(fc.constant(90 * DAY_MS), fc.integer({ min: 1, max: 120 * DAY_MS }))
const waited = fc.oneof(fc.integer({ min: -9 * MINUTE_MS, max: 120 * MINUTE_MS }), fc.nat(100 * DAY_MS))
const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ do: fc.constantFrom('rotate' as const, 'rotate by schedule' as const), activateInMs, keepForMs }),
  fc.record({ do: fc.constant('revoke' as const), at: fc.nat(9), keepForMs }),
  fc.record({ do: fc.constant('prune' as const), alsoRevoked: fc.boolean() }),
  fc.record({ do: fc.constant('wait' as const), ms: waited })
)
const material = bytes(32, 32)
const materials = fc.uniqueArray(material, { minLength: 1, maxLength: 3, selector: bytes => bytes.toString('hex') })
const history = fc.tuple(materials, fc.array(act, { minLength: 1, maxLength: 12 }))

function doIt (act: Act, keys: readonly KeyRecord[], nowMs: number): KeyRecord[] {
  switch (act.do) {
    case 'rotate': return rotated(keys, nowMs, act)
    case 'rotate by schedule': return rotatedBySchedule(keys, { everyMs: 30 * DAY_MS, ...act }, nowMs)
    case 'revoke': return revoked(keys, keys[act.at % keys.length]?.id as string, nowMs, act.keepForMs) ?? [...keys]
    case 'prune': return pruned(keys, nowMs, act.alsoRevoked)
    case 'wait': return [...keys]
  }
}

/** What holds for every change of a ring at this time. */
function isSound (act: Act, before: readonly KeyRecord[], after: readonly KeyRecord[], nowMs: number): void {
  assert.deepEqual(parseKeyring(writeKeyring(after)), after, 'it is a good ring, and reads back as it is written')
  for (const atMs of [nowMs - DAY_MS, nowMs, nowMs + DAY_MS, nowMs + 365 * DAY_MS]) {
    assert.equal(keyThatSeals(after, atMs).id, sealsAt(after, atMs).id, 'it seals as documented')
    assert.ok(opensUntilMs(after, sealsAt(after, atMs).id) > atMs, 'what seals opens')
  }
  const isRetirement = 'activateInMs' in act
  const target = act.do === 'revoke' ? before[act.at % before.length]?.id : undefined
  for (const { id, revokedAtMs } of before) {
    const untilMs = opensUntilMs(before, id)
    const kept = after.find(key => key.id === id)
    if (revokedAtMs !== null && kept !== undefined) assert.equal(kept.revokedAtMs, revokedAtMs)
    if (id === target || revokedAtMs !== null) assert.equal(opensUntilMs(after, id), -Infinity, 'revoked')
    else if (untilMs <= nowMs) assert.ok(opensUntilMs(after, id) <= nowMs, 'an expired key stays so')
    else if (!isRetirement || untilMs < Infinity) assert.ok(opensUntilMs(after, id) >= untilMs, 'it opens for so long')
    else assert.ok(opensUntilMs(after, id) > nowMs, 'it still opens')
    const mayGo = untilMs <= nowMs && (revokedAtMs === null || (act.do === 'prune' && act.alsoRevoked))
    assert.ok(mayGo || kept !== undefined, 'no other key is taken out')
  }
  const isSealing = target === sealsAt(before, nowMs).id
  if (!isSealing && !isRetirement) assert.equal(sealsAt(after, nowMs).id, sealsAt(before, nowMs).id)
  const next = before.find(({ id }) => id === sealsAt(after, nowMs).id)
  if (isSealing) assert.ok(next === undefined || next.activatesAtMs > nowMs, 'no retired key seals again')
  const needsKey = isRetirement || (isSealing && inOrder(before).at(-1)?.id === target)
  assert.equal(addedTo(before, after).length, needsKey ? 1 : 0)
  if (isRetirement) isRotation(act, before, after, nowMs)
}

function addedTo (before: readonly KeyRecord[], after: readonly KeyRecord[]): KeyRecord[] {
  return after.filter(({ id }) => !before.some(key => key.id === id))
}

type RotationPlan = Pick<Extract<Act, { keepForMs: number, activateInMs: number }>, 'activateInMs' | 'keepForMs'>

type Keys = readonly KeyRecord[]

function isRotation (plan: RotationPlan, before: Keys, after: Keys, nowMs: number): void {
  const { activateInMs, keepForMs } = plan
  const key = addedTo(before, after)[0] as KeyRecord
  assert.ok(key.activatesAtMs >= nowMs + activateInMs)
  const former = sealsAt(before, nowMs)
  if (key.activatesAtMs > nowMs) assert.equal(sealsAt(after, nowMs).id, former.id, 'it does not seal before its time')
  const next = inOrder(after).find(({ activatesAtMs }) => activatesAtMs > former.activatesAtMs) as KeyRecord
  assert.ok(opensUntilMs(after, former.id) >= next.activatesAtMs + keepForMs, 'the former key opens for so long')
}

testAll(
  property('any JSON is a good ring, or is refused with a code and nothing of it is shown', anyJson, 500, text => {
    isReadOrRefused(text)
  }),

  property('a good ring is read', goodText, 300, text => {
    assert.equal(isReadOrRefused(text), null)
  }),

  property('an edited ring is read where it is still good, and else refused', withEdits(goodText), 500, text => {
    isReadOrRefused(text)
  }),

  property('a refusal names the key and the member that is wrong, and not its value', alteredKey, 800, altered => {
    const { text, index, name } = altered
    const message = isReadOrRefused(text)
    if (message === null) return
    // If all keys are revoked, or two have one id, no member is wrong by itself.
    if (!message.includes('keys[')) return assert.ok(name === 'revokedAt' || name === 'key', message)
    const places = [name, ...name === 'key' ? ['id'] : []].map(each => `keys[${index}].${each} `)
    const named = NAMES.includes(name) ? places : [`keys[${index}] `]
    assert.ok(named.some(place => message.includes(place)), message)
  }),

  property('a server boots with a good ring, and with no other', anyRing, 40, async text => {
    const store = new MemoryStore(null)
    store.text = text
    await withTeardown(async t => {
      try {
        const app = await appWith(t, { keyring: store })
        addRoutes(app)
        const browser = new Browser(app)
        await browser.get('/set/a/b')
        assert.deepEqual(await browser.json('/get'), { a: 'b' })
        assert.ok(keysOf(text) !== null)
        showsNothingOf(JSON.stringify(app.lines), text)
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException
        assert.equal(code, CODE, String(error))
        assert.equal(keysOf(text), null)
        showsNothingOf(message, text)
      }
    })
  }),

  property('after any changes of a ring, one key seals and others open for as long as said', history, 300, input => {
    const [materials, acts] = input
    let nowMs = START_MS
    let keys = ringOf(materials, nowMs, 90 * DAY_MS)
    for (const act of acts) {
      if (act.do === 'wait') nowMs += act.ms
      const before = keys
      keys = doIt(act, before, nowMs)
      isSound(act, before, keys, nowMs)
    }
  })
)
