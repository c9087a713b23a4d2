import t, { type Test } from 'tap'
import { appWith, KEY } from '../helpers/app'
import { Browser, setCookies } from '../helpers/browser'

async function appWithCart (t: Test, options: object = {}): Promise<{ browser: Browser, on: (run: (session: any) => unknown) => Promise<{ result: any, written: boolean }> }> {
  const app = await appWith(t, { key: KEY, ...options })
  let run: (session: any) => unknown = () => undefined
  app.get('/', async ({ session }) => ({ result: run(session) ?? null }))
  const browser = new Browser(app)
  const on = async (next: typeof run): Promise<{ result: any, written: boolean }> => {
    run = next
    const response = await browser.get('/')
    t.equal(response.statusCode, 200, response.body)
    return { result: response.json().result, written: setCookies(response).length > 0 }
  }
  await on(session => { session.set('cart', { items: [], total: 0 }); session.set('user', 'ada'); session.set('list', [3, 1, 2]); session.set('none', null) })
  return { browser, on }
}

t.test('a change inside an object that get returned is written', async t => {
  const { on } = await appWithCart(t)
  t.match(await on(session => { session.get('cart').items.push('book'); return session.changed }), { result: true, written: true })
  t.match(await on(session => session.get('cart')), { result: { items: ['book'] }, written: false })
})

t.test('a change inside an object from data, a property, a descriptor or JSON.stringify is written', async t => {
  const { on } = await appWithCart(t)
  t.match(await on(session => { session.data().cart.total = 1 }), { written: true })
  t.match(await on(session => { session.cart.total = 2 }), { written: true })
  t.match(await on(session => { Object.values<any>(session)[0].total = 3 }), { written: true })
  t.match(await on(session => { (Object.getOwnPropertyDescriptor(session, 'cart') as any).value.total = 4 }), { written: true })
  t.match(await on(session => { session.list.sort() }), { written: true })
  t.match(await on(session => [session.cart.total, session.list]), { result: [4, [1, 2, 3]], written: false })
})

t.test('reading objects writes nothing', async t => {
  const { on } = await appWithCart(t)
  t.match(await on(session => [session.get('cart'), session.data(), session.changed, JSON.stringify(session)].length), { result: 4, written: false })
})

t.test('a change that was undone is no change', async t => {
  const { on } = await appWithCart(t)
  t.match(await on(session => { const { items } = session.cart; items.push(1); items.pop(); return session.changed }), { result: false, written: false })
})

t.test('a value that changes inside after it was set is written in its last state', async t => {
  const { on } = await appWithCart(t)
  await on(session => { const fresh = { n: 1 }; session.set('fresh', fresh); fresh.n = 2 })
  t.match(await on(session => session.get('fresh')), { result: { n: 2 } })
})

t.test('dates and other values with toJSON are compared by what they were written as', async t => {
  const { on } = await appWithCart(t)
  await on(session => { session.set('when', { at: new Date(0) }) })
  t.match(await on(session => session.get('when')), { result: { at: '1970-01-01T00:00:00.000Z' }, written: false })
})

t.test('reading primitives costs no serialization', async t => {
  const { on } = await appWithCart(t)
  const { stringify } = JSON
  let calls = 0
  JSON.stringify = (...args: any[]) => {
    if (args[0]?.total !== undefined || args[0]?.cart !== undefined) calls++
    return stringify(...args as [any])
  }
  t.teardown(() => { JSON.stringify = stringify })
  t.match(await on(session => [session.get('user'), session.get('none'), session.has('cart'), session.info.id].length), { result: 4, written: false })
  t.equal(calls, 0)
  await on(session => session.get('cart').total)
  t.equal(calls, 1, 'and an object one, to compare')
})

t.test('with a custom serializer, a change inside an object is detected as well', async t => {
  const serializer = {
    serialize: (data: object) => Buffer.from(JSON.stringify(data)).reverse(),
    deserialize: (bytes: Buffer) => JSON.parse(bytes.reverse().toString())
  }
  const { on } = await appWithCart(t, { serializer })
  t.match(await on(session => session.get('cart')), { written: false })
  t.match(await on(session => { session.get('cart').items.push('book') }), { written: true })
  t.match(await on(session => session.get('cart')), { result: { items: ['book'] }, written: false })
})
