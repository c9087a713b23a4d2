import { deserialize, serialize } from 'node:v8'
import t from 'tap'
import { addRoutes, appWith, KEY } from '../helpers/app'
import { Browser, setCookies } from '../helpers/browser'

const V8 = { serialize: (data: object) => serialize(data), deserialize: (bytes: Buffer) => deserialize(bytes) }

t.test('a custom serializer can write values that JSON cannot', async t => {
  const app = await appWith(t, { key: KEY, serializer: V8 })
  app.get('/set', async ({ session }) => { session.set('when', new Date(0)); session.set('tags', new Set(['a'])); return {} })
  app.get('/get', async ({ session }) => ({ when: session.get('when') instanceof Date, tags: [...session.get('tags')] }))
  const browser = new Browser(app)
  await browser.get('/set')
  const response = await browser.get('/get')
  t.strictSame(response.json(), { when: true, tags: ['a'] })
  t.strictSame(setCookies(response), [], 'and reading is no change')
})

t.test('a session of a custom serializer is refused as unsupported on a server without one', async t => {
  const writer = await appWith(t, { key: KEY, serializer: V8 })
  const reader = await appWith(t, { key: KEY })
  for (const app of [writer, reader]) addRoutes(app)
  const browser = new Browser(writer)
  await browser.get('/set/user/ada')
  t.strictSame((await reader.inject({ url: '/get', headers: { cookie: browser.header } })).json(), {})
  t.match(reader.lines.find(({ reason }) => reason !== undefined), { reason: 'unsupported' })
})

t.test('a JSON session opens after a serializer was configured, and is written by it at the next change', async t => {
  const before = await appWith(t, { key: KEY })
  const after = await appWith(t, { key: KEY, serializer: V8 })
  for (const app of [before, after]) addRoutes(app)
  before.get('/cart', async ({ session }) => { session.set('cart', { items: [] }); return {} })
  after.get('/push', async ({ session }) => { session.get('cart').items.push('book'); return {} })
  const old = new Browser(before)
  await old.get('/cart')
  const browser = new Browser(after)
  browser.cookies.set('session', old.cookies.get('session') as string)
  const read = await browser.get('/get')
  t.strictSame(read.json(), { cart: { items: [] } })
  t.strictSame(setCookies(read), [], 'a read alone does not move it')
  await browser.get('/push')
  t.strictSame(await browser.json('/get'), { cart: { items: ['book'] } })
  t.strictSame((await before.inject({ url: '/get', headers: { cookie: browser.header } })).json(), {})
})

t.test('a deserializer that throws or returns no object refuses the cookie', async t => {
  for (const result of [() => { throw new Error('no') }, () => null, () => 'text', () => [1], () => undefined]) {
    const app = await appWith(t, { key: KEY, serializer: { serialize: () => 'x', deserialize: result as () => never } })
    addRoutes(app)
    const browser = new Browser(app)
    await browser.get('/set/user/ada')
    t.strictSame(await browser.json('/get'), {})
    t.match(app.lines.find(({ reason }) => reason !== undefined), { reason: 'malformed' })
  }
})

t.test('a serializer may return text', async t => {
  const serializer = { serialize: (data: object) => `v1:${JSON.stringify(data)}`, deserialize: (bytes: Buffer) => JSON.parse(bytes.toString().slice(3)) }
  const app = await appWith(t, { key: KEY, serializer })
  addRoutes(app)
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  const response = await browser.get('/get')
  t.strictSame(response.json(), { user: 'ada' })
  t.strictSame(setCookies(response), [])
})

t.test('padTo hides the length of the session', async t => {
  const app = await appWith(t, { key: KEY, padTo: 256 })
  addRoutes(app)
  const lengths = new Set<number>()
  for (const value of ['a', 'somewhat-longer', 'x'.repeat(90)]) {
    const browser = new Browser(app)
    await browser.get(`/set/user/${value}`)
    t.strictSame(await browser.json('/get'), { user: value })
    lengths.add((browser.cookies.get('session') as string).length)
  }
  t.equal(lengths.size, 1)
})
