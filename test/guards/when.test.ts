import t from 'tap'
import type secureSession from '../../index'
import { addRoutes, appWith, KEY } from '../helpers/app'
import { setCookies } from '../helpers/browser'
import { guarded, outcome, PASSED, REQUIRED, visitor, WITH_SUBJECT } from './site'

t.test('`when` decides which sessions pass, in place of the subject', async t => {
  const app = await guarded(t)
  app.get('/admin', { onRequest: app.requireSession({ when: session => session.get('role') === 'admin' }) }, async () => ({}))
  const ada = await visitor(app, 'ada')
  t.strictSame(outcome(await ada.get('/admin')), REQUIRED)
  await ada.get('/set/role/admin')
  t.strictSame(outcome(await ada.get('/admin')), PASSED)
  const bot = await visitor(app)
  await bot.get('/set/role/admin')
  t.strictSame(outcome(await bot.get('/admin')), PASSED, 'nobody asked for a subject')
})

t.test('`when` receives the session as a handler sees it', async t => {
  const app = await appWith(t, { key: KEY })
  addRoutes(app)
  const seen: unknown[] = []
  const when = (session: secureSession.Session): boolean => {
    seen.push(session.get('user'), session.info.isNew, Object.keys(session))
    return session.has('user')
  }
  app.get('/private', { onRequest: app.requireSession({ when }) }, async () => ({}))
  await (await visitor(app, 'ada')).get('/private')
  t.strictSame(seen, ['ada', false, ['user']])
})

t.test('`when` may return a promise, and its result counts', async t => {
  const app = await guarded(t)
  const allowed = new Set(['ada'])
  const when = async (session: secureSession.Session): Promise<boolean> => {
    await new Promise(resolve => { setImmediate(resolve) })
    return allowed.has(session.get('user'))
  }
  app.get('/listed', { onRequest: app.requireSession({ when }) }, async () => ({}))
  t.strictSame(outcome(await (await visitor(app, 'ada')).get('/listed')), PASSED)
  t.strictSame(outcome(await (await visitor(app, 'bob')).get('/listed')), REQUIRED)
})

const ANSWERS: Array<[string, () => unknown, unknown[]]> = [
  ['true', () => true, PASSED],
  ['false', () => false, REQUIRED],
  ['undefined', () => undefined, REQUIRED],
  ['null', () => null, REQUIRED],
  ['a promise of false', async () => false, REQUIRED],
  ['a promise of nothing', async () => undefined, REQUIRED],
  ['something then-able that comes to false', () => ({ then: (resolve: (value: boolean) => void) => { resolve(false) } }), REQUIRED],
  ['an empty word', () => '', REQUIRED],
  ['a promise of true', async () => true, PASSED],
  ['a record that was found', () => ({ id: 1 }), PASSED],
  ['a promise of a record', async () => ({ id: 1 }), PASSED]
]

for (const [what, when, expected] of ANSWERS) {
  t.test(`a truthy result of \`when\` passes, also from a promise: ${what}`, async t => {
    const app = await appWith(t, WITH_SUBJECT)
    app.get('/', { onRequest: app.requireSession({ when: when as never }) }, async () => ({}))
    t.strictSame(outcome(await app.inject('/')), expected)
  })
}

t.test('if `when` throws or rejects, the request fails with that error, and the handler is not called', async t => {
  const app = await appWith(t, WITH_SUBJECT)
  const thrown = (): never => { throw new Error('no database') }
  const forbidden = async (): Promise<never> => { throw Object.assign(new Error('not here'), { statusCode: 403 }) }
  app.get('/throws', { onRequest: app.requireSession({ when: thrown }) }, async () => ({ reached: true }))
  app.get('/rejects', { onRequest: app.requireSession({ when: forbidden }) }, async () => ({ reached: true }))
  t.match((await app.inject('/throws')).json(), { statusCode: 500, message: 'no database' })
  const rejected = await app.inject('/rejects')
  t.match(rejected.json(), { statusCode: 403, message: 'not here' })
  t.equal(rejected.headers['www-authenticate'], undefined)
})

t.test('a change that `when` makes to the session is written, also if the guard refuses', async t => {
  const app = await guarded(t)
  const when = (session: secureSession.Session): boolean => { session.set('returnTo', '/chat'); return false }
  app.get('/chat', { onRequest: app.requireSession({ when }) }, async () => ({}))
  const ada = await visitor(app)
  const refused = await ada.get('/chat')
  t.strictSame(outcome(refused), REQUIRED)
  t.match(setCookies(refused), [/^session=/])
  t.strictSame(await ada.json('/get'), { returnTo: '/chat' })
})

t.test('a session that `when` only reads is not written', async t => {
  const app = await appWith(t, { key: KEY })
  app.get('/login', async ({ session }) => { session.set('user', { admin: true }); return {} })
  app.get('/private', { onRequest: app.requireSession({ when: session => session.get('user')?.admin }) }, async () => ({}))
  const ada = await visitor(app)
  t.strictSame(outcome(await ada.get('/private')), REQUIRED)
  await ada.get('/login')
  const response = await ada.get('/private')
  t.strictSame(outcome(response), PASSED)
  t.strictSame(setCookies(response), [])
})
