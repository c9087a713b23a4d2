import t from 'tap'
import { JsonData } from '../../lib/session/json-data'
import { membersIn } from '../../lib/session/json-scan'
import { Dice } from '../proofs/dice'
import { bent, randomData } from './random-json'

const BEFORE = 'x{"'
/** What may follow in the same memory: the tag. None of it is text, and yet it may look like some. */
const BEHIND = ['', '}', ']', '"', ',', '1}', '":1}', 'e}', ' ', '\\', '\0', '}}}}}}}}}}}}}}}}']

/** The data in a text that lies between other bytes; null where it is left to JSON.parse. */
function scan (text: string | Buffer, behind = '}'): JsonData | null {
  const bytes = Buffer.from(text as string)
  return JsonData.in(Buffer.concat([Buffer.from(BEFORE), bytes, Buffer.from(behind)]), BEFORE.length, BEFORE.length + bytes.length)
}

function parsed (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Why the scan and JSON.parse do not agree about a text; null where they do, or where the scan says nothing. */
function disagreement (text: string, behind: string): string | null {
  const data = scan(text, behind)
  if (data === null) return null
  const expected = parsed(text)
  if (typeof expected !== 'object' || expected === null || Array.isArray(expected)) return `accepted: ${text}`
  const found = Object.fromEntries(data.keys().map(key => [key, data.get(key)]))
  // Keys in their order; numbers as they are, -0 and all.
  return isAlike(Object.entries(found), Object.entries(expected)) ? null : `read otherwise: ${text}`
}

function isAlike (a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return Object.is(a, b)
  const [ofA, ofB] = [Object.entries(a), Object.entries(b)]
  return Array.isArray(a) === Array.isArray(b) && ofA.length === ofB.length &&
    ofA.every(([key, value], index) => key === ofB[index]?.[0] && isAlike(value, ofB[index]?.[1]))
}

const TYPICAL = '{"user":{"id":-7,"roles":["a","b"],"on":true},"n":1.5e+21,"none":null,"no":false,"list":[],"o":{},"t":"a b"}'
const MARKS = [...'{}[]",:-+.eE0123456789truefalsnulk \\/\t\n\r\u0001\u007f\u0080é€😀']

t.test('of what JSON.stringify writes in plain ASCII, all members are found', async t => {
  const sessions = [
    {}, { a: 1 }, { '': '' }, { a: '' }, { a: [] }, { a: {} }, { a: [[[]], {}] }, { a: { b: { c: [] } } }, { a: true, b: false, c: null },
    { a: 0, b: -1, c: 1.5, d: 1e21, e: 1e-7, f: -1.5e-300, g: Number.MAX_SAFE_INTEGER }, { a: ' !#[]{},:~\u007f' }, { __proto__x: 1, constructor: 2, toJSON: 3 },
    JSON.parse('{"__proto__":{"a":1}}'), { 'a b': 1, 'a.b': 2, '-1': 3, '': 4 }, { a: { 1: 2 }, b: [{ 0: 1 }] }
  ]
  for (const session of sessions) {
    const text = JSON.stringify(session)
    for (const behind of BEHIND) {
      t.ok(scan(text, behind), text)
      t.equal(disagreement(text, behind), null)
    }
  }
})

t.test('all else is left to JSON.parse', async t => {
  const others = {
    'white space': ['{ "a":1}', '{"a" :1}', '{"a": 1}', '{"a":1 }', '{"a":1} ', ' {"a":1}', '{"a":[1, 2]}', '{"a":1,\n"b":2}', '{\t}', '{ }', '{"a":[ ]}'],
    escapes: ['{"a":"\\n"}', '{"a":"\\u0041"}', '{"a\\u0041":1}', '{"a":{"b":"\\""}}', '{"a":["\\\\"]}', '{"\\"":1}', '{"a":"\\/"}'],
    'what is not ASCII': ['{"a":"é"}', '{"é":1}', '{"a":{"é":1}}', '{"a":["😀"]}', '{"a":"\u0080"}'],
    'control characters': ['{"a":"\u0000"}', '{"a":"\u001f"}', '{"a\t":1}', '{"a":1\u0000}', '\u0000{}'],
    'a key twice': ['{"a":1,"a":2}', '{"a":1,"b":2,"a":1}', '{"":1,"":2}', '{"aa":1,"ab":2,"aa":3}'],
    'keys that begin with a digit': ['{"1":1}', '{"b":1,"0":2}', '{"9x":1}', '{"01":1}'],
    'no object': ['', '[]', '[1]', '"a"', '1', 'null', 'true', '}', '{', '{{}}', '[{}]'],
    'no JSON': [
      '{a:1}', '{"a"}', '{"a":}', '{"a":1,}', '{,}', '{"a":1,,"b":2}', '{"a":1"b":2}', '{"a":1]', '{"a":[1}', '{"a":{"b":1]}', '{"a":[1,]}', '{"a":[,1]}', '{"a":{"b"}}', '{"a":{1:2}}',
      '{"a":{"b":1,}}', '{"a":[1 2]}', '{"a":1}}', '{"a":1}{}', '{}}', '{}{}', '{"a":"b}', '{"a":"b', '{"a":"b"', '{"a', '{"a":[', '{"a":{', '{"a":[1', '{"a":{"b":1', '{\'a\':1}', '{"a":\'b\'}'
    ],
    'no number': ['01', '-', '+1', '1.', '.5', '1e', '1e+', '--1', '1.e5', '-01', '0x1', '1_0', 'NaN', 'Infinity', '1.5.5', '1e+1.5'].map(number => `{"a":${number}}`),
    'a number that is written otherwise': ['{"a":1E+2}', '{"a":1e2}'],
    'no literal': ['tru', 'truee', 'True', 'nul', 'nil', 'fals', 'falsy', 'undefined', 't', 'n', 'f'].map(literal => `{"a":${literal}}`)
  }
  for (const [what, texts] of Object.entries(others)) {
    for (const text of texts) {
      for (const behind of BEHIND) t.equal(scan(text, behind), null, `${what}: ${text}`)
    }
  }
})

t.test('so is what is nested too deep, and what has too many members', async t => {
  const nested = (depth: number, open: string, close: string): string => `{"a":${open.repeat(depth)}1${close.repeat(depth)}}`
  const many = (count: number): string => JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, index])))
  t.ok(scan(nested(15, '[', ']')))
  t.ok(scan(nested(15, '{"b":', '}')))
  for (const depth of [16, 17, 100, 3000]) {
    t.equal(scan(nested(depth, '[', ']')), null)
    t.equal(scan(nested(depth, '{"b":', '}')), null)
  }
  t.equal(scan('['.repeat(3000)), null)
  t.equal(scan(`{"a":${'['.repeat(3000)}`), null)
  t.equal(scan(many(64))?.keys().length, 64)
  t.equal(scan(many(65)), null)
  t.equal(scan(many(300)), null)
  t.ok(scan(JSON.stringify({ list: Array.from({ length: 500 }, (_, index) => ({ index })) })), 'inside there may be as many as they like')
})

