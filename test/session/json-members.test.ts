import t from 'tap'
import { JsonData } from '../../lib/session/json-data'

function dataIn (text: string): JsonData {
  const bytes = Buffer.from(`tag${text}tag`)
  return JsonData.in(bytes, 3, bytes.length - 3) as JsonData
}

const TEXT = '{"ab":1,"a":"x","abc":{"n":[1]},"":null,"b":false}'

t.test('a key is found by all of its name', async t => {
  const data = dataIn(TEXT)
  t.strictSame(data.keys(), ['ab', 'a', 'abc', '', 'b'])
  t.strictSame(data.keys().map(key => data.get(key)), [1, 'x', { n: [1] }, null, false])
  for (const key of ['abcd', 'x', 'c', ' a', 'a ', '"', 'ab"', 'é', 'a\u0100', 'n', 'toString', '__proto__', 'constructor']) {
    t.equal(data.has(key), false, key)
    t.equal(data.get(key), undefined, key)
  }
})

t.test('the data as a whole, and its source, are what was written', async t => {
  const data = dataIn(TEXT)
  t.equal(data.source, TEXT)
  t.strictSame(data.data, JSON.parse(TEXT))
  t.not(data.data, data.data, 'read anew each time')
  t.not(data.get('abc'), data.get('abc'))
})

t.test('nothing in an empty one', async t => {
  const data = dataIn('{}')
  t.strictSame([data.keys(), data.has(''), data.get('')], [[], false, undefined])
  t.equal(data.with(new Map()), '{}')
  t.equal(data.with(new Map([['a', 1]])), '{"a":1}')
  t.equal(data.with(new Map<string, unknown>([['a', 1], ['é', 'ö'], ['"', '\n']])), JSON.stringify({ a: 1, é: 'ö', '"': '\n' }))
})

t.test('every choice of values, in every order, is written as JSON.stringify writes the whole', async t => {
  const keys = ['ab', 'a', 'abc', '', 'b', 'new', 'newer']
  for (let choice = 0; choice < 2 ** keys.length; choice++) {
    const chosen = keys.filter((_, index) => (choice >> index & 1) === 1)
    for (const order of [chosen, [...chosen].reverse()]) {
      const values = new Map<string, unknown>(order.map((key, index) => [key, [{ index }, 'long text "quoted"', '', 7][index % 4]]))
      const expected = { ...JSON.parse(TEXT), ...Object.fromEntries(values) }
      t.equal(dataIn(TEXT).with(values), JSON.stringify(expected))
    }
  }
})

t.test('the text of what is not named stays as it is, to the character', async t => {
  t.equal(dataIn('{"a":1.50,"b":-0,"c":1e+2}').with(new Map([['b', 1]])), '{"a":1.50,"b":1,"c":1e+2}')
})

t.test('where a value is gone, or one that JSON leaves out, the text cannot be made so', async t => {
  const gone: unknown[] = [undefined, { toJSON: () => undefined }]
  for (const value of gone) {
    t.equal(dataIn(TEXT).with(new Map([['a', value]])), null)
    t.equal(dataIn(TEXT).with(new Map([['new', value]])), null)
    t.equal(dataIn(TEXT).with(new Map([['b', 1], ['a', value]])), null)
  }
  t.equal(dataIn('{"a":1}').with(new Map([['a', new Date(0)]])), '{"a":"1970-01-01T00:00:00.000Z"}')
})

t.test('what cannot be written names its key, and not its value', async t => {
  const cycle: Record<string, unknown> = { secret: 'hidden' }
  cycle.self = cycle
  const throws = { toJSON () { throw new Error('hidden') } }
  for (const value of [{ n: 1n }, cycle, throws]) {
    t.throws(() => dataIn(TEXT).with(new Map<string, unknown>([['b', 1], ['abc', value]])), { code: 'FST_SESSION_NOT_SERIALIZABLE', path: /^abc/, message: 'the session cannot be written' })
    try {
      dataIn(TEXT).with(new Map([['abc', value]]))
    } catch (error) {
      t.notMatch((error as Error).message, 'hidden')
    }
  }
})
