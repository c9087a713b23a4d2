import t, { type Test } from 'tap'
import { membersIn } from '../../lib/session/json-scan'
import { JsonData } from '../../lib/session/json-data'
import { createSealer } from '../../lib/sealer'
import { appWith, KEY } from '../helpers/app'
import { Browser, setCookies } from '../helpers/browser'

const TYPICAL = '{"user":{"id":7,"roles":["a","b"],"none":null},"token":"abc","n":-1.5e+21,"yes":true,"no":false,"list":[],"empty":{}}'

/** Puts the text between other bytes, as it lies between the head and the tag of a token. */
function read (text: string, behind = '"}]'): JsonData | null {
  const bytes = Buffer.concat([Buffer.from('{"'), Buffer.from(text), Buffer.from(behind)])
  return JsonData.in(bytes, 2, bytes.length - behind.length)
}

/** What is taken apart must be what JSON.parse reads. Returns whether it was. */
function isTakenAsParsed (t: Test, text: string): boolean {
  const data = read(text)
  if (data === null) return false
  let parsed: Record<string, unknown> | null = null
  try {
    parsed = JSON.parse(text)
  } catch {}
  if (parsed === null || typeof parsed !== 'object' || Array.isArray(parsed)) {
    t.fail(`taken though it is no object: ${text}`)
    return true
  }
  const found = Object.fromEntries(data.keys().map(key => [key, data.get(key)]))
  if (JSON.stringify(found) !== JSON.stringify(parsed)) t.fail(`read otherwise: ${text}`)
  return true
}

/** Numbers that are the same in each run. */
function randomOf (seed: number): (below: number) => number {
  return below => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff
    return (seed >> 8) % below
  }
}

t.test('what JSON.stringify writes in plain ASCII is taken', async t => {
  for (const text of ['{}', '{"a":0}', '{"a":-0.5,"b":1e-7}', TYPICAL, '{"__proto__":1,"constructor":"x"}', '{"~!":"\x7f"}']) t.ok(isTakenAsParsed(t, text), text)
})

t.test('all else is left to JSON.parse', async t => {
  const deep = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
  const many = (count: number): string => `{${Array.from({ length: count }, (_, index) => `"k${index}":1`).join()}}`
  const left = [
    '', 'null', '[]', '"a"', '7', '{', '}', '{"a"}', '{"a":}', '{"a":1,}', '{,}', '{"a":1}x', '{"a":1}}', '{"a" :1}', '{ "a":1}', '{"a":1 }', '{"a":"\\n"}', '{"\\u0061":1}', '{"a":"é"}', '{"é":1}',
    '{"a":"\t"}', '{"a":1,"a":2}', '{"0":1}', '{"1a":1}', '{"a":01}', '{"a":1.}', '{"a":.5}', '{"a":-}', '{"a":1e5}', '{"a":1e+}', '{"a":+1}', '{"a":tru}', '{"a":nul', '{"a":truex}', '{"a":undefined}',
    '{"a":[1,]}', '{"a":[,1]}', '{"a":[1 ]}', '{"a":{"b"}}', '{"a":{"b":1,}}', '{"a":[1}', '{"a":{"b":1]', '{"a":[', '{"a":"b', `{"a":${deep(17)}}`, many(65)
  ]
  for (const text of left) t.equal(read(text), null, text)
  t.not(read(`{"a":${deep(16)}}`), null)
  t.not(read(many(64)), null)
})

t.test('no byte behind the end is taken for a part of it', async t => {
  for (let length = 0; length < TYPICAL.length; length++) t.equal(read(TYPICAL.slice(0, length), TYPICAL.slice(length)), null)
})

t.test('with any character changed, added or left out, it is read as JSON.parse reads it, or not at all', async t => {
  const characters = Array.from({ length: 130 }, (_, code) => String.fromCharCode(code))
  let taken = 0
  for (let at = 0; at < TYPICAL.length; at++) {
    for (const text of [TYPICAL.slice(0, at) + TYPICAL.slice(at + 1), ...characters.flatMap(c => [TYPICAL.slice(0, at) + c + TYPICAL.slice(at + 1), TYPICAL.slice(0, at) + c + TYPICAL.slice(at)])]) {
      if (isTakenAsParsed(t, text)) taken++
    }
  }
  t.ok(taken > 5000, `${taken} taken`)
})

t.test('of random objects, whole and broken, each is read as JSON.parse reads it, or not at all', async t => {
  const random = randomOf(7)
  const pick = <T>(of: readonly T[]): T => of[random(of.length)] as T
  const value = (depth: number): unknown => {
    if (depth < 3 && random(3) === 0) return random(2) === 0 ? Array.from({ length: random(4) }, () => value(depth + 1)) : object(depth + 1)
    return pick([random(1000) - 500, random(1e6) / 997, 1e21, 1.5e-9, true, false, null, '', 'abc xyz ~!', 'k:v,{}[]'])
  }
  const object = (depth: number): object => Object.fromEntries(Array.from({ length: random(5) }, () => [pick(['a', 'b', 'cart', 'user_1', '', 'x y']), value(depth)]))
  for (let round = 0; round < 30_000; round++) {
    const whole = JSON.stringify(object(0))
    if (!isTakenAsParsed(t, whole)) t.fail(`not taken: ${whole}`)
    const at = random(whole.length)
    isTakenAsParsed(t, whole.slice(0, at) + pick(['{', '}', '[', ']', '"', ',', ':', '-', '0', '1', '.', 'e', 't', ' ', '\\', '']) + whole.slice(at + random(3)))
  }
})

