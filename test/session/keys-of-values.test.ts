import t from 'tap'
import type secureSession from '../../index'
import { appWith } from '../helpers/app'

const NO_KEYS: any[] = [undefined, null, true, {}, ['user'], ['user":"ada'], Symbol('user'), 1n, () => 'user']

const VALUES = { user: 'ada', 7: 'seven', null: 'a text' }

/** Sessions that have these values: one that was opened, one after a first value was set, one that was begun here. */
async function sessions (): Promise<Array<secureSession.Session<any>>> {
  const app = await appWith(t)
  const token = app.encodeSecureSession(app.createSecureSession(VALUES))
  const opened = (): secureSession.Session<any> => app.decodeSecureSession(token) as secureSession.Session<any>
  const changed = opened()
  changed.set('other', 1)
  changed.unset('other')
  return [opened(), changed, app.createSecureSession(VALUES) as secureSession.Session<any>]
}

t.test('a key that is not a string or a number has no value, and removing it has no effect', async t => {
  for (const session of await sessions()) {
    for (const key of NO_KEYS) {
      t.equal(session.get(key), undefined)
      t.equal(session.has(key), false)
      t.doesNotThrow(() => { session.unset(key) })
    }
    t.strictSame(session.data(), VALUES)
  }
})

t.test('set throws for a key that is not a string or a number', async t => {
  for (const session of await sessions()) {
    for (const key of NO_KEYS) t.throws(() => { session.set(key, 1) }, { code: 'FST_SESSION_INVALID_OPTION' })
    t.strictSame(session.data(), VALUES)
  }
})

t.test('regenerate ignores keys that are not strings or numbers', async t => {
  for (const session of await sessions()) {
    session.regenerate([...NO_KEYS, 'user'])
    t.strictSame(session.data(), { user: 'ada' })
  }
})

t.test('a number as a key is the same key as its text', async t => {
  for (const session of await sessions()) {
    t.equal(session.get(7 as never), 'seven')
    t.equal(session.has(7 as never), true)
    session.unset(7 as never)
    t.equal(session.has('7'), false)
  }
})

t.test('a key from a query string reveals no other values of the session', async t => {
  const app = await appWith(t)
  app.get('/has', async ({ session, query }) => String(session.has((query as any).k)))
  const cookie = `session=${app.encodeSecureSession(app.createSecureSession({ u: 'admin' }))}`
  for (const url of ['/has?k=u%22%3A%22a&k=', '/has?k=u%22%3A%22a', '/has', '/has?k=u&k=u']) {
    t.equal((await app.inject({ url, headers: { cookie } })).body, 'false', url)
  }
  t.equal((await app.inject({ url: '/has?k=u', headers: { cookie } })).body, 'true')
})
