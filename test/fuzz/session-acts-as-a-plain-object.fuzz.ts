import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import type { KeyRecord } from '../../lib/keyring/document'
import { revoked, rotated } from '../../lib/keyring/lifecycle'
import { appWith, type TestApp } from '../helpers/app'
import { Browser, parseLine, setCookies } from '../helpers/browser'
import { fakeTime } from '../helpers/clock'
import { keyNumber, MemoryStore } from '../helpers/keyrings'
import { property, testAll, withTeardown } from './properties'
import { opensUntilMs, sealsAt } from './ring'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const IDLE_MS = DAY_MS
const ABSOLUTE_MS = 5 * DAY_MS
const RENEW_AFTER_MS = IDLE_MS / 4
/** How much JSON three cookies carry for certain, and how much they do not. */
const FITS = 8000
const FITS_NOT = 9400

const time = fakeTime(t)

type Data = Record<string, unknown>

/** What a handler does to the session. */
type Act =
  | { readonly do: 'set', readonly key: string, readonly value: unknown }
  | { readonly do: 'fill', readonly characters: number }
  | { readonly do: 'push' | 'unset', readonly key: string }
  | { readonly do: 'regenerate', readonly keep: readonly string[] }
  | { readonly do: 'touch' | 'delete' }

/** What happens, one after the other. */
type Step =
  | { readonly step: 'request', readonly server: number, readonly acts: readonly Act[] }
  | { readonly step: 'wait', readonly ms: number }
  | { readonly step: 'rotate', readonly activateInMs: number }
  | { readonly step: 'revoke the active key' }
  | { readonly step: 'go back to earlier cookies', readonly at: number }

/** The session of a browser as the model has it. */
interface Modelled {
  readonly id: string
  readonly data: Data
  readonly createdAtMs: number
  readonly renewedAtMs: number
  readonly key: string
  readonly stamp: { readonly renewedAtMs: number, readonly key: string } | null
}

const key = fc.constantFrom('a', 'b', 'list', '__proto__', 'constructor', 'get', '0', '')
const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.string(), fc.constantFrom([], [1], { x: [] }))
  .map(value => JSON.parse(JSON.stringify(value)))
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('set' as const), key, value }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('push' as const, 'unset' as const), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('regenerate' as const), keep: fc.uniqueArray(key) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('touch' as const, 'delete' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fill' as const), characters: fc.nat(10_000) }) }
)
const waited = fc.oneof(
  fc.nat(2 * DAY_MS),
  fc.tuple(fc.constantFrom(IDLE_MS, RENEW_AFTER_MS), fc.integer({ min: -2, max: 2 })).map(([ms, more]) => ms + more)
)
const acts = fc.array(act, { maxLength: 4 })
const activateInMs = fc.constantFrom(0, 2 * HOUR_MS)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ step: fc.constant('request' as const), server: fc.nat(1), acts }) },
  { weight: 4, arbitrary: fc.record({ step: fc.constant('wait' as const), ms: waited }) },
  { weight: 1, arbitrary: fc.record({ step: fc.constant('rotate' as const), activateInMs }) },
  { weight: 1, arbitrary: fc.constant({ step: 'revoke the active key' as const }) },
  { weight: 1, arbitrary: fc.record({ step: fc.constant('go back to earlier cookies' as const), at: fc.nat() }) }
)

const steps = fc.array(step, { minLength: 1, maxLength: 20 })

/** Does it to a session of the library. */
function actOn (session: any, act: Act): void {
  switch (act.do) {
    case 'set': session.set(act.key, act.value); break
    case 'fill': session.set('long', 'x'.repeat(act.characters)); break
    case 'push': if (Array.isArray(session.get(act.key))) session.get(act.key).push(0); break
    case 'unset': session.unset(act.key); break
    case 'regenerate': session.regenerate(act.keep); break
    case 'touch': session.touch(); break
    case 'delete': session.delete(); break
  }
}

