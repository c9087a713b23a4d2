import t from 'tap'
import { appWith, KEY, OTHER_KEY } from '../helpers/app'
import { WITH_SUBJECT } from './site'

const REFUSED = { code: 'FST_SESSION_INVALID_OPTION' }

t.test('a guard without a subject and without `when` is refused at boot: anonymous clients have sessions', async t => {
  const app = await appWith(t, { key: KEY })
  t.throws(() => app.requireSession(), REFUSED)
  t.throws(() => app.requireSession({ freshWithin: '5m' }), REFUSED)
  t.doesNotThrow(() => app.requireSession({ when: session => session.has('user') }))
})

t.test('a guard of a scope without a subject and without `when` is refused at boot', async t => {
  const app = await appWith(t, { key: KEY })
  app.register(app.sessionGuard)
  await t.rejects(async () => await app.ready(), REFUSED)
})

const WRONG = {
  'an unknown name': { fresh: '5m' },
  'a `when` that is not a function': { when: true },
  'a `when` that is null': { when: null },
  'a freshWithin of 0': { freshWithin: 0 },
  'a freshWithin without a unit': { freshWithin: '300' },
  'an empty session name': { sessionName: '' },
  'a session name that is not a string': { sessionName: 7 },
  'a string in place of the options': 'session',
  null: null
}

for (const [what, options] of Object.entries(WRONG)) {
  t.test(`options of a guard are checked at boot: ${what}`, async t => {
    const app = await appWith(t, WITH_SUBJECT)
    t.throws(() => app.requireSession(options as never), REFUSED)
  })
}

t.test('a guard of a session that was not registered, or that has no subject, is refused at boot', async t => {
  const app = await appWith(t, [WITH_SUBJECT, { key: OTHER_KEY, sessionName: 'basket' }])
  t.throws(() => app.requireSession({ sessionName: 'cart' }), { code: 'FST_SESSION_UNKNOWN_NAME' })
  t.throws(() => app.requireSession({ sessionName: 'basket' }), REFUSED)
  t.doesNotThrow(() => app.requireSession({ sessionName: 'session' }))
})

t.test('a guard ignores Fastify\'s own options of register, and refuses unknown options', async t => {
  const app = await appWith(t, WITH_SUBJECT)
  const options = { prefix: '/x', logLevel: 'warn', logSerializers: {}, freshWithin: 60 } as const
  app.register(async scope => { scope.register(scope.sessionGuard, options) })
  await t.resolves(async () => await app.ready())

  const other = await appWith(t, WITH_SUBJECT)
  other.register(async scope => { scope.register(scope.sessionGuard, { fresh: 60 } as never) })
  await t.rejects(async () => await other.ready(), REFUSED)
})

t.test('a route with a guard and `session: false` is refused at boot, with its name', async t => {
  const app = await appWith(t, WITH_SUBJECT)
  app.route({ method: ['GET', 'POST'], url: '/health', config: { session: false }, onRequest: app.requireSession(), handler: async () => ({}) })
  await t.rejects(async () => await app.ready(), { ...REFUSED, message: /GET,POST \/health/ })
})

t.test('a route with `session: false` in a guarded scope, or in a scope inside it, is refused at boot', async t => {
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

t.test('a route with `session: false` beside a guarded scope is accepted', async t => {
  const app = await appWith(t, WITH_SUBJECT)
  app.register(async scope => {
    scope.register(scope.sessionGuard)
    scope.get('/private', { config: { session: true } }, async () => ({}))
  })
  app.get('/health', { config: { session: false } }, async () => ({ ok: true }))
  t.equal((await app.inject('/health')).statusCode, 200)
})
