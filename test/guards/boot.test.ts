import t from 'tap'
import { appWith, KEY, OTHER_KEY } from '../helpers/app'
import { WITH_SUBJECT } from './site'

const REFUSED = { code: 'FST_SESSION_INVALID_OPTION' }

t.test('a guard with neither a subject nor `when` is refused at boot: strangers have sessions, too', async t => {
  const app = await appWith(t, { key: KEY })
  t.throws(() => app.requireSession(), REFUSED)
  t.throws(() => app.requireSession({ freshWithin: '5m' }), REFUSED)
  t.doesNotThrow(() => app.requireSession({ when: session => session.has('user') }))
})

t.test('so is one for a scope', async t => {
  const app = await appWith(t, { key: KEY })
  app.register(app.sessionGuard)
  await t.rejects(async () => await app.ready(), REFUSED)
})

const WRONG = {
  'a name that it does not know': { fresh: '5m' },
  'a `when` that is no function': { when: true },
  'a `when` that is null': { when: null },
  'no time': { freshWithin: 0 },
  'time without a unit': { freshWithin: '300' },
  'an empty session name': { sessionName: '' },
  'a session name that is no string': { sessionName: 7 },
  'no object': 'session',
  null: null
}

for (const [what, options] of Object.entries(WRONG)) {
  t.test(`options of a guard are checked at boot: ${what}`, async t => {
    const app = await appWith(t, WITH_SUBJECT)
    t.throws(() => app.requireSession(options as never), REFUSED)
  })
}

t.test('a session that nobody registered is refused at boot, and so is one without a subject', async t => {
  const app = await appWith(t, [WITH_SUBJECT, { key: OTHER_KEY, sessionName: 'basket' }])
  t.throws(() => app.requireSession({ sessionName: 'cart' }), { code: 'FST_SESSION_UNKNOWN_NAME' })
  t.throws(() => app.requireSession({ sessionName: 'basket' }), REFUSED)
  t.doesNotThrow(() => app.requireSession({ sessionName: 'session' }))
})

t.test('Fastify’s own options of register are none of a guard’s, and unknown ones are refused', async t => {
  const app = await appWith(t, WITH_SUBJECT)
  const options = { prefix: '/x', logLevel: 'warn', logSerializers: {}, freshWithin: 60 } as const
  app.register(async scope => { scope.register(scope.sessionGuard, options) })
  await t.resolves(async () => await app.ready())

  const other = await appWith(t, WITH_SUBJECT)
  other.register(async scope => { scope.register(scope.sessionGuard, { fresh: 60 } as never) })
  await t.rejects(async () => await other.ready(), REFUSED)
})

t.test('a route that says it needs no session, and has a guard, is refused at boot by its name', async t => {
  const app = await appWith(t, WITH_SUBJECT)
  app.route({ method: ['GET', 'POST'], url: '/health', config: { session: false }, onRequest: app.requireSession(), handler: async () => ({}) })
  await t.rejects(async () => await app.ready(), { ...REFUSED, message: /GET,POST \/health/ })
})

t.test('so is one in a guarded scope, and one in a scope inside it', async t => {
  for (const depth of [0, 1]) {
    const app = await appWith(t, WITH_SUBJECT)
    app.register(async scope => {
      scope.register(scope.sessionGuard)
      const declare = async (inner: typeof scope): Promise<void> => { inner.get('/health', { config: { session: false } }, async () => ({})) }
      if (depth === 0) await declare(scope)
      else scope.register(declare)
    }, { prefix: '/api' })
    await t.rejects(async () => await app.ready(), { ...REFUSED, message: /GET \/api\/health/ })
  }
})

t.test('a route that needs no session beside a guarded scope is fine', async t => {
  const app = await appWith(t, WITH_SUBJECT)
  app.register(async scope => {
    scope.register(scope.sessionGuard)
    scope.get('/private', { config: { session: true } }, async () => ({}))
  })
  app.get('/health', { config: { session: false } }, async () => ({ ok: true }))
  t.equal((await app.inject('/health')).statusCode, 200)
})