/** What the acts of one request make of a session. */
class ModelledRequest {
  data: Data
  isNew: boolean
  isDeleted = false
  /** Written for certain, whatever the data is in the end. */
  mustWrite = false
  readonly #before: Data

  constructor (session: Modelled | null) {
    this.data = structuredOf(session?.data ?? {})
    this.#before = structuredOf(this.data)
    this.isNew = session === null
  }

  get isChanged (): boolean {
    return this.mustWrite || this.isDeleted || !isDeepStrictEqual(this.data, this.#before)
  }

  act (act: Act): void {
    switch (act.do) {
      case 'set': this.#set(act.key, act.value); break
      case 'fill': this.#set('long', 'x'.repeat(act.characters)); break
      case 'push': {
        const list = own(this.data, act.key)
        if (Array.isArray(list)) list.push(0)
        break
      }
      case 'unset': delete this.data[act.key]; break
      case 'touch': if (!this.isDeleted) this.mustWrite = true; break
      case 'delete':
        this.data = {}
        this.isDeleted = true
        break
      case 'regenerate':
        if (this.isDeleted) break
        this.data = Object.fromEntries(Object.entries(this.data).filter(([key]) => act.keep.includes(key)))
        this.isNew = this.mustWrite = true
    }
  }

  #set (key: string, value: unknown): void {
    // It starts another session.
    if (this.isDeleted) this.isNew = this.mustWrite = true
    this.isDeleted = false
    const member = { value: structuredOf(value), enumerable: true, writable: true, configurable: true }
    Object.defineProperty(this.data, key, member)
  }
}

function structuredOf<T> (value: T): T {
  return JSON.parse(JSON.stringify(value))
}

function own (data: Data, key: string): unknown {
  return Object.hasOwn(data, key) ? data[key] : undefined
}

interface Answered {
  readonly found: Modelled | null
  readonly request: ModelledRequest
  readonly id: string
  readonly createdAt: number
  readonly changed: boolean
  /** Of the data. */
  readonly bytes: number
  /** The names of the cookies that were set or cleared. */
  readonly written: readonly string[]
}

/** Two servers on one ring, a browser, and the model of what it has. */
class World {
  readonly #store = new MemoryStore([keyNumber(1, time.nowMs)])
  readonly #apps: TestApp[] = []
  #browser!: Browser
  #modelled: Modelled | null = null
  readonly #earlier: Array<{ readonly cookies: ReadonlyMap<string, string>, readonly modelled: Modelled | null }> = []

  async start (t: Parameters<typeof appWith>[0]): Promise<void> {
    for (let index = 0; index < 2; index++) {
      const app = await appWith(t, {
        keyring: this.#store, reloadEvery: '1h', idle: IDLE_MS / 1000, absolute: ABSOLUTE_MS / 1000, maxCookies: 3
      }, { onProtoPoisoning: 'ignore', onConstructorPoisoning: 'ignore' })
      app.post('/', async ({ session, body }) => {
        for (const act of body as Act[]) actOn(session, act)
        const { info: { id, createdAt, isNew }, changed, deleted } = session
        return JSON.stringify({ data: session.data(), id, createdAt, isNew, changed, deleted })
      })
      this.#apps.push(app)
    }
    this.#browser = new Browser(this.#apps[0] as TestApp)
  }

