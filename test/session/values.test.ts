import t, { type Test } from 'tap'
import { addRoutes, appWith } from '../helpers/app'
import { Browser, setCookies } from '../helpers/browser'
import type { Session } from '../../types/session'

type AnySession = Session<Record<string, any>>

/** Runs something on a session that another request filled. */
async function withSession (t: Test, values: Record<string, unknown>, use: (session: AnySession) => unknown): Promise<any> {
  const app = await appWith(t)
  app.get('/fill', async request => {
    for (const [key, value] of Object.entries(values)) (request.session as AnySession).set(key, value)
    return {}
  })
  app.get('/use', async request => ({ result: use(request.session as AnySession) }))
  const browser = new Browser(app)
  await browser.get('/fill')
  const response = await browser.get('/use')
  t.equal(response.statusCode, 200, response.body)
  return response.json().result
}

t.test('the next request gets a value that one request has set', async t => {
  const app = await appWith(t)
  addRoutes(app)
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  t.strictSame(await browser.json('/get'), { user: 'ada' })
})

t.test('an anonymous request has no values, and reading them sets no cookie', async t => {
  const app = await appWith(t)
  addRoutes(app)
  const response = await app.inject('/get')
  t.strictSame(response.json(), {})
  t.strictSame(setCookies(response), [])
})

t.test('every JSON value is read back unchanged', async t => {
  const values = { text: 'ä😀\u2028 \ud800', number: -1.5e300, zero: 0, yes: true, no: false, nothing: null, list: [1, [2], { a: 3 }], object: { nested: { deep: {} } }, empty: '' }
  t.strictSame(await withSession(t, values, session => session.data()), JSON.parse(JSON.stringify(values)))
})

t.test('get, has and unset find the user\'s own keys', async t => {
  t.strictSame(await withSession(t, { a: 1, b: 2 }, session => {
    session.unset('b')
    session.unset('never')
    return [session.get('a'), session.get('b') === undefined, session.has('a'), session.has('b'), session.has('never')]
  }), [1, true, true, false, false])
})

t.test('a value that is set to undefined is removed', async t => {
  t.strictSame(await withSession(t, { a: 1, b: 2 }, session => {
    session.set('a', undefined)
    session.set('never', undefined)
    return [session.has('a'), session.data()]
  }), [false, { b: 2 }])
})

t.test('inherited properties of objects are no values of a session', async t => {
  const names = ['toString', 'constructor', 'hasOwnProperty', 'valueOf', '__proto__', '__defineGetter__', 'isPrototypeOf']
  t.strictSame(await withSession(t, {}, session => names.map(name => [session.get(name) ?? null, session.has(name)])), names.map(() => [null, false]))
})

t.test('__proto__ and constructor are ordinary keys and pollute no prototype', async t => {
  const evil = JSON.parse('{"polluted":true}')
  const result = await withSession(t, { ['__proto__']: evil, constructor: 1, toString: 'x' }, session => {
    session.set('__proto__', 'replaced')
    session.set('__proto__', evil)
    const found = [session.get('__proto__'), session.has('polluted'), session.get('polluted') ?? null, session.get('constructor'), Object.keys(session.data())]
    session.unset('__proto__')
    return [...found, session.has('__proto__')]
  })
  t.strictSame(result, [{ polluted: true }, false, null, 1, ['__proto__', 'constructor', 'toString'], false])
  t.equal(({} as any).polluted, undefined)
})

t.test('data returns a copy: changing it does not change the session', async t => {
  t.strictSame(await withSession(t, { a: 1 }, session => {
    const copy = session.data()
    copy['a'] = 2
    copy['b'] = 3
    return [session.get('a'), session.has('b'), session.changed, Object.getPrototypeOf(copy) === Object.prototype]
  }), [1, false, false, true])
})

t.test('a key with the name of a library field does not conflict with that field', async t => {
  const values = { id: 'mine', createdAt: 1, renewedAt: 2, expiresAt: 3, isNew: 4, __ts: 5, expires: 6, maxAge: 7, extensions: 8, settings: 9, identity: 10 }
  const info = await withSession(t, values, session => [session.data(), session.get('id'), session.info.id, session.info.createdAt])
  t.strictSame(info[0], values)
  t.equal(info[1], 'mine')
  t.match(info[2], /^[0-9a-f]{32}$/)
  t.ok(info[3] > 1e12)
})

t.test('values with reserved names are accessible by get and set', async t => {
  const names = ['get', 'set', 'has', 'unset', 'data', 'touch', 'regenerate', 'delete', 'options', 'info', 'changed', 'deleted']
  const values = Object.fromEntries(names.map(name => [name, `my ${name}`]))
  t.strictSame(await withSession(t, values, session => [session.data(), names.map(name => session.get(name))]), [values, Object.values(values)])
})

t.test('set refuses a value that no serializer can write, and names it', async t => {
  const app = await appWith(t)
  app.get('/:kind', async ({ session, params }) => {
    const { kind } = params as { kind: string }
    session.set('kept', 1)
    session.set('mine', kind === 'function' ? () => 'secret' : kind === 'symbol' ? Symbol('secret') : 1n)
    return {}
  })
  for (const kind of ['function', 'symbol', 'bigint']) {
    const response = await app.inject(`/${kind}`)
    t.match(response.json(), { statusCode: 500, code: 'FST_SESSION_NOT_SERIALIZABLE', message: 'the session cannot be written' })
    t.notMatch(response.body, /secret|mine/)
    t.match(app.lines.at(-2), { err: { path: 'mine', detail: /"mine" is a / } })
  }
})
