import t, { type Test } from 'tap'
import { inspect } from 'node:util'
import { appWith } from '../helpers/app'
import { Browser, setCookies } from '../helpers/browser'

const NAMES = ['destroy', 'reload', 'resetMaxAge', 'isModified', 'isSaved', 'updateConfig']

const REFUSED = { code: 'FST_SESSION_UNKNOWN_METHOD' }

/** What one request with a session of these values comes to. */
async function use (t: Test, values: Record<string, unknown>, run: (session: any) => unknown): Promise<any> {
  const app = await appWith(t)
  app.get('/fill', async ({ session }) => {
    for (const [key, value] of Object.entries(values)) session.set(key, value)
    return {}
  })
  app.get('/use', async ({ session }) => ({ result: await run(session) }))
  const browser = new Browser(app)
  await browser.get('/fill')
  const response = await browser.get('/use')
  t.strictSame(setCookies(response), [])
  return response.statusCode === 200 ? response.json().result : response.json()
}

t.test('a method of another session library throws an error that names the method to call', async t => {
  t.match(await use(t, {}, session => session.destroy()), {
    statusCode: 500, code: 'FST_SESSION_UNKNOWN_METHOD', message: /no method destroy\(\).*call delete\(\)/
  })
  for (const name of NAMES) {
    for (const args of [[], [() => {}], [{}]]) {
      t.match(await use(t, {}, session => session[name](...args)), { ...REFUSED, message: name })
    }
    t.match(await use(t, {}, session => session[name]?.()), REFUSED, 'also where it is asked for first')
  }
})

t.test('a value with the name of such a method is an ordinary value', async t => {
  for (const name of NAMES) {
    for (const value of ['mine', 0, false, null, '', ['x']]) {
      const seen = await use(t, { [name]: value }, session => {
        return [session[name], session.get(name), name in session, session.data()]
      })
      t.strictSame(seen, [value, value, true, { [name]: value }])
    }
  }
})

t.test('without such a value, only a function is there: it is no key, not in data, and not printed', async t => {
  for (const name of NAMES) {
    t.strictSame(await use(t, { a: 1 }, session => [
      session.get(name) ?? null, session.has(name), name in session, Object.hasOwn(session, name), Object.keys(session),
      JSON.stringify(session), { ...session }, inspect(session).includes(name)
    ]), [null, false, false, false, ['a'], '{"a":1}', { a: 1 }, false])
  }
})

t.test('names that other code tests before a call are undefined, and so are names that may be values', async t => {
  const names = [
    'save', 'then', 'cookie', 'id', 'sessionId', 'flash', 'user', 'isNew', 'isChanged', 'isPopulated', 'clear', 'reset', 'update'
  ]
  t.strictSame(await use(t, {}, session => names.filter(name => session[name] !== undefined)), [])
})