/** A browser whose session is this, and what a request does to it. */
async function holding (t: Test, data: Record<string, unknown>) {
  const app = await appWith(t, { key: KEY }, { logger: false })
  let use: (session: any) => unknown = () => {}
  app.get('/', async ({ session }) => ({ result: use(session) ?? null }))
  const browser = new Browser(app)
  const sealer = createSealer({ key: KEY })
  browser.cookies.set('session', sealer.seal(data))
  return async (work: typeof use) => {
    use = work
    const response = await browser.get('/')
    const opened = sealer.open(browser.cookies.get('session') as string)
    return { result: response.json().result, writes: setCookies(response).length > 0, data: opened.ok ? opened.data : null, text: opened.ok ? JSON.stringify(opened.data) : null }
  }
}

t.test('changes of several values, and new ones, are written as the whole would be', async t => {
  const on = await holding(t, { a: 1, user: { id: 7 }, b: 'x', c: [1, 2] })
  const { text } = await on(session => {
    session.set('c', 'three')
    session.set('new "one"', 'é')
    session.set('a', { deep: [true] })
    session.get('user').id++
    session.set('b', null)
  })
  t.equal(text, JSON.stringify({ a: { deep: [true] }, user: { id: 8 }, b: null, c: 'three', 'new "one"': 'é' }))
})

t.test('a first value in an empty session, and a last one taken out, are written', async t => {
  const on = await holding(t, {})
  t.equal((await on(session => { session.set('a', 1) })).text, '{"a":1}')
  t.equal((await on(session => { session.unset('a'); session.touch() })).text, '{}')
  t.equal((await on(session => { session.set('a', 1); session.unset('a'); session.set('b', 2); session.set('a', 3) })).text, '{"b":2,"a":3}')
})

t.test('keys that are numbers come first, as in any object, and a read stays a read', async t => {
  const on = await holding(t, { b: { x: 1 }, a: 1 })
  t.equal((await on(session => { session.set(7, 'seven'); session.set('c', 2) })).text, '{"7":"seven","b":{"x":1},"a":1,"c":2}')
  t.match(await on(session => [session.get(7), session.get('b').x, session.has(7)]), { result: ['seven', 1, true], writes: false })
  t.equal((await on(session => { session.regenerate([7]) })).text, '{"7":"seven"}')
})

t.test('whatever a session holds, looking at it writes nothing, and an object is the same one each time', async t => {
  for (const data of [{ n: 'Zoë', o: { a: 1 } }, { n: 'a\nb', o: {} }, { 5: 1, o: [] }, { toJSON: 'x', constructor: 1, o: { toJSON: 1 } }, { n: -0, o: { n: 1e21 } }]) {
    const on = await holding(t, data)
    const { result, writes } = await on(session => {
      const first = session.get('o')
      return [session.get('o') === first, session.data().o === first, session.get('n') ?? null]
    })
    t.strictSame([result.slice(0, 2), writes], [[true, true], false])
  }
})

t.test('a toJSON that looks at the session while it is written down breaks nothing', async t => {
  const on = await holding(t, { user: { id: 7 }, cart: 'c1' })
  t.strictSame((await on(session => { session.set('cart', { toJSON: () => session.get('user').id }) })).data, { user: { id: 7 }, cart: 7 })
})

t.test('a toJSON is told the key, and may leave the value out', async t => {
  const on = await holding(t, { a: 1, b: 2 })
  t.strictSame((await on(session => { session.set('a', { toJSON: (key: string) => `key:${key}` }) })).data, { a: 'key:a', b: 2 })
  t.strictSame((await on(session => { session.set('a', { toJSON: () => undefined }) })).data, { b: 2 })
  t.strictSame((await on(session => { session.set('b', new Date(0)); session.set('c', null) })).data, { b: '1970-01-01T00:00:00.000Z', c: null })
})

t.test('a value that cannot be written is named, and the session stays as it was', async t => {
  const app = await appWith(t, { key: KEY }, { logger: false })
  app.get('/set', async ({ session }) => { session.set('good', 1); return 'x' })
  app.get('/good', async ({ session }) => session.data())
  app.get('/break', async ({ session }) => {
    const cycle: Record<string, unknown> = {}
    cycle.self = cycle
    session.set('bad', cycle)
    return 'x'
  })
  const browser = new Browser(app)
  await browser.get('/set')
  t.match((await browser.get('/break')).json(), { code: 'FST_SESSION_NOT_SERIALIZABLE' })
  t.same(await browser.json('/good'), { good: 1 })
})

t.test('the places of members are counted from where the text starts', async t => {
  t.strictSame(membersIn(Buffer.from('xx{"a":1,"bc":[]}'), 2, 17), [2, 3, 5, 6, 8, 10, 12, 14])
})
