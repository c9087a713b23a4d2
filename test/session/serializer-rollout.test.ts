import t, { type Test } from 'tap'
import { createSealer } from '../../lib/sealer'
import { addRoutes, appWith, bareApp, KEY, type TestApp } from '../helpers/app'
import secureSession from '../../index'
import { Browser, setCookies } from '../helpers/browser'

/** Servers of one fleet while the serializer changes, and a browser that reaches each of them in turn. */

/** JSON backwards: JSON itself cannot read it. */
const TURNED = {
  serialize: (data: object) => [...JSON.stringify(data)].reverse().join(''),
  deserialize: (bytes: Buffer) => JSON.parse([...bytes.toString()].reverse().join(''))
}

const READER = { ...TURNED, writes: false }

interface Fleet {
  /** JSON alone. */
  readonly json: TestApp
  /** Opens what the serializer wrote, and writes JSON. */
  readonly reading: TestApp
  /** Writes by the serializer. */
  readonly writing: TestApp
}

async function fleet (t: Test): Promise<Fleet> {
  const [json, reading, writing] = await Promise.all([
    appWith(t, { key: KEY }),
    appWith(t, { key: KEY, serializer: READER }),
    appWith(t, { key: KEY, serializer: TURNED })
  ])
  for (const app of [json, reading, writing]) {
    addRoutes(app)
    app.get('/add/:item', async ({ session, params }) => {
      if (!session.has('cart')) session.set('cart', { items: [] })
      session.get('cart').items.push((params as { item: string }).item)
      return {}
    })
  }
  return { json, reading, writing }
}

/** The same browser, at another server. */
function at (app: TestApp, browser: Browser): Browser {
  return browser.copy(app)
}

t.test('if all servers have the new serializer as a reader first, each server opens what the others wrote', async t => {
  const { json, reading, writing } = await fleet(t)
  for (const pair of [[json, reading], [reading, writing]] as const) {
    let browser = new Browser(pair[0])
    const items: string[] = []
    for (const app of [...pair, ...pair]) {
      browser = at(app, browser)
      items.push(`item-${items.length}`)
      await browser.get(`/add/item-${items.length - 1}`)
      for (const reader of pair) t.strictSame(await at(reader, browser).json('/get'), { cart: { items } })
    }
  }
})

t.test('without the reader step, old servers refuse what the new ones write', async t => {
  const { json, writing } = await fleet(t)
  const browser = new Browser(writing)
  await browser.get('/set/user/ada')
  t.strictSame(await at(json, browser).json('/get'), {})
})

t.test('a server with writes: false does not rewrite a session only because the serializer wrote it', async t => {
  const { reading, writing } = await fleet(t)
  const browser = new Browser(writing)
  await browser.get('/add/book')
  const response = await at(reading, browser).get('/get')
  t.strictSame(response.json(), { cart: { items: ['book'] } })
  t.strictSame(setCookies(response), [])
})

t.test('back to JSON: a session that a reader has written opens on a server without the serializer', async t => {
  const { json, reading, writing } = await fleet(t)
  for (const path of ['/add/pen', '/set/user/ada', '/touch']) {
    const browser = new Browser(writing)
    await browser.get('/add/book')
    const moved = at(reading, browser)
    await moved.get(path)
    t.strictSame(await at(json, moved).json('/get'), await moved.json('/get'), path)
  }
})

t.test('tokens that are made outside a request or by a sealer follow writes: false, too', async t => {
  const { json, reading, writing } = await fleet(t)
  const tokens = [reading, writing].map(app => app.encodeSecureSession(app.createSecureSession({ user: 'ada' })))
  t.strictSame(tokens.map(token => json.decodeSecureSession(token)?.get('user')), ['ada', undefined])
  t.strictSame(tokens.map(token => reading.decodeSecureSession(token)?.get('user')), ['ada', 'ada'])

  const sealers = [undefined, READER, TURNED].map(serializer => createSealer({ key: KEY, serializer }))
  const opens = sealers.map(writer => sealers.map(reader => reader.open(writer.seal({ user: 'ada' })).ok))
  t.strictSame(opens, [[true, true, true], [true, true, true], [false, true, true]])
})

t.test('with writes: false, a value that JSON cannot write is refused', async t => {
  const { reading } = await fleet(t)
  reading.get('/big', async ({ session }) => { session.set('value', { deep: 1n }); return {} })
  t.match((await reading.inject('/big')).json(), { code: 'FST_SESSION_NOT_SERIALIZABLE' })
})

t.test('the option "serializer.writes" is checked at boot', async t => {
  for (const writes of ['no', null, 0]) {
    const app = bareApp(t)
    const serializer = { ...TURNED, writes: writes as never }
    await t.rejects(async () => await app.register(secureSession, { key: KEY, serializer }), {
      code: 'FST_SESSION_INVALID_OPTION', message: /serializer\.writes/
    })
  }
})
