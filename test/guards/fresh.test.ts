import t, { type Test } from 'tap'
import type secureSession from '../../index'
import { memoryRevocation } from '../../lib/stores/revocation-memory'
import { addRoutes, appWith, KEY, type TestApp } from '../helpers/app'
import { setCookies } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'
import { guarded, outcome, PASSED, REQUIRED, STALE, subject, visitor, WITH_SUBJECT } from './site'

const MINUTE_MS = 60_000

/** A page that wants a login of the last five minutes. */
async function bank (t: Test, options: secureSession.Options = WITH_SUBJECT): Promise<TestApp> {
  const app = await guarded(t, options)
  app.get('/transfer', { onRequest: app.requireSession({ freshWithin: '5m' }) }, async () => ({}))
  return app
}

t.test('a login is fresh until freshWithin, to the millisecond; without a user the answer is still 401', async t => {
  const clock = fakeClock(t)
  const app = await bank(t)
  const ada = await visitor(app, 'ada')
  t.strictSame(outcome(await ada.get('/transfer')), PASSED)
  clock.advance(5 * MINUTE_MS - 1)
  t.strictSame(outcome(await ada.get('/transfer')), PASSED)
  clock.advance(1)
  const refused = await ada.get('/transfer')
  t.match(refused.json(), { statusCode: 401, code: 'FST_SESSION_STALE', error: 'Unauthorized', message: /300/ })
  t.strictSame(setCookies(refused), [])
  t.strictSame(outcome(await ada.get('/private')), PASSED, 'elsewhere it is good')
  t.strictSame(outcome(await (await visitor(app)).get('/transfer')), REQUIRED)
})

t.test('a new authentication makes the login fresh again', async t => {
  const clock = fakeClock(t)
  const app = await bank(t)
  const ada = await visitor(app, 'ada')
  clock.advance(5 * MINUTE_MS)
  t.strictSame(outcome(await ada.get('/transfer')), STALE)
  await ada.get('/regenerate?keep=user')
  t.strictSame(outcome(await ada.get('/transfer')), PASSED)
  clock.advance(5 * MINUTE_MS)
  t.strictSame(outcome(await ada.get('/transfer')), STALE)
})

t.test('a touch, a changed value, a renewal and the same user again do not make the login fresh', async t => {
  const clock = fakeClock(t)
  const app = await bank(t, { ...WITH_SUBJECT, idle: '8m' })
  const ada = await visitor(app, 'ada')
  clock.advance(5 * MINUTE_MS)
  const renewed = await ada.get('/get')
  t.match(setCookies(renewed), [/^session\.t=/])
  for (const way of ['/touch', '/set/theme/dark', '/set/user/ada']) {
    t.equal((await ada.get(way)).statusCode, 200)
    t.strictSame(outcome(await ada.get('/transfer')), STALE, way)
  }
})

t.test('a change from one user to another does not make the login fresh', async t => {
  const clock = fakeClock(t)
  const app = await bank(t)
  const shared = await visitor(app, 'ada')
  clock.advance(6 * MINUTE_MS)
  t.strictSame(outcome(await shared.get('/transfer')), STALE)
  for (const user of ['bob', 'ada']) {
    await shared.get(`/set/user/${user}`)
    t.strictSame(outcome(await shared.get('/transfer')), STALE)
  }
})

t.test('an old anonymous session is fresh from its login on, not from its beginning', async t => {
  const clock = fakeClock(t)
  const app = await bank(t)
  const ada = await visitor(app)
  await ada.get('/set/language/en')
  clock.advance(6 * MINUTE_MS)
  await ada.get('/set/user/ada')
  t.strictSame(outcome(await ada.get('/transfer')), PASSED)
})

t.test('a login in the same request is fresh, by regenerate or by a first user', async t => {
  const clock = fakeClock(t)
  const app = await bank(t)
  const preHandler = app.requireSession({ freshWithin: '5m' })
  app.get('/again', { onRequest: async ({ session }) => { session.regenerate(['user']) }, preHandler }, async () => ({}))
  app.get('/other', { onRequest: async ({ session }) => { session.set('user', 'bob') }, preHandler }, async () => ({}))
  app.get('/same', { onRequest: async ({ session }) => { session.set('user', 'ada') }, preHandler }, async () => ({}))
  const ada = await visitor(app, 'ada')
  clock.advance(6 * MINUTE_MS)
  t.strictSame(outcome(await ada.get('/same')), STALE)
  t.strictSame(outcome(await ada.get('/again')), PASSED)
  const stranger = await visitor(app)
  await stranger.get('/set/language/en')
  clock.advance(6 * MINUTE_MS)
  t.strictSame(outcome(await stranger.get('/other')), PASSED)
})

t.test('revokeOthers does not make the login fresh, though the session gets a new id', async t => {
  const clock = fakeClock(t)
  const app = await bank(t, { ...WITH_SUBJECT, revocation: { store: memoryRevocation() } })
  const preHandler = app.requireSession({ freshWithin: '5m' })
  app.get('/others', async ({ session }) => { await session.revokeOthers(); return {} })
  app.get('/others-first', { onRequest: async ({ session }) => { await session.revokeOthers() }, preHandler }, async () => ({}))
  const ada = await visitor(app, 'ada')
  clock.advance(6 * MINUTE_MS)
  t.strictSame(outcome(await ada.get('/others')), PASSED)
  t.strictSame(outcome(await ada.get('/transfer')), STALE)
  t.strictSame(outcome(await ada.get('/others-first')), STALE)
})

t.test('without a subject, and with `when`, only regenerate makes the login fresh', async t => {
  const clock = fakeClock(t)
  const app = await appWith(t, { key: KEY })
  addRoutes(app)
  app.get('/transfer', { onRequest: app.requireSession({ when: session => session.has('user'), freshWithin: 300 }) }, async () => ({}))
  const ada = await visitor(app, 'ada')
  clock.advance(6 * MINUTE_MS)
  t.strictSame(outcome(await ada.get('/transfer')), STALE)
  await ada.get('/set/user/bob')
  t.strictSame(outcome(await ada.get('/transfer')), STALE)
  await ada.get('/regenerate?keep=user')
  t.strictSame(outcome(await ada.get('/transfer')), PASSED)
  t.strictSame(outcome(await (await visitor(app)).get('/transfer')), REQUIRED)
})

t.test('a server whose clock is slightly behind treats a login as fresh', async t => {
  const clock = fakeClock(t)
  const app = await bank(t, { key: KEY, subject })
  const ada = await visitor(app, 'ada')
  clock.advance(-30_000)
  t.strictSame(outcome(await ada.get('/transfer')), PASSED)
})
