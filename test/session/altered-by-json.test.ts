import { runInNewContext } from 'node:vm'
import t from 'tap'
import { NO_EXTENSIONS } from '../../lib/core/envelope'
import { jsonCodec } from '../../lib/session/codec'
import { countParts, sealingWith, sealSession } from '../../lib/session/sealing'
import { addRoutes, appWith, KEY, type TestApp } from '../helpers/app'
import { Browser, setCookies } from '../helpers/browser'
import { keysFor } from '../helpers/ring'

const LIMITS = { idleMs: 1000, absoluteMs: 1000, renewAfterMs: 1000 }

class Point { x = 1 }

/** What JSON would write as something else, and where it says that it is. */
const altered: ReadonlyArray<readonly [unknown, string]> = [
  [new Map([[1, 2]]), 'a Map'],
  [new Set([1]), 'a Set'],
  [/x/, 'a RegExp'],
  [new Error('x'), 'an Error'],
  [new Point(), 'a Point'],
  [new (class {})(), 'an object of a class without a name'],
  [Object.assign(Object.create({ inherited: 1 }), { own: 1 }), 'an object that inherits from another'],
  [new Uint8Array(2), 'a typed array'],
  [Promise.resolve(1), 'a promise'],
  [Number.NaN, 'NaN'],
  [Number.POSITIVE_INFINITY, 'Infinity'],
  [new Date(Number.NaN), 'an invalid Date'],
  [runInNewContext('new Date(NaN)'), 'an invalid Date of another realm'],
  [{ toJSON: () => Number.NaN }, 'a toJSON that returns NaN'],
  [{ toJSON: () => new Map([[1, 2]]) }, 'a toJSON that returns a Map'],
  [() => 1, 'a function'],
  [Symbol('x'), 'a symbol']
]

/** What JSON writes as it is, or says itself how it is written. */
const written: readonly unknown[] = [
  null, true, 0, -1.5, 'x', [], {}, [null, [1, { a: [] }]], { a: { b: undefined } }, Object.create(null), new Date(0),
  Buffer.from('x'), { toJSON: () => 'x' }, { toJSON: () => null }, { toJSON: () => ({ a: [null, 1] }) }, new URL('http://127.0.0.1/'), runInNewContext('({ a: [1, {}] })')
]

async function site (): Promise<{ app: TestApp, browser: Browser, put: (value: unknown) => void }> {
  const app = await appWith(t)
  let value: unknown
  addRoutes(app)
  app.get('/set', async ({ session }) => { session.set('mine', value); return {} })
  app.get('/push', async ({ session }) => { session.get('list').push(value); return {} })
  app.get('/list', async ({ session }) => { session.set('list', []); return {} })
  return { app, browser: new Browser(app), put (given) { value = given } }
}

const paths = ({ lines }: TestApp): unknown[] => lines.flatMap(({ err }) => err === undefined ? [] : [(err as { path: string }).path])

t.test('a value that JSON would write as something else is refused at any depth, with its path in the log', async t => {
  const { app, browser, put } = await site()
  await browser.get('/list')
  for (const [value, what] of altered) {
    for (const [url, given, path] of [
      ['/set', value, 'mine'],
      ['/set', [value], 'mine[0]'],
      ['/set', { a: ['x', { b: value }] }, 'mine.a[1].b'],
      ['/push', value, 'list[0]']
    ] as const) {
      app.lines.length = 0
      put(given)
      const response = await browser.get(url)
      t.match(response.json(), { statusCode: 500, code: 'FST_SESSION_NOT_SERIALIZABLE', message: 'the session cannot be written' }, what)
      t.strictSame(paths(app), [path], what)
      t.strictSame(setCookies(response), [])
    }
  }
  t.strictSame(await browser.json('/get'), { list: [] })
})

t.test('the log names the class of a value that JSON would write as something else', async t => {
  const { app, browser, put } = await site()
  const values = [[new Map(), 'Map'], [new Point(), 'Point'], [new (class {})(), 'a class'], [Object.create({ constructor: 1 }), 'a class']] as const
  for (const [value, name] of values) {
    app.lines.length = 0
    put(value)
    await browser.get('/set')
    const [error] = app.lines.flatMap(({ err }) => err === undefined ? [] : [err as { detail: string }])
    t.match(error?.detail, `"mine" is an instance of ${name}, which`)
  }
})

