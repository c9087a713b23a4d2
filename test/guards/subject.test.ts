import t from 'tap'
import { appWith, bareApp, KEY } from '../helpers/app'
import { Browser, setCookies } from '../helpers/browser'
import secureSession from '../../index'
import { guarded, outcome, PASSED, REQUIRED, visitor, WITH_SUBJECT } from './site'

t.test('a guard lets a logged-in user pass, and answers 401 otherwise', async t => {
  const app = await guarded(t)
  const ada = await visitor(app, 'ada')
  t.strictSame(await ada.json('/private'), { user: 'ada' })
  const stranger = await visitor(app)
  const refused = await stranger.get('/private')
  t.match(refused.json(), { statusCode: 401, code: 'FST_SESSION_REQUIRED', error: 'Unauthorized' })
  t.strictSame(setCookies(refused), [], 'a stranger is given no session')
})

t.test('an anonymous session of the same browser does not pass a guard', async t => {
  const app = await guarded(t)
  const stranger = await visitor(app)
  await stranger.get('/set/language/en')
  t.strictSame(outcome(await stranger.get('/private')), REQUIRED)
  await stranger.get('/set/user/ada')
  t.strictSame(outcome(await stranger.get('/private')), PASSED)
})

t.test('after a logout, by one value or of the session, a guard answers 401', async t => {
  const app = await guarded(t)
  app.get('/forget', async ({ session }) => { session.unset('user'); return {} })
  for (const way of ['/forget', '/delete', '/regenerate']) {
    const ada = await visitor(app, 'ada')
    await ada.get(way)
    t.strictSame(outcome(await ada.get('/private')), REQUIRED, way)
  }
})

t.test('a cookie that does not open does not pass a guard', async t => {
  const app = await guarded(t)
  const eve = await visitor(app, 'eve')
  eve.cookies.set('session', `${eve.cookies.get('session')?.slice(0, -3)}AAA`)
  t.strictSame(outcome(await eve.get('/private')), REQUIRED)
})

t.test('a number is a subject, also 0; undefined and null are no user; any other result fails the request', async t => {
  const answers: Array<[unknown, number]> = [[17, 200], [0, 200], ['x', 200], [undefined, 401], [null, 401], ['', 500], [true, 500], [{}, 500]]
  for (const [named, status] of answers) {
    const app = await appWith(t, { key: KEY, subject: () => named as never })
    app.get('/private', { onRequest: app.requireSession() }, async () => ({}))
    t.equal((await app.inject('/private')).statusCode, status, String(named))
  }
})

t.test('calling subject changes nothing: an object that it read is not written again', async t => {
  const app = await appWith(t, { key: KEY, subject: session => session.get('user')?.id })
  app.get('/login', async ({ session }) => { session.set('user', { id: 7 }); return {} })
  app.get('/private', { onRequest: app.requireSession() }, async ({ session }) => ({ changed: session.changed }))
  const ada = new Browser(app)
  await ada.get('/login')
  const response = await ada.get('/private')
  t.strictSame(response.json(), { changed: false })
  t.strictSame(setCookies(response), [])
})

for (const hook of ['onRequest', 'preParsing', 'preValidation', 'preHandler'] as const) {
  t.test(`a guard works as ${hook}, alone or in an array, and a refusal stops the later hooks`, async t => {
    const app = await guarded(t)
    const reached: string[] = []
    const guard = app.requireSession()
    const later = async (): Promise<void> => { reached.push('hook') }
    const handler = async ({ body }: { body: unknown }): Promise<object> => { reached.push('handler'); return { body: body ?? null } }
    app.post('/alone', { [hook]: guard }, handler)
    app.post('/among', { [hook]: [guard, later] }, handler)
    const ada = await visitor(app, 'ada')
    const stranger = await visitor(app)
    for (const url of ['/alone', '/among']) t.strictSame(outcome(await stranger.get(url, { method: 'POST', payload: { a: 1 } })), REQUIRED)
    t.strictSame(reached, [])
    for (const url of ['/alone', '/among']) t.strictSame((await ada.get(url, { method: 'POST', payload: { a: 1 } })).json(), { body: { a: 1 } })
    t.strictSame(reached, ['handler', 'hook', 'handler'])
  })
}

t.test('a login in an earlier hook of the same request passes a guard, and a logout does not', async t => {
  const app = await guarded(t)
  app.get('/in', { onRequest: async ({ session }) => { session.set('user', 'ada') }, preHandler: app.requireSession() }, async () => ({}))
  app.get('/out', { onRequest: async ({ session }) => { session.delete() }, preHandler: app.requireSession() }, async () => ({}))
  t.strictSame(outcome(await app.inject('/in')), PASSED)
  t.strictSame(outcome(await (await visitor(app, 'ada')).get('/out')), REQUIRED)
})

t.test('a HEAD request is guarded like its GET', async t => {
  const app = await guarded(t)
  t.equal((await app.inject({ method: 'HEAD', url: '/private' })).statusCode, 401)
  t.equal((await (await visitor(app, 'ada')).get('/private', { method: 'HEAD' })).statusCode, 200)
})

t.test('a subject that throws fails the request, and the handler is not called', async t => {
  const app = await appWith(t, { key: KEY, subject: () => { throw new Error('no database') } })
  app.get('/private', { onRequest: app.requireSession() }, async () => ({ reached: true }))
  t.match((await app.inject('/private')).json(), { statusCode: 500, message: 'no database' })
})

t.test('an expired session does not pass a guard', async t => {
  const app = await guarded(t, { ...WITH_SUBJECT, idle: '1h' })
  const ada = await visitor(app, 'ada')
  const real = Date.now
  t.teardown(() => { Date.now = real })
  Date.now = () => real() + 3_600_000
  t.strictSame(outcome(await ada.get('/private')), REQUIRED)
})

t.test('a guard on requests without its session fails the request', async t => {
  const app = bareApp(t)
  await app.register(async scope => {
    await scope.register(secureSession, { ...WITH_SUBJECT, sessionName: 'inner' })
    app.get('/outside', { onRequest: scope.requireSession() as never }, async () => ({ reached: true }))
  })
  t.strictSame(outcome(await app.inject('/outside')), [500, 'FST_SESSION_INVALID_OPTION'])
})
