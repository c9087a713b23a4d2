import t from 'tap'
import { appWith, bareApp, KEY } from '../helpers/app'
import { Browser, setCookies } from '../helpers/browser'
import secureSession from '../../index'
import { guarded, outcome, PASSED, REQUIRED, visitor, WITH_SUBJECT } from './site'

t.test('who is logged in passes, and who is not is answered 401', async t => {
  const app = await guarded(t)
  const ada = await visitor(app, 'ada')
  t.strictSame(await ada.json('/private'), { user: 'ada' })
  const stranger = await visitor(app)
  const refused = await stranger.get('/private')
  t.match(refused.json(), { statusCode: 401, code: 'FST_SESSION_REQUIRED', error: 'Unauthorized' })
  t.strictSame(setCookies(refused), [], 'a stranger is given no session')
})

t.test('a session that somebody had as a stranger does not let them in', async t => {
  const app = await guarded(t)
  const stranger = await visitor(app)
  await stranger.get('/set/language/en')
  t.strictSame(outcome(await stranger.get('/private')), REQUIRED)
  await stranger.get('/set/user/ada')
  t.strictSame(outcome(await stranger.get('/private')), PASSED)
})

t.test('after a logout nobody is logged in, be it of one value or of the session', async t => {
  const app = await guarded(t)
  app.get('/forget', async ({ session }) => { session.unset('user'); return {} })
  for (const way of ['/forget', '/delete', '/regenerate']) {
    const ada = await visitor(app, 'ada')
    await ada.get(way)
    t.strictSame(outcome(await ada.get('/private')), REQUIRED, way)
  }
})

t.test('a cookie that does not open is a stranger’s', async t => {
  const app = await guarded(t)
  const eve = await visitor(app, 'eve')
  eve.cookies.set('session', `${eve.cookies.get('session')?.slice(0, -3)}AAA`)
  t.strictSame(outcome(await eve.get('/private')), REQUIRED)
})

t.test('a number is a subject, 0 among them; undefined and null are nobody; what else comes back fails the request', async t => {
  const answers: Array<[unknown, number]> = [[17, 200], [0, 200], ['x', 200], [undefined, 401], [null, 401], ['', 500], [true, 500], [{}, 500]]
  for (const [named, status] of answers) {
    const app = await appWith(t, { key: KEY, subject: () => named as never })
    app.get('/private', { onRequest: app.requireSession() }, async () => ({}))
    t.equal((await app.inject('/private')).statusCode, status, String(named))
  }
})

t.test('to ask who it is changes nothing: an object that the subject looked at is not written again', async t => {
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
  t.test(`it is a hook for ${hook}, alone or among others, and what it refuses reaches no later one`, async t => {
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

t.test('a login in an earlier hook of the same request lets it pass, and a logout does not', async t => {
  const app = await guarded(t)
  app.get('/in', { onRequest: async ({ session }) => { session.set('user', 'ada') }, preHandler: app.requireSession() }, async () => ({}))
  app.get('/out', { onRequest: async ({ session }) => { session.delete() }, preHandler: app.requireSession() }, async () => ({}))
  t.strictSame(outcome(await app.inject('/in')), PASSED)
  t.strictSame(outcome(await (await visitor(app, 'ada')).get('/out')), REQUIRED)
})

t.test('a HEAD request is guarded as its GET is', async t => {
  const app = await guarded(t)
  t.equal((await app.inject({ method: 'HEAD', url: '/private' })).statusCode, 401)
  t.equal((await (await visitor(app, 'ada')).get('/private', { method: 'HEAD' })).statusCode, 200)
})

t.test('a subject that throws fails the request, and the handler is not reached', async t => {
  const app = await appWith(t, { key: KEY, subject: () => { throw new Error('no database') } })
  app.get('/private', { onRequest: app.requireSession() }, async () => ({ reached: true }))
  t.match((await app.inject('/private')).json(), { statusCode: 500, message: 'no database' })
})

t.test('a session that became too old is nobody’s', async t => {
  const app = await guarded(t, { ...WITH_SUBJECT, idle: '1h' })
  const ada = await visitor(app, 'ada')
  const real = Date.now
  t.teardown(() => { Date.now = real })
  Date.now = () => real() + 3_600_000
  t.strictSame(outcome(await ada.get('/private')), REQUIRED)
})

t.test('a guard that stands where requests do not have its session fails the request', async t => {
  const app = bareApp(t)
  await app.register(async scope => {
    await scope.register(secureSession, { ...WITH_SUBJECT, sessionName: 'inner' })
    app.get('/outside', { onRequest: scope.requireSession() as never }, async () => ({ reached: true }))
  })
  t.strictSame(outcome(await app.inject('/outside')), [500, 'FST_SESSION_INVALID_OPTION'])
})
