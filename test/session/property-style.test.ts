import t, { type Test } from 'tap'
import { inspect } from 'node:util'
import { appWith } from '../helpers/app'
import { Browser, setCookies } from '../helpers/browser'

/** One request that fills a session, then one that uses it in property style. */
async function use (t: Test, run: (session: any) => unknown): Promise<{ result: any, written: boolean, next: any }> {
  const app = await appWith(t)
  app.get('/fill', async ({ session }: any) => { session.user = 'ada'; session.cart = { items: [1] }; return {} })
  app.get('/use', async ({ session }: any) => ({ result: run(session) }))
  app.get('/get', async ({ session }) => session.data())
  const browser = new Browser(app)
  await browser.get('/fill')
  const response = await browser.get('/use')
  t.equal(response.statusCode, 200, response.body)
  return { result: response.json().result, written: setCookies(response).length > 0, next: await browser.json('/get') }
}

t.test('reading a property is the same as get', async t => {
  const { result, written } = await use(t, session => [session.user, session.cart.items, session.nothing ?? null, session.constructor ?? null, session.then ?? null])
  t.strictSame(result, ['ada', [1], null, null, null])
  t.notOk(written)
})

t.test('assigning a property is the same as set', async t => {
  const { next, written } = await use(t, session => { session.user = 'grace'; session.fresh = 1 })
  t.strictSame(next, { user: 'grace', cart: { items: [1] }, fresh: 1 })
  t.ok(written)
})

t.test('deleting a property is the same as unset', async t => {
  const { next, result } = await use(t, session => { delete session.user; delete session.never; return 'user' in session })
  t.strictSame(next, { cart: { items: [1] } })
  t.equal(result, false)
})

t.test('the in operator finds the user\'s keys and the reserved names', async t => {
  const { result } = await use(t, session => ['user' in session, 'never' in session, 'get' in session, 'toString' in session, Symbol.iterator in session])
  t.strictSame(result, [true, false, true, false, false])
})

t.test('Object.keys, entries and spread list the user\'s values', async t => {
  const { result, written } = await use(t, session => [Object.keys(session), Object.entries(session), { ...session }, Object.hasOwn(session, 'user'), Object.hasOwn(session, 'get')])
  t.strictSame(result, [['user', 'cart'], [['user', 'ada'], ['cart', { items: [1] }]], { user: 'ada', cart: { items: [1] } }, true, false])
  t.notOk(written)
})

t.test('JSON.stringify of a session shows only its values, also those with reserved names', async t => {
  const { result } = await use(t, session => {
    session.set('data', 'mine')
    session.set('info', 'mine too')
    return JSON.parse(JSON.stringify({ session })).session
  })
  t.strictSame(result, { user: 'ada', cart: { items: [1] }, data: 'mine', info: 'mine too' })
})

t.test('toJSON is an ordinary key of a session', async t => {
  const { result } = await use(t, session => {
    session.set('toJSON', 'mine')
    return JSON.parse(JSON.stringify(session)).toJSON
  })
  t.equal(result, 'mine')
})

t.test('assigning or deleting a reserved name throws and changes nothing', async t => {
  const names = ['get', 'set', 'has', 'unset', 'data', 'touch', 'regenerate', 'delete', 'options', 'info', 'changed', 'deleted']
  const { result, written } = await use(t, session => names.map(name => {
    const codes = [() => { session[name] = 1 }, () => { delete session[name] }, () => Object.defineProperty(session, name, { value: 1 })].map(attempt => {
      try { attempt() } catch (error) { return (error as { code: string }).code }
      return 'no error'
    })
    return codes.every(code => code === 'FST_SESSION_RESERVED_NAME')
  }))
  t.strictSame(result, names.map(() => true))
  t.notOk(written)
})

t.test('Object.defineProperty with a value is the same as set', async t => {
  const { next } = await use(t, session => { Object.defineProperty(session, 'user', { value: 'grace' }) })
  t.match(next, { user: 'grace' })
})

t.test('a symbol cannot be a key of a session', async t => {
  const { result } = await use(t, session => {
    const symbol = Symbol('mine')
    const attempts = [() => { session[symbol] = 1 }, () => { delete session[symbol] }, () => Object.defineProperty(session, symbol, { value: 1 })]
    const refused = attempts.map(attempt => { try { attempt() } catch (error) { return error instanceof TypeError } return false })
    return [...refused, session[symbol] === undefined, Object.getOwnPropertyDescriptor(session, symbol) === undefined, Object.getOwnPropertySymbols(session).length]
  })
  t.strictSame(result, [true, true, true, true, true, 0])
})

t.test('a getter cannot be defined on a session, and its prototype cannot be changed', async t => {
  const { result, next } = await use(t, session => [
    Reflect.defineProperty(session, 'user', { get: () => 'x' }), Reflect.setPrototypeOf(session, Array.prototype), Object.getPrototypeOf(session) === Array.prototype
  ])
  t.strictSame(result, [false, false, false])
  t.match(next, { user: 'ada' })
})

t.test('a key in property style must be a string', async t => {
  const { result } = await use(t, session => [Symbol('x'), {}, undefined].map(key => {
    try { session.set(key, 1) } catch (error) { return (error as { code: string }).code }
    return 'no error'
  }))
  t.strictSame(result, Array(3).fill('FST_SESSION_INVALID_OPTION'))
})

t.test('a session cannot be frozen', async t => {
  const { result } = await use(t, session => {
    try { Object.freeze(session) } catch (error) { return error instanceof TypeError }
    return false
  })
  t.equal(result, true)
})

t.test('methods work after they were taken off a session', async t => {
  const { result, next } = await use(t, ({ get, set, has, unset, data }) => {
    set('user', 'grace')
    unset('cart')
    return [get('user'), has('cart'), data()]
  })
  t.strictSame(result, ['grace', false, { user: 'grace' }])
  t.strictSame(next, { user: 'grace' })
})

t.test('request.session cannot be replaced', async t => {
  const app = await appWith(t)
  app.get('/', async request => { (request as any).session = {}; return {} })
  t.equal((await app.inject('/')).statusCode, 500)
})

t.test('console.log shows the id and the keys of a session, and no value', async t => {
  const { result } = await use(t, session => [inspect(session), session.info.id])
  t.equal(result[0], `Session { id: '${result[1]}', keys: [ 'user', 'cart' ] }`)
})

t.test('a session in a text shows its class and no value', async t => {
  const app = await appWith(t)
  app.get('/', async ({ session }) => { session.set('toString', 'secret'); return { text: `${session}`, more: session + '', number: Number(session) } })
  t.strictSame((await app.inject('/')).json(), { text: '[object Session]', more: '[object Session]', number: null })
})
