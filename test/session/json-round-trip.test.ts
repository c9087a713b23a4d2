import t from 'tap'
import { Dice } from '../proofs/dice'
import { randomData } from './random-json'
import { visitorWith, type AnySession } from './written'

const nested = (depth: number): unknown => depth === 0 ? 'deep' : { inner: nested(depth - 1), list: [depth] }

/** Sessions of all kinds: such as are read member by member, and such as are not. */
const SESSIONS: Readonly<Record<string, Record<string, unknown>>> = {
  'plain text': { user: { id: 7, roles: ['a'] }, page: '/orders', count: 1.5, on: true, none: null },
  'text that is not ASCII': { user: { name: 'Zoë' }, city: 'Zürich', ключ: '😀', page: '/orders' },
  escapes: { user: { name: '"Ada"\n' }, path: 'C:\\', line: 'a\tb', 'quoted "key"': 1, control: '\u0000\u001f\u007f' },
  'lone surrogates': { user: { half: '\ud800' }, other: '\udc00' },
  'names of methods': { user: { toJSON: 'x' }, toJSON: 'y', constructor: { prototype: 1 }, get: 1, hasOwnProperty: 2, length: 3 },
  'a key named __proto__': JSON.parse('{"__proto__":{"polluted":true},"user":{"__proto__":{"x":1}}}'),
  'numbers as keys': { b: 1, 10: 'ten', user: { 2: 'b', 1: 'a' }, 9: 'nine', '01': 'text', '-1': 'text' },
  'many keys': Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`key${index}`, index % 3 === 0 ? { index } : `${index}`])),
  'deep nesting': { user: nested(40), page: '/orders' },
  'an empty key': { '': { '': '' }, page: '' },
  'a replacement character': { text: '\ufffd', user: {} },
  'a single object': { user: {} }
}

for (const [what, values] of Object.entries(SESSIONS)) {
  t.test(`a session with ${what} is read back unchanged, and reading it sets no cookie`, async t => {
    const { on, text } = await visitorWith(t, values)
    const expected = JSON.parse(JSON.stringify(values)) as Record<string, unknown>
    t.equal(text(), JSON.stringify(values))

    const keys = Object.keys(expected)
    t.match(await on(session => keys.every(key => session.has(key) && JSON.stringify(session.get(key)) === JSON.stringify(expected[key]))), { result: true, written: false })
    const { result, written } = await on(session => [JSON.stringify(session.data()), Object.keys(session), JSON.stringify(session), session.changed])
    t.strictSame(result, [JSON.stringify(expected), keys, JSON.stringify(expected), false])
    t.equal(written, false)
    for (const key of keys.slice(0, 5)) {
      t.match(await on(session => Object.is(session.get(key), session.get(key))), { result: true, written: false }, `${key}: the same one again`)
    }
  })

  t.test(`in a session with ${what}, setting one value leaves the others unchanged`, async t => {
    const { on, text } = await visitorWith(t, values)
    const first = Object.keys(values)[0] as string
    const steps: Array<[string, (session: AnySession) => void, Record<string, unknown>]> = [
      ['a new one', session => { session.set('zz', 'new') }, { zz: 'new' }],
      ['one that is there', session => { session.set('zz', 'newer') }, { zz: 'newer' }],
      ['the first', session => { session.set(first, ['x']) }, { [first]: ['x'] }],
      ['beside an object that was handed out', session => { session.data(); session.set('zz', 'newest') }, { zz: 'newest' }],
      ['a key that is a number', session => { session.set('3', 'three') }, { 3: 'three' }],
      ['one that is not ASCII', session => { session.set('zz', 'Zoë') }, { zz: 'Zoë' }]
    ]
    let expected = JSON.parse(text()) as Record<string, unknown>
    for (const [step, change, more] of steps) {
      t.match(await on(change), { written: true })
      expected = { ...expected, ...Object.fromEntries(Object.entries(more)) }
      t.equal(text(), JSON.stringify(expected), step)
    }
  })
}

t.test('a nested change is detected together with strings that were set, in the same object or in another', async t => {
  const { on, text } = await visitorWith(t, { cart: { items: [1] }, user: { id: 7 }, page: '/', locale: 'en' })
  await on(session => { session.get('cart').items.push(2); session.set('page', '/basket') })
  t.equal(text(), '{"cart":{"items":[1,2]},"user":{"id":7},"page":"/basket","locale":"en"}')
  await on(session => { session.set('locale', 'de'); session.get('user').id = 8; session.get('cart') })
  t.equal(text(), '{"cart":{"items":[1,2]},"user":{"id":8},"page":"/basket","locale":"de"}')
  await on(session => { session.set('cart', { items: [] }); session.get('cart').items.push(3) })
  t.equal(text(), '{"cart":{"items":[3]},"user":{"id":8},"page":"/basket","locale":"de"}')
  t.match(await on(session => { const { items } = session.get('cart'); items.push(4); items.pop() }), { written: false })
})