  async take (step: Step): Promise<void> {
    switch (step.step) {
      case 'request': return await this.#request(this.#apps[step.server] as TestApp, step.acts)
      case 'wait': return await time.pass(step.ms)
      case 'rotate': return await this.#changeRing(keys => rotated(keys, time.nowMs, { ...step, keepForMs: DAY_MS }))
      case 'revoke the active key': return await this.#changeRing(keys => {
        return revoked(keys, sealsAt(keys, time.nowMs).id, time.nowMs, DAY_MS) ?? [...keys]
      })
      case 'go back to earlier cookies': return this.#goBack(step.at)
    }
  }

  async #changeRing (change: (keys: readonly KeyRecord[]) => KeyRecord[]): Promise<void> {
    this.#store.keys = change(this.#store.keys)
    await time.pass(HOUR_MS)
  }

  #goBack (at: number): void {
    const earlier = this.#earlier[at % this.#earlier.length]
    if (earlier === undefined) return
    this.#modelled = earlier.modelled
    this.#browser.cookies.clear()
    for (const [name, value] of earlier.cookies) this.#browser.cookies.set(name, value)
  }

  async #request (app: TestApp, acts: readonly Act[]): Promise<void> {
    this.#earlier.push({ cookies: new Map(this.#browser.cookies), modelled: this.#modelled })
    const found = this.#found()
    const request = new ModelledRequest(found)
    for (const act of acts) request.act(act)

    const cookie = this.#browser.header
    const headers = cookie === '' ? {} : { cookie }
    const response = await app.inject({ method: 'POST', url: '/', payload: acts as Act[], headers })
    const written = setCookies(response).map(line => parseLine(line).name)
    for (const line of setCookies(response)) this.#browser.keep(line)
    const bytes = Buffer.byteLength(JSON.stringify(request.data))
    if (response.statusCode !== 200) {
      assert.equal(response.json().code, 'FST_SESSION_TOO_LARGE', response.body)
      assert.ok(bytes > FITS)
      assert.deepEqual(written, [], 'the cookie from before stays as it is')
      return
    }
    const { data, id, createdAt, isNew, changed, deleted } = response.json()
    const { isDeleted } = request
    assert.deepEqual(data, request.data)
    assert.equal(deleted, isDeleted)
    if (!isDeleted) {
      assert.equal(isNew, request.isNew)
      if (isNew) assert.notEqual(id, found?.id)
      else assert.deepEqual([id, createdAt], [found?.id, found?.createdAtMs])
    }
    // What was changed and changed back may be written or not.
    if (request.isChanged) assert.ok(changed, 'it would be lost')
    if (acts.length === 0) assert.ok(!changed)
    assert.equal(written.includes('session'), changed)
    this.#answered({ found, request, id, createdAt, changed, bytes, written })
  }

  /** What the browser's cookies hold by now. */
  #answered ({ found, request, id, createdAt, changed, bytes, written }: Answered): void {
    const sealing = sealsAt(this.#store.keys, time.nowMs).id
    if (request.isDeleted) {
      this.#modelled = null
      assert.equal(this.#browser.header, '')
    } else if (changed) {
      assert.ok(bytes < FITS_NOT)
      const stamp = request.isNew ? null : this.#modelled?.stamp ?? null
      const createdAtMs = request.isNew ? time.nowMs : createdAt
      const data = structuredOf(request.data)
      this.#modelled = { id, data, createdAtMs, renewedAtMs: time.nowMs, key: sealing, stamp }
    } else {
      const isRenewed = found !== null && time.nowMs - this.#renewedAtMs(found) >= RENEW_AFTER_MS
      assert.deepEqual(written, isRenewed ? ['session.t'] : [], 'a read renews where it is due, and no more')
      if (isRenewed) this.#modelled = { ...found, stamp: { renewedAtMs: time.nowMs, key: sealing } }
    }
  }

  /** The session that a server finds now. */
  #found (): Modelled | null {
    const session = this.#modelled
    if (session === null || !this.#opens(session.key)) return null
    const isTooOld = time.nowMs - session.createdAtMs >= ABSOLUTE_MS
    return isTooOld || time.nowMs - this.#renewedAtMs(session) >= IDLE_MS ? null : session
  }

  #renewedAtMs ({ renewedAtMs, stamp }: Modelled): number {
    return stamp !== null && this.#opens(stamp.key) ? Math.max(renewedAtMs, stamp.renewedAtMs) : renewedAtMs
  }

  #opens (key: string): boolean {
    return time.nowMs < opensUntilMs(this.#store.keys, key)
  }
}

testAll(
  property('a session holds what a plain object would, while requests, keys and time go on', steps, 60, async steps => {
    await withTeardown(async t => {
      const world = new World()
      await world.start(t)
      for (const step of steps) await world.take(step)
    })
  })
)
