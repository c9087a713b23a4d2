import t, { type Test } from 'tap'
import type secureSession from '../../index'
import { memoryRevocation } from '../../lib/stores/revocation-memory'
import { KEY, type TestApp } from '../helpers/app'
import { setCookies } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'
import { guarded, outcome, PASSED, REQUIRED, STALE, subject, visitor } from './site'

const AWAY = [503, 'FST_SESSION_STORE_UNAVAILABLE']

async function site (t: Test, revocation: Partial<secureSession.RevocationOptions> = {}): Promise<TestApp> {
  const app = await guarded(t, { key: KEY, subject, revocation: { store: memoryRevocation(), ...revocation } })
  await app.register(async scope => {
    await scope.register(scope.sessionGuard, { freshWithin: '5m' })
    scope.get('/scope', async () => ({}))
  })
  return app
}

t.test('a guard answers 401 to a revoked session, and the reply clears its cookies', async t => {
  const app = await site(t)
  const ada = await visitor(app, 'ada')
  const { id } = await ada.json('/info')
  const thief = ada.copy()
  t.strictSame(outcome(await thief.get('/private')), PASSED)
  await app.secureSession.revoke(id)
  const refused = await ada.get('/private')
  t.strictSame(outcome(refused), REQUIRED)
  t.match(refused.headers['www-authenticate'], /^Cookie /)
  t.match(setCookies(refused)[0], /^session=; Max-Age=0/)
  t.strictSame(outcome(await thief.get('/scope')), REQUIRED)
})

t.test('a guard answers 401 to all sessions of a revoked subject, and accepts a login after it', async t => {
  const app = await site(t)
  const [phone, laptop] = [await visitor(app, 'ada'), await visitor(app, 'ada')]
  const bob = await visitor(app, 'bob')
  await app.secureSession.revokeSubject('ada')
  const again = await visitor(app, 'ada')
  for (const browser of [phone, laptop]) t.strictSame(outcome(await browser.get('/private')), REQUIRED)
  for (const browser of [bob, again]) t.strictSame(outcome(await browser.get('/scope')), PASSED)
})

t.test('`when` does not receive a revoked session', async t => {
  const app = await site(t)
  const seen: unknown[] = []
  const when = (session: secureSession.Session): boolean => { seen.push(session.get('user'), session.data()); return session.has('user') }
  app.get('/when', { onRequest: app.requireSession({ when }) }, async () => ({}))
  const ada = await visitor(app, 'ada')
  await app.secureSession.revokeSubject('ada')
  t.strictSame(outcome(await ada.get('/when')), REQUIRED)
  t.strictSame(seen, [undefined, {}])
})

t.test('while the store is unavailable, a guard answers 503 without a challenge, or 401 without a session', async t => {
  const store = { cutOffs: async () => { throw new Error('connection lost') }, raise: async () => 0 }
  const app = await site(t, { store, recheck: 0 })
  const ada = await visitor(app, 'ada')
  for (const url of ['/private', '/scope']) {
    const response = await ada.get(url)
    t.strictSame(outcome(response), AWAY)
    t.equal(response.headers['www-authenticate'], undefined)
    t.strictSame(outcome(await app.inject(url)), REQUIRED)
  }
})

t.test('a check by the revocation store does not make a stale login fresh', async t => {
  const clock = fakeClock(t)
  const app = await site(t, { recheck: '1m' })
  const ada = await visitor(app, 'ada')
  clock.advance(300_000)
  const checked = await ada.get('/private')
  t.strictSame(outcome(checked), PASSED)
  t.match(setCookies(checked), [/^session\.t=/])
  t.strictSame(outcome(await ada.get('/scope')), STALE)
})

t.test('a guard on a route where the store was not asked fails the request', async t => {
  const app = await site(t)
  app.addHook('onRequest', async (request, reply) => { if (request.url === '/health') await app.requireSession()(request, reply) })
  app.get('/health', { config: { session: false } }, async () => ({ reached: true }))
  t.strictSame(outcome(await (await visitor(app, 'ada')).get('/health')), [500, 'FST_SESSION_NOT_READY'])
})