t.test('undefined and a hole in an array are refused, because JSON writes them as null', async t => {
  const { app, browser, put } = await site()
  const sparse = [1]
  sparse[2] = 2
  for (const value of [[1, undefined], sparse]) {
    put(value)
    t.match((await browser.get('/set')).json(), { code: 'FST_SESSION_NOT_SERIALIZABLE' })
  }
  t.strictSame(paths(app), ['mine[1]', 'mine[1]'])
})

t.test('a wrong value in the result of a toJSON is refused with its path, and the toJSON receives its key', async t => {
  const { app, browser, put } = await site()
  const keys: unknown[] = []
  const behind = (value: unknown): object => ({ toJSON (key: string) { keys.push(key); return value } })
  for (const given of [behind({ a: [new Set()] }), { b: behind([1, Symbol('x')]) }, [behind({ c: behind(new Map()) })]]) {
    put(given)
    t.match((await browser.get('/set')).json(), { code: 'FST_SESSION_NOT_SERIALIZABLE' })
  }
  t.strictSame(paths(app), ['mine.a[0]', 'mine.b[1]', 'mine[0].c'])
  t.strictSame([...new Set(keys)], ['mine', 'b', '0', 'c'])
})

t.test('values that JSON writes unchanged, and values with a toJSON, are accepted', async t => {
  const { browser, put } = await site()
  for (const value of written) {
    put(value)
    t.equal((await browser.get('/set')).statusCode, 200, JSON.stringify(value))
  }
})

t.test('with a custom serializer, the serializer decides which values it accepts', async t => {
  const serializer = { serialize: () => 'x', deserialize: () => ({}) }
  const app = await appWith(t, { key: KEY, serializer })
  for (const [value] of altered) t.doesNotThrow(() => { app.createSecureSession({ mine: [value] }) })
  app.get('/', async ({ session }) => { session.set('mine', new Map()); return {} })
  t.equal((await app.inject('/')).statusCode, 200)
})

function withFrames<T> (count: number, work: () => T): T {
  return count === 0 ? work() : withFrames(count - 1, work)
}

/** A session of this JSON, as another writer may have sealed it. */
function sealedElsewhere (data: string): string {
  const options = { cookieName: 'session', codec: jsonCodec, customCodec: null, limits: LIMITS, padTo: 0, maxCookies: 3, attributesBytes: 0, tokenCache: 0 }
  const nowMs = Date.now()
  const envelope = { id: Buffer.alloc(16), createdAtMs: nowMs, renewedAtMs: nowMs, extensions: NO_EXTENSIONS, customSerializer: false, data }
  const sealing = sealingWith(options, keysFor())
  return sealSession(envelope, sealing, countParts(envelope, sealing, 0, () => ({})), nowMs)
}

t.test('a session that is nested too deeply to be written again fails with an error that names the depth', async t => {
  const app = await appWith(t, { key: KEY, maxCookies: 3 })
  const session = app.decodeSecureSession(sealedElsewhere(`{"list":[${'['.repeat(4300)}${']'.repeat(4300)}]}`)) as any
  t.ok(Array.isArray(session.get('list')))
  session.set('other', 1)
  // Handlers run with part of the stack in use.
  t.throws(() => withFrames(3000, () => app.encodeSecureSession(session)), { code: 'FST_SESSION_NOT_SERIALIZABLE', path: 'list', detail: /nested too deeply/ })
})

t.test('a toJSON that throws only once still causes an error of the session', async t => {
  const app = await appWith(t)
  let isFirst = true
  const toJSON = (): string => { if (isFirst) { isFirst = false; throw new Error('once') } return 'x' }
  t.throws(() => app.encodeSecureSession(app.createSecureSession({ a: { toJSON } })), { code: 'FST_SESSION_NOT_SERIALIZABLE', path: null })
})
