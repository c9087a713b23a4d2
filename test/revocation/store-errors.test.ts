import { inspect } from 'node:util'
import t from 'tap'
import secureSession from '../../index'
import { ERROR, WARN, type TestApp } from '../helpers/app'
import { fakeClock } from '../helpers/clock'
import { CountingStore } from './stores'
import { appOfUsers, loggedIn } from './users'

/** What a store says when it fails may name hosts, users and keys: that is for the operator's log, not for the client. */

const RECHECK_MS = 300_000
const NEUTRAL = { statusCode: 503, code: 'FST_SESSION_STORE_UNAVAILABLE', error: 'Service Unavailable', message: 'the revocation store is unavailable' }
const SECRET = 'WRONGPASS for user "ops" at redis://10.0.0.5:6379'

const NO_REASON = 'the store of this test failed: no reason given'
const unreadable = new Proxy({}, { get () { throw new Error('unreadable') }, getPrototypeOf () { throw new Error('unreadable') } })

const REJECTIONS: ReadonlyArray<[what: string, rejection: unknown, reason: string]> = [
  ['an error', new Error(SECRET), `the store of this test failed: ${SECRET}`],
  ['a text', SECRET, `the store of this test failed: ${SECRET}`],
  ['an object with a message', { message: SECRET }, `the store of this test failed: ${SECRET}`],
  ['an error without a message and with a code', Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }), 'the store of this test failed: ECONNREFUSED'],
  ['undefined', undefined, NO_REASON],
  ['null', null, NO_REASON],
  ['an empty text', '', NO_REASON],
  ['a number', 7, NO_REASON],
  ['a symbol', Symbol(SECRET), NO_REASON],
  ['a function', () => {}, NO_REASON],
  ['an object without a message', {}, NO_REASON],
  ['an object without a prototype', Object.create(null), NO_REASON],
  ['an error whose message is not a text', Object.assign(new Error(), { message: { host: SECRET } }), NO_REASON],
  ['an object that throws when it is read', unreadable, NO_REASON]
]

const ROUTES = ['/user', '/logout', '/regenerate', '/revoke', '/revoke-others']

for (const [what, rejection, reason] of REJECTIONS) {
  t.test(`a store that rejects with ${what} is unavailable: a neutral reply, and the reason in the log`, async t => {
    const clock = fakeClock(t)
    const store = new CountingStore()
    const app = await appOfUsers(t, { store })
    const browsers = await Promise.all(ROUTES.map(async () => await loggedIn(app)))
    clock.advance(RECHECK_MS)
    store.instead = async () => await Promise.reject(rejection)
    for (const [index, route] of ROUTES.entries()) {
      const response = await browsers[index]?.get(route)
      t.strictSame(response?.json(), NEUTRAL, route)
      t.notOk(inspect(response?.headers).includes('10.0.0.5'))
    }
    t.match(reasonsIn(app), ROUTES.map(() => `the revocation store is unavailable: ${reason}`))
    const [told, ...again] = app.lines.filter(({ level }) => level === WARN)
    t.match(told, { session: 'session', msg: `the revocation store is unavailable, and requests that touch a session that is due to be checked fail: ${reason}` })
    t.strictSame(again, [])
  })

  t.test(`secureSession.revoke rejects if the store rejects with ${what}`, async t => {
    const store = new CountingStore()
    const app = await appOfUsers(t, { store })
    store.instead = async () => await Promise.reject(rejection)
    const expected = { statusCode: 503, code: NEUTRAL.code, message: NEUTRAL.message, cause: { message: reason } }
    await t.rejects(app.secureSession.revoke('a'.repeat(32)), expected)
    await t.rejects(app.secureSession.revokeSubject('ada'), expected)
  })
}

t.test('a store that throws at once, or whose name is not a text, counts as unavailable', async t => {
  const clock = fakeClock(t)
  for (const name of [undefined, '', 7, Symbol('store'), {}]) {
    const fail = (): never => { throw new Error('closed') }
    const app = await appOfUsers(t, { store: { cutOffs: fail, raise: fail, name: name as string } })
    const browser = await loggedIn(app)
    clock.advance(RECHECK_MS)
    t.strictSame((await browser.get('/user')).json(), NEUTRAL)
    t.strictSame(reasonsIn(app), ['the revocation store is unavailable: the revocation store failed: closed'])
  }
})

t.test('an error of a Redis client is in the log once, and not in the reply', async t => {
  const clock = fakeClock(t)
  let fails = false
  const client = {
    async get () { if (fails) throw new Error(SECRET); return null },
    async eval () { return '0' }
  }
  const app = await appOfUsers(t, { store: secureSession.redisRevocation(client) })
  const browser = await loggedIn(app)
  clock.advance(RECHECK_MS)
  fails = true
  t.strictSame((await browser.get('/user')).json(), NEUTRAL)
  const [reason] = reasonsIn(app)
  t.match(reason, SECRET)
  t.equal(String(reason).split(SECRET).length, 2)
})

t.test('a store that does not answer causes a neutral reply', async t => {
  // The plugin's own timers keep no process alive.
  const keepAlive = setInterval(() => {}, 1000)
  t.teardown(() => { clearInterval(keepAlive) })
  const store = new CountingStore()
  const app = await appOfUsers(t, { store, recheck: 0, timeout: '5ms' })
  const browser = await loggedIn(app)
  store.instead = async () => await new Promise(() => {})
  t.strictSame((await browser.get('/user')).json(), NEUTRAL)
  t.strictSame(reasonsIn(app), ['the revocation store is unavailable: the store of this test did not answer for 5 ms'])
})

/** The messages of the errors that Fastify logged, with their causes. */
function reasonsIn ({ lines }: TestApp): string[] {
  return lines.filter(({ level }) => level === ERROR).map(({ err }) => (err as { message: string }).message)
}