t.test('a value that is unset and set again in one request exists once', async t => {
  const { on, text } = await visitorWith(t, { a: 1, b: { n: 1 }, c: 'x' })
  t.match(await on(session => {
    session.unset('b')
    const gone = [session.has('b'), session.get('b'), Object.keys(session)]
    session.set('b', 'again')
    return [...gone, session.get('b'), Object.keys(session).sort()]
  }), { result: [false, undefined, ['a', 'c'], 'again', ['a', 'b', 'c']], written: true })
  t.strictSame(JSON.parse(text()), { a: 1, b: 'again', c: 'x' })
  await on(session => { session.set('new', 1); session.unset('new'); session.set('a', undefined); session.unset('c') })
  t.equal(text(), '{"b":"again"}')
  await on(session => { session.unset('b') })
  t.equal(text(), '{}')
  t.match(await on(session => { session.unset('b'); session.set('never', undefined); return session.data() }), { result: {}, written: false })
  await on(session => { session.set('x', 1) })
  t.equal(text(), '{"x":1}')
})

t.test('values with a toJSON are written as it returns, or omitted, and undefined is omitted', async t => {
  const { on, text } = await visitorWith(t, { a: 1, b: 2, c: 3 })
  await on(session => { session.set('a', null); session.set('b', new Date(0)); session.set('d', { at: new Date(1), n: -0, gone: undefined, list: [null] }) })
  t.equal(text(), '{"a":null,"b":"1970-01-01T00:00:00.000Z","c":3,"d":{"at":"1970-01-01T00:00:00.001Z","n":0,"list":[null]}}')
  await on(session => { session.set('c', { toJSON: () => undefined }); session.set('e', { toJSON: () => undefined }); session.set('f', 1) })
  t.equal(text(), '{"a":null,"b":"1970-01-01T00:00:00.000Z","d":{"at":"1970-01-01T00:00:00.001Z","n":0,"list":[null]},"f":1}')
  t.match(await on(session => [session.has('c'), session.has('e'), session.get('a')]), { result: [false, false, null], written: false })
})

t.test('keys that are numbers come first in every order of set, and reading them writes nothing', async t => {
  const { on, text } = await visitorWith(t, { b: 1, user: {} })
  t.match(await on(session => { session.set('2', {}); session.set('a', 1); session.set('1', {}); return Object.keys(session) }), { result: ['1', '2', 'b', 'user', 'a'] })
  t.equal(text(), '{"1":{},"2":{},"b":1,"user":{},"a":1}')
  t.match(await on(session => [session.get('2'), session.get('user'), session.data()].length), { written: false })
  await on(session => { session.unset('2'); session.unset('1') })
  t.equal(text(), '{"b":1,"user":{},"a":1}')
})

t.test('after random operations on random sessions, the next request finds the values of a plain object', async t => {
  const dice = new Dice(416)
  for (let round = 0; round < 40; round++) {
    let model = new Map<string, unknown>([['here', 1], ...Object.entries(randomData(dice))])
    const { on, text } = await visitorWith(t, Object.fromEntries(model))
    for (let request = 0; request < 4; request++) {
      const set = Object.entries({ ...randomData(dice), here: request, ...(dice.chance(0.2) ? { 5: 'five', é: 'ö' } : {}) })
      const unset = [...model.keys()].filter(() => dice.chance(0.1))
      const looked = dice.chance(0.3)
      const { result } = await on(session => {
        if (looked) session.data()
        for (const key of unset) session.unset(key)
        for (const [key, value] of set) session.set(key, value)
        return session.data()
      })
      for (const key of unset) model.delete(key)
      for (const [key, value] of set) model.set(key, value)

      const expected = JSON.stringify(Object.fromEntries(model))
      t.strictSame(JSON.parse(JSON.stringify(result)), JSON.parse(expected))
      t.strictSame(JSON.parse(text()), JSON.parse(expected))
      // A key that was unset and set again may keep its place.
      if (unset.length === 0) t.equal(text(), expected)
      model = new Map(Object.entries(JSON.parse(text())))
    }
  }
})