t.test('bytes behind the end are none of it', async t => {
  for (let end = 0; end < TYPICAL.length; end++) {
    for (const behind of [...BEHIND, TYPICAL.slice(end), `${TYPICAL.slice(end)}}`]) {
      t.equal(scan(TYPICAL.slice(0, end), behind), null, `cut at ${end}, before ${behind}`)
    }
  }
})

t.test('places are counted from the start, wherever that is', async t => {
  const places = membersIn(Buffer.from('{"ab":1,"c":"d"}'), 0, 16)
  t.strictSame(places, [2, 4, 6, 7, 9, 10, 12, 15])
  t.strictSame(membersIn(Buffer.from('xyz{"ab":1,"c":"d"}tag'), 3, 19), places)
  t.strictSame(membersIn(Buffer.from('{}'), 0, 2), [])
  t.equal(membersIn(Buffer.from('{}'), 2, 2), null)
  t.equal(membersIn(Buffer.from('{"a":1}'), 0, 8), null, 'an end behind the memory')
})

t.test('a typical text with any one character changed, taken out or put in is read as JSON.parse reads it, or left to it', async t => {
  const wrong: string[] = []
  for (let at = 0; at <= TYPICAL.length; at++) {
    const [before, here, after] = [TYPICAL.slice(0, at), TYPICAL.slice(at), TYPICAL.slice(at + 1)]
    for (const text of [before + after, ...MARKS.flatMap(mark => [before + mark + here, before + mark + after])]) {
      for (const behind of ['}', '"']) wrong.push(...[disagreement(text, behind)].filter(reason => reason !== null))
    }
  }
  t.strictSame(wrong, [])
})

t.test('so are thirty thousand texts that chance made and bent', async t => {
  const dice = new Dice(20_260_101)
  const wrong: string[] = []
  let accepted = 0
  for (let round = 0; round < 30_000; round++) {
    const text = JSON.stringify(randomData(dice))
    const isWhole = round % 3 === 0
    const tried = isWhole ? text : bent(dice, text, MARKS)
    const behind = dice.oneOf(BEHIND)
    const reason = disagreement(tried, behind)
    if (reason !== null) wrong.push(reason)
    if (isWhole && scan(text, behind) === null) wrong.push(`left: ${text}`)
    if (scan(tried, behind) !== null) accepted++
  }
  t.strictSame(wrong, [])
  t.ok(accepted > 12_000 && accepted < 29_000, `bent texts of both kinds were among them: ${accepted} were read`)
})
