import type { FastifyInstance } from 'fastify'
import t from 'tap'
import secureSession from '../../index'
import { addRoutes, appWith, bareApp } from '../helpers/app'
import { fakeClock } from '../helpers/clock'
import { guarded, outcome, PASSED, REQUIRED, STALE, visitor, WITH_SUBJECT } from './site'

const answer = async (): Promise<object> => ({})

t.test('a guarded scope guards its routes, also those declared before the guard and those of inner scopes', async t => {
  const app = await guarded(t)
  await app.register(async scope => {
    scope.get('/before', answer)
    scope.register(async inner => { inner.get('/inner-before', answer) })
    scope.register(scope.sessionGuard)
    scope.get('/after', answer)
    scope.register(async inner => { inner.get('/inner-after', answer) }, { prefix: '/deep' })
  }, { prefix: '/api' })
  app.get('/public', answer)
  const ada = await visitor(app, 'ada')
  for (const url of ['/api/before', '/api/inner-before', '/api/after', '/api/deep/inner-after']) {
    t.strictSame(outcome(await app.inject(url)), REQUIRED, url)
    t.strictSame(outcome(await ada.get(url)), PASSED, url)
  }
  t.strictSame(outcome(await app.inject('/public')), PASSED)
})

t.test('a guarded scope does not guard sibling scopes and the outer scope', async t => {
  const app = await guarded(t)
  await app.register(async scope => { await scope.register(scope.sessionGuard); scope.get('/guarded', answer) })
  await app.register(async scope => { scope.get('/open', answer) })
  t.strictSame(outcome(await app.inject('/guarded')), REQUIRED)
  t.strictSame(outcome(await app.inject('/open')), PASSED)
})

t.test('the 404 of a guarded scope with a prefix is guarded if the scope has its own 404 handler', async t => {
  const app = await guarded(t)
  for (const prefix of ['/own', '/none']) {
    await app.register(async scope => {
      scope.register(scope.sessionGuard)
      if (prefix === '/own') scope.setNotFoundHandler(async (_request, reply) => await reply.code(404).send({ code: 'NOTHING_HERE' }))
      scope.get('/page', answer)
    }, { prefix })
  }
  const ada = await visitor(app, 'ada')
  t.strictSame(outcome(await app.inject('/own/nothing')), REQUIRED)
  t.strictSame(outcome(await ada.get('/own/nothing')), [404, 'NOTHING_HERE'])
  t.equal((await app.inject('/none/nothing')).statusCode, 404)
})

t.test('a guard on the app itself guards all routes, of scopes and plugins, and the 404 handler', async t => {
  const app = bareApp(t)
  await app.register(async early => { early.get('/early', answer) })
  await app.register(secureSession, WITH_SUBJECT)
  app.get('/before', answer)
  app.register(app.sessionGuard, { when: ({ info }) => !info.isNew })
  app.register(async scope => { addRoutes(scope) })
  for (const url of ['/early', '/before', '/get', '/nowhere']) t.strictSame(outcome(await app.inject(url)), REQUIRED, url)
})

t.test('a scope guard takes the options of a route guard, and a route can have a stricter guard', async t => {
  const clock = fakeClock(t)
  const app = await guarded(t)
  await app.register(async scope => {
    scope.register(scope.sessionGuard, { when: session => session.get('user') !== 'eve' && session.has('user') })
    scope.get('/page', answer)
    scope.get('/transfer', { preHandler: scope.requireSession({ freshWithin: '5m' }) }, answer)
  })
  const ada = await visitor(app, 'ada')
  clock.advance(300_000)
  t.strictSame(outcome(await ada.get('/page')), PASSED)
  t.strictSame(outcome(await ada.get('/transfer')), STALE)
  t.strictSame(outcome(await (await visitor(app, 'eve')).get('/page')), REQUIRED)
})

t.test('if a scope has two guards, a request must pass both', async t => {
  const app = await guarded(t)
  await app.register(async scope => {
    await scope.register(scope.sessionGuard)
    await scope.register(scope.sessionGuard, { when: session => session.has('mfa') })
    scope.get('/page', answer)
  })
  const ada = await visitor(app, 'ada')
  t.strictSame(outcome(await ada.get('/page')), REQUIRED)
  await ada.get('/set/mfa/done')
  t.strictSame(outcome(await ada.get('/page')), PASSED)
})

t.test('a guard can be added to a scope with addHook', async t => {
  const app = await guarded(t)
  await app.register(async scope => {
    scope.addHook('onRequest', scope.requireSession())
    scope.get('/page', answer)
  })
  t.strictSame(outcome(await app.inject('/page')), REQUIRED)
  t.strictSame(outcome(await (await visitor(app, 'ada')).get('/page')), PASSED)
})

t.test('a scope guard runs after the hooks that were added before it, and before the later ones', async t => {
  const app = await appWith(t, WITH_SUBJECT)
  const reached: string[] = []
  const reach = (name: string) => async (): Promise<void> => { reached.push(name) }
  await app.register(async (scope: FastifyInstance) => {
    scope.addHook('onRequest', reach('before'))
    await scope.register(scope.sessionGuard)
    scope.addHook('onRequest', reach('after'))
    scope.get('/page', answer)
  })
  await app.inject('/page')
  t.strictSame(reached, ['before'])
})
